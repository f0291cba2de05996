//! The peer: one node's decisions, composed of the parts in the modules beside this one.
//!
//! This file holds the state, the way in and the way out. What is decided about an input is in
//! the module of its subject: `ring`, `lookup`, `join`, `liveness`, `membership`, `operation`,
//! `replica`.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use chordal_object::{Key, NodeId};
use serde::{Deserialize, Serialize};

use crate::certificate::TokenView;
use crate::codec;
use crate::effect::{DiskOp, Effect, Notice};
use crate::input::{Completion, EffectId, Input};
use crate::join::Joining;
use crate::limits::INCARNATION_MAX;
use crate::liveness::Liveness;
use crate::lookup::Lookups;
use crate::member::{Member, Standing, Token};
use crate::membership::{Saves, TablePast};
use crate::message::{Closer, Message, OwnerFound, Silent, TokenPointers};
use crate::operation::Operations;
use crate::replica::{Collector, Replica};
use crate::request::{Asker, Purpose, Request, RequestId, Requests};
use crate::ring::TokenRing;
use crate::rng::Rng;
use crate::salts::Places;
use crate::settings::{Config, Profile, Settings, Timing};
use crate::table::{Learned, NodeTable};
use crate::time::Time;
use crate::timer::{Reason, Timers};
use crate::waiting::Waiting;

/// One node's decisions.
#[derive(Debug, Serialize, Deserialize)]
pub struct Peer {
    pub(crate) settings: Settings,
    pub(crate) timing: Timing,
    /// This node as others know it.
    pub(crate) me: Member,
    pub(crate) rng: Rng,
    pub(crate) table: NodeTable,
    /// This node's tokens and their pointers.
    pub(crate) tokens: BTreeMap<Key, Box<TokenRing>>,
    pub(crate) requests: Requests,
    pub(crate) lookups: Lookups,
    pub(crate) joining: Joining,
    pub(crate) places: Places,
    pub(crate) liveness: Liveness,
    /// Who is not welcome any more, whatever it says of itself.
    pub(crate) expelled: BTreeSet<NodeId>,
    pub(crate) operations: Operations,
    pub(crate) replica: Replica,
    pub(crate) collector: Collector,
    pub(crate) saves: Saves,
    pub(crate) table_past: TablePast,
    pub(crate) timers: Timers,
    /// What is to be done. The driver has taken all of it between two inputs.
    #[serde(skip)]
    pub(crate) effects: VecDeque<Effect>,
    /// Messages of this node to itself.
    pub(crate) loopback: VecDeque<(u64, Message)>,
    /// Who waits for which effect to end.
    pub(crate) waiting: BTreeMap<EffectId, Waiting>,
    pub(crate) last_effect: u64,
    /// The placement that `replica` is built for.
    pub(crate) placed_epoch: Option<u64>,
}

impl Peer {
    /// A node that begins a life: alone on its ring, or about to look for the nodes it remembers.
    pub fn new(config: Config, now: Time) -> Self {
        let count = if config.settings.profile == Profile::Classic {
            1
        } else {
            config.tokens
        };
        let me = Member {
            node: config.node,
            addr: config.addr,
            incarnation: config.incarnation,
            standing: Standing::Present,
            offered_bytes: config.offered_bytes,
            salts: vec![0; usize::from(count)],
        };
        let mut peer = Self {
            settings: config.settings,
            timing: config.timing,
            me,
            rng: Rng::new(config.seed),
            table: NodeTable::new(config.table_nodes),
            tokens: BTreeMap::new(),
            requests: Requests::default(),
            lookups: Lookups::default(),
            joining: Joining::default(),
            places: Places::new(count),
            liveness: Liveness::default(),
            expelled: BTreeSet::new(),
            operations: Operations::default(),
            replica: Replica::default(),
            collector: Collector::default(),
            saves: Saves::default(),
            table_past: TablePast::default(),
            timers: Timers::default(),
            effects: VecDeque::new(),
            loopback: VecDeque::new(),
            waiting: BTreeMap::new(),
            last_effect: 0,
            placed_epoch: None,
        };
        peer.avoid_taken_places();
        let saved = peer.remember(config.remembered);
        peer.table.learn(&peer.settings, &peer.me);
        peer.found_ring(now);
        peer.start_replica(now, &saved);
        if !peer.is_alone() {
            peer.liveness.seeking = true;
            peer.timers.set(now, Reason::JoinAgain);
        }
        peer.liveness.began = now;
        peer.timers.set(now + peer.timing.ping, Reason::Ping);
        peer.timers.set(now, Reason::Gossip);
        peer
    }

