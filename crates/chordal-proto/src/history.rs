//! Which holders an arc went through: what a new holder has to know before its word counts.
//!
//! An operation on a name is done when a majority of the holders has done it, all of them under one
//! *view*: the holders they believe in. Holders change without any agreement on the order of the
//! changes, so a node that comes under a view cannot know by itself under which other views
//! something was done before. It asks; each node tells the views that it went through, and from its
//! answer on it takes no more part in any of them. Two rules make that safe (the argument is in
//! `docs/consistency.md`, and the model checker explores it):
//!
//! - *Seal*: whoever answers has come under the asker's view for good, also over a restart.
//! - *Sync*: a node counts under a view once it was compared with so many members of that view, and
//!   of every view that it or any of those went through, that no majority is without one of them.

use chordal_object::NodeId;
use serde::{Deserialize, Serialize};

use crate::limits::VIEWS_MAX;

/// The holders of an arc, in order of their ids: what a view is the short name of.
pub type Holders = Vec<NodeId>;

/// What a node knows of an arc's past.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct History {
    /// Whether this node once had all that was acknowledged on the arc.
    pub based: bool,
    /// The holders that it went through since then, or since it came to hold the arc, without the
    /// present ones: oldest first, none twice.
    pub passed: Vec<Holders>,
}

impl History {
    /// Of a node that has everything there is because nobody else is there.
    pub const fn beginning() -> Self {
        Self {
            based: true,
            passed: Vec::new(),
        }
    }

    /// These holders are not the present ones any more. A node that went through more than it can
    /// tell counts as one that never had anything.
    pub fn pass(&mut self, holders: &[NodeId]) {
        let mut holders = holders.to_vec();
        holders.sort_unstable();
        if self.passed.contains(&holders) {
            return;
        }
        if self.passed.len() == VIEWS_MAX {
            self.passed.remove(0);
            self.based = false;
        }
        self.passed.push(holders);
    }

    /// This node has all that was acknowledged before its present view.
    pub fn settle(&mut self) {
        *self = Self::beginning();
    }

    /// The histories of all these arcs together, if there are any.
    pub fn together(parts: impl IntoIterator<Item = Self>) -> Option<Self> {
        parts.into_iter().reduce(|mut whole, part| {
            whole.join(&part);
            whole
        })
    }

    /// The history of two arcs together: what is true of both, and all that either went through.
    pub fn join(&mut self, other: &Self) {
        self.based &= other.based;
        for holders in &other.passed {
            self.pass(holders);
        }
    }
}

/// Whether a node may count under its present view.
///
/// `heard` are the other nodes that it was compared with since it came under the view, each with
/// what it told; `excused` are those that need not be waited for, given the holders they are of.
/// Somebody among them must once have had everything: that nobody says so proves nothing.
pub fn is_settled<'a>(
    own: NodeId,
    present: &[NodeId],
    history: &'a History,
    heard: impl Iterator<Item = (NodeId, &'a History)> + Clone,
    excused: impl Fn(&[NodeId], NodeId) -> bool,
) -> bool {
    let based = history.based || heard.clone().any(|(_, told)| told.based);
    based && open_views(own, present, history, heard, excused).is_empty()
}

/// The views of which too few members were heard yet.
fn open_views<'a>(
    own: NodeId,
    present: &[NodeId],
    history: &'a History,
    heard: impl Iterator<Item = (NodeId, &'a History)> + Clone,
    excused: impl Fn(&[NodeId], NodeId) -> bool,
) -> Vec<Holders> {
    let told = heard.clone().flat_map(|(_, told)| &told.passed);
    let mut present = present.to_vec();
    present.sort_unstable();
    let mut views: Vec<Holders> = vec![present];
    for holders in history.passed.iter().chain(told) {
        if !views.contains(holders) {
            views.push(holders.clone());
        }
    }
    views.retain(|holders| {
        let known = |node: NodeId| node == own || heard.clone().any(|(other, _)| other == node);
        let covered = holders
            .iter()
            .filter(|&&node| known(node) || excused(holders, node));
        covered.count() < enough(holders.len())
    });
    views
}

/// How many of so many holders must be heard, so that every majority has one of them and any two
/// who ask hear one in common. Where one answer is a majority (rings of one or two favour
/// availability) that is all of them.
pub const fn enough(holders: usize) -> usize {
    holders / 2 + 1
}

#[cfg(test)]
mod tests;
