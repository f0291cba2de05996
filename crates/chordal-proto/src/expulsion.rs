//! Nodes that the ring's authority has expelled.
//!
//! Whether such a word is good is checked outside; here it is what follows from it. An expelled node
//! is forgotten (`operation/forget.rs`) for good: nobody waits for it, and nothing that it or somebody
//! else says of a later life of it brings it back.

use chordal_object::NodeId;

use crate::limits::EXPELLED_MAX;
use crate::member::{Member, Standing};
use crate::peer::Peer;
use crate::time::Time;

impl Peer {
    /// The authority has expelled these nodes. Not passed on: every node is told so itself.
    pub(crate) fn told_of_expelled(&mut self, now: Time, nodes: Vec<NodeId>) {
        let mut forgotten = Vec::new();
        for node in nodes {
            if node == self.me.node || self.expelled.len() >= EXPELLED_MAX {
                continue;
            }
            if self.expelled.insert(node)
                && let Some(entry) = self.table.get(node)
            {
                forgotten.push(entry.to_member());
            }
        }
        self.learn_members(now, &forgotten);
        self.count_again(now);
    }

    /// What is believed of a node, seeing whether it was expelled.
    pub(crate) fn as_expelled(&self, mut member: Member) -> Member {
        if self.expelled.contains(&member.node) && member.standing != Standing::Left {
            member.standing = Standing::Forgotten;
        }
        member
    }
}
