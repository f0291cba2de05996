//! Keeping copies where they belong: who holds what, catching up, repair and hand-off.
//!
//! All of it is one mechanism. A node compares an arc with another holder and fetches what it
//! lacks (a *session*); nobody pushes. Whenever the holders of an arc change, none of them counts
//! towards a majority before it has compared with enough of those that held the arc before and
//! that have, by then, come under the new view themselves (*seal, then sync*; see
//! [`crate::history`]). A former holder drops its copies only after every present holder has
//! compared with it and confirmed.

mod answer;
mod collect;
mod handoff;
mod item_set;
mod lapse;
mod pasts;
mod placing;
mod session;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use chordal_object::{Arc, Key, NodeId};

use crate::effect::Notice;
use crate::history::{self, History};
use crate::input::Damaged;
use crate::limits::{SAVED_VIEWS_BYTES, SESSIONS_MAX};
use crate::message::Word;
use crate::peer::Peer;
use crate::placement::{self, HeldArc};
use crate::range_set::RangeSet;
use crate::time::Time;
use crate::timer::Reason;
use crate::view::View;

pub(crate) use collect::Collector;
pub(crate) use session::SessionId;

use handoff::HandOffs;
use lapse::Lapse;
use pasts::Pasts;
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
    /// Arcs that it held before, or in an earlier life, with what it went through: those who hold
    /// them now ask for it.
    pasts: Pasts,
    /// How often what is to be kept of views changed.
    moves: u64,
    /// How often it had when the last save began that is durable: views that a crash could undo
    /// are worth nothing to others.
    sealed: u64,
    sessions: Sessions,
    hand_offs: HandOffs,
    lapse: Lapse,
    last_key: Key,
    /// When foreign arcs were last looked into without a reason.
    looked_abroad: Time,
}

/// An arc that this node should hold.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct MyArc {
    held: HeldArc,
    /// What this node went through with it.
    history: History,
    /// Who held it just before this node came to hold it: they may know, and have the chunks that this
    /// one has not yet.
    previous: Vec<NodeId>,
    /// Since when this node does not count on it; nothing while it does, or was not yet looked at.
    waits_since: Option<Time>,
    /// Nodes it was compared with under the present holders.
    compared: BTreeMap<NodeId, Compared>,
}

/// The last comparison of an arc with a node.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Compared {
    at: Time,
    /// What the other side went through with the arc.
    told: History,
    /// Whether the chunks were compared too and all of them came.
    chunks: bool,
    /// How long this comparison is good for: longer each time that nothing was found.
    pause: Duration,
}

/// How often the pause between comparisons that find nothing doubles: two minutes become an hour.
const DOUBLINGS: u32 = 5;

/// Pause between two looks at what is to be repaired.
const LOOK: Duration = Duration::from_secs(1);

/// Pause before a comparison is tried again that a node needs in order to count.
const EAGERLY: Duration = Duration::from_millis(200);

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

    /// Whether that node may have taken something that this one has not seen: there are two
    /// holders or fewer, of which each may write alone, and not all that the two hold was compared.
    pub(crate) fn is_stranger_to(&self, node: NodeId) -> bool {
        let few = self.replicas <= 2;
        let compared = |arc: &MyArc| arc.compared.get(&node).is_some_and(|last| last.chunks);
        let mut shared = self.mine.iter();
        let knows = shared.all(|arc| !arc.held.holders.contains(&node) || compared(arc));
        few && (self.mine.is_empty() || !knows)
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

    /// What this node went through with an arc, of which it may have held parts.
    fn history_of(&self, arc: Arc) -> History {
        let mine = self.mine.iter().filter(|mine| meet(mine.held.arc, arc));
        let mine = mine.map(|mine| mine.history.clone());
        let parts = mine.chain(self.pasts.of(arc, self.last_key));
        History::together(parts).unwrap_or_default()
    }

    /// This node counts on an arc.
    fn settle(&mut self, arc: Arc, view: View) {
        if let Some(mine) = self.my_arc(arc, view) {
            mine.history.settle();
            mine.waits_since = None;
            if mine.has_chunks_of_somebody() {
                mine.previous.clear();
            }
        }
        drop(self.pasts.take(arc, self.last_key));
        self.complete.insert(arc, self.last_key);
    }

    fn my_arc(&mut self, arc: Arc, view: View) -> Option<&mut MyArc> {
        self.mine
            .iter_mut()
            .find(|mine| mine.held.arc == arc && mine.held.view == view)
    }
}

