//! Giving space back: dropping chunks that no record refers to any more.
//!
//! A chunk and the records that name it lie with different nodes. So whoever wants to drop chunks
//! asks *every* node of the ring whether a record or a list of chunks on its disk refers to them,
//! and drops only what nobody refers to, and only where all nodes answered, under one and the same
//! node table, each of them counting on every arc that it holds. A chunk that was offered, stored
//! or asked to be kept a short while ago (*touched*) is not dropped whatever the answers are: its
//! record may be on its way. Waiting is always safe; `docs/space.md` has the argument.
//!
//! Which chunks to ask about: those that a record is known to have let go of, at once; all others
//! a piece at a time, all of them within hours.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use chordal_object::{ChunkId, Key, NodeId};
use serde::{Deserialize, Serialize};

use crate::effect::{DiskOp, Notice};
use crate::input::{Completion, DiskAnswer};
use crate::limits::{CHUNK_QUESTION_MAX, RELEASED_MAX, TOUCHED_MAX};
use crate::message::{AskReferences, Kind, Message, References};
use crate::peer::Peer;
use crate::placement;
use crate::request::{Asker, Purpose};
use crate::time::Time;
use crate::timer::Reason;
use crate::waiting::Waiting;

/// What is to be dropped, and what must not be.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Collector {
    /// When this life began: what was touched in an earlier one is not known.
    began: Time,
    /// Chunks that a record let go of.
    released: BTreeSet<ChunkId>,
    /// When chunks were offered, stored or asked to be kept.
    touched: BTreeMap<ChunkId, Time>,
    /// Chunks dropped a short while ago: other holders, which drop them too, need not give them
    /// back.
    collected: BTreeMap<ChunkId, Time>,
    /// Chunks that are going: they count as not being here.
    removing: BTreeSet<ChunkId>,
    round: Option<Round>,
    last_round: u64,
    sweep: Sweep,
    /// When copies were last handed off: what moves during a round may be missed by it.
    handed_off: Option<Time>,
}

/// A question to all nodes.
#[derive(Debug, Serialize, Deserialize)]
struct Round {
    number: u64,
    began: Time,
    /// The digest of the node table under which it is asked.
    table: u64,
    chunks: Vec<ChunkId>,
    /// Who has not answered; nobody while the disk is asked which chunks are here.
    waiting: BTreeSet<NodeId>,
    referenced: BTreeSet<ChunkId>,
}

/// The walk over everything that lies in this node's arcs.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Sweep {
    /// The end of the arc walked last, in this walk.
    after: Option<Key>,
    /// What is left of it.
    page: Vec<ChunkId>,
    /// When to go on.
    next: Time,
}

/// A round may take this part of the time for which chunks are protected.
const ROUNDS: u32 = 6;

/// Pause before it is looked again whether a round may begin.
const AGAIN: Duration = Duration::from_secs(10);

/// Pause between two rounds about what was let go of.
const SOON: Duration = Duration::from_secs(2);

/// How fast the walk over everything asks, in bytes a second sent by one node.
const SWEEP_BYTES_PER_SECOND: usize = 64 << 10;

impl Collector {
    /// These chunks are about to be referred to, as far as anybody knows.
    pub(crate) fn touch(&mut self, now: Time, chunks: &[ChunkId]) {
        if self.touched.len() + chunks.len() > TOUCHED_MAX {
            // Everything counts as touched just now.
            self.touched.clear();
            self.began = now;
        }
        for chunk in chunks {
            self.touched.insert(*chunk, now);
            self.collected.remove(chunk);
        }
    }

    /// A chunk is copied from another node, which may have been asked to keep it.
    pub(super) fn touch_copy(&mut self, now: Time, chunk: ChunkId) {
        if self.has_collected(chunk) && self.released.len() < RELEASED_MAX {
            self.released.insert(chunk);
        }
        self.touch(now, &[chunk]);
    }

    /// Whether a chunk is going, so that it counts as not being here.
    pub(crate) fn is_removing(&self, chunk: ChunkId) -> bool {
        self.removing.contains(&chunk)
    }

    /// Whether this node dropped a chunk a short while ago and nobody asked for it since.
    pub(super) fn has_collected(&self, chunk: ChunkId) -> bool {
        self.collected.contains_key(&chunk)
    }

    /// Copies of this node were dropped because others have them.
    pub(crate) const fn note_hand_off(&mut self, now: Time) {
        self.handed_off = Some(now);
    }

    /// Whether a chunk is safe for the time being.
    fn is_touched(&self, now: Time, chunk: ChunkId, protect: Duration) -> bool {
        let at = self.touched.get(&chunk);
        now.since(self.began) < protect || at.is_some_and(|&at| now.since(at) < protect)
    }

