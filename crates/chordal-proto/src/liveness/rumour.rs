//! Silence that several nodes confirmed, as word for all others: they ask another node first, and
//! that is all. Nobody holds a node for suspect or gives it up on hearsay.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use chordal_object::{Key, NodeId};
use serde::{Deserialize, Serialize};

use crate::limits::RUMOURS_MAX;
use crate::message::{Message, Rumour, Silent};
use crate::peer::Peer;
use crate::table::Health;
use crate::time::Time;

/// How many nodes tell all others of a silent one, in case one of them falls silent too.
const HERALDS: usize = 2;

/// How many others must have found a node silent before all are told.
const WITNESSES: usize = 2;

/// What is said of silent nodes.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Rumours {
    /// Nodes that are said to be silent, since when, and how often that was passed on.
    said: BTreeMap<NodeId, (Time, usize)>,
    /// Who found a node silent, of those that told this one.
    witnesses: BTreeMap<NodeId, BTreeSet<NodeId>>,
}

impl Rumours {
    pub(crate) fn is_said_silent(&self, node: NodeId) -> bool {
        self.said.contains_key(&node)
    }

    /// Notes that another node found this one silent.
    pub(super) fn witness(&mut self, node: NodeId, by: NodeId) {
        if self.witnesses.len() < RUMOURS_MAX || self.witnesses.contains_key(&node) {
            let witnesses = self.witnesses.entry(node).or_default();
            if witnesses.len() < WITNESSES {
                witnesses.insert(by);
            }
        }
    }

    /// Notes what is said; tells whether it is to be passed on. Each herald's word goes its own
    /// way round the ring, so that it is not only passed on where it is news.
    fn hear(&mut self, now: Time, node: NodeId) -> bool {
        if self.said.len() >= RUMOURS_MAX && !self.said.contains_key(&node) {
            return false;
        }
        let (_, passed) = self.said.entry(node).or_insert((now, 0));
        *passed += 1;
        *passed <= HERALDS
    }

    /// The node spoke, or something newer is known of it.
    pub(crate) fn clear(&mut self, node: NodeId) {
        self.said.remove(&node);
        self.witnesses.remove(&node);
    }

    /// Forgets what is older than this: such a node was given up meanwhile, or was not silent.
    pub(crate) fn forget_old(&mut self, now: Time, age: Duration) {
        self.said.retain(|_, (at, _)| now.since(*at) < age);
    }
}

impl Peer {
    /// Whether a node is likely to answer, as far as this one was told.
    pub(crate) fn is_promising(&self, node: NodeId) -> bool {
        self.table.is_alive(node) && !self.liveness.rumours.is_said_silent(node)
    }

    /// Who tells all others of a silent node: the first of those to whom it matters. Where it
    /// matters to everybody, nobody does.
    fn heralds(&self, node: NodeId) -> Vec<NodeId> {
        let watchers = self.watchers(node);
        if !self.table.is_whole() || self.table.holding_nodes() <= watchers.len() + 1 {
            return Vec::new();
        }
        let alive = watchers.into_iter().filter(|&other| self.answers(other));
        alive.take(HERALDS).collect()
    }

    /// This node found another one silent: tells those that are to tell all.
    pub(super) fn bear_witness(&mut self, node: NodeId) {
        for herald in self.heralds(node) {
            if herald != self.me.node {
                self.tell(herald, Message::Silent(Silent { node, rumour: None }));
            }
        }
        self.consider_telling_all(node);
    }

    /// Tells all nodes of one that this node and enough others found silent.
    pub(super) fn consider_telling_all(&mut self, node: NodeId) {
        let rumours = &self.liveness.rumours;
        let witnesses = rumours.witnesses.get(&node).map_or(0, BTreeSet::len);
        let Some(Health::Suspect { since }) = self.table.get(node).map(|entry| entry.health) else {
            return;
        };
        if witnesses < WITNESSES
            || rumours.is_said_silent(node)
            || !self.table.is_member(node)
            || !self.heralds(node).contains(&self.me.node)
        {
            return;
        }
        self.liveness.rumours.hear(since, node);
        if let Some(own) = self.first_token() {
            self.tell_rumour(node, own, own);
        }
    }

    /// A node is said to be silent: another one is asked first, until it speaks.
    pub(crate) fn told_of_rumour(&mut self, now: Time, node: NodeId, rumour: Rumour) {
        let Some(entry) = self.table.get(node) else {
            return;
        };
        let is_of_this_life = entry.member.incarnation == rumour.incarnation;
        let heard = entry.heard.map(|heard| now.since(heard));
        let spoke = heard.is_some_and(|ago| ago < self.timing.ping);
        if node == self.me.node || !is_of_this_life {
            return;
        }
        if spoke && self.table.is_alive(node) {
            // It may be wrong: an answer ends it.
            self.ping(now, node);
        }
        if self.liveness.rumours.hear(now, node)
            && let Some(own) = self.first_token()
        {
            self.tell_rumour(node, own, rumour.until);
        }
    }

    fn tell_rumour(&mut self, node: NodeId, own: Key, until: Key) {
        let Some(entry) = self.table.get(node) else {
            return;
        };
        let incarnation = entry.member.incarnation;
        for (to, until) in self.branches(own, until) {
            let rumour = Some(Rumour { incarnation, until });
            self.tell(to, Message::Silent(Silent { node, rumour }));
        }
    }
}