    /// Takes note of what happened; what is to be done about it comes out of [`Peer::poll`].
    pub fn handle(&mut self, now: Time, input: Input) {
        match input {
            Input::Tick => {}
            Input::Message { from, addr, bytes } => self.receive_bytes(now, from, addr, bytes),
            Input::Disconnected(node) => self.disconnected(now, node),
            Input::Unreachable { addr, node, reason } => {
                self.unreachable(now, addr, node, &reason);
            }
            Input::Command { operation, command } => self.command(now, operation, command),
            Input::Expelled(nodes) => self.told_of_expelled(now, nodes),
            Input::Damaged(copy) => self.copy_damaged(now, &copy),
            Input::Cancel(operation) => self.cancel_operation(operation),
            Input::Completion { effect, completion } => self.completed(now, effect, completion),
        }
        self.settle(now);
        while let Some(reason) = self.timers.pop_due(now) {
            self.wake(now, reason);
            self.settle(now);
        }
        self.bound_table();
        self.settle(now);
    }

    /// The next thing to do, if any.
    pub fn poll(&mut self) -> Option<Effect> {
        let effect = self.effects.pop_front();
        if effect.is_none() {
            self.shed();
        }
        effect
    }

    /// Gives back the room of what is empty, which maps and queues would keep: where a large ring
    /// is simulated, most nodes are idle.
    fn shed(&mut self) {
        self.effects = VecDeque::new();
        self.loopback = VecDeque::new();
        if self.waiting.is_empty() {
            self.waiting = BTreeMap::new();
        }
        self.requests.shed();
        self.lookups.shed();
    }

    /// When to call [`Peer::handle`] with [`Input::Tick`] at the latest, and why.
    pub fn deadline(&self) -> Option<(Time, Reason)> {
        self.timers.first()
    }

    /// What the ring is set to. It changes when a node that was alone joins another's ring.
    pub const fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Changes this node's pace. What it has already set itself to do at a time it does then.
    pub fn set_timing(&mut self, timing: Timing) {
        self.timing = timing;
    }

    /// This node as others know it.
    pub const fn member(&self) -> &Member {
        &self.me
    }

    /// This node's tokens with their nearest pointers, in order of their keys.
    pub fn tokens(&self) -> Vec<TokenPointers> {
        self.tokens.values().map(|ring| ring.nearest()).collect()
    }

    /// The successor list of one of this node's tokens, nearest first.
    pub fn successors(&self, token: Key) -> Vec<Token> {
        self.tokens
            .get(&token)
            .map(|ring| ring.pointers.successors.clone())
            .unwrap_or_default()
    }

    /// The pointers of this node's tokens that have a place on a ring, for the ring's certificate.
    pub fn ring_view(&self) -> Vec<TokenView> {
        let placed = self.tokens.values().filter(|ring| ring.pointers.on_ring);
        let views = placed.map(|ring| TokenView {
            token: ring.pointers.token,
            predecessor: ring.pointers.predecessor,
            successors: ring.pointers.successors.clone(),
        });
        views.collect()
    }

