//! Keeping copies where they belong: who holds what, catching up, repair and hand-off.
//!
//! All of it is one mechanism. A node compares an arc with another holder and fetches what it
//! lacks (a *session*); nobody pushes. A new holder answers reads, but does not count towards a
//! majority before it has compared with enough of those that held the arc before and that have,
//! by then, adopted the new holders themselves (*seal, then sync*). A former holder drops its
//! copies only after every present holder has compared with it and confirmed.

mod answer;
mod handoff;
mod session;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use chordal_object::{Arc, Key, NodeId};

use crate::effect::Notice;
use crate::limits::SESSIONS_MAX;
use crate::peer::Peer;
use crate::placement::{self, HeldArc};
use crate::range_set::RangeSet;
use crate::time::Time;
use crate::timer::Reason;
use crate::view::View;

pub(crate) use session::SessionId;

use handoff::HandOffs;
use session::Sessions;

/// What this node holds, should hold, and has confirmed to hold.
#[derive(Debug, Default)]
pub(crate) struct Replica {
    /// The whole ring, cut into arcs of equal holders.
    all: Vec<HeldArc>,
    /// The arcs that this node should hold.
    mine: Vec<MyArc>,
    /// Keys of which this node has all that was acknowledged.
    complete: RangeSet,
    /// Arcs of which it had, until the holders became those of the view: good to catch up from.
    retired: Vec<(Arc, View)>,
    sessions: Sessions,
    hand_offs: HandOffs,
    last_key: Key,
}

/// An arc that this node should hold.
#[derive(Clone, Debug)]
struct MyArc {
    held: HeldArc,
    /// Who held it just before this node came to hold it.
    previous: Vec<NodeId>,
    /// Nodes it was compared with under the present holders.
    compared: BTreeMap<NodeId, Compared>,
}

/// The last comparison of an arc with a node.
#[derive(Clone, Copy, Debug)]
struct Compared {
    at: Time,
    /// Whether the other side itself had all that was acknowledged.
    source_complete: bool,
    /// Whether the chunks were compared too and all of them came.
    chunks: bool,
}

/// Pause between two looks at what is to be repaired.
const LOOK: Duration = Duration::from_secs(1);

/// Mean pause before a change of holders is followed up.
const SOON: Duration = Duration::from_millis(30);

impl Replica {
    /// Nodes that hold arcs together with this one.
    pub(crate) fn co_holders(&self) -> impl Iterator<Item = NodeId> {
        let nodes: BTreeSet<NodeId> = self
            .mine
            .iter()
            .flat_map(|arc| arc.held.holders.iter().copied())
            .collect();
        nodes.into_iter()
    }

    /// The holders of each arc of this node.
    pub(crate) fn holder_sets(&self) -> impl Iterator<Item = &Vec<NodeId>> {
        self.mine.iter().map(|arc| &arc.held.holders)
    }

    pub(crate) fn all_arcs(&self) -> impl Iterator<Item = &HeldArc> {
        self.all.iter()
    }

    pub(crate) fn is_complete_at(&self, key: Key) -> bool {
        self.complete.contains(key)
    }

    /// Whether this node has all that was acknowledged of all it should hold.
    pub(crate) fn is_complete(&self) -> bool {
        self.mine
            .iter()
            .all(|arc| self.complete.covers(arc.held.arc, self.last_key))
    }

    /// The arcs of which this node has all that was acknowledged.
    pub(crate) fn complete_arcs(&self, last: Key) -> Vec<Arc> {
        let mine = self.mine.iter().map(|arc| arc.held.arc);
        mine.filter(|&arc| self.complete.covers(arc, last))
            .collect()
    }

    pub(crate) fn arcs_incomplete(&self) -> u32 {
        let open = self
            .mine
            .iter()
            .filter(|arc| !self.complete.covers(arc.held.arc, self.last_key));
        u32::try_from(open.count()).unwrap_or(u32::MAX)
    }

    /// Copies to be made here: those known to be lacking, and at least one for each arc that was
    /// not yet compared with each of its holders.
    pub(crate) fn copies_wanted(&self) -> u64 {
        let unknown = self
            .mine
            .iter()
            .filter(|arc| !arc.has_chunks_of_somebody())
            .count();
        self.sessions.lacking() + unknown as u64
    }

    pub(crate) fn handing_off(&self) -> u64 {
        self.hand_offs.items()
    }

