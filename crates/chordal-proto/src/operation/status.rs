//! The whole ring's status, gathered from every node; and this node's part in it.

use std::collections::{BTreeMap, BTreeSet};

use chordal_object::{Arc, NodeId};
use serde::{Deserialize, Serialize};

use super::Task;
use crate::certificate::{Certificate, Flaw, TokenView};
use crate::effect::{Answer, DiskOp, NodeReport, NodeState, RepairState, RingStatus};
use crate::input::{Completion, DiskAnswer, OperationId};
use crate::member::{Standing, Token};
use crate::message::{Care, Message, NodeStatus, TokenPointers};
use crate::peer::Peer;
use crate::placement;
use crate::request::{Asker, Purpose};
use crate::time::Time;
use crate::waiting::Waiting;

/// A client's question for the ring's status.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct StatusTask {
    waiting: BTreeSet<NodeId>,
    heard: BTreeMap<NodeId, NodeStatus>,
}

impl Peer {
    /// Begins to gather the ring's status.
    pub(super) fn begin_status(&mut self, now: Time, operation: OperationId) {
        let nodes: BTreeSet<NodeId> = self
            .table
            .others(self.me.node)
            .chain([self.me.node])
            .collect();
        let task = StatusTask {
            waiting: nodes.clone(),
            heard: BTreeMap::new(),
        };
        self.open_operation(now, operation, Task::Status(task));
        for node in nodes {
            let sent = self.answers(node)
                && self
                    .ask(now, node, Message::AskStatus, Purpose::Operation(operation))
                    .is_some();
            if !sent {
                self.status_unanswered(operation, node);
            }
        }
    }

    pub(super) fn status_heard(
        &mut self,
        operation: OperationId,
        from: NodeId,
        status: NodeStatus,
    ) {
        if let Some(Task::Status(task)) = self.operations.open.get_mut(&operation) {
            task.heard.insert(from, status);
            self.status_unanswered(operation, from);
        }
    }

    pub(super) fn status_unanswered(&mut self, operation: OperationId, node: NodeId) {
        if let Some(Task::Status(task)) = self.operations.open.get_mut(&operation) {
            task.waiting.remove(&node);
            if task.waiting.is_empty() {
                self.status_over(operation);
            }
        }
    }

    /// Puts together what was heard.
    pub(super) fn status_over(&mut self, operation: OperationId) {
        let Some(Task::Status(task)) = self.operations.open.get_mut(&operation) else {
            return;
        };
        let heard = std::mem::take(&mut task.heard);
        let status = self.ring_status(heard);
        self.finish(operation, Ok(Answer::Status(status)));
    }

    fn ring_status(&self, mut heard: BTreeMap<NodeId, NodeStatus>) -> RingStatus {
        let own = heard
            .get(&self.me.node)
            .cloned()
            .unwrap_or_else(|| self.own_status(0, Care::default(), 0));
        let broken = ring_breaks(&heard);
        let missing: u64 = heard
            .values()
            .map(|status| {
                status
                    .copies_wanted
                    .saturating_add(status.copies_unreachable)
            })
            .fold(0, u64::saturating_add);
        let moving = heard.values().any(|status| {
            status.copies_wanted > 0 || status.arcs_incomplete > 0 || status.handing_off > 0
        });
        let nodes: Vec<NodeReport> = self
            .table
            .iter()
            .map(|(node, entry)| {
                let status = heard.remove(node);
                let state = match entry.member.standing {
                    Standing::Present if status.is_some() => NodeState::Alive,
                    Standing::Leaving if status.is_some() => NodeState::Leaving,
                    Standing::Present | Standing::Leaving => NodeState::Suspect,
                    Standing::Gone | Standing::Forgotten => NodeState::Gone,
                    Standing::Left => NodeState::Left,
                };
                NodeReport {
                    member: entry.to_member(),
                    state,
                    status,
                }
            })
            .collect();
        let repair = match (moving, missing > 0) {
            (true, _) => RepairState::Working,
            (false, true) => RepairState::Waiting,
            (false, false) => RepairState::Idle,
        };
        RingStatus {
            ring_name: self.settings.ring_name.clone(),
            problems: self.problems(&nodes, &broken, missing),
            own,
            nodes,
            whole: broken.is_empty(),
            copies_missing: missing,
            repair,
        }
    }

