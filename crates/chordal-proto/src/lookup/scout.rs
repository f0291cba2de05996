//! Scouts of a joining token's lookup. A node that returns remembers many that are gone, and where
//! all start at once nobody is on a ring yet; to ask one after the other, each in vain, would take
//! long. So once one was asked in vain, those whose turn comes next are asked too, all at the same
//! time: who is silent or on no ring is passed over, and who is on one has its turn at once.

use chordal_object::NodeId;

use super::{Lookup, LookupId, LookupPurpose, OFF_RING_NEAR};
use crate::member::{Member, Token};
use crate::message::{Message, Via};
use crate::peer::Peer;
use crate::request::Purpose;
use crate::time::Time;

/// How many nodes are asked ahead of the question under way; the first few near the key, the others
/// from all around the ring.
const AHEAD: usize = 8;

impl Lookup {
    /// Nodes to be asked before their turn comes.
    fn take_scouts(&mut self) -> Vec<NodeId> {
        let joins = matches!(self.purpose, LookupPurpose::Join { .. });
        if !joins || self.ring_answers || self.silent.is_empty() {
            return Vec::new();
        }
        let mut open: Vec<NodeId> = Vec::new();
        for (token, _) in self.before.iter().rev() {
            let node = token.node;
            if self.is_open(token) && !self.scouted.contains(&node) && !open.contains(&node) {
                open.push(node);
            }
        }
        let under_way = self.scouted.difference(&self.silent).count();
        let mut scouts = Vec::new();
        while !open.is_empty() && under_way + scouts.len() < AHEAD {
            let place = match self.scouted.len().checked_sub(OFF_RING_NEAR) {
                Some(step) => open.len() * (step % AHEAD) / AHEAD,
                None => 0,
            };
            let scout = open.remove(place);
            self.scouted.insert(scout);
            scouts.push(scout);
        }
        scouts
    }

    /// The nearest token before the key of a node that is on a ring for sure; its turn comes once.
    pub(super) fn next_found(&mut self) -> Option<(Token, Via)> {
        let is_found = |(token, _): &(Token, Via)| self.found.contains(&token.node);
        let place = self.before.iter().rposition(is_found)?;
        let next = self.before.remove(place);
        self.found.remove(&next.0.node);
        Some(next)
    }
}

impl Peer {
    /// Asks those whose turn comes next.
    pub(super) fn scout(&mut self, now: Time, id: LookupId) {
        let Some(lookup) = self.lookups.open.get_mut(&id) else {
            return;
        };
        let (key, scouts) = (lookup.key, lookup.take_scouts());
        let table = self.table_as_known();
        for node in scouts {
            if !self.table.is_suspect(node) {
                let question = Message::FindOwner { key, table };
                self.ask(now, node, question, Purpose::Scout(id));
            }
        }
    }

    /// A node that was asked ahead is on a ring.
    pub(crate) fn scout_found(&mut self, now: Time, id: LookupId, node: NodeId, told: &[Member]) {
        self.learn_members(now, told);
        if let Some(lookup) = self.lookups.open.get_mut(&id) {
            lookup.ring_answers = true;
            lookup.found.insert(node);
        }
    }

    /// A node that was asked ahead is on no ring, or silent: its turn does not come.
    pub(crate) fn scouted_in_vain(
        &mut self,
        now: Time,
        id: LookupId,
        node: Option<NodeId>,
        off_ring: bool,
    ) {
        let lookup = self.lookups.open.get_mut(&id);
        let Some((lookup, node)) = lookup.zip(node) else {
            return;
        };
        if !lookup.has_asked(node) {
            lookup.silent.insert(node);
        }
        if off_ring {
            lookup.off_ring.insert(node);
            self.end_if_no_ring(now, id);
        }
    }
}
