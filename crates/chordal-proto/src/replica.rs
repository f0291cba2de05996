//! Keeping copies where they belong: who holds what, catching up, repair and hand-off.
//!
//! All of it is one mechanism. A node compares an arc with another holder and fetches what it
//! lacks (a *session*); nobody pushes. A new holder answers reads, but does not count towards a
//! majority before it has compared with enough of those that held the arc before and that have,
//! by then, adopted the new holders themselves (*seal, then sync*). A former holder drops its
//! copies only after every present holder has compared with it and confirmed.

mod answer;
mod handoff;
mod item_set;
mod placing;
mod session;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use chordal_object::{Arc, Key, NodeId};

use crate::effect::Notice;
use crate::join::SEEDS_MAX;
use crate::limits::SESSIONS_MAX;
use crate::member::Member;
use crate::membership::SavedState;
use crate::peer::Peer;
use crate::placement::{self, HeldArc};
use crate::range_set::RangeSet;
use crate::time::Time;
use crate::timer::Reason;
use crate::view::View;

pub(crate) use session::SessionId;

use handoff::HandOffs;
use serde::{Deserialize, Serialize};
use session::Sessions;

/// What this node holds, should hold, and has confirmed to hold.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Replica {
    /// How many holders a key had when copies were last placed.
    replicas: usize,
    /// The arcs that this node should hold, in order of their ends.
    mine: Vec<MyArc>,
    /// Keys of which this node has all that was acknowledged.
    complete: RangeSet,
    /// Keys of which it had once, before it may have missed writes.
    stale: RangeSet,
    /// Arcs of which it had, until the holders became those of the view: good to catch up from.
    retired: Vec<(Arc, View)>,
    sessions: Sessions,
    hand_offs: HandOffs,
    last_key: Key,
    /// When foreign arcs were last looked into without a reason.
    looked_abroad: Time,
    /// Completeness of an earlier life, until the ring confirms that it still holds.
    recalled: Option<Recalled>,
    /// From which incarnation on being given up would mean that writes were missed.
    complete_since: u64,
}

/// Completeness that an earlier life saved.
#[derive(Debug, Serialize, Deserialize)]
struct Recalled {
    /// How many remembered nodes must say that this one was not given up meanwhile.
    need: usize,
    confirmed: BTreeSet<NodeId>,
}

/// An arc that this node should hold.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct MyArc {
    held: HeldArc,
    /// Who held it just before this node came to hold it.
    previous: Vec<NodeId>,
    /// Nodes it was compared with under the present holders.
    compared: BTreeMap<NodeId, Compared>,
}

/// The last comparison of an arc with a node.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Compared {
    at: Time,
    /// Whether the other side itself had all that was acknowledged.
    source_complete: bool,
    /// Whether it had once, and may have missed writes since.
    source_once: bool,
    /// Whether the chunks were compared too and all of them came.
    chunks: bool,
    /// How long this comparison is good for: longer each time that nothing was found.
    pause: Duration,
}

