//! Hand-off: dropping copies that others should hold, and leaving with notice.
//!
//! Copy, acknowledge, delete if unchanged: this node notes what it has of an arc, asks every
//! present holder to compare with it, and drops what it noted once all of them have confirmed.
//! Leaving is the same for everything at once.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use chordal_object::{Arc, ChunkId, Key, NodeId};
use serde::{Deserialize, Serialize};

use crate::effect::{DiskOp, Failure, Notice};
use crate::input::{Completion, DiskAnswer, OperationId};
use crate::member::Standing;
use crate::message::{Confirm, Kind, Message};
use crate::peer::Peer;
use crate::placement::{self, HeldArc};
use crate::request::{Asker, Purpose};
use crate::settings::Settings;
use crate::table::NodeTable;
use crate::time::Time;
use crate::timer::Reason;
use crate::view::View;
use crate::waiting::Waiting;

/// What lies here that others should hold.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct HandOffs {
    /// By the end of the arc.
    open: BTreeMap<Key, HandOff>,
    /// Whether something may lie in foreign arcs that no hand-off knows of.
    unknown: bool,
    counting: bool,
    /// Copies being dropped: whoever holds such an arc again meanwhile must not count on them.
    removing: Vec<Arc>,
    /// Numbers the hand-offs: a confirmation is for one of them only.
    round: u64,
    /// Confirmations that others wait for, by node and arc.
    confirming: BTreeMap<(NodeId, Arc), Confirming>,
    leaving: Option<Leaving>,
}

#[derive(Debug, Serialize, Deserialize)]
struct HandOff {
    held: HeldArc,
    records: Vec<(Key, [u8; 32])>,
    chunks: Vec<(Key, ChunkId)>,
    round: u64,
    /// Kinds of which it is known what is here.
    known: BTreeSet<Kind>,
    confirmed: BTreeSet<NodeId>,
    removing: bool,
}

/// A confirmation that somebody waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Confirming {
    round: u64,
    view: View,
    /// Whether the comparison ended well.
    ready: bool,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Leaving {
    operation: OperationId,
    force: bool,
    /// Since when everything is handed over, and only others are waited for.
    idle_since: Option<Time>,
}

impl Leaving {
    const fn new(operation: OperationId, force: bool) -> Self {
        Self {
            operation,
            force,
            idle_since: None,
        }
    }
}

/// How long a node that has handed everything over waits for the others to do without it.
const PATIENCE: Duration = Duration::from_mins(1);

/// Pause between two looks at a hand-off that waits for confirmations.
const ASK_AGAIN: Duration = Duration::from_millis(200);

impl HandOffs {
    pub(super) fn note_foreign(&mut self) {
        self.unknown = true;
    }

    /// Forgets the hand-offs under way and the confirmations whose arcs have other holders now;
    /// tells whether what they were about is to be looked for again.
    pub(super) fn drop_unless(&mut self, table: &NodeTable, settings: &Settings) -> bool {
        self.confirming.retain(|&(_, arc), waited_for| {
            placement::agrees(table, settings, arc, waited_for.view)
        });
        let count = self.open.len();
        self.open.retain(|&upto, open| {
            let held = placement::arc_at(table, settings, upto);
            held.as_ref() == Some(&open.held)
        });
        count != self.open.len()
    }

    /// Whether copies of this key are being dropped at this moment.
    pub(super) fn is_removing(&self, key: Key) -> bool {
        self.removing.iter().any(|arc| arc.contains(key))
    }

    /// Arcs whose copies are being dropped at this moment.
    pub(super) fn removing(&self) -> impl Iterator<Item = Arc> {
        self.removing.iter().copied()
    }

    pub(super) const fn is_leaving(&self) -> bool {
        self.leaving.is_some()
    }

    pub(super) fn items(&self) -> u64 {
        self.open
            .values()
            .map(|open| (open.records.len() + open.chunks.len()) as u64)
            .sum()
    }
}

impl Peer {
    /// A client wants this node to hand everything over and go.
    pub(crate) fn leave(&mut self, now: Time, operation: OperationId, force: bool) {
        if let Some(leaving) = self.replica.hand_offs.leaving.as_mut() {
            if !force || leaving.force {
                self.reply(
                    operation,
                    Err(Failure::Busy("this node is leaving already")),
                );
                return;
            }
            // The patient attempt becomes a forced one.
            let patient = std::mem::replace(leaving, Leaving::new(operation, force));
            let overtaken = Failure::Busy("a forced leave has taken over");
            self.reply(patient.operation, Err(overtaken));
            self.repair_soon(now);
            return;
        }
        if !force && self.is_alone() && !self.me.salts.is_empty() {
            let why = "this is the last node: what it holds is nowhere else".to_owned();
            self.reply(operation, Err(Failure::UnsafeLeave(why)));
            return;
        }
        if !force && let Some(why) = self.unsafe_to_leave() {
            self.reply(operation, Err(Failure::UnsafeLeave(why)));
            return;
        }
        self.replica.hand_offs.leaving = Some(Leaving::new(operation, force));
        self.me.standing = Standing::Leaving;
        self.table.set_own(&self.settings, &self.me.clone());
        self.announce(now, vec![self.me.clone()]);
        self.replica.note_foreign();
        self.repair_soon(now);
    }

