//! Sessions: comparing an arc with another node and fetching what is lacking here, records first,
//! then chunks.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use chordal_object::{Arc, ChunkId, Key, NodeId, Record};
use serde::{Deserialize, Serialize};

use super::item_set::{ItemSet, Taken, arc_digest};
use super::{Compared, DOUBLINGS, meet};
use crate::effect::{Destination, DiskOp, Effect, Transfer};
use crate::history::History;
use crate::input::{Completion, DiskAnswer, TransferError};
use crate::limits::{
    CHUNK_SESSIONS_MAX, DIGESTS_MAX, REPAIR_TRANSFERS_MAX, SESSIONS_MAX, SESSIONS_PER_NODE_MAX,
};
use crate::message::{ArcCompared, CompareArc, Kind, Message, Reconcile, Reconciled, Word};
use crate::operation::is_bounded;
use crate::peer::Peer;
use crate::request::Purpose;
use crate::time::Time;
use crate::view::View;
use crate::waiting::Waiting;

/// How long one source has its turn at an arc while others wait for theirs: one that is slow must not
/// set the pace of all.
const TURN_MAX: Duration = Duration::from_mins(1);

/// After so many copies that broke off, with none between that came, a source that is thought to answer
/// has lost its turn.
const BROKEN_MAX: u32 = 8;

/// Odd, so that 256 sessions that follow each other begin at 256 places.
const BEGINNINGS_STEP: u64 = 157;

/// A node's number for a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(crate) struct SessionId(u64);

/// A comparison that is to begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Planned {
    arc: Arc,
    view: View,
    source: NodeId,
    /// Who waits, in which of its rounds, for a confirmation that this node has all it had.
    confirm: Option<(NodeId, u64)>,
}

/// Sessions under way and to come.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Sessions {
    running: BTreeMap<SessionId, Session>,
    queue: VecDeque<Planned>,
    /// Those that copy chunks, and those whose turn comes, in the order in which they came.
    copying: VecDeque<SessionId>,
    last: u64,
}

#[derive(Serialize, Deserialize)]
struct Session {
    planned: Planned,
    /// What is compared now; nothing while the two only find out whether they differ at all.
    kind: Option<Kind>,
    /// The records of the arc, until its chunks are known too.
    records: Option<Vec<(Key, [u8; 32])>>,
    /// Whether the two hold the same.
    same: bool,
    /// What this node has of the kind, while it is compared.
    compare: Option<ItemSet>,
    /// What the source has and this node lacks.
    lacking: BTreeSet<[u8; 32]>,
    /// Records or chunks on their way.
    under_way: usize,
    /// What the source went through with the arc, as it told.
    told: Option<History>,
    /// Whether the source was under the same view all along.
    agreed: bool,
    /// Whether something that was lacking could not be had.
    incomplete: bool,
    /// Since when it is its turn to copy chunks.
    copying: Option<Time>,
    /// Whether it had its turn since it had waited longest.
    by_age: bool,
    /// Copies that broke off one after the other.
    broken: u32,
}

impl fmt::Debug for Session {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            out,
            "Session({:?} {:?}, {} lacking)",
            self.planned,
            self.kind,
            self.lacking.len()
        )
    }
}

impl Sessions {
    /// How many are finding out what is lacking, or bring records.
    pub(super) fn running(&self) -> usize {
        self.running.len() - self.copying.len()
    }

    /// Whether comparisons are to begin that nobody else waits for, and that only lack their turn.
    pub(super) fn has_queue(&self) -> bool {
        let busy = self.busy();
        let mut queue = self.queue.iter();
        queue.any(|planned| planned.confirm.is_none() && has_share(&busy, planned.source))
    }

    /// How many sessions each source has under way, those that copy chunks left out.
    fn busy(&self) -> BTreeMap<NodeId, usize> {
        let mut busy = BTreeMap::new();
        let running = self.running.values();
        for session in running.filter(|session| session.kind != Some(Kind::Chunks)) {
            *busy.entry(session.planned.source).or_default() += 1;
        }
        busy
    }

