//! `check`: walks the live ring, node by node over the network, and states what it is.
//!
//! The walk begins at this node and follows every pointer that an answer names; the nodes that
//! only the table knows are asked too, since a ring or an appendage that no pointer leads to is
//! what a check is for. What makes a ring right is stated in [`crate::certificate`]. Nothing heard
//! is believed of the table: a check changes nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::time::Duration;

use chordal_object::{Key, NodeId};
use serde::{Deserialize, Serialize};

use super::Task;
use crate::certificate::{Certificate, Flaw, TokenView};
use crate::effect::{Answer, Reached, RingCheck, SilentNode};
use crate::input::OperationId;
use crate::limits::{WALK_AT_ONCE_MAX, WALK_NODES_MAX};
use crate::member::Token;
use crate::message::{Message, NodePointers};
use crate::peer::Peer;
use crate::request::Purpose;
use crate::time::Time;
use crate::timer::Reason;

/// How often the ring is walked before what looks wrong is called wrong.
const WALKS_MAX: u32 = 3;

/// Pause before the ring is walked again: longer than a changed ring needs for its next round.
const AGAIN: Duration = Duration::from_millis(400);

/// A client's wish for the ring's certificate.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct CheckTask {
    began: Time,
    walks: u32,
    walk: Walk,
}

/// One walk over the ring.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Walk {
    /// Where each node met so far is, if anybody said.
    addrs: BTreeMap<NodeId, SocketAddr>,
    /// Nodes met and not asked yet.
    ahead: BTreeSet<NodeId>,
    /// Nodes asked that have not answered yet.
    asked: BTreeSet<NodeId>,
    heard: BTreeMap<NodeId, Vec<TokenView>>,
    silent: BTreeSet<NodeId>,
    /// Nodes that could not be asked.
    unasked: BTreeSet<NodeId>,
}

impl Walk {
    /// A node that the walk should come to.
    fn meet(&mut self, node: NodeId) {
        let known = [&self.asked, &self.silent, &self.unasked];
        if !self.heard.contains_key(&node) && known.iter().all(|nodes| !nodes.contains(&node)) {
            self.ahead.insert(node);
        }
    }

    /// The next node to ask, while there may be one more.
    fn next(&mut self) -> Option<(NodeId, SocketAddr)> {
        while self.asked.len() < WALK_AT_ONCE_MAX {
            let node = self.ahead.pop_first()?;
            let count = self.asked.len() + self.heard.len() + self.silent.len();
            match self.addrs.get(&node) {
                Some(&addr) if count < WALK_NODES_MAX => {
                    self.asked.insert(node);
                    return Some((node, addr));
                }
                Some(_) | None => {
                    self.unasked.insert(node);
                }
            }
        }
        None
    }

    fn hear(&mut self, from: NodeId, pointers: NodePointers) {
        let NodePointers {
            mut tokens,
            members,
        } = pointers;
        for member in members {
            self.addrs.entry(member.node).or_insert(member.addr);
        }
        // Each speaks of its own tokens alone.
        tokens.retain(|view| view.token.node == from);
        self.heard.insert(from, Vec::new());
        for named in tokens.iter().flat_map(pointers_of) {
            self.meet(named.node);
        }
        self.heard.insert(from, tokens);
    }

    fn is_over(&self) -> bool {
        self.asked.is_empty() && self.ahead.is_empty()
    }

    fn certificate(&self, list_length: usize) -> Certificate {
        let views: Vec<TokenView> = self.heard.values().flatten().cloned().collect();
        Certificate::of(&views, list_length)
    }

    /// The tokens at the positions that a certificate's flaws name.
    fn named(&self, certificate: &Certificate) -> Vec<Token> {
        let positions = certificate.flaws.iter().flat_map(Flaw::positions);
        let positions: BTreeSet<Key> = positions.collect();
        let views = self.heard.values().flatten();
        let tokens = views.flat_map(|view| std::iter::once(&view.token).chain(pointers_of(view)));
        let named: BTreeSet<Token> = tokens
            .filter(|token| positions.contains(&token.key))
            .copied()
            .collect();
        named.into_iter().collect()
    }

    /// How many pointers of those who answered lead to a node.
    fn pointers_to(&self, node: NodeId) -> usize {
        let pointers = self.heard.values().flatten().flat_map(pointers_of);
        pointers.filter(|token| token.node == node).count()
    }
}