/// Whether two arcs have keys in common.
fn meet(one: Arc, other: Arc) -> bool {
    one.is_full() || other.is_full() || one.contains(other.upto) || other.contains(one.upto)
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

    /// Alone, a node begins with everything there is; one that remembers others has to learn what
    /// it missed before it counts again.
    pub(crate) fn start_replica(&mut self, now: Time, saved: &[(Arc, History)]) {
        let last = self.settings.bits.last_key();
        self.replica.last_key = last;
        if self.is_alone() {
            self.replica.pasts = Pasts::beginning(last);
        } else {
            for (arc, history) in saved {
                self.replica.pasts.put(*arc, last, history);
            }
        }
        self.replica.note_foreign();
        self.timers.set(now + self.rng.jitter(LOOK), Reason::Repair);
        self.start_collecting(now);
    }

    /// Nobody let this node in: it has everything there is.
    pub(crate) fn begin_alone(&mut self, now: Time) {
        let beginning = History::beginning();
        for mine in &mut self.replica.mine {
            mine.history = beginning.clone();
        }
        self.replica.pasts = Pasts::beginning(self.replica.last_key);
        self.consider_waiting(now);
    }

    /// A node that was alone joins the ring of others: what was acknowledged there it does not have.
    pub(crate) fn begin_among_others(&mut self, now: Time) {
        self.replica.pasts.clear();
        for mine in &mut self.replica.mine {
            mine.history = History::default();
        }
        self.lose_completeness(now);
    }

    /// This node was given up, and may have missed writes: it counts again when it has caught up.
    pub(crate) fn lose_completeness(&mut self, now: Time) {
        self.replica.complete = RangeSet::default();
        for mine in &mut self.replica.mine {
            mine.compared.clear();
            mine.waits_since.get_or_insert(now);
        }
        self.replica.moves += 1;
        self.save_soon(now);
        self.repair_soon(now);
    }

    /// What is to be kept of views for the next life, the arcs of this node first. The present
    /// holders are former ones there.
    pub(crate) fn views_to_save(&self) -> Vec<(Arc, History)> {
        let mine = self.replica.mine.iter().map(|mine| {
            let mut history = mine.history.clone();
            history.pass(&mine.held.holders);
            (mine.held.arc, history)
        });
        let pasts = self.replica.pasts.iter(self.replica.last_key);
        let pasts = pasts.map(|(arc, history)| (arc, history.clone()));
        let mut room = SAVED_VIEWS_BYTES;
        mine.chain(pasts)
            .take_while(|(_, history)| {
                let nodes: usize = history.passed.iter().map(Vec::len).sum();
                let bytes = size_of::<Arc>() + nodes * size_of::<NodeId>();
                let fits = bytes <= room;
                room = room.saturating_sub(bytes);
                fits
            })
            .collect()
    }

    /// How often what is to be kept of views changed so far.
    pub(crate) const fn moves(&self) -> u64 {
        self.replica.moves
    }

    /// A save is durable that began after so many changes.
    pub(crate) fn views_saved(&mut self, now: Time, moves: u64) {
        if moves > self.replica.sealed {
            self.replica.sealed = moves;
            self.repair_soon(now);
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
        self.consider_waiting(now);
        if !self.replica.sessions.has_queue() {
            self.queue_comparisons(now);
        }
        if now.since(self.replica.looked_abroad) >= self.timing.reconcile {
            // What came late, under holders of long ago, is found and handed off too.
            self.replica.looked_abroad = now;
            self.replica.note_foreign();
        }
        self.begin_copying(now);
        self.begin_sessions(now);
        self.work_on_hand_offs(now);
        self.consider_lapse(now);
    }

    /// Queues each arc with each node to compare it with: those never compared with under the
    /// present holders, those of long ago, and those without whom this node does not count.
    fn queue_comparisons(&mut self, now: Time) {
        let mut eager: Vec<(usize, Arc, View, NodeId)> = Vec::new();
        let mut usual: Vec<(usize, Arc, View, NodeId)> = Vec::new();
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
                    let pause = if last.chunks { last.pause } else { LOOK };
                    now.since(last.at) >= pause
                });
                if node != self.me.node && due && self.table.is_alive(node) {
                    if complete {
                        // Until this node has the chunks of one of them.
                        let copies = if mine.previous.is_empty() {
                            usize::MAX
                        } else {
                            self.others_with_copies(mine)
                        };
                        usual.push((copies, arc, view, node));
                    } else {
                        eager.push((self.others_with_copies(mine), arc, view, node));
                    }
                }
            }
        }
        // The most endangered first.
        eager.sort_by_key(|&(copies, ..)| copies);
        usual.sort_by_key(|&(copies, ..)| copies);
        for (_, arc, view, node) in eager.into_iter().chain(usual) {
            self.replica.sessions.queue(arc, view, node, None);
        }
    }

    /// How many other nodes that answer have copies of the arc: of those that held it before, until this
    /// one has the chunks of one of them; then of those that hold it now.
    fn others_with_copies(&self, mine: &MyArc) -> usize {
        let nodes = if mine.previous.is_empty() {
            &mine.held.holders
        } else {
            &mine.previous
        };
        let others = nodes.iter().filter(|&&node| node != self.me.node);
        others.filter(|&&node| self.table.is_alive(node)).count()
    }

    /// The same of an arc that this node may hold; of any other it does not matter.
    fn copies_left(&self, arc: Arc, view: View) -> usize {
        let mut mine = self.replica.mine.iter();
        let found = mine.find(|mine| mine.held.arc.covers(arc) && mine.held.view == view);
        found.map_or(usize::MAX, |mine| self.others_with_copies(mine))
    }

    /// Counts this node on every arc of which it has heard enough by now.
    fn consider_waiting(&mut self, now: Time) {
        let last = self.replica.last_key;
        let mut waiting: Vec<(Arc, View)> = Vec::new();
        for mine in &mut self.replica.mine {
            if !self.replica.complete.covers(mine.held.arc, last) {
                mine.waits_since.get_or_insert(now);
                waiting.push((mine.held.arc, mine.held.view));
            }
        }
        for (arc, view) in waiting {
            self.consider_complete(now, arc, view);
        }
        if self.replica.arcs_incomplete() > 0 {
            self.timers.at_latest(now + EAGERLY, Reason::Repair);
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

    /// A copy that lay here was damaged and is put aside: the arc is compared at once, with all
    /// that hold it, so that it is fetched again.
    pub(crate) fn copy_damaged(&mut self, now: Time, copy: &Damaged) {
        let key = match copy {
            Damaged::Chunk(chunk) => self.chunk_key(*chunk),
            Damaged::Record(name) => self.settings.name_key(name),
        };
        let concerned = |mine: &&mut MyArc| mine.held.arc.is_full() || mine.held.arc.contains(key);
        for mine in self.replica.mine.iter_mut().filter(concerned) {
            for compared in mine.compared.values_mut() {
                compared.chunks = false;
            }
        }
        self.repair_soon(now);
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

    /// Nodes from which this one can learn what was acknowledged on an arc: all that are known to
    /// have held it since the last time that somebody had everything.
    fn sources(&self, mine: &MyArc) -> Vec<NodeId> {
        let told = mine.compared.values().flat_map(|last| &last.told.passed);
        let views = mine.history.passed.iter().chain(told).flatten();
        let known = mine.held.holders.iter().chain(&mine.previous).chain(views);
        let known: BTreeSet<NodeId> = known.copied().collect();
        let others = known.into_iter().filter(|&node| node != self.me.node);
        others.filter(|&node| !self.table.has_left(node)).collect()
    }

    /// Counts this node on an arc when it has heard enough of those that held it before.
    fn consider_complete(&mut self, now: Time, arc: Arc, view: View) {
        let last = self.replica.last_key;
        if self.replica.complete.covers(arc, last) || !self.is_sealed() {
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
        let heard = mine.compared.iter();
        let mut history = mine.history.clone();
        history.based |= self.is_given_up_by_decree(mine);
        let settled = history::is_settled(
            self.me.node,
            &mine.held.holders,
            &history,
            heard.map(|(&node, last)| (node, &last.told)),
            |holders, node| {
                let gone = self.is_gone_for_good(now, node, mine.waits_since);
                // Rings of one or two favour availability.
                gone || (holders.len() <= 2 && !self.answers(node))
            },
        );
        if !settled {
            return;
        }
        self.replica.settle(arc, view);
        self.save_later(now);
        self.notice(Notice::Synchronised { arc, copied: 0 });
    }

    /// Whether an operator has forgotten everybody who is known to have held an arc before, and
    /// those who hold it now have told one another what they know: nobody is left who once had
    /// everything, and waiting for somebody would mean for ever.
    fn is_given_up_by_decree(&self, mine: &MyArc) -> bool {
        let own = self.me.node;
        let present = &mine.held.holders;
        let mut others = present.iter().filter(|&&node| node != own);
        let sources = self.sources(mine);
        let mut former = sources.iter().filter(|node| !present.contains(node));
        others.all(|node| mine.compared.contains_key(node))
            && former.clone().next().is_some()
            && former.all(|&node| self.table.is_forgotten(node))
    }

    /// Whether the ring has given a node up, and it was silent for the grace time: it, and its
    /// copies, are not waited for for ever.
    fn is_gone_for_good(&self, now: Time, node: NodeId, waits_since: Option<Time>) -> bool {
        let heard = self.table.get(node).and_then(|entry| entry.heard);
        // Others may have heard of it until the ring gave it up, and where copies are at stake that is
        // seconds after its silence began.
        let since = heard.or(waits_since).max(self.liveness.departed_at(node));
        let silence = since.map_or(Duration::ZERO, |since| now.since(since));
        let is_over = silence >= self.timing.grace || self.table.is_forgotten(node);
        !self.table.is_member(node) && is_over
    }

    /// Whether a crash would not undo the views that this node is under.
    fn is_sealed(&self) -> bool {
        self.replica.sealed == self.replica.moves
    }

    /// A holder of that view asks about an arc. Whoever answers takes part in no other view from
    /// then on without telling of this one, also when it holds nothing there.
    fn note_asked(&mut self, now: Time, arc: Arc, view: View) {
        let last = self.replica.last_key;
        let own = self.me.node;
        let held = placement::arc_at(&self.table, &self.settings, arc.upto);
        let Some(held) = held.filter(|held| held.view == view && held.arc.covers(arc)) else {
            return;
        };
        if held.holders.contains(&own) {
            return;
        }
        if self.replica.pasts.note(arc, last, &held.holders) {
            self.replica.moves += 1;
            self.replica.lapse.hasten(now);
            self.save_soon(now);
        }
    }

    /// What this node's word on an arc is worth to a holder of that view.
    fn word(&self, arc: Arc, view: View) -> Word {
        Word {
            agrees: self.agrees(arc, view) && self.is_sealed(),
            history: self.replica.history_of(arc),
        }
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

#[cfg(test)]
mod tests;
