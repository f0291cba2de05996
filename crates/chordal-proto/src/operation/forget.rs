//! `forget`: an operator says that a silent node will not come back. `expel`: whether a node may go
//! that is not welcome any more.
//!
//! Everybody is asked how they are, the silent node too. Whoever answers is not forgotten; nor,
//! unless by force, is a node forgotten or expelled that may be the last one to have something. What is at risk is
//! judged by the same signs as the status: who else is silent, and who has not caught up.

use std::collections::{BTreeMap, BTreeSet};

use chordal_object::NodeId;
use serde::{Deserialize, Serialize};

use super::Task;
use crate::effect::{Answer, Failure};
use crate::input::OperationId;
use crate::member::Standing;
use crate::message::{Message, NodeStatus};
use crate::peer::Peer;
use crate::placement;
use crate::request::Purpose;
use crate::time::Time;

/// How many nodes are named in a reason.
const NAMED_MAX: usize = 4;

/// How a node is to go that does not leave by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Parting {
    /// It is silent, and will not come back.
    Forget,
    /// It may answer, and is not welcome any more.
    Expel,
}

/// An operator's wish that a node goes.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct ForgetTask {
    parting: Parting,
    node: NodeId,
    force: bool,
    waiting: BTreeSet<NodeId>,
    heard: BTreeMap<NodeId, NodeStatus>,
}

impl Peer {
    /// Begins to ask whether a node may be forgotten or expelled.
    pub(super) fn begin_forget(
        &mut self,
        now: Time,
        operation: OperationId,
        parting: Parting,
        node: NodeId,
        force: bool,
    ) {
        let standing = self.table.get(node).map(|entry| entry.member.standing);
        let depends_on_it = matches!(
            standing,
            Some(Standing::Present | Standing::Leaving | Standing::Gone)
        );
        if parting == Parting::Expel && !depends_on_it {
            self.reply(operation, Ok(Answer::Expellable));
            return;
        }
        let refusal = match standing {
            None => Some(Failure::UnknownNode),
            Some(_) if node == self.me.node => Some(answers()),
            Some(Standing::Left) => Some(Failure::NotForgotten(
                "it left with notice, and nothing waits for it".to_owned(),
            )),
            Some(Standing::Forgotten) => {
                self.reply(operation, Ok(Answer::Forgotten));
                return;
            }
            Some(Standing::Present | Standing::Leaving | Standing::Gone) => None,
        };
        if let Some(refusal) = refusal {
            self.reply(operation, Err(refusal));
            return;
        }
        let others = self.table.others(self.me.node);
        let nodes: BTreeSet<NodeId> = others.chain([self.me.node, node]).collect();
        let task = ForgetTask {
            parting,
            node,
            force,
            waiting: nodes.clone(),
            heard: BTreeMap::new(),
        };
        self.open_operation(now, operation, Task::Forget(task));
        for asked in nodes {
            // The one in question is asked whatever is believed of it.
            let worth_asking = asked == node || self.answers(asked);
            let purpose = Purpose::Operation(operation);
            let sent = worth_asking && self.ask(now, asked, Message::AskStatus, purpose).is_some();
            if !sent {
                self.forget_unanswered(now, operation, asked);
            }
        }
    }

    pub(super) fn forget_heard(
        &mut self,
        now: Time,
        operation: OperationId,
        from: NodeId,
        status: NodeStatus,
    ) {
        if let Some(Task::Forget(task)) = self.operations.open.get_mut(&operation) {
            task.heard.insert(from, status);
            self.forget_unanswered(now, operation, from);
        }
    }

    pub(super) fn forget_unanswered(&mut self, now: Time, operation: OperationId, node: NodeId) {
        if let Some(Task::Forget(task)) = self.operations.open.get_mut(&operation) {
            task.waiting.remove(&node);
            if task.waiting.is_empty() {
                self.forget_over(now, operation);
            }
        }
    }

    /// Decides by what was heard.
    pub(super) fn forget_over(&mut self, now: Time, operation: OperationId) {
        let Some(Task::Forget(task)) = self.operations.open.get_mut(&operation) else {
            return;
        };
        let (parting, node, force) = (task.parting, task.node, task.force);
        let mut heard = std::mem::take(&mut task.heard);
        let (refusal, answer) = match parting {
            Parting::Forget => {
                let refusal = self.refuse_to_forget(node, force, &heard);
                if refusal.is_none() {
                    self.forget_node(now, node);
                }
                (refusal, Answer::Forgotten)
            }
            Parting::Expel => {
                // What is asked is how the others are without it.
                heard.remove(&node);
                let refusal = self.refuse_to_expel(node, force, &heard);
                (refusal, Answer::Expellable)
            }
        };
        self.finish(operation, refusal.map_or(Ok(answer), Err));
    }