    fn problems(&self, nodes: &[NodeReport], broken: &[String], missing: u64) -> Vec<String> {
        let mut problems = broken.to_vec();
        for report in nodes
            .iter()
            .filter(|report| report.state == NodeState::Suspect)
        {
            problems.push(format!("{} does not answer", report.member.addr));
        }
        let replicas = self.replicas();
        if replicas < usize::from(self.settings.replicas) {
            problems.push(match replicas {
                0 => "no node stores anything".to_owned(),
                1 => "one node, one copy of everything: add a second machine to be safe".to_owned(),
                few => format!(
                    "{few} nodes, {few} copies of everything: a third machine would make it three"
                ),
            });
        }
        if missing > 0 {
            problems.push(format!("{missing} copies are missing or out of reach"));
        }
        if let Err(minority) = self.refuse_in_minority() {
            problems.push(format!("{minority}: no writes until more of them return"));
        }
        problems
    }

    /// How this node is.
    fn own_status(&self, used_bytes: u64, care: Care, copies_unreachable: u64) -> NodeStatus {
        NodeStatus {
            member: self.me.clone(),
            tokens: self.tokens.values().map(|ring| ring.nearest()).collect(),
            used_bytes,
            copies_wanted: self.replica.copies_wanted(),
            copies_unreachable,
            arcs_incomplete: self.replica.arcs_incomplete(),
            handing_off: self.replica.handing_off(),
            suspects: self.suspects().collect(),
            care,
        }
    }

    /// Somebody asks how this node is.
    pub(crate) fn asked_status(&mut self, asker: &Asker) {
        self.disk(DiskOp::Usage, Waiting::UsageFor(*asker));
    }

    /// The disk told how full it is; now it counts what lies where holders are out of reach.
    pub(crate) fn usage_for(&mut self, asker: &Asker, completion: Completion) {
        let (used, care) = match completion {
            Completion::Disk(Ok(DiskAnswer::Usage { used, care, .. })) => (used, care),
            Completion::Disk(_) | Completion::Transfer(_) => (0, Care::default()),
        };
        let (arcs, weights) = self.arcs_out_of_reach();
        if arcs.is_empty() {
            let status = self.own_status(used, care, 0);
            self.answer(asker, Message::Status(status));
            return;
        }
        self.disk(
            DiskOp::CountIn(arcs),
            Waiting::CountsFor {
                asker: *asker,
                used,
                care,
                weights,
            },
        );
    }

    pub(crate) fn counts_for(
        &mut self,
        asker: &Asker,
        used: u64,
        care: Care,
        weights: &[u64],
        completion: Completion,
    ) {
        let unreachable = match completion {
            Completion::Disk(Ok(DiskAnswer::Counts(counts))) => counts
                .iter()
                .zip(weights)
                .map(|(count, weight)| count.saturating_mul(*weight))
                .fold(0, u64::saturating_add),
            Completion::Disk(_) | Completion::Transfer(_) => 0,
        };
        let status = self.own_status(used, care, unreachable);
        self.answer(asker, Message::Status(status));
    }

    /// Arcs of which this node is the first holder that answers, with the number of holders
    /// that do not.
    fn arcs_out_of_reach(&self) -> (Vec<Arc>, Vec<u64>) {
        placement::arcs(&self.table, &self.settings)
            .filter_map(|held| {
                let first = held.holders.iter().find(|&&node| self.answers(node));
                let silent = held
                    .holders
                    .iter()
                    .filter(|&&node| !self.answers(node))
                    .count();
                (first == Some(&self.me.node) && silent > 0).then_some((held.arc, silent as u64))
            })
            .unzip()
    }
}

/// Where the nearest pointers of the nodes heard are not those of one ordered ring, in words.
fn ring_breaks(heard: &BTreeMap<NodeId, NodeStatus>) -> Vec<String> {
    let views: Vec<TokenView> = heard
        .iter()
        .flat_map(|(&node, status)| status.tokens.iter().map(move |token| nearest(node, *token)))
        .collect();
    // Only the first entry of each list is known here: whether a later one is alive is not.
    let flaws = Certificate::of(&views, 1).flaws.into_iter();
    let flaws = flaws.filter(|flaw| !matches!(flaw, Flaw::NoLiveSuccessor { .. }));
    let mut breaks: Vec<String> = flaws.map(|flaw| flaw.to_string()).collect();
    let more = breaks.len().saturating_sub(BREAKS_SHOWN);
    breaks.truncate(BREAKS_SHOWN);
    if more > 0 {
        breaks.push(format!(
            "and {more} more that is not right yet; `chordal check` tells all"
        ));
    }
    breaks
}

fn nearest(node: NodeId, pointers: TokenPointers) -> TokenView {
    TokenView {
        token: Token {
            key: pointers.key,
            node,
        },
        predecessor: pointers.predecessor,
        successors: vec![pointers.successor],
    }
}

/// How many flaws are named one by one.
const BREAKS_SHOWN: usize = 3;