    /// Things known to be lacking here.
    pub(super) fn lacking(&self) -> u64 {
        self.running
            .values()
            .map(|session| (session.lacking.len() + session.under_way) as u64)
            .sum()
    }

    /// Plans a comparison unless the same one is planned or runs. Confirmations go first.
    pub(super) fn queue(
        &mut self,
        arc: Arc,
        view: View,
        source: NodeId,
        confirm: Option<(NodeId, u64)>,
    ) {
        let planned = Planned {
            arc,
            view,
            source,
            confirm,
        };
        let known = self.queue.contains(&planned)
            || self
                .running
                .values()
                .any(|session| session.planned == planned);
        if known {
            return;
        }
        if confirm.is_some() {
            self.queue.push_front(planned);
        } else {
            self.queue.push_back(planned);
        }
    }

    /// What is to begin next. One source gets a part of the sessions only: what is asked of a node
    /// that has died is under way until it is known to be dead, and holds up nobody else meanwhile.
    fn next(&mut self) -> Option<Planned> {
        let busy = self.busy();
        let mut queue = self.queue.iter();
        let found = queue.position(|planned| has_share(&busy, planned.source))?;
        self.queue.remove(found)
    }

    fn begin(&mut self, planned: Planned) -> SessionId {
        self.last += 1;
        let id = SessionId(self.last);
        let session = Session {
            planned,
            kind: None,
            records: None,
            same: false,
            compare: None,
            lacking: BTreeSet::new(),
            under_way: 0,
            told: None,
            agreed: true,
            incomplete: false,
            copying: None,
            by_age: false,
            broken: 0,
        };
        self.running.insert(id, session);
        id
    }

    /// Drops what is about arcs that nobody holds under that view any more; tells whether there
    /// was any.
    pub(super) fn drop_unless(&mut self, keep: impl Fn(Arc, View) -> bool) -> bool {
        let count = self.queue.len() + self.running.len();
        self.queue.retain(|planned| keep(planned.arc, planned.view));
        self.running
            .retain(|_, session| keep(session.planned.arc, session.planned.view));
        let running = &self.running;
        self.copying.retain(|id| running.contains_key(id));
        count != self.queue.len() + self.running.len()
    }

    /// Sessions that copy chunks.
    fn copying(&self) -> impl Iterator<Item = &Session> {
        let sessions = self.copying.iter().filter_map(|id| self.running.get(id));
        sessions.filter(|session| session.copying.is_some())
    }

    /// Sessions that may begin to copy chunks, in the order in which they came: none whose arc is
    /// being copied from somebody else, since both would bring the same chunks.
    fn waiting_to_copy(&self) -> impl Iterator<Item = (SessionId, Planned)> {
        let arcs: Vec<Arc> = self.copying().map(|session| session.planned.arc).collect();
        let has_place = arcs.len() < CHUNK_SESSIONS_MAX;
        let ids = self.copying.iter().filter(move |_| has_place);
        let sessions = ids.filter_map(|&id| Some((id, self.running.get(&id)?)));
        sessions
            .filter(|(_, session)| session.copying.is_none())
            .map(|(id, session)| (id, session.planned))
            .filter(move |(_, planned)| !arcs.iter().any(|&arc| meet(arc, planned.arc)))
    }

    /// Gives a place among those that copy, if there is one: to the session whose arc has the fewest
    /// copies, but for one place, which goes by who has waited longest, so that everybody's turn comes.
    fn let_copy(
        &mut self,
        now: Time,
        copies_left: impl Fn(Planned) -> usize,
    ) -> Option<(SessionId, Arc)> {
        let by_age = !self.copying().any(|session| session.by_age);
        let (id, planned) = if by_age {
            self.waiting_to_copy().next()
        } else {
            self.waiting_to_copy()
                .min_by_key(|&(_, planned)| copies_left(planned))
        }?;
        let session = self.running.get_mut(&id)?;
        session.copying = Some(now);
        session.by_age = by_age;
        Some((id, planned.arc))
    }