    /// Why leaving now could lose copies: nodes that do not answer may be the only others who
    /// have them, and cannot confirm that they do.
    fn unsafe_to_leave(&self) -> Option<String> {
        if !self.table.is_whole() {
            // Nobody shares copies with this node; what lies here is counted before it goes.
            return None;
        }
        let silent: Vec<String> = self
            .suspects()
            .filter_map(|node| self.table.addr(node).map(|addr| addr.to_string()))
            .collect();
        (!silent.is_empty()).then(|| {
            let silent = silent.join(", ");
            format!("copies may be only here while these nodes do not answer: {silent}")
        })
    }

    /// A node fell silent while this one was leaving: it stays, unless it was to leave by force.
    fn stay_if_unsafe(&mut self, now: Time) {
        if self.is_leaving_patiently()
            && let Some(why) = self.unsafe_to_leave()
        {
            self.stay(now, why);
        }
    }

    fn is_leaving_patiently(&self) -> bool {
        let leaving = self.replica.hand_offs.leaving;
        leaving.is_some_and(|leaving| !leaving.force)
    }

    /// Takes leaving back.
    fn stay(&mut self, now: Time, why: String) {
        let Some(leaving) = self.replica.hand_offs.leaving.take() else {
            return;
        };
        // Within one incarnation a node only goes on from leaving to left.
        self.me.incarnation += 1;
        self.me.standing = Standing::Present;
        self.table.set_own(&self.settings, &self.me.clone());
        self.notice(Notice::Refuted {
            incarnation: self.me.incarnation,
        });
        self.announce(now, vec![self.me.clone()]);
        self.reply(leaving.operation, Err(Failure::UnsafeLeave(why)));
    }

    fn left(&mut self, now: Time) {
        let is_needed = self.is_leaving_patiently() && self.is_needed_to_count(now);
        let Some(leaving) = &mut self.replica.hand_offs.leaving else {
            return;
        };
        let leaving_operation = leaving.operation;
        if is_needed {
            // Those who hold its arcs now would wait for it until the grace time is over.
            let since = *leaving.idle_since.get_or_insert(now);
            if now.since(since) >= PATIENCE {
                let why = "those who hold its copies now do not yet count without it";
                self.stay(now, why.to_owned());
                return;
            }
            self.replica.note_foreign();
            self.timers.at_latest(now + ASK_AGAIN, Reason::Repair);
            return;
        }
        self.replica.hand_offs.leaving = None;
        self.me.standing = Standing::Left;
        self.table.set_own(&self.settings, &self.me.clone());
        self.announce(now, vec![self.me.clone()]);
        self.timers.cancel(Reason::Save);
        self.saves.left = Some(leaving_operation);
        self.save_members(now);
    }

    /// Looks for things that others should hold, and for confirmations that are due.
    pub(super) fn work_on_hand_offs(&mut self, now: Time) {
        self.stay_if_unsafe(now);
        let hand_offs = &mut self.replica.hand_offs;
        if hand_offs.unknown && !hand_offs.counting && hand_offs.open.is_empty() {
            hand_offs.unknown = false;
            let foreign = self.foreign_stretches();
            if !foreign.is_empty() {
                if let Some(leaving) = &mut self.replica.hand_offs.leaving {
                    leaving.idle_since = None;
                }
                self.replica.hand_offs.counting = true;
                self.disk(
                    DiskOp::CountIn(foreign.clone()),
                    Waiting::ForeignCounts(foreign),
                );
            } else if self.is_alone() || self.me.salts.is_empty() {
                self.left(now);
            }
        }
        let arcs: Vec<Key> = self.replica.hand_offs.open.keys().copied().collect();
        let waiting = !arcs.is_empty();
        for upto in arcs {
            self.ask_to_confirm(now, upto);
        }
        if waiting || self.replica.hand_offs.leaving.is_some() {
            self.timers.at_latest(now + ASK_AGAIN, Reason::Repair);
        }
    }