    /// The round came to nothing: what it was about is asked again later.
    fn abandon(&mut self) {
        let chunks = self
            .round
            .take()
            .map_or_else(Vec::new, |round| round.chunks);
        let is_walked = |chunk: &ChunkId| !self.released.contains(chunk);
        self.sweep.page.extend(chunks.into_iter().filter(is_walked));
    }

    fn forget_old(&mut self, now: Time, protect: Duration) {
        self.touched.retain(|_, at| now.since(*at) < protect);
        // The others drop them as soon as they are not protected there any more.
        self.collected.retain(|_, at| now.since(*at) < 2 * protect);
    }
}

impl Peer {
    /// Chunks that were not asked about yet are looked at from here on.
    pub(super) fn start_collecting(&mut self, now: Time) {
        self.collector.began = now;
        self.collector.sweep.next = now + self.rng.jitter(self.timing.sweep);
        let next = self.collector.sweep.next;
        self.timers.set(next, Reason::Collect);
    }

    /// A record let go of these chunks: tells their holders.
    pub(crate) fn release(&mut self, chunks: &[ChunkId]) {
        let mut of: BTreeMap<NodeId, Vec<ChunkId>> = BTreeMap::new();
        for &chunk in chunks {
            let key = self.chunk_key(chunk);
            for node in placement::holders(&self.table, &self.settings, key) {
                of.entry(node).or_default().push(chunk);
            }
        }
        for (node, chunks) in of {
            for chunks in chunks.chunks(CHUNK_QUESTION_MAX) {
                self.tell(node, Message::Released(chunks.to_vec()));
            }
        }
    }

    /// A record somewhere let go of chunks. Only a hint: nothing is dropped because of it alone.
    pub(crate) fn told_of_release(&mut self, now: Time, chunks: Vec<ChunkId>) {
        for chunk in chunks {
            if self.collector.released.len() < RELEASED_MAX {
                self.collector.released.insert(chunk);
            }
        }
        if !self.collector.released.is_empty() {
            let pause = self.rng.jitter(SOON);
            self.timers.at_latest(now + pause, Reason::Collect);
        }
    }

    /// Somebody is about to write what refers to these chunks.
    pub(crate) fn asked_to_keep(&mut self, now: Time, asker: &Asker, chunks: Vec<ChunkId>) {
        // First of all: a chunk that is here when the disk is asked stays.
        self.collector.touch(now, &chunks);
        let waiting = Waiting::KeptFor {
            asker: *asker,
            chunks: chunks.clone(),
        };
        self.disk(DiskOp::HaveChunks(chunks), waiting);
    }

    /// The disk told which of the chunks that are to be kept are here.
    pub(crate) fn kept_for(&mut self, asker: &Asker, chunks: &[ChunkId], completion: Completion) {
        let mut held = match completion {
            Completion::Disk(Ok(DiskAnswer::Have(have))) => have,
            Completion::Disk(_) | Completion::Transfer(_) => vec![false; chunks.len()],
        };
        for (held, chunk) in held.iter_mut().zip(chunks) {
            *held &= !self.collector.is_removing(*chunk);
        }
        self.answer(asker, Message::ChunksHeld(held));
    }

    /// How long a round may take.
    fn round_max(&self) -> Duration {
        self.timing.protect / ROUNDS
    }

    /// Whether nothing moves that a round could miss: this node counts on all that it holds, for
    /// good, and handed nothing off since any round under way began.
    fn is_steady(&self, now: Time) -> bool {
        let long_ago = |at: Time| now.since(at) >= 2 * self.round_max();
        self.table.is_whole()
            && self.is_placed_again()
            && !self.is_entering()
            && self.is_sealed()
            && self.replica.arcs_incomplete() == 0
            && self.replica.hand_offs.removing().next().is_none()
            && self.collector.handed_off.is_none_or(long_ago)
            && long_ago(self.collector.began)
    }

    /// Whether this node may drop anything.
    fn may_collect(&self, now: Time) -> bool {
        self.is_steady(now)
            && now.since(self.collector.began) >= self.timing.protect
            && placement::replicas(&self.table, &self.settings) > 0
            && !self.replica.is_leaving()
            && self.refuse_in_minority().is_ok()
            && self.suspects().all(|node| node == self.me.node)
            && self.collector.removing.is_empty()
    }