    /// Whether [`Peer::ring_view`] would say just this.
    pub fn ring_view_is(&self, views: &[TokenView]) -> bool {
        let placed = self.tokens.values().filter(|ring| ring.pointers.on_ring);
        placed.map(|ring| ring.as_parts()).eq(views
            .iter()
            .map(|view| (&view.token, &view.predecessor, view.successors.as_slice())))
    }

    /// Whether every token of this node knows only tokens of this node.
    pub fn is_on_own_ring(&self) -> bool {
        let mut lists = self.tokens.values().map(|ring| &ring.pointers.successors);
        lists.all(|list| list.iter().all(|next| next.node == self.me.node))
    }

    /// Whether this node is on its way into a ring: joining, or looking for the one it remembers.
    pub const fn is_entering(&self) -> bool {
        self.is_joining() || self.is_seeking()
    }

    /// The nodes this one has heard of, itself included.
    pub fn members(&self) -> Vec<Member> {
        self.table
            .iter()
            .map(|(_, entry)| entry.to_member())
            .collect()
    }

    /// The entry of a node that this one has heard of, or of itself.
    pub fn member_of(&self, node: NodeId) -> Option<Member> {
        let entry = self.table.get(node)?;
        Some(entry.to_member())
    }

    /// Deals with messages to itself and with changes of placement until nothing is left.
    fn settle(&mut self, now: Time) {
        loop {
            if self.placed_epoch != Some(self.table.placement_epoch()) {
                self.place_again(now);
            }
            let Some((request, message)) = self.loopback.pop_front() else {
                break;
            };
            let asker = Asker {
                node: self.me.node,
                addr: self.me.addr,
                request,
            };
            self.receive(now, asker, message);
        }
    }

    fn wake(&mut self, now: Time, reason: Reason) {
        match reason {
            Reason::Stabilise(token) => self.stabilise(now, token),
            Reason::RequestOver(id) => self.request_over(now, id),
            Reason::Ping => self.ping_neighbours(now),
            Reason::Gossip => self.gossip(now),
            Reason::Recheck(node) => self.ping(now, node),
            Reason::GiveUp(node) => self.consider_giving_up(now, node),
            Reason::PollOver => self.poll_over(now),
            Reason::Repair => self.repair(now),
            Reason::Collect => self.collect(now),
            Reason::JoinAgain => self.join_again(now),
            Reason::Save => self.save_members(now),
            Reason::Hedge(operation) => self.hedge(now, operation),
            Reason::Retry(operation) => self.retry(now, operation),
            Reason::OperationOver(operation) => self.operation_over(now, operation),
        }
    }

    fn receive_bytes(&mut self, now: Time, from: NodeId, addr: SocketAddr, bytes: Bytes) {
        if from == self.me.node {
            return;
        }
        let envelope = match codec::decode(bytes) {
            Ok(envelope) => envelope,
            Err(error) => {
                let reason = error.to_string();
                self.notice(if error.is_the_senders_fault() {
                    Notice::Malformed { node: from, reason }
                } else {
                    Notice::NotUnderstood { node: from, reason }
                });
                return;
            }
        };
        let asker = Asker {
            node: from,
            addr,
            request: envelope.request,
        };
        if self.hear_from(now, &asker, envelope.incarnation, &envelope.message) {
            self.receive(now, asker, envelope.message);
        }
    }