    /// Whether a session has had its turn at an arc that others wait for, too.
    fn is_over(&self, now: Time, id: SessionId) -> bool {
        let Some(session) = self.running.get(&id) else {
            return false;
        };
        let arc = session.planned.arc;
        let had = session.copying.is_some_and(|at| now.since(at) >= TURN_MAX);
        let mut others = self.copying.iter().filter_map(|id| self.running.get(id));
        had && others.any(|other| other.copying.is_none() && meet(arc, other.planned.arc))
    }

    fn end(&mut self, id: SessionId) -> Option<Session> {
        self.copying.retain(|&other| other != id);
        self.running.remove(&id)
    }

    fn get_mut(&mut self, id: SessionId) -> Option<&mut Session> {
        self.running.get_mut(&id)
    }
}

impl Session {
    /// Takes a chunk that is lacking. Sessions begin at different ones: some that cannot be had must
    /// not keep all others from coming.
    fn next_lacking(&mut self, id: SessionId) -> Option<[u8; 32]> {
        let start = id.0.wrapping_mul(BEGINNINGS_STEP).to_le_bytes()[0];
        let behind = self.lacking.range([start; 32]..).next();
        let next = behind.or_else(|| self.lacking.first()).copied()?;
        self.lacking.remove(&next);
        Some(next)
    }

    /// Leaves its turn to others: what it still lacks is looked for again later.
    fn give_up_turn(&mut self) {
        self.incomplete |= !self.lacking.is_empty();
        self.lacking.clear();
    }
}

/// Whether a source has not all the sessions yet that one may have.
fn has_share(busy: &BTreeMap<NodeId, usize>, source: NodeId) -> bool {
    busy.get(&source)
        .is_none_or(|&count| count < SESSIONS_PER_NODE_MAX)
}

impl Peer {
    /// Begins a session.
    fn begin_session(&mut self, _now: Time, planned: Planned) {
        let id = self.replica.sessions.begin(planned);
        let op = DiskOp::ItemsIn {
            arc: planned.arc,
            kind: Kind::Records,
        };
        self.disk(op, Waiting::SessionItems(id));
    }

    /// The disk told what is here of the session's arc.
    pub(crate) fn session_items(&mut self, now: Time, id: SessionId, completion: Completion) {
        let Some(session) = self.replica.sessions.get_mut(id) else {
            return;
        };
        let Completion::Disk(Ok(DiskAnswer::Items(items))) = completion else {
            return self.session_failed(now, id);
        };
        if session.kind.is_none() {
            return self.session_digest(now, id, items);
        }
        let first_step = ItemSet::new(items).and_then(|set| {
            let payload = set.open()?;
            session.compare = Some(set);
            Ok(payload)
        });
        match first_step {
            Ok(payload) => self.session_step(now, id, payload.into()),
            Err(_) => self.session_failed(now, id),
        }
    }

    /// The disk told the records of the arc, then the chunks: asks whether the source has the same.
    fn session_digest(&mut self, now: Time, id: SessionId, items: Vec<(Key, [u8; 32])>) {
        let Some(session) = self.replica.sessions.get_mut(id) else {
            return;
        };
        let Planned {
            arc, view, source, ..
        } = session.planned;
        let Some(records) = session.records.take() else {
            session.records = Some(items);
            let kind = Kind::Chunks;
            self.disk(DiskOp::ItemsIn { arc, kind }, Waiting::SessionItems(id));
            return;
        };
        let digest = arc_digest(records, items);
        let question = Message::CompareArc(CompareArc { arc, view, digest });
        if self
            .ask(now, source, question, Purpose::Session(id))
            .is_none()
        {
            self.session_failed(now, id);
        }
    }