    fn refuse_to_expel(
        &self,
        node: NodeId,
        force: bool,
        heard: &BTreeMap<NodeId, NodeStatus>,
    ) -> Option<Failure> {
        if force {
            return None;
        }
        self.minority_of(heard, Some(node))
            .or_else(|| self.at_risk_without(node, heard).map(Failure::UnsafeExpel))
    }

    fn refuse_to_forget(
        &self,
        node: NodeId,
        force: bool,
        heard: &BTreeMap<NodeId, NodeStatus>,
    ) -> Option<Failure> {
        if heard.contains_key(&node) {
            return Some(answers());
        }
        if self.table.is_member(node)
            && let Some(hears) = self.hears_still(node, heard)
        {
            let hears = self.named(&[hears]);
            let why = format!("{hears} heard of it a moment ago; ask again in some seconds");
            return Some(Failure::NotForgotten(why));
        }
        if force {
            return None;
        }
        self.minority_of(heard, None)
            .or_else(|| self.at_risk_without(node, heard).map(Failure::UnsafeForget))
    }

    /// A node that would notice if that one were silent, and has not.
    fn hears_still(&self, node: NodeId, heard: &BTreeMap<NodeId, NodeStatus>) -> Option<NodeId> {
        let mut watchers = self.watchers(node).into_iter();
        watchers.find(|watcher| {
            let status = heard.get(watcher);
            status.is_some_and(|status| !status.suspects.contains(&node))
        })
    }

    /// The refusal of a node that hears too few others, one perhaps left aside, to decide for the
    /// ring.
    fn minority_of(
        &self,
        heard: &BTreeMap<NodeId, NodeStatus>,
        without: Option<NodeId>,
    ) -> Option<Failure> {
        let members = self.table.iter().filter(|(node, entry)| {
            let standing = entry.member.standing;
            standing.is_member() && !entry.tokens.is_empty() && Some(**node) != without
        });
        let members: Vec<NodeId> = members.map(|(&node, _)| node).collect();
        let known = members.len();
        let reached = members.iter().filter(|&node| heard.contains_key(node));
        let reached = reached.count();
        placement::is_minority(reached, known).then_some(Failure::Minority { reached, known })
    }

    /// What may be only on that node, as far as those who answered can tell.
    fn at_risk_without(
        &self,
        node: NodeId,
        heard: &BTreeMap<NodeId, NodeStatus>,
    ) -> Option<String> {
        let silent: BTreeSet<NodeId> = placement::arcs(&self.table, &self.settings)
            .filter(|held| held.holders.contains(&node))
            .flat_map(|held| held.holders)
            .filter(|other| *other != node && !heard.contains_key(other))
            .collect();
        if !silent.is_empty() {
            let silent: Vec<NodeId> = silent.into_iter().collect();
            return Some(format!(
                "{} hold the same arcs and do not answer either, so some things may be only there and here",
                self.named(&silent)
            ));
        }
        let behind = |status: &NodeStatus| status.arcs_incomplete > 0 || status.copies_wanted > 0;
        let behind = heard.iter().filter(|(_, status)| behind(status));
        let behind: Vec<NodeId> = behind.map(|(&other, _)| other).collect();
        if !behind.is_empty() {
            return Some(format!(
                "{} have not caught up yet, and may lack what only this node has",
                self.named(&behind)
            ));
        }
        (self.table.is_member(node) && self.replica.is_stranger_to(node)).then(|| {
            "with two copies or fewer either node may write alone, and this one has not compared with that one since it started"
                .to_owned()
        })
    }

    /// Some nodes by their addresses.
    fn named(&self, nodes: &[NodeId]) -> String {
        let mut names: Vec<String> = nodes
            .iter()
            .take(NAMED_MAX)
            .map(|&node| match self.table.addr(node) {
                Some(addr) => addr.to_string(),
                None => node.to_string(),
            })
            .collect();
        if nodes.len() > NAMED_MAX {
            names.push(format!("{} more", nodes.len() - NAMED_MAX));
        }
        names.join(", ")
    }
}

fn answers() -> Failure {
    Failure::NotForgotten("it answers; `chordal leave` on that node hands its copies over".into())
}