    /// Sorts a message by its subject: answers to their questions, questions to their modules.
    fn receive(&mut self, now: Time, asker: Asker, message: Message) {
        match message {
            Message::Ping => self.answer(&asker, Message::Pong),
            Message::Pause => self.paused(now, asker.node),
            Message::Silent(Silent { node, rumour: None }) => {
                self.told_of_silence(now, asker.node, node);
            }
            Message::Silent(Silent {
                node,
                rumour: Some(rumour),
            }) => self.told_of_rumour(now, node, rumour),
            Message::AskRing(wish) => self.asked_ring(now, &asker, wish),
            Message::AskPlaces {
                offered_bytes,
                tokens,
            } => self.asked_places(now, &asker, offered_bytes, tokens),
            Message::GetState(question) => self.asked_state(&asker, &question),
            Message::PointersChanged(key) => self.told_of_change(now, asker.node, key),
            Message::Notify { of, to } => self.notified(now, asker.node, of, to),
            Message::FindOwner { key, table } => self.asked_owner(&asker, key, table),
            Message::Spread { members, until } => self.spread_on(now, members, until),
            Message::TableDigest { digest, disagreed } => {
                self.compare_tables(now, &asker, digest, disagreed);
            }
            Message::TableParts(digests) => self.compare_parts(&asker, &digests),
            Message::TableTags(tags) => self.compare_tags(&asker, &tags),
            Message::Table {
                members,
                want_yours,
                want,
            } if asker.request == 0 || want_yours => {
                self.learn_table(now, &asker, &members, want_yours, &want);
            }
            Message::ReadRecord(question) => self.asked_record(now, &asker, question),
            Message::WriteRecord(write) => self.asked_to_hold(now, &asker, write),
            Message::OfferChunk(offer) => self.offered_chunk(now, &asker, offer),
            Message::AskChunks(chunks) => self.asked_chunks(&asker, chunks),
            Message::KeepChunks(chunks) => self.asked_to_keep(now, &asker, chunks),
            Message::AskReferences(question) => self.asked_references(now, &asker, question),
            Message::Released(chunks) => self.told_of_release(now, chunks),
            Message::Reconcile(step) => self.asked_to_reconcile(now, &asker, step),
            Message::CompareArc(question) => self.asked_to_compare(now, &asker, question),
            Message::AskCounts(arcs) => self.asked_counts(&asker, &arcs),
            Message::FetchRecords { arc, digests } => self.asked_records(&asker, arc, digests),
            Message::AskConfirm { arc, view, round } => {
                self.asked_to_confirm(now, &asker, arc, view, round);
            }
            Message::List(list) => self.asked_list(&asker, list),
            Message::AskStatus => self.asked_status(&asker),
            Message::AskPointers => self.asked_pointers(&asker),
            answer @ (Message::Pong
            | Message::RingInfo(_)
            | Message::Places(_)
            | Message::State(_)
            | Message::StateKnown(_)
            | Message::NoToken(_)
            | Message::Owner(_)
            | Message::Closer(_)
            | Message::Table { .. }
            | Message::RecordRead(_)
            | Message::RecordWritten(_)
            | Message::ChunkOffered(_)
            | Message::ChunksHeld(_)
            | Message::References(_)
            | Message::Reconciled(_)
            | Message::ArcCompared(_)
            | Message::Counts(_)
            | Message::Records(_)
            | Message::Confirm(_)
            | Message::Listed(_)
            | Message::Status(_)
            | Message::Pointers(_)) => {
                if let Some(request) = self.close_request(RequestId(asker.request), asker.node) {
                    self.answered(now, asker.node, request, answer);
                }
            }
        }
    }