    /// The source has the same, or not.
    fn session_sameness(&mut self, now: Time, id: SessionId, from: NodeId, same: bool, word: Word) {
        let Some(session) = self.replica.sessions.get_mut(id) else {
            return;
        };
        if session.kind.is_some() || session.planned.source != from {
            // Nothing else is under way that would end it.
            return self.session_failed(now, id);
        }
        session.same = same;
        session.kind = Some(Kind::Records);
        if !same {
            let arc = session.planned.arc;
            let kind = Kind::Records;
            self.disk(DiskOp::ItemsIn { arc, kind }, Waiting::SessionItems(id));
            return;
        }
        self.session_word(now, id, from, word);
        self.session_kind_done(now, id);
    }

    /// Notes what the source's word on the arc is worth.
    fn session_word(&mut self, now: Time, id: SessionId, from: NodeId, word: Word) {
        if let Some(session) = self.replica.sessions.get_mut(id) {
            let told = session.told.take().into_iter();
            session.told = History::together(told.chain([word.history]));
            if !word.agrees {
                // What it may acknowledge yet, under other holders, is not seen here.
                session.agreed = false;
                self.compare_with(now, from);
            }
        }
    }

    fn session_step(&mut self, now: Time, id: SessionId, payload: Bytes) {
        let Some(session) = self.replica.sessions.get_mut(id) else {
            return;
        };
        let Planned {
            arc, view, source, ..
        } = session.planned;
        let Some(kind) = session.kind else {
            return;
        };
        let step = Reconcile {
            arc,
            kind,
            view,
            payload,
        };
        if self
            .ask(now, source, Message::Reconcile(step), Purpose::Session(id))
            .is_none()
        {
            self.session_failed(now, id);
        }
    }

    /// The source answered.
    pub(crate) fn session_answered(
        &mut self,
        now: Time,
        id: SessionId,
        from: NodeId,
        message: Message,
    ) {
        if let Message::Reconciled(Reconciled::Step { payload, word }) = message {
            self.session_word(now, id, from, word);
            self.session_compared(now, id, &payload);
        } else if let Message::ArcCompared(ArcCompared::Compared { same, word }) = message {
            self.session_sameness(now, id, from, same, word);
        } else if let Message::Records(records) = message {
            self.session_records(now, id, from, records);
        } else {
            self.session_failed(now, id);
        }
    }

    fn session_compared(&mut self, now: Time, id: SessionId, payload: &[u8]) {
        let Some(session) = self.replica.sessions.get_mut(id) else {
            return;
        };
        let Some(compare) = &session.compare else {
            return self.session_failed(now, id);
        };
        let Ok(Taken { lacking, next }) = compare.take(payload) else {
            return self.session_failed(now, id);
        };
        // What this node has just dropped because nothing needs it the source will drop too. Whoever
        // hands its copies off must find them here, needed or not.
        let collector = &self.collector;
        let unneeded = session.kind == Some(Kind::Chunks) && session.planned.confirm.is_none();
        let lacking = lacking.into_iter();
        session
            .lacking
            .extend(lacking.filter(|&id| !(unneeded && collector.has_collected(ChunkId::new(id)))));
        if let Some(payload) = next {
            return self.session_step(now, id, payload.into());
        }
        session.compare = None;
        self.session_fetch(now, id);
    }

    /// Fetches what is lacking, or goes on when nothing is.
    fn session_fetch(&mut self, now: Time, id: SessionId) {
        let Some(session) = self.replica.sessions.get_mut(id) else {
            return;
        };
        match session.kind {
            _ if session.lacking.is_empty() && session.under_way > 0 => {}
            _ if session.lacking.is_empty() => self.session_kind_done(now, id),
            Some(Kind::Chunks) => self.copy_chunks(now, id),
            Some(Kind::Records) | None => self.fetch_records(now, id),
        }
    }

    fn fetch_records(&mut self, now: Time, id: SessionId) {
        let Some(session) = self.replica.sessions.get_mut(id) else {
            return;
        };
        if session.under_way > 0 {
            return;
        }
        let Planned { arc, source, .. } = session.planned;
        let digests = session.lacking.iter().copied().take(DIGESTS_MAX).collect();
        let question = Message::FetchRecords { arc, digests };
        if self
            .ask(now, source, question, Purpose::Session(id))
            .is_none()
        {
            self.session_failed(now, id);
        }
    }