    /// What lies between the arcs of this node, in as few pieces as possible: mostly nothing lies
    /// here, and then it is not looked into arc by arc.
    fn foreign_stretches(&self) -> Vec<Arc> {
        if self.table.is_whole() && self.replica.replicas == 0 {
            return Vec::new();
        }
        let mine = self.replica.mine.iter().map(|mine| mine.held.arc);
        let Some(last) = mine.clone().next_back() else {
            return vec![Arc::FULL];
        };
        let ends = std::iter::once(last).chain(mine.clone());
        ends.zip(mine)
            .filter(|(before, arc)| before.upto != arc.after)
            .map(|(before, arc)| Arc::new(before.upto, arc.after))
            .collect()
    }

    /// The arcs of other holders in a stretch.
    fn foreign_arcs(&self, stretch: Arc) -> impl Iterator<Item = HeldArc> {
        let own = self.me.node;
        placement::arcs(&self.table, &self.settings)
            .filter(move |held| !held.holders.contains(&own) && stretch.covers(held.arc))
    }

    /// The disk told how much lies in foreign arcs.
    pub(crate) fn foreign_counted(&mut self, now: Time, arcs: &[Arc], completion: Completion) {
        self.replica.hand_offs.counting = false;
        let Completion::Disk(Ok(DiskAnswer::Counts(counts))) = completion else {
            self.replica.note_foreign();
            return;
        };
        let filled: Vec<Arc> = arcs
            .iter()
            .zip(counts)
            .filter(|(_, count)| *count > 0)
            .map(|(&arc, _)| arc)
            .collect();
        if filled.is_empty() && !self.replica.hand_offs.unknown {
            self.left(now);
            return;
        }
        if !self.table.is_whole() {
            self.leave_without_hand_off(now);
            return;
        }
        let mut to_count: Vec<Arc> = Vec::new();
        for arc in filled {
            let held = placement::arc_at(&self.table, &self.settings, arc.upto)
                .filter(|held| held.arc == arc && !held.holders.contains(&self.me.node));
            let Some(held) = held else {
                let before = to_count.len();
                to_count.extend(self.foreign_arcs(arc).map(|held| held.arc));
                if to_count.len() == before {
                    self.replica.note_foreign();
                }
                continue;
            };
            self.replica.hand_offs.round += 1;
            let round = self.replica.hand_offs.round;
            let hand_off = HandOff {
                held,
                round,
                records: Vec::new(),
                chunks: Vec::new(),
                known: BTreeSet::new(),
                confirmed: BTreeSet::new(),
                removing: false,
            };
            self.replica.hand_offs.open.insert(arc.upto, hand_off);
            for kind in [Kind::Records, Kind::Chunks] {
                let waiting = Waiting::HandOffItems {
                    upto: arc.upto,
                    kind,
                };
                self.disk(DiskOp::ItemsIn { arc, kind }, waiting);
            }
        }
        if !to_count.is_empty() {
            // Something lies in these stretches: which arcs is it of?
            self.replica.hand_offs.counting = true;
            let op = DiskOp::CountIn(to_count.clone());
            self.disk(op, Waiting::ForeignCounts(to_count));
        }
    }

    /// Something lies here, and this node cannot tell who should hold it.
    fn leave_without_hand_off(&mut self, now: Time) {
        if self.is_leaving_patiently() {
            let why = Failure::RingTooLarge.to_string();
            self.stay(now, why);
        } else {
            self.left(now);
        }
    }

    /// The disk told what a hand-off is about.
    pub(crate) fn hand_off_items(
        &mut self,
        now: Time,
        upto: Key,
        kind: Kind,
        completion: Completion,
    ) {
        let Some(open) = self.replica.hand_offs.open.get_mut(&upto) else {
            return;
        };
        let Completion::Disk(Ok(DiskAnswer::Items(items))) = completion else {
            self.replica.hand_offs.open.remove(&upto);
            self.replica.note_foreign();
            return;
        };
        // A late answer about an arc of another cut would name keys outside this one.
        let items = items
            .into_iter()
            .filter(|(key, _)| open.held.arc.contains(*key));
        match kind {
            Kind::Records => open.records = items.collect(),
            Kind::Chunks => {
                open.chunks = items.map(|(key, id)| (key, ChunkId::new(id))).collect();
            }
        }
        open.known.insert(kind);
        self.ask_to_confirm(now, upto);
    }