fn pointers_of(view: &TokenView) -> impl Iterator<Item = &Token> {
    std::iter::once(&view.predecessor).chain(&view.successors)
}

impl Peer {
    /// Begins to walk the ring.
    pub(super) fn begin_check(&mut self, now: Time, operation: OperationId) {
        let task = CheckTask {
            began: now,
            walks: 0,
            walk: Walk::default(),
        };
        self.open_operation(now, operation, Task::Check(Box::new(task)));
        self.walk_again(now, operation);
    }

    /// Walks the ring from the beginning.
    pub(super) fn walk_again(&mut self, now: Time, operation: OperationId) {
        let mut walk = Walk::default();
        for node in self.table.others(self.me.node).chain([self.me.node]) {
            walk.ahead.insert(node);
        }
        for (&node, entry) in self.table.iter() {
            walk.addrs.insert(node, entry.addr());
        }
        walk.addrs.insert(self.me.node, self.me.addr);
        if let Some(Task::Check(task)) = self.operations.open.get_mut(&operation) {
            task.walks += 1;
            task.walk = walk;
        }
        self.walk_on(now, operation);
    }

    /// A node told its pointers.
    pub(super) fn pointers_heard(
        &mut self,
        now: Time,
        operation: OperationId,
        from: NodeId,
        pointers: NodePointers,
    ) {
        if let Some(Task::Check(task)) = self.operations.open.get_mut(&operation)
            && task.walk.asked.remove(&from)
        {
            task.walk.hear(from, pointers);
            self.walk_on(now, operation);
        }
    }

    /// A node did not tell its pointers.
    pub(super) fn pointers_unheard(&mut self, now: Time, operation: OperationId, node: NodeId) {
        if let Some(Task::Check(task)) = self.operations.open.get_mut(&operation)
            && task.walk.asked.remove(&node)
        {
            task.walk.silent.insert(node);
            self.walk_on(now, operation);
        }
    }

    /// Asks the nodes ahead, as many at once as may be; at the end of the walk, looks at the whole.
    fn walk_on(&mut self, now: Time, operation: OperationId) {
        loop {
            let Some(Task::Check(task)) = self.operations.open.get_mut(&operation) else {
                return;
            };
            let Some((node, addr)) = task.walk.next() else {
                break;
            };
            let purpose = Purpose::Operation(operation);
            let asked = self.ask_at(now, node, addr, Message::AskPointers, purpose);
            if asked.is_none()
                && let Some(Task::Check(task)) = self.operations.open.get_mut(&operation)
            {
                task.walk.asked.remove(&node);
                task.walk.unasked.insert(node);
            }
        }
        let list_length = usize::from(self.settings.successors);
        let Some(Task::Check(task)) = self.operations.open.get(&operation) else {
            return;
        };
        if !task.walk.is_over() {
            return;
        }
        if task.walks < WALKS_MAX && !task.walk.certificate(list_length).is_ideal() {
            self.timers.set(now + AGAIN, Reason::Retry(operation));
        } else {
            self.check_over(now, operation);
        }
    }

    /// Says what was found by now; who has not answered yet counts as silent.
    pub(super) fn check_over(&mut self, now: Time, operation: OperationId) {
        let list_length = usize::from(self.settings.successors);
        let Some(Task::Check(task)) = self.operations.open.get_mut(&operation) else {
            return;
        };
        let (walks, took) = (task.walks, now.since(task.began));
        let mut walk = std::mem::take(&mut task.walk);
        walk.silent.append(&mut walk.asked);
        walk.unasked.append(&mut walk.ahead);
        let certificate = walk.certificate(list_length);
        let check = RingCheck {
            ring_name: self.settings.ring_name.clone(),
            named: walk.named(&certificate),
            certificate,
            heard: walk
                .heard
                .iter()
                .map(|(&node, tokens)| Reached {
                    node,
                    addr: walk.addrs[&node],
                    tokens: tokens.len(),
                })
                .collect(),
            silent: walk
                .silent
                .iter()
                .map(|&node| SilentNode {
                    node,
                    addr: walk.addrs[&node],
                    pointers: walk.pointers_to(node),
                })
                .collect(),
            unasked: walk.unasked.len(),
            walks,
            took,
        };
        self.finish(operation, Ok(Answer::Checked(check)));
    }
}

#[cfg(test)]
mod tests;