    fn session_records(&mut self, now: Time, id: SessionId, from: NodeId, records: Vec<Record>) {
        let settings = self.settings.clone();
        let Some(session) = self.replica.sessions.get_mut(id) else {
            return;
        };
        if session.planned.source != from || session.kind != Some(Kind::Records) {
            return self.session_failed(now, id);
        }
        let asked_for: Vec<Record> = records
            .into_iter()
            .filter(|record| session.lacking.remove(&record.copy_digest()) && is_bounded(record))
            .collect();
        if asked_for.is_empty() {
            // Newer versions have replaced them over there; the next session brings those.
            session.lacking.clear();
            session.incomplete = true;
            return self.session_fetch(now, id);
        }
        session.under_way = asked_for.len();
        for record in asked_for {
            let key = settings.name_key(&record.name);
            self.arc_changed(now, key);
            self.disk(
                DiskOp::WriteRecord {
                    key,
                    record,
                    heeds_promise: false,
                },
                Waiting::SessionRecord(id),
            );
        }
    }

    pub(crate) fn session_record(&mut self, now: Time, id: SessionId, completion: Completion) {
        let Some(session) = self.replica.sessions.get_mut(id) else {
            return;
        };
        session.under_way -= 1;
        if !matches!(completion, Completion::Disk(Ok(_))) {
            return self.session_failed(now, id);
        }
        self.session_fetch(now, id);
    }

    fn copy_chunks(&mut self, now: Time, id: SessionId) {
        let copying = || self.replica.sessions.copying();
        let per_session = (REPAIR_TRANSFERS_MAX / copying().count().max(1)).max(1);
        let under_way: usize = copying().map(|session| session.under_way).sum();
        let mut places = REPAIR_TRANSFERS_MAX.saturating_sub(under_way);
        let Some(session) = self.replica.sessions.get_mut(id) else {
            return;
        };
        let source = session.planned.source;
        let Some(addr) = self.table.addr(source) else {
            // The table has dropped the source: there is nobody to fetch from.
            self.session_failed(now, id);
            return;
        };
        loop {
            let Some(session) = self.replica.sessions.get_mut(id) else {
                return;
            };
            // One that has none under way would never be asked again.
            let is_stuck = session.under_way == 0;
            if !is_stuck && (places == 0 || session.under_way >= per_session) {
                return;
            }
            places = places.saturating_sub(1);
            let Some(next) = session.next_lacking(id) else {
                return;
            };
            session.under_way += 1;
            let chunk = ChunkId::new(next);
            let key = self.chunk_key(chunk);
            self.arc_changed(now, key);
            self.collector.touch_copy(now, chunk);
            let effect = self.await_effect(Waiting::SessionChunk(id));
            let from = Destination {
                addr,
                node: Some(source),
            };
            let transfer = Transfer::Copy { chunk, key, from };
            self.effects
                .push_back(Effect::Transfer { effect, transfer });
        }
    }

    pub(crate) fn session_chunk(&mut self, now: Time, id: SessionId, completion: Completion) {
        let Some(session) = self.replica.sessions.get_mut(id) else {
            return;
        };
        session.under_way -= 1;
        let source = session.planned.source;
        match completion {
            Completion::Transfer(Ok(())) => session.broken = 0,
            Completion::Transfer(Err(TransferError::Broken)) => {
                session.incomplete = true;
                session.broken += 1;
            }
            // This disk takes no more.
            Completion::Transfer(Err(TransferError::Full)) => session.give_up_turn(),
            Completion::Disk(_) | Completion::Transfer(Err(_)) => session.incomplete = true,
        }
        let broken = session.broken;
        let is_lost = broken >= BROKEN_MAX || broken > 0 && !self.answers(source);
        let sessions = &mut self.replica.sessions;
        if (is_lost || sessions.is_over(now, id))
            && let Some(session) = sessions.get_mut(id)
        {
            session.give_up_turn();
        }
        self.session_fetch(now, id);
    }