/// How often the pause between comparisons that find nothing doubles: two minutes become an hour.
const DOUBLINGS: u32 = 5;

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

    /// From which incarnation on being given up means that writes were missed.
    pub(crate) const fn complete_since(&self) -> u64 {
        self.complete_since
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

    fn is_leaving(&self) -> bool {
        self.hand_offs.is_leaving()
    }

    pub(crate) fn handing_off(&self) -> u64 {
        self.hand_offs.items()
    }

    /// Whether copies of this key are being dropped at this moment.
    pub(crate) fn is_removing(&self, key: Key) -> bool {
        self.hand_offs.is_removing(key)
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
    /// Whether this node takes the same nodes for the holders of an arc.
    pub(crate) fn agrees(&self, arc: Arc, view: View) -> bool {
        self.is_placed_again() && placement::agrees(&self.table, &self.settings, arc, view)
    }

    /// Whether this node's word on an arc makes a new holder of that view complete.
    fn is_source(&self, arc: Arc, view: View) -> bool {
        let replica = &self.replica;
        let retired = |(kept, under): &(Arc, View)| *under == view && kept.covers(arc);
        let had_all =
            replica.complete.covers(arc, replica.last_key) || replica.retired.iter().any(retired);
        had_all && self.agrees(arc, view)
    }

    /// Whether this node once had all that was acknowledged on an arc, and agrees who holds it.
    fn is_stale(&self, arc: Arc, view: View) -> bool {
        self.replica.stale.covers(arc, self.replica.last_key) && self.agrees(arc, view)
    }

    /// Alone, a node begins with everything there is; one that remembers others begins with what
    /// it held, as soon as a majority of them has said that it was not given up meanwhile.
    pub(crate) fn start_replica(&mut self, now: Time, saved: Option<SavedState>) {
        let last = self.settings.bits.last_key();
        self.replica.last_key = last;
        let others = self.table.others(self.me.node).count();
        if others == 0 {
            self.replica.complete = RangeSet::of(Arc::FULL, last);
        } else if let Some(saved) = saved.filter(|saved| saved.complete) {
            self.replica.complete_since = saved.incarnation;
            // Rings of two favour availability: there is no majority to ask.
            let need = if others == 1 {
                0
            } else {
                others.min(SEEDS_MAX).div_ceil(2)
            };
            for held in placement::arcs(&self.table, &self.settings) {
                if held.holders.contains(&self.me.node) {
                    self.replica.stale.insert(held.arc, last);
                }
            }
            self.replica.recalled = Some(Recalled {
                need,
                confirmed: BTreeSet::new(),
            });
            self.recall_completeness(now);
        }
        self.replica.note_foreign();
        self.timers.set(now + self.rng.jitter(LOOK), Reason::Repair);
    }

    /// A member of the ring says what it last believed of this node.
    pub(crate) fn told_of_myself(&mut self, now: Time, from: NodeId, you: Option<&Member>) {
        let still_member = you.is_some_and(|entry| {
            entry.standing.is_member() && entry.incarnation <= self.replica.complete_since
        });
        let echo = you.is_some_and(|entry| {
            entry.standing.is_member() && entry.incarnation >= self.me.incarnation
        });
        if still_member {
            if let Some(recalled) = self.replica.recalled.as_mut() {
                recalled.confirmed.insert(from);
                self.recall_completeness(now);
            }
        } else if !echo {
            self.lose_completeness(now);
        }
    }

    fn recall_completeness(&mut self, now: Time) {
        let enough = |recalled: &Recalled| recalled.confirmed.len() >= recalled.need;
        if !self.replica.recalled.as_ref().is_some_and(enough) {
            return;
        }
        self.replica.recalled = None;
        let own = self.me.node;
        let arcs = placement::arcs(&self.table, &self.settings);
        for held in arcs.filter(|held| held.holders.contains(&own)) {
            self.replica
                .complete
                .insert(held.arc, self.replica.last_key);
        }
        self.place_again(now);
        self.repair_soon(now);
        self.save_soon(now);
    }

    /// This node may have missed writes: it counts again when it has caught up.
    pub(crate) fn lose_completeness(&mut self, now: Time) {
        for mine in &self.replica.mine {
            if self
                .replica
                .complete
                .covers(mine.held.arc, self.replica.last_key)
            {
                self.replica
                    .stale
                    .insert(mine.held.arc, self.replica.last_key);
            }
        }
        self.replica.complete = RangeSet::default();
        self.replica.recalled = None;
        self.replica.retired.clear();
        self.replica.complete_since = self.me.incarnation;
        for arc in &mut self.replica.mine {
            arc.compared.clear();
        }
        self.save_soon(now);
        self.repair_soon(now);
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
        if !self.table.is_whole() && !self.replica.is_leaving() {
            // Without placement there is nothing to compare or to hand off.
            return;
        }
        let pause = self.rng.jitter(LOOK);
        self.timers.set(now + pause, Reason::Repair);
        if !self.replica.sessions.has_queue() {
            self.queue_comparisons(now);
        }
        if now.since(self.replica.looked_abroad) >= self.timing.reconcile {
            // What came late, under holders of long ago, is found and handed off too.
            self.replica.looked_abroad = now;
            self.replica.note_foreign();
        }
        self.begin_sessions(now);
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
                let due = mine.compared.get(&node).is_none_or(|last| {
                    let pause = if !last.chunks || !(complete || last.source_complete) {
                        LOOK
                    } else {
                        last.pause
                    };
                    now.since(last.at) >= pause
                });
                if node != self.me.node && due && self.table.is_alive(node) {
                    wanted.push_back((arc, view, node));
                }
            }
        }
        for (arc, view, node) in wanted {
            self.replica.sessions.queue(arc, view, node, None);
        }
    }

    /// Something came to lie here, or is about to: the arc is compared within the usual time, so
    /// that a holder that missed it gets it.
    pub(crate) fn arc_changed(&mut self, now: Time, key: Key) {
        let usual = self.timing.reconcile;
        let last = self.replica.last_key;
        let concerned = |mine: &&mut MyArc| mine.held.arc.is_full() || mine.held.arc.contains(key);
        debug_assert!(key <= last, "keys are within the ring's bits");
        for mine in self.replica.mine.iter_mut().filter(concerned) {
            for compared in mine.compared.values_mut() {
                if compared.pause > usual {
                    compared.pause = usual;
                    compared.at = now;
                }
            }
        }
    }

    /// Another holder has not the same of an arc: this node compares too, unless it has just done
    /// so, since only who lacks something fetches it.
    pub(crate) fn arc_differs(&mut self, now: Time, arc: Arc, view: View, node: NodeId) {
        let usual = self.timing.reconcile;
        let Some(mine) = self.replica.my_arc(arc, view) else {
            return;
        };
        if let Some(compared) = mine.compared.get_mut(&node)
            && now.since(compared.at) >= usual
        {
            compared.pause = usual;
            self.repair_soon(now);
        }
    }

    /// Nodes from which this one can learn what was acknowledged on an arc.
    fn sources(&self, mine: &MyArc) -> Vec<NodeId> {
        let count = mine.held.holders.len() + 1;
        let mut nodes = placement::nodes_from(&self.table, mine.held.arc.upto, count);
        for &node in mine.held.holders.iter().chain(&mine.previous) {
            if !nodes.contains(&node) && !self.table.has_left(node) {
                nodes.push(node);
            }
        }
        nodes.retain(|&node| node != self.me.node);
        nodes
    }

    /// Whether a node was one of those that held an arc before this node came to hold it: only
    /// their word tells what was acknowledged. Whoever joined a ring saw no holders before, and
    /// goes by those that would be without it.
    fn held_before(&self, mine: &MyArc, node: NodeId) -> bool {
        if !mine.previous.is_empty() {
            return mine.previous.contains(&node);
        }
        let count = mine.held.holders.len();
        let others = placement::nodes_from(&self.table, mine.held.arc.upto, count + 1);
        others
            .into_iter()
            .filter(|&other| other != self.me.node)
            .take(count)
            .any(|o| o == node)
    }

    /// Counts this node as complete on an arc when it has compared with a majority's worth of
    /// nodes that are complete themselves; or, where there are not so many any more, with
    /// everybody who might know.
    fn consider_complete(&mut self, now: Time, arc: Arc, view: View) {
        let last = self.replica.last_key;
        if self.replica.complete.covers(arc, last) {
            return;
        }
        let dropping = self
            .replica
            .hand_offs
            .removing()
            .any(|other| other.contains(arc.upto) || arc.contains(other.upto));
        if dropping {
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
            .iter()
            .filter(|(node, compared)| compared.source_complete && self.held_before(mine, **node))
            .count();
        let need = placement::quorum(mine.held.holders.len());
        // Given-up holders are waited for while too few of the others could know.
        let once = mine
            .compared
            .values()
            .filter(|compared| compared.source_once)
            .count();
        let former = once + usize::from(self.replica.stale.covers(arc, last));
        let known_well = complete_sources > 0 || former >= need;
        let heard_all = self.sources(mine).iter().all(|node| {
            let held_it = mine.held.holders.contains(node) || mine.previous.contains(node);
            let given_up = !self.table.is_member(*node);
            let waited_for = held_it && !(given_up && known_well);
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
        let is_sorted = self
            .replica
            .mine
            .is_sorted_by_key(|mine| mine.held.arc.upto);
        let is_whole_ring = |mine: &MyArc| mine.held.arc.is_full();
        if !is_sorted || self.replica.mine.len() > 1 && self.replica.mine.iter().any(is_whole_ring)
        {
            return Err(format!("the arcs held here overlap (to {last})"));
        }
        if self.table.is_whole() && self.is_placed_again() {
            let mut foreign = self.replica.complete.clone();
            for mine in &self.replica.mine {
                foreign.remove(mine.held.arc, last);
            }
            if !foreign.is_empty() && self.replica.replicas > 0 {
                return Err(format!("complete on {foreign:?}, which others hold"));
            }
        }
        if self.replica.sessions.running() > SESSIONS_MAX {
            return Err("too many sessions at once".to_owned());
        }
        Ok(())
    }
}