    /// An answer came. One that does not fit its question counts as none.
    fn answered(&mut self, now: Time, from: NodeId, request: Request, message: Message) {
        if !request.purpose.is_met_by(&message) {
            self.unanswered(now, request);
            return;
        }
        self.measure_round_trip(now, from, &request, &message);
        match (request.purpose, message) {
            (Purpose::Ping, Message::Pong) => {}
            (Purpose::Poll, Message::Pong) => self.poll_answered(from),
            (Purpose::AskRing, Message::RingInfo(info)) => {
                self.ring_found(now, from, request.addr, info);
            }
            (Purpose::Places, Message::Places(salts)) => self.places_told(now, salts),
            (Purpose::Pointers { token, of }, Message::State(state)) => {
                self.pointers_answered(now, token, of, &state);
            }
            (Purpose::Pointers { token, of }, Message::StateKnown(digest)) => {
                self.pointers_known(now, token, of, digest);
            }
            (Purpose::Pointers { token, of }, Message::NoToken(_)) => {
                self.pointers_refused(now, token, of);
            }
            (
                Purpose::Predecessor {
                    token,
                    present,
                    candidate,
                },
                Message::NoToken(_),
            ) => self.predecessor_refused(now, token, present, candidate),
            (
                Purpose::JoinAt {
                    token, predecessor, ..
                },
                Message::State(state),
            ) => self.join_state(now, token, predecessor, state),
            (
                Purpose::JoinAt {
                    token,
                    predecessor,
                    ring_answers,
                },
                Message::NoToken(_),
            ) => self.join_refused(now, token, predecessor, ring_answers),
            (Purpose::Lookup(id), Message::Owner(found)) => self.lookup_owner(now, id, from, found),
            (Purpose::Lookup(id), Message::Closer(closer)) => {
                self.lookup_closer(now, id, closer);
            }
            (Purpose::Lookup(id), Message::State(state)) => self.lookup_list(now, id, state),
            (Purpose::Lookup(id), Message::NoToken(_)) => self.lookup_refused(now, id),
            (
                Purpose::Beside,
                Message::Owner(OwnerFound { members, .. })
                | Message::Closer(Closer { members, .. }),
            ) => self.beside_on_ring(now, from, &members),
            (
                Purpose::Scout(id),
                Message::Owner(OwnerFound { members, .. })
                | Message::Closer(Closer { members, .. }),
            ) => self.scout_found(now, id, from, &members),
            (Purpose::Scout(id), Message::NoToken(_)) => {
                self.scouted_in_vain(now, id, Some(from), true);
            }
            (Purpose::JoinTable, Message::Table { members, .. }) => {
                self.join_table(now, from, members);
            }
            (Purpose::Operation(id), message) => {
                self.operation_answered(now, id, from, message);
            }
            (purpose @ (Purpose::Keep { .. } | Purpose::References(_)), message) => {
                self.told_of_chunks(now, from, purpose, message);
            }
            (
                purpose @ (Purpose::Session(_) | Purpose::Counts(_) | Purpose::Confirm(_)),
                message,
            ) => self.told_of_arcs(now, from, purpose, message),
            _ => {}
        }
    }

    /// Somebody told of an arc that it holds.
    fn told_of_arcs(&mut self, now: Time, from: NodeId, purpose: Purpose, message: Message) {
        match (purpose, message) {
            (Purpose::Session(id), message) => self.session_answered(now, id, from, message),
            (Purpose::Counts(round), Message::Counts(counts)) => {
                self.counts_told(now, round, from, &counts);
            }
            (Purpose::Confirm(upto), Message::Confirm(confirm)) => {
                self.confirmed(now, upto, from, confirm);
            }
            _ => {}
        }
    }

    /// Somebody told which chunks it keeps, or refers to.
    fn told_of_chunks(&mut self, now: Time, from: NodeId, purpose: Purpose, message: Message) {
        match (purpose, message) {
            (Purpose::Keep { operation, round }, Message::ChunksHeld(held)) => {
                self.chunks_kept(now, (operation, round), from, &held);
            }
            (Purpose::References(number), Message::References(told)) => {
                self.references_told(now, number, from, told);
            }
            _ => {}
        }
    }