    /// Begins the next round if there is anything to ask about.
    pub(crate) fn collect(&mut self, now: Time) {
        let protect = self.timing.protect;
        self.collector.forget_old(now, protect);
        if let Some(round) = &self.collector.round {
            let end = round.began + self.round_max();
            if now < end {
                self.timers.set(end, Reason::Collect);
                return;
            }
            self.collector.abandon();
        }
        let collector = &self.collector;
        let is_due = now >= collector.sweep.next;
        if collector.released.is_empty() && !is_due {
            self.timers.set(collector.sweep.next, Reason::Collect);
            return;
        }
        let pause = self.rng.jitter(AGAIN.min(protect));
        self.timers.set(now + pause, Reason::Collect);
        if !self.may_collect(now) {
            return;
        }
        let collector = &self.collector;
        let free = |chunk: &ChunkId| !collector.is_touched(now, *chunk, protect);
        let released = collector.released.iter().copied().filter(free);
        let chunks: Vec<ChunkId> = released.take(CHUNK_QUESTION_MAX).collect();
        if !chunks.is_empty() {
            self.begin_round(now, chunks);
        } else if is_due {
            self.sweep_on(now);
        }
    }

    /// Asks about the next piece of what lies in this node's arcs.
    fn sweep_on(&mut self, now: Time) {
        let protect = self.timing.protect;
        let mut page = std::mem::take(&mut self.collector.sweep.page);
        page.retain(|chunk| !self.collector.is_touched(now, *chunk, protect));
        let rest = page.split_off(page.len().min(CHUNK_QUESTION_MAX));
        self.collector.sweep.page = rest;
        if !page.is_empty() {
            let nodes = self.table.others(self.me.node).count();
            let bytes = page.len() * size_of::<ChunkId>() * nodes;
            let seconds = u64::try_from(bytes / SWEEP_BYTES_PER_SECOND).unwrap_or(u64::MAX);
            self.collector.sweep.next = now + Duration::from_secs(seconds);
            self.begin_round(now, page);
            return;
        }
        let after = self.collector.sweep.after;
        let next = self.replica.mine.iter().map(|mine| mine.held.arc);
        let next = next.filter(|arc| after.is_none_or(|after| arc.upto > after));
        let Some(arc) = next.min_by_key(|arc| arc.upto) else {
            self.collector.sweep.after = None;
            self.collector.sweep.next = now + self.rng.jitter(self.timing.sweep);
            return;
        };
        self.collector.sweep.after = Some(arc.upto);
        let kind = Kind::Chunks;
        self.disk(DiskOp::ItemsIn { arc, kind }, Waiting::SweepItems);
    }

    /// The disk told what lies in the arc that is walked.
    pub(crate) fn sweep_items(&mut self, now: Time, completion: Completion) {
        if let Completion::Disk(Ok(DiskAnswer::Items(items))) = completion {
            let ids = items.into_iter().map(|(_, id)| ChunkId::new(id));
            self.collector.sweep.page = ids.collect();
        }
        self.timers.at_latest(now, Reason::Collect);
    }

    fn begin_round(&mut self, now: Time, chunks: Vec<ChunkId>) {
        let collector = &mut self.collector;
        collector.last_round += 1;
        let number = collector.last_round;
        collector.round = Some(Round {
            number,
            began: now,
            table: self.table.digest(),
            chunks: chunks.clone(),
            waiting: BTreeSet::new(),
            referenced: BTreeSet::new(),
        });
        self.disk(DiskOp::HaveChunks(chunks), Waiting::RoundChunks(number));
    }

    fn round(&mut self, number: u64) -> Option<&mut Round> {
        let round = self.collector.round.as_mut();
        round.filter(|round| round.number == number)
    }

    /// The disk told which of the chunks are here: asks everybody about these.
    pub(crate) fn round_chunks(&mut self, now: Time, number: u64, completion: Completion) {
        let Some(round) = self.round(number) else {
            return;
        };
        let Completion::Disk(Ok(DiskAnswer::Have(have))) = completion else {
            return self.collector.abandon();
        };
        let chunks = std::mem::take(&mut round.chunks);
        let (here, gone): (Vec<_>, Vec<_>) = chunks.into_iter().zip(have).partition(|(_, is)| *is);
        let here: Vec<ChunkId> = here.into_iter().map(|(chunk, _)| chunk).collect();
        round.chunks.clone_from(&here);
        for (chunk, _) in gone {
            self.collector.released.remove(&chunk);
        }
        if here.is_empty() {
            return self.round_over(now);
        }
        let others = self.table.others(self.me.node);
        let nodes: BTreeSet<NodeId> = others.chain([self.me.node]).collect();
        if let Some(round) = self.round(number) {
            round.waiting.clone_from(&nodes);
        }
        let table = self.table.digest();
        for node in nodes {
            let question = AskReferences {
                table,
                chunks: here.clone(),
            };
            let message = Message::AskReferences(question);
            let asked = self.ask(now, node, message, Purpose::References(number));
            if asked.is_none() {
                return self.round_failed(number);
            }
        }
    }