    /// One kind is done: chunks after records, then the end.
    fn session_kind_done(&mut self, now: Time, id: SessionId) {
        let Some(session) = self.replica.sessions.get_mut(id) else {
            return;
        };
        let Planned {
            arc, view, source, ..
        } = session.planned;
        if session.kind == Some(Kind::Chunks) {
            return self.session_done(now, id);
        }
        let same = session.same;
        session.kind = Some(Kind::Chunks);
        let told = session.told.clone().unwrap_or_default();
        if !session.incomplete && session.agreed {
            // Records alone decide about reads; the chunks follow.
            let usual = self.timing.reconcile;
            if let Some(mine) = self.replica.my_arc(arc, view) {
                let earlier = mine.compared.get(&source);
                let chunks = same || earlier.is_some_and(|earlier| earlier.chunks);
                let pause = match earlier {
                    Some(earlier) if same => earlier.pause.max(usual / 2).saturating_mul(2),
                    _ => usual,
                };
                let compared = Compared {
                    at: now,
                    told,
                    chunks,
                    pause: pause.min(usual * (1 << DOUBLINGS)),
                };
                mine.compared.insert(source, compared);
            }
            self.consider_complete(now, arc, view);
        }
        if same {
            return self.session_done(now, id);
        }
        self.copy_chunks_in_turn(now, id);
    }

    /// Goes on with the chunks, as soon as few enough other sessions copy any.
    fn copy_chunks_in_turn(&mut self, now: Time, id: SessionId) {
        self.replica.sessions.copying.push_back(id);
        self.begin_copying(now);
        self.begin_sessions(now);
    }

    /// Lets as many sessions copy chunks as may at once, the most endangered first.
    pub(super) fn begin_copying(&mut self, now: Time) {
        while let Some((id, arc)) = self.next_to_copy(now) {
            let kind = Kind::Chunks;
            self.disk(DiskOp::ItemsIn { arc, kind }, Waiting::SessionItems(id));
        }
    }

    fn next_to_copy(&mut self, now: Time) -> Option<(SessionId, Arc)> {
        let mut sessions = std::mem::take(&mut self.replica.sessions);
        let next = sessions.let_copy(now, |planned| self.copies_left(planned.arc, planned.view));
        self.replica.sessions = sessions;
        next
    }

    fn session_done(&mut self, now: Time, id: SessionId) {
        let Some(session) = self.replica.sessions.end(id) else {
            return;
        };
        let Planned {
            arc,
            view,
            source,
            confirm,
        } = session.planned;
        if let Some(mine) = self.replica.my_arc(arc, view)
            && !session.incomplete
            && session.agreed
            && let Some(compared) = mine.compared.get_mut(&source)
        {
            compared.chunks = true;
            compared.at = now;
            if mine.waits_since.is_none() {
                mine.previous.clear();
            }
        }
        if let Some((asker, round)) = confirm {
            self.confirmation_ready(asker, round, arc, !session.incomplete);
        }
        self.begin_copying(now);
        self.begin_sessions(now);
    }

    /// A session cannot go on; its arc is compared again later.
    pub(crate) fn session_failed(&mut self, now: Time, id: SessionId) {
        let Some(session) = self.replica.sessions.end(id) else {
            return;
        };
        if let Some((asker, round)) = session.planned.confirm {
            self.confirmation_ready(asker, round, session.planned.arc, false);
        }
        self.begin_copying(now);
        self.begin_sessions(now);
    }

    /// Begins as many of the planned sessions as may run at once.
    pub(super) fn begin_sessions(&mut self, now: Time) {
        while self.replica.sessions.running() < SESSIONS_MAX {
            let Some(next) = self.replica.sessions.next() else {
                break;
            };
            self.begin_session(now, next);
        }
    }
}

#[cfg(test)]
mod tests;