    /// Whether this node's word on an arc makes a new holder of that view complete.
    fn is_source(&self, arc: Arc, view: View) -> bool {
        let agrees = self
            .all
            .iter()
            .any(|held| held.view == view && held.arc.covers(arc));
        let retired = self
            .retired
            .iter()
            .any(|(kept, under)| *under == view && kept.covers(arc));
        agrees && (retired || self.complete.covers(arc, self.last_key))
    }

    /// Something lies here that others should hold.
    pub(crate) fn note_foreign(&mut self) {
        self.hand_offs.note_foreign();
    }

    fn my_arc(&mut self, arc: Arc, view: View) -> Option<&mut MyArc> {
        self.mine
            .iter_mut()
            .find(|mine| mine.held.arc == arc && mine.held.view == view)
    }
}

impl MyArc {
    /// Whether the chunks of some other holder were compared, or there is none to compare with.
    fn has_chunks_of_somebody(&self) -> bool {
        self.held.holders.len() < 2 || self.compared.values().any(|compared| compared.chunks)
    }
}

impl Peer {
    /// Begins with what an earlier life held, if that was complete; alone, with everything.
    pub(crate) fn start_replica(&mut self, now: Time, complete: bool) {
        let last = self.settings.bits.last_key();
        self.replica.last_key = last;
        if self.is_alone() {
            self.replica.complete = RangeSet::of(Arc::FULL, last);
        } else if complete {
            for held in placement::arcs(&self.table, &self.settings) {
                if held.holders.contains(&self.me.node) {
                    self.replica.complete.insert(held.arc, last);
                }
            }
        }
        self.replica.note_foreign();
        self.timers.set(now + self.rng.jitter(LOOK), Reason::Repair);
    }

    /// This node may have missed writes: it counts again when it has caught up.
    pub(crate) fn lose_completeness(&mut self, now: Time) {
        self.replica.complete = RangeSet::default();
        self.replica.retired.clear();
        for arc in &mut self.replica.mine {
            arc.compared.clear();
        }
        self.save_soon(now);
        self.repair_soon(now);
    }

    /// The nodes that should hold copies changed: works out what this node holds from here on.
    pub(crate) fn place_again(&mut self, now: Time) {
        let last = self.settings.bits.last_key();
        self.replica.last_key = last;
        let all = placement::arcs(&self.table, &self.settings);
        let before = std::mem::replace(&mut self.replica.all, all);
        let was_mine = std::mem::take(&mut self.replica.mine);
        let own = self.me.node;
        let replica = &mut self.replica;
        replica.retired.retain(|(arc, view)| {
            replica
                .all
                .iter()
                .any(|held| held.view == *view && held.arc.covers(*arc))
        });
        for held in &replica.all {
            if held.holders.contains(&own) {
                replica.mine.push(inherit(held, &was_mine, &before));
            } else {
                if replica.complete.covers(held.arc, last) {
                    replica.retired.push((held.arc, held.view));
                }
                replica.complete.remove(held.arc, last);
            }
        }
        replica.sessions.drop_unless(|arc, view| {
            replica
                .all
                .iter()
                .any(|held| held.view == view && held.arc.covers(arc))
        });
        replica.hand_offs.clear();
        replica.note_foreign();
        self.begin_where_nobody_was_before(now);
        self.repair_soon(now);
        self.save_soon(now);
    }

    /// A node that finds no other holder anywhere has nothing to wait for.
    fn begin_where_nobody_was_before(&mut self, now: Time) {
        let arcs: Vec<(Arc, View)> = self
            .replica
            .mine
            .iter()
            .map(|arc| (arc.held.arc, arc.held.view))
            .collect();
        for (arc, view) in arcs {
            self.consider_complete(now, arc, view);
        }
    }

    pub(crate) fn repair_soon(&mut self, now: Time) {
        let pause = self.rng.jitter(SOON);
        self.timers.at_latest(now + pause, Reason::Repair);
    }

    /// A node that was out of reach is back: compare with it at once.
    pub(crate) fn reconcile_again(&mut self, now: Time, node: NodeId) {
        for arc in &mut self.replica.mine {
            arc.compared.remove(&node);
        }
        self.repair_soon(now);
    }

    /// Something lies here, since just now, that others should hold.
    pub(crate) fn holds_something_foreign(&mut self, now: Time) {
        self.replica.note_foreign();
        self.repair_soon(now);
    }

    /// Looks at what is to be repaired or handed off, and begins as much as may go on at once.
    pub(crate) fn repair(&mut self, now: Time) {
        let pause = self.rng.jitter(LOOK);
        self.timers.set(now + pause, Reason::Repair);
        if !self.replica.sessions.has_queue() {
            self.queue_comparisons(now);
        }
        while self.replica.sessions.running() < SESSIONS_MAX {
            let Some(next) = self.replica.sessions.next() else {
                break;
            };
            self.begin_session(now, next);
        }
        self.work_on_hand_offs(now);
    }