    /// Somebody did not answer, or could not tell: the same is asked again later.
    pub(crate) fn round_failed(&mut self, number: u64) {
        if self.round(number).is_some() {
            self.collector.abandon();
        }
    }

    fn round_over(&mut self, now: Time) {
        self.collector.round = None;
        let pause = self.rng.jitter(SOON);
        self.timers.at_latest(now + pause, Reason::Collect);
    }

    /// A node told what it refers to.
    pub(crate) fn references_told(
        &mut self,
        now: Time,
        number: u64,
        from: NodeId,
        told: References,
    ) {
        let Some(round) = self.round(number) else {
            return;
        };
        if !told.steady || told.referenced.len() != round.chunks.len() {
            return self.round_failed(number);
        }
        let named = round.chunks.iter().zip(told.referenced);
        let named: Vec<ChunkId> = named.filter_map(|(&id, is)| is.then_some(id)).collect();
        round.referenced.extend(named);
        round.waiting.remove(&from);
        if round.waiting.is_empty() {
            self.decide(now);
        }
    }

    /// Everybody answered: what nobody refers to goes.
    fn decide(&mut self, now: Time) {
        let protect = self.timing.protect;
        let table = self.table.digest();
        let may = self.may_collect(now);
        let longest = self.round_max();
        let is_good =
            |round: &Round| may && round.table == table && now.since(round.began) < longest;
        let round = self.collector.round.take_if(|round| is_good(round));
        let Some(round) = round else {
            return self.collector.abandon();
        };
        let collector = &mut self.collector;
        let mut victims = Vec::new();
        for chunk in round.chunks {
            if round.referenced.contains(&chunk) {
                collector.released.remove(&chunk);
            } else if !collector.is_touched(now, chunk, protect) {
                collector.released.remove(&chunk);
                victims.push(chunk);
            }
        }
        if victims.is_empty() {
            return self.round_over(now);
        }
        collector.removing = victims.iter().copied().collect();
        self.disk(DiskOp::Listed(victims), Waiting::VictimsList);
    }

    /// The disk told what those of the chunks list that are lists: now they go.
    pub(crate) fn victims_list(&mut self, completion: Completion) {
        let listed = match completion {
            Completion::Disk(Ok(DiskAnswer::Listed(listed))) => listed,
            Completion::Disk(_) | Completion::Transfer(_) => Vec::new(),
        };
        let victims = self.collector.removing.iter();
        let chunks = victims.map(|&chunk| (self.chunk_key(chunk), chunk));
        let op = DiskOp::Remove {
            records: Vec::new(),
            chunks: chunks.collect(),
        };
        self.disk(op, Waiting::Collected(listed));
    }

    /// The chunks are gone, or not.
    pub(crate) fn collected(&mut self, now: Time, listed: &[ChunkId], completion: &Completion) {
        let victims = std::mem::take(&mut self.collector.removing);
        if matches!(completion, Completion::Disk(Ok(_))) {
            let dropped = victims.len() as u64;
            let noted = victims.iter().map(|&chunk| (chunk, now));
            self.collector.collected.extend(noted);
            self.notice(Notice::Collected { dropped });
            // The other holders look for themselves, before this node gets any from them again.
            let mut released: Vec<ChunkId> = victims.into_iter().collect();
            released.extend_from_slice(listed);
            self.release(&released);
        }
        self.round_over(now);
    }

    /// Somebody asks whether anything here refers to some chunks.
    pub(crate) fn asked_references(&mut self, now: Time, asker: &Asker, question: AskReferences) {
        let AskReferences { table, chunks } = question;
        if !self.is_steady(now) || self.table.digest() != table {
            self.answer(asker, Message::References(References::default()));
            return;
        }
        let waiting = Waiting::ReferencesFor {
            asker: *asker,
            table,
        };
        self.disk(DiskOp::Referenced(chunks), waiting);
    }

    /// The disk told: true only if all is still as it was when it was asked.
    pub(crate) fn references_for(
        &mut self,
        now: Time,
        asker: &Asker,
        table: u64,
        completion: Completion,
    ) {
        let steady = self.is_steady(now) && self.table.digest() == table;
        let references = match completion {
            Completion::Disk(Ok(DiskAnswer::Have(referenced))) if steady => {
                References { steady, referenced }
            }
            Completion::Disk(_) | Completion::Transfer(_) => References::default(),
        };
        self.answer(asker, Message::References(references));
    }
}