    /// No answer came in time, or the node is out of reach.
    pub(crate) fn unanswered(&mut self, now: Time, request: Request) {
        let Request {
            to,
            addr,
            sent,
            purpose,
        } = request;
        match purpose {
            Purpose::Ping => self.ping_unanswered(now, to, sent),
            Purpose::Pointers { token, of } => self.pointers_unanswered(now, token, of),
            Purpose::Predecessor { present, .. } => self.ping(now, present.node),
            Purpose::AskRing => self.seed_silent(now, addr, sent),
            Purpose::JoinTable => self.join_table_lost(now),
            Purpose::Places => self.places_not_told(now),
            Purpose::JoinAt { token, .. } => self.join_misplaced(now, token),
            Purpose::Lookup(id) => self.lookup_unanswered(now, id),
            Purpose::Scout(id) => self.scouted_in_vain(now, id, to, false),
            Purpose::Operation(id) => {
                if let Some(node) = to {
                    self.operation_unanswered(now, id, node);
                }
            }
            Purpose::Keep { operation, round } => {
                if let Some(node) = to {
                    self.chunks_not_kept(now, operation, round, node);
                }
            }
            Purpose::References(number) => self.round_failed(number),
            Purpose::Session(id) => self.session_failed(now, id),
            Purpose::Beside
            | Purpose::Poll
            | Purpose::Counts(_)
            | Purpose::Confirm(_)
            | Purpose::ReadRepair => {}
        }
    }

    fn completed(&mut self, now: Time, effect: EffectId, completion: Completion) {
        if let Some(waiting) = self.waiting.remove(&effect) {
            self.resume(now, waiting, completion);
        }
    }

    /// Asks the disk; the answer comes to [`Peer::resume`] with `waiting`.
    pub(crate) fn disk(&mut self, op: DiskOp, waiting: Waiting) -> EffectId {
        let effect = self.await_effect(waiting);
        self.effects.push_back(Effect::Disk { effect, op });
        effect
    }

    pub(crate) fn await_effect(&mut self, waiting: Waiting) -> EffectId {
        self.last_effect += 1;
        let effect = EffectId(self.last_effect);
        self.waiting.insert(effect, waiting);
        effect
    }

    pub(crate) fn notice(&mut self, notice: Notice) {
        self.effects.push_back(Effect::Notice(notice));
    }

    /// Takes over an entry of the node table and follows up on what it changes.
    pub(crate) fn learn(&mut self, now: Time, member: Member) -> Learned {
        let member = self.as_expelled(member);
        if member.node == self.me.node {
            self.hear_of_myself(now, &member);
            return Learned::Nothing;
        }
        if member.incarnation >= INCARNATION_MAX {
            return Learned::Nothing;
        }
        let (node, standing) = (member.node, member.standing);
        let was_member = self.table.is_member(node);
        if self.table.learn(&self.settings, &member) == Learned::Nothing {
            return Learned::Nothing;
        }
        self.liveness.rumours.clear(node);
        let entry = self.table.get(node);
        let tokens = entry.map_or_else(Vec::new, |entry| entry.tokens.to_vec());
        if standing.is_member() && !was_member {
            self.liveness.forget(node);
            if self.table.is_whole()
                && let Some(&key) = tokens.first()
            {
                self.notice(Notice::Appeared(Token { key, node }));
            }
        }
        if was_member && !standing.is_member() {
            self.liveness.note_departure(now, node);
            self.notice(if standing == Standing::Left {
                Notice::Left(node)
            } else {
                Notice::Gone(node)
            });
        }
        if let Some(entry) = self.table.get_mut(node) {
            entry.heard.get_or_insert(now);
        }
        self.hasten_stabilisation(now, &tokens);
        let delay = if self.table.is_whole() {
            SAVE_DELAY + SAVE_DELAY_PER_NODE * self.table.nodes()
        } else {
            SAVE_PART_DELAY
        };
        self.timers.at_latest(now + delay, Reason::Save);
        Learned::Changed
    }
}

/// How long changes of the node table gather before they are saved.
const SAVE_DELAY: Duration = Duration::from_millis(500);

/// How much longer they gather for each node of the table: a large ring changes all the time, and
/// all of the table is written each time.
const SAVE_DELAY_PER_NODE: Duration = Duration::from_millis(20);

/// The same for a table that is not whole, which changes with every lookup.
const SAVE_PART_DELAY: Duration = Duration::from_secs(5);

impl Peer {
    /// Walks every local invariant; an error names the broken one.
    pub fn check(&self) -> Result<(), String> {
        self.check_ring()?;
        self.check_replica()
    }
}