    /// Queues each arc with each node to compare it with: those never compared with under the
    /// present holders, those of long ago, and for catching up, those who held it before.
    fn queue_comparisons(&mut self, now: Time) {
        let mut wanted: VecDeque<(Arc, View, NodeId)> = VecDeque::new();
        for mine in &self.replica.mine {
            let HeldArc { arc, view, .. } = mine.held;
            let complete = self.replica.complete.covers(arc, self.replica.last_key);
            let nodes = if complete {
                mine.held.holders.clone()
            } else {
                self.sources(mine)
            };
            for node in nodes {
                let due = mine
                    .compared
                    .get(&node)
                    .is_none_or(|last| !last.chunks || now.since(last.at) >= self.timing.reconcile);
                if node != self.me.node && due && self.table.is_alive(node) {
                    wanted.push_back((arc, view, node));
                }
            }
        }
        for (arc, view, node) in wanted {
            self.replica.sessions.queue(arc, view, node, None);
        }
    }

    /// Nodes from which this one can learn what was acknowledged on an arc.
    fn sources(&self, mine: &MyArc) -> Vec<NodeId> {
        let count = mine.held.holders.len() + 1;
        let mut nodes = placement::nodes_from(&self.table, mine.held.arc.upto, count);
        for &node in mine.held.holders.iter().chain(&mine.previous) {
            if !nodes.contains(&node) && self.table.is_member(node) {
                nodes.push(node);
            }
        }
        nodes.retain(|&node| node != self.me.node);
        nodes
    }

    /// Counts this node as complete on an arc when it has compared with a majority's worth of
    /// nodes that are complete themselves; or, where there are not so many any more, with
    /// everybody who might know.
    fn consider_complete(&mut self, now: Time, arc: Arc, view: View) {
        let last = self.replica.last_key;
        if self.replica.complete.covers(arc, last) {
            return;
        }
        let found = self
            .replica
            .mine
            .iter()
            .find(|mine| mine.held.arc == arc && mine.held.view == view);
        let Some(mine) = found else { return };
        let complete_sources = mine
            .compared
            .values()
            .filter(|compared| compared.source_complete)
            .count();
        let need = placement::quorum(mine.held.holders.len());
        let heard_all = self.sources(mine).iter().all(|node| {
            let waited_for = mine.held.holders.contains(node) || mine.previous.contains(node);
            mine.compared.contains_key(node) || (!self.answers(*node) && !waited_for)
        });
        if complete_sources < need && !heard_all {
            return;
        }
        self.replica.complete.insert(arc, last);
        self.save_soon(now);
        self.notice(Notice::Synchronised { arc, copied: 0 });
    }

    /// Walks the invariants of what this node holds.
    pub(crate) fn check_replica(&self) -> Result<(), String> {
        for mine in &self.replica.mine {
            if !mine.held.holders.contains(&self.me.node) {
                return Err(format!(
                    "{:?} is held here without being this node's",
                    mine.held.arc
                ));
            }
        }
        let last = self.replica.last_key;
        for held in &self.replica.all {
            let foreign = !held.holders.contains(&self.me.node);
            if foreign && self.replica.complete.contains(held.arc.upto) {
                return Err(format!("complete on {:?}, which others hold", held.arc));
            }
            if held.arc.is_full() && self.replica.all.len() > 1 {
                return Err(format!(
                    "{:?} is the whole ring among others (to {last})",
                    held.arc
                ));
            }
        }
        if self.replica.sessions.running() > SESSIONS_MAX {
            return Err("too many sessions at once".to_owned());
        }
        Ok(())
    }
}

/// An arc of this node, with what is still true of the arcs it was cut from.
fn inherit(held: &HeldArc, was_mine: &[MyArc], before: &[HeldArc]) -> MyArc {
    let same = was_mine.iter().find(|old| old.held.arc.covers(held.arc));
    let previous = match same {
        Some(old) if old.held.view == held.view => old.previous.clone(),
        Some(old) => old.held.holders.clone(),
        None => before
            .iter()
            .find(|old| old.arc.covers(held.arc))
            .map(|old| old.holders.clone())
            .unwrap_or_default(),
    };
    let compared = same
        .filter(|old| old.held.view == held.view)
        .map(|old| old.compared.clone())
        .unwrap_or_default();
    MyArc {
        held: held.clone(),
        previous,
        compared,
    }
}
