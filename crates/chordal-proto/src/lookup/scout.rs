//! Scouts of a joining token's lookup. A node that returns remembers many that are gone; to ask
//! one after the other, each in vain, would take long. So once one of them is silent, those whose
//! turn comes next are asked for a sign of life, all at the same time.

use chordal_object::NodeId;

use super::{Lookup, LookupId, LookupPurpose};
use crate::message::Message;
use crate::peer::Peer;
use crate::request::Purpose;
use crate::time::Time;

/// How many nodes are scouted ahead of the question under way.
const AHEAD: usize = 8;

impl Lookup {
    /// Nodes to be asked for a sign of life before their turn comes.
    fn take_scouts(&mut self) -> Vec<NodeId> {
        if !matches!(self.purpose, LookupPurpose::Join { .. }) || self.silent.is_empty() {
            return Vec::new();
        }
        let next = self.after.iter().rev().chain(self.before.iter().rev());
        let mut nodes: Vec<NodeId> = Vec::new();
        for (token, _) in next {
            let is_open = !self.asked.contains(token) && !self.silent.contains(&token.node);
            if is_open && !nodes.contains(&token.node) {
                nodes.push(token.node);
            }
            if nodes.len() == AHEAD {
                break;
            }
        }
        nodes.retain(|&node| self.scouted.insert(node));
        nodes
    }
}

impl Peer {
    /// Asks those whose turn comes next for a sign of life.
    pub(super) fn scout(&mut self, now: Time, id: LookupId) {
        let lookup = self.lookups.open.get_mut(&id);
        for node in lookup.map_or_else(Vec::new, |lookup| lookup.take_scouts()) {
            self.ask(now, node, Message::Ping, Purpose::Scout(id));
        }
    }

    /// A node gave no sign of life: its turn does not come.
    pub(crate) fn scouted_in_vain(&mut self, id: LookupId, node: Option<NodeId>) {
        let lookup = self.lookups.open.get_mut(&id);
        if let Some((lookup, node)) = lookup.zip(node)
            && !lookup.asked.iter().any(|token| token.node == node)
        {
            lookup.silent.insert(node);
        }
    }
}