    /// Asks the holders that have not confirmed yet; drops the copies when all have.
    fn ask_to_confirm(&mut self, now: Time, upto: Key) {
        let force = self
            .replica
            .hand_offs
            .leaving
            .is_some_and(|leaving| leaving.force);
        let Some(open) = self.replica.hand_offs.open.get(&upto) else {
            return;
        };
        if open.known.len() < 2 || open.removing {
            return;
        }
        let HeldArc { arc, view, .. } = open.held;
        let round = open.round;
        let lacking: Vec<NodeId> = open
            .held
            .holders
            .iter()
            .copied()
            .filter(|node| !open.confirmed.contains(node))
            .collect();
        let enough = lacking.is_empty()
            || (force && !open.confirmed.is_empty() && lacking.iter().all(|n| !self.answers(*n)));
        if enough {
            self.drop_copies(upto);
            return;
        }
        for node in lacking {
            let asking = self.is_asking(|request| {
                request.to == Some(node) && request.purpose == Purpose::Confirm(upto)
            });
            if !asking && self.table.is_alive(node) {
                let question = Message::AskConfirm { arc, view, round };
                self.ask(now, node, question, Purpose::Confirm(upto));
            }
        }
    }

    fn drop_copies(&mut self, upto: Key) {
        let Some(open) = self.replica.hand_offs.open.get_mut(&upto) else {
            return;
        };
        open.removing = true;
        let op = DiskOp::Remove {
            records: open.records.clone(),
            chunks: open.chunks.clone(),
        };
        let arc = open.held.arc;
        self.replica.hand_offs.removing.push(arc);
        // What it went through it still tells, but it does not have it any more.
        self.replica
            .pasts
            .change(arc, self.replica.last_key, |past| past.based = false);
        self.disk(op, Waiting::HandOffRemoved { upto, arc });
    }

    /// A holder answered.
    pub(crate) fn confirmed(&mut self, now: Time, upto: Key, from: NodeId, confirm: Confirm) {
        match confirm {
            Confirm::Held => {
                if let Some(open) = self.replica.hand_offs.open.get_mut(&upto) {
                    open.confirmed.insert(from);
                }
                self.ask_to_confirm(now, upto);
            }
            Confirm::WrongView => self.compare_with(now, from),
            Confirm::NotYet => {}
        }
    }

    /// Copies were dropped; look again whether others remain.
    pub(crate) fn hand_off_removed(
        &mut self,
        now: Time,
        upto: Key,
        arc: Arc,
        completion: Completion,
    ) {
        let removing = &mut self.replica.hand_offs.removing;
        if let Some(index) = removing.iter().position(|other| *other == arc) {
            removing.swap_remove(index);
        }
        let open = &mut self.replica.hand_offs.open;
        if open.get(&upto).is_some_and(|open| open.removing)
            && let Some(open) = open.remove(&upto)
            && matches!(completion, Completion::Disk(Ok(_)))
        {
            let dropped = (open.records.len() + open.chunks.len()) as u64;
            self.notice(Notice::HandedOff { arc, dropped });
        }
        self.holds_something_foreign(now);
    }

    /// Somebody wants to drop what it holds of an arc of this node.
    pub(crate) fn asked_to_confirm(
        &mut self,
        now: Time,
        asker: &Asker,
        arc: Arc,
        view: View,
        round: u64,
    ) {
        let held = placement::arc_at(&self.table, &self.settings, arc.upto);
        let is_mine = held.is_some_and(|held| held.holders.contains(&self.me.node));
        let agrees = is_mine && self.agrees(arc, view);
        let confirming = &mut self.replica.hand_offs.confirming;
        if !agrees {
            confirming.remove(&(asker.node, arc));
            self.answer(asker, Message::Confirm(Confirm::WrongView));
            return;
        }
        let awaited = Confirming {
            round,
            view,
            ready: false,
        };
        let known = confirming.entry((asker.node, arc)).or_insert(awaited);
        if (known.round, known.view) != (round, view) {
            *known = awaited;
        }
        // Whoever drops its copies relies on every present holder, not on this comparison alone.
        let counts = self.replica.complete.covers(arc, self.replica.last_key);
        let confirm = if known.ready && counts {
            confirming.remove(&(asker.node, arc));
            Confirm::Held
        } else {
            Confirm::NotYet
        };
        let compares = confirming
            .get(&(asker.node, arc))
            .is_some_and(|known| !known.ready);
        if compares {
            let confirm = Some((asker.node, round));
            self.replica.sessions.queue(arc, view, asker.node, confirm);
            self.repair_soon(now);
        }
        self.answer(asker, Message::Confirm(confirm));
    }

    /// A comparison that somebody waits for ended.
    pub(super) fn confirmation_ready(&mut self, asker: NodeId, round: u64, arc: Arc, well: bool) {
        let confirming = &mut self.replica.hand_offs.confirming;
        let awaited = confirming.get_mut(&(asker, arc));
        let Some(awaited) = awaited.filter(|awaited| awaited.round == round) else {
            return;
        };
        if well {
            awaited.ready = true;
        } else {
            confirming.remove(&(asker, arc));
        }
    }
}
