//! Who answers: pings, suspicion, and giving up.
//!
//! Three timers, never one. A silent neighbour is *suspect* in seconds and out of routing; writes
//! meant for it leave a hint elsewhere at once; it is *gone*, and its copies are made again, only
//! after the grace time, and only where a majority of the known nodes answers.

mod rumour;

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::time::Duration;

use chordal_object::{Key, NodeId};
use serde::{Deserialize, Serialize};

use crate::effect::{Failure, Notice};
use crate::limits::INTRODUCTIONS_MAX;
use crate::member::{Member, Standing, Token};
use crate::message::{Message, Silent};
use crate::peer::Peer;
use crate::placement;
use crate::request::{Asker, Purpose, Request};
use crate::table::{Entry, Health};
use crate::time::Time;
use crate::timer::Reason;

use rumour::Rumours;

/// What this node knows of its reach.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Liveness {
    /// Whether this node has been in touch with another ring member in this life.
    pub(crate) joined: bool,
    /// Whether it looks for the ring that it remembers from an earlier life.
    pub(crate) seeking: bool,
    /// When this life began.
    pub(crate) began: Time,
    /// Nodes that asked to be let in while this one was alone.
    pub(crate) guests: BTreeSet<NodeId>,
    /// Answers to a poll of all nodes, while one runs.
    poll: Option<BTreeSet<NodeId>>,
    /// Nodes reached and nodes known, since a poll found only a minority.
    minority: Option<(usize, usize)>,
    /// Nodes that a ping was in vain to, or of which somebody else says so.
    doubts: BTreeMap<NodeId, Doubt>,
    /// When nodes with other tables were last written to about it.
    pub(crate) compared: BTreeMap<NodeId, Time>,
    /// When strangers and nodes of another life were last asked who they are.
    greeted: BTreeMap<NodeId, Time>,
    /// Candidates for a predecessor that are asked who they are, each with the token it is for.
    pub(crate) introductions: BTreeMap<NodeId, (Token, Key)>,
    /// Tokens that the table has and that said when asked that they are not on the ring.
    absent: BTreeMap<Token, Time>,
    pub(crate) rumours: Rumours,
    /// When this node learned that others are no members any more.
    departed: BTreeMap<NodeId, Time>,
}

/// A node that may have fallen silent.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Doubt {
    /// When the first ping that was in vain was sent.
    since: Time,
    /// Whether the others whom it concerns know.
    shared: bool,
}

impl Liveness {
    /// Forgets what was noted of a node that begins a new life.
    pub(crate) fn forget(&mut self, node: NodeId) {
        self.compared.remove(&node);
        self.greeted.remove(&node);
        self.doubts.remove(&node);
        self.rumours.clear(node);
        self.departed.remove(&node);
    }

    /// A member was given up, or left.
    pub(crate) fn note_departure(&mut self, now: Time, node: NodeId) {
        self.departed.insert(node, now);
    }

    /// When this node learned that one is no member any more.
    pub(crate) fn departed_at(&self, node: NodeId) -> Option<Time> {
        self.departed.get(&node).copied()
    }

    /// A node in the table said that it has no such token on the ring: it is still looking for its
    /// place, mostly.
    pub(crate) fn note_absence(&mut self, now: Time, token: Token) {
        self.absent.retain(|_, since| now.since(*since) < ABSENCE);
        if self.absent.len() < ABSENT_MAX {
            self.absent.insert(token, now);
        }
    }

    /// Whether a token has just said that it is not on the ring.
    pub(crate) fn is_absent(&self, now: Time, token: Token) -> bool {
        let since = self.absent.get(&token);
        since.is_some_and(|since| now.since(*since) < ABSENCE)
    }
}

/// For how long a token that is not on the ring is not asked again because of the table alone.
const ABSENCE: Duration = Duration::from_secs(4);

/// The most tokens noted as not on the ring.
const ABSENT_MAX: usize = 256;

/// How long a poll of all nodes waits for answers.
const POLL: Duration = Duration::from_millis(1500);

/// How many pings a node sends, mostly, in the time that a neighbour may be silent.
const PINGS: u32 = 2;

/// The part of its neighbours that a node pings at once when it does not know who else does.
const UNSHARED: usize = 8;

/// For how many others a node waits to give up a silent one.
const COURTESY_MAX: u32 = 16;

/// One ping in so many goes to a silent node that this one has nothing to do with: nobody else may
/// ever have found it silent, so that it has no cause to speak up.
const TRY_SILENT_EVERY: usize = 8;

/// How many other silent nodes are tried when one has spoken again.
const OTHERS: usize = 3;

/// Pause before a ping in vain is repeated.
const PING_AGAIN: Duration = Duration::from_millis(50);

/// How long after a node's last word a failed attempt to reach it is not believed at once.
const JUST_HEARD: Duration = Duration::from_millis(300);

/// Pause between two messages to the same node about tables.
const WRITE_AGAIN: Duration = Duration::from_millis(50);

/// From how many notes on such messages those that matter no more are forgotten.
const WRITTEN_MAX: usize = 256;

/// Pause between two polls that found a minority.
const POLL_AGAIN: Duration = Duration::from_secs(5);

impl Peer {
    /// Notes that a node spoke; decides whether its message may be taken.
    pub(crate) fn hear_from(
        &mut self,
        now: Time,
        asker: &Asker,
        incarnation: u64,
        message: &Message,
    ) -> bool {
        if self.expelled.contains(&asker.node) {
            // What was under way when it was expelled.
            return false;
        }
        if self.keeps_to_itself(asker.node) {
            return matches!(message, Message::AskRing(_) | Message::Ping);
        }
        let Some(entry) = self.table.get_mut(asker.node) else {
            self.meet_stranger(now, asker, message);
            return true;
        };
        let known = (entry.member.incarnation, entry.member.standing);
        if incarnation < known.0 || (incarnation == known.0 && !known.1.is_member()) {
            // It does not know yet that it was given up, or this is an echo of its last life.
            self.tell_it_is_gone(now, asker);
            return incarnation == known.0 || matches!(message, Message::AskRing(_));
        }
        entry.heard = Some(now);
        self.liveness.doubts.remove(&asker.node);
        self.liveness.rumours.clear(asker.node);
        if incarnation > known.0 && known.1.is_member() {
            self.ask_who(now, asker);
        } else if incarnation > known.0 {
            // It came back: it has to know that it was given up meanwhile.
            self.tell_it_is_gone(now, asker);
        }
        let recovered = self.table.is_suspect(asker.node) && !matches!(message, Message::Pause);
        if recovered {
            self.recovered(now, asker.node);
        }
        true
    }

    /// A node that the table does not know speaks. Of a ring larger than the table most nodes are
    /// strangers, and only those matter that may become a pointer. To a node that looks for the ring
    /// it remembers anybody matters who remembers it: those it knew itself may all be gone.
    fn meet_stranger(&mut self, now: Time, asker: &Asker, message: &Message) {
        let introduces = matches!(
            message,
            Message::AskRing(_)
                | Message::RingInfo(_)
                | Message::Table { .. }
                | Message::AskPlaces { .. }
        );
        if introduces {
            return;
        }
        if self.table.is_whole() || self.is_seeking() {
            self.ask_who(now, asker);
        } else if let Message::Notify { of, to } = *message {
            let introductions = &mut self.liveness.introductions;
            if introductions.len() >= INTRODUCTIONS_MAX {
                introductions.pop_first();
            }
            introductions.insert(asker.node, (of, to));
            self.ask_who(now, asker);
        }
    }

    /// Whether this node is alone by intent and the other one never asked to be let in: the
    /// members of a ring that it left may still speak to it for a while.
    fn keeps_to_itself(&self, node: NodeId) -> bool {
        self.is_alone()
            && !self.liveness.joined
            && !self.is_joining()
            && !self.liveness.guests.contains(&node)
    }

    /// Asks a node of which the table has no entry, or an old one, for its own.
    fn ask_who(&mut self, now: Time, asker: &Asker) {
        let members = self.told_of_self();
        self.greet(now, asker, members);
    }

    fn tell_it_is_gone(&mut self, now: Time, asker: &Asker) {
        let entry = self.table.get(asker.node).map(Entry::to_member);
        let members = entry.into_iter().chain([self.me.clone()]).collect();
        self.greet(now, asker, members);
    }

    /// Tells a node some entries, asks for its own, and offers to compare tables: it mostly comes
    /// from the same ring and knows nearly all of it.
    fn greet(&mut self, now: Time, asker: &Asker, members: Vec<Member>) {
        if !is_time_again(&mut self.liveness.greeted, now, asker.node) {
            return;
        }
        let asker = Asker {
            request: 0,
            ..*asker
        };
        let question = Message::Table {
            members,
            want_yours: true,
            want: Vec::new(),
        };
        self.answer(&asker, question);
        if self.table.is_whole() && self.is_placed() {
            let digest = self.table.digest();
            let disagreed = true;
            self.answer(&asker, Message::TableDigest { digest, disagreed });
        }
    }

    /// Whether it is time again to write to a node about tables.
    pub(crate) fn may_compare(&mut self, now: Time, node: NodeId) -> bool {
        is_time_again(&mut self.liveness.compared, now, node)
    }

    /// A node spoke again after it was suspect.
    fn recovered(&mut self, now: Time, node: NodeId) {
        if let Some(entry) = self.table.get_mut(node) {
            entry.health = Health::Alive;
        }
        self.timers.cancel(Reason::GiveUp(node));
        self.notice(Notice::Recovered(node));
        let tokens = self
            .table
            .get(node)
            .map(|entry| entry.tokens.to_vec())
            .unwrap_or_default();
        self.hasten_stabilisation(now, &tokens);
        self.reconcile_again(now, node);
        // Where one silent node speaks again others may too: a network that was parted has healed.
        // Each that answers leads to further ones, so that all are found within a few answer times.
        self.try_suspects(now, OTHERS);
        if self.liveness.minority.is_some() {
            self.begin_poll(now);
        }
    }

    /// Asks some silent nodes, whichever they are, for a sign of life.
    fn try_suspects(&mut self, now: Time, count: usize) {
        let suspects: Vec<NodeId> = self.suspects().collect();
        for _ in 0..count {
            if let Some(&suspect) = self.rng.choose(&suspects) {
                self.ping(now, suspect);
            }
        }
    }

    /// Measures answer times of quick questions.
    pub(crate) fn measure_round_trip(
        &mut self,
        now: Time,
        from: NodeId,
        request: &Request,
        answer: &Message,
    ) {
        let quick = matches!(
            answer,
            Message::Pong
                | Message::State(_)
                | Message::StateKnown(_)
                | Message::Owner(_)
                | Message::Closer(_)
        );
        if quick && let Some(entry) = self.table.get_mut(from) {
            entry.round_trip.measure(now.since(request.sent));
        }
    }

    /// Nodes whose silence this node must notice: its ring neighbours and those that hold copies
    /// of the same arcs.
    fn neighbours(&self) -> BTreeSet<NodeId> {
        let pointers = self.tokens.values().flat_map(|ring| {
            [
                ring.pointers.predecessor.node,
                ring.pointers.successor().node,
            ]
        });
        let mut nodes: BTreeSet<NodeId> = pointers.chain(self.replica.co_holders()).collect();
        nodes.remove(&self.me.node);
        nodes
    }

    /// Pings the neighbour that has been silent for longest.
    ///
    /// Whoever holds many arcs has many neighbours, and each of these has many too: together they
    /// ping a node often enough, and who finds it silent tells the others. Where a node does not
    /// know the others, it has to look itself, more often.
    pub(crate) fn ping_neighbours(&mut self, now: Time) {
        let pause = self.timing.ping / PINGS;
        self.timers.set(now + self.rng.jitter(pause), Reason::Ping);
        if self.is_seeking() {
            return;
        }
        if self.rng.below(TRY_SILENT_EVERY) == 0 {
            self.try_suspects(now, 1);
        }
        let neighbours = self.neighbours();
        let count = if self.table.is_whole() {
            1
        } else {
            neighbours.len().div_ceil(UNSHARED)
        };
        let mut silent: Vec<(Time, NodeId)> = Vec::new();
        for node in neighbours {
            let Some(entry) = self.table.get_mut(node) else {
                continue;
            };
            let heard = *entry.heard.get_or_insert(now);
            let due = now.since(heard) >= self.timing.ping && entry.health == Health::Alive;
            let doubted = self.liveness.doubts.get(&node).is_some_and(|doubt| {
                // Its pings go on by themselves.
                now.since(doubt.since) < self.timing.suspect_after * 2
            });
            if due && entry.member.standing.is_member() && !doubted {
                silent.push((heard, node));
            }
        }
        silent.sort_unstable();
        for (_, node) in silent.into_iter().take(count) {
            self.ping(now, node);
        }
    }

    /// Somebody found a node silent that matters to this one too: asks it at once. The hint is
    /// no more than that; what this node makes of it, it finds out itself.
    pub(crate) fn told_of_silence(&mut self, now: Time, by: NodeId, node: NodeId) {
        let Some(entry) = self.table.get(node) else {
            return;
        };
        let silent = entry
            .heard
            .is_none_or(|heard| now.since(heard) >= self.timing.ping);
        self.liveness.rumours.witness(node, by);
        self.consider_telling_all(node);
        if silent && self.table.is_alive(node) && !self.liveness.doubts.contains_key(&node) {
            let doubt = Doubt {
                since: now,
                shared: true,
            };
            self.liveness.doubts.insert(node, doubt);
            self.ping(now, node);
        }
    }

    /// Tells those for whom a node matters that it does not answer.
    fn share_doubt(&mut self, node: NodeId) {
        for other in self.watchers(node) {
            if other != self.me.node && self.table.is_alive(other) {
                self.tell(other, Message::Silent(Silent { node, rumour: None }));
            }
        }
    }

    /// The nodes that hold arcs together with this one or are its neighbours on the ring, as far
    /// as the table tells, in order of their ids.
    pub(crate) fn watchers(&self, node: NodeId) -> BTreeSet<NodeId> {
        let tokens = self.table.get(node).map(|entry| &entry.tokens);
        let reach = usize::from(self.settings.replicas).max(2);
        let mut watchers = BTreeSet::new();
        for &token in tokens.into_iter().flat_map(|tokens| tokens.iter()) {
            watchers.extend(first_nodes(self.table.tokens_from(token), node, reach));
            watchers.extend(first_nodes(self.table.tokens_before(token), node, reach));
        }
        watchers.remove(&node);
        watchers
    }

    /// Asks a node for a sign of life.
    pub(crate) fn ping(&mut self, now: Time, node: NodeId) {
        let pinging =
            self.is_asking(|request| request.to == Some(node) && request.purpose == Purpose::Ping);
        if !pinging {
            self.ask(now, node, Message::Ping, Purpose::Ping);
        }
    }

    /// A ping was in vain.
    pub(crate) fn ping_unanswered(&mut self, now: Time, node: Option<NodeId>, sent: Time) {
        let Some(node) = node else { return };
        let Some(entry) = self.table.get(node) else {
            return;
        };
        let silence = entry.heard.map_or(Duration::MAX, |heard| now.since(heard));
        if entry.health != Health::Alive || !entry.member.standing.is_member() {
            return;
        }
        if entry.heard.is_some_and(|heard| heard > sent) {
            return;
        }
        let doubt = self.liveness.doubts.entry(node).or_insert(Doubt {
            since: sent,
            shared: false,
        });
        let doubted = now.since(doubt.since);
        let share = !std::mem::replace(&mut doubt.shared, true);
        // One lost message is no silence: several pings must have been in vain.
        let patience = self.timing.suspect_after.saturating_sub(self.timing.ping);
        if silence >= self.timing.suspect_after && doubted >= patience {
            self.suspect(now, node, "does not answer");
            self.bear_witness(node);
        } else {
            self.timers
                .at_latest(now + PING_AGAIN, Reason::Recheck(node));
        }
        if share {
            self.share_doubt(node);
        }
    }

    /// The connection to a node ended: ask it at once.
    pub(crate) fn disconnected(&mut self, now: Time, node: NodeId) {
        if self.table.is_alive(node) {
            self.ask(now, node, Message::Ping, Purpose::Ping);
        }
    }

    /// A node or an address cannot be reached.
    pub(crate) fn unreachable(
        &mut self,
        now: Time,
        addr: SocketAddr,
        node: Option<NodeId>,
        reason: &str,
    ) {
        match node {
            Some(node) if self.table.addr(node) == Some(addr) => {
                let heard = self.table.get(node).and_then(|entry| entry.heard);
                if heard.is_some_and(|heard| now.since(heard) < JUST_HEARD) {
                    // The attempt may be older than the node's last word: ask it.
                    self.abandon_requests(now, node);
                    self.timers
                        .at_latest(now + JUST_HEARD, Reason::Recheck(node));
                } else {
                    let is_news = self.table.is_alive(node);
                    self.suspect(now, node, reason);
                    if is_news {
                        self.bear_witness(node);
                    }
                    self.abandon_requests(now, node);
                }
            }
            Some(_) => {}
            None => {
                self.join_hindered(addr, reason);
                self.abandon_address(now, addr);
            }
        }
    }

    /// A neighbour says that it stops for a while.
    pub(crate) fn paused(&mut self, now: Time, node: NodeId) {
        self.suspect(now, node, "paused");
    }

    /// Holds a node for out of reach until it speaks again.
    pub(crate) fn suspect(&mut self, now: Time, node: NodeId, reason: &str) {
        let Some(entry) = self.table.get_mut(node) else {
            return;
        };
        if entry.health != Health::Alive || !entry.member.standing.is_member() {
            return;
        }
        entry.health = Health::Suspect { since: now };
        let tokens = entry.tokens.clone();
        self.liveness.doubts.remove(&node);
        self.notice(Notice::Suspected {
            node,
            reason: reason.to_owned(),
        });
        self.abandon_requests(now, node);
        self.hasten_stabilisation(now, &tokens);
        self.tell_suitors(now, node);
        let suspects: Vec<NodeId> = self.suspects().collect();
        for suspect in suspects {
            self.timers
                .at_latest(now + self.timing.emergency, Reason::GiveUp(suspect));
        }
        self.ask_others_instead(now, node);
    }

    /// Ring members that do not answer.
    pub(crate) fn suspects(&self) -> impl Iterator<Item = NodeId> {
        self.table
            .iter()
            .filter(|(_, entry)| entry.member.standing.is_member() && entry.health != Health::Alive)
            .map(|(&node, _)| node)
    }

    /// When a suspect node's time is up, if it is: after the grace time, or soon when fewer than
    /// two copies of something can be reached and another node could take one.
    fn due_to_give_up(&self, now: Time, node: NodeId) -> Option<bool> {
        let Health::Suspect { since } = self.table.get(node)?.health else {
            return None;
        };
        let silence = now.since(since);
        // After a power failure nodes return one by one: that is no emergency.
        let young = now.since(self.liveness.began) < self.timing.suspect_after * 4;
        let emergency = silence >= self.timing.emergency && !young && self.is_emergency(node);
        Some(emergency || silence >= self.timing.grace + self.courtesy(node))
    }

    fn is_emergency(&self, node: NodeId) -> bool {
        let mut sets = self.replica.holder_sets();
        let is_at_stake = sets.any(|holders| {
            let mut reachable = holders.iter().filter(|&&holder| self.answers(holder));
            // With no copy in reach there is nothing to make another from: wait for its holders.
            holders.len() >= 3
                && holders.contains(&node)
                && reachable.next().is_some()
                && reachable.next().is_none()
        });
        is_at_stake && self.another_could_hold()
    }

    /// Whether more than one node that should hold copies answers.
    fn another_could_hold(&self) -> bool {
        let holding = self.table.iter().filter(|(node, entry)| {
            let holds = entry.member.standing.holds() && !entry.tokens.is_empty();
            holds && self.answers(**node)
        });
        holding.take(2).count() == 2
    }

    /// A suspect node's time may be up.
    pub(crate) fn consider_giving_up(&mut self, now: Time, node: NodeId) {
        if !self.table.is_whole() {
            // Whoever knows a part of the ring cannot decide for it, and no copies wait.
            return;
        }
        match self.due_to_give_up(now, node) {
            None => {}
            Some(true) => self.begin_poll(now),
            Some(false) => {
                if let Some(Health::Suspect { since }) = self.table.get(node).map(|e| e.health) {
                    let patience = self.timing.grace + self.courtesy(node);
                    self.timers.set(since + patience, Reason::GiveUp(node));
                }
            }
        }
    }

    /// Asks all nodes for a sign of life, to learn whether this one may decide for the ring.
    fn begin_poll(&mut self, now: Time) {
        if self.liveness.poll.is_some() {
            return;
        }
        self.liveness.poll = Some(BTreeSet::new());
        self.timers.set(now + POLL, Reason::PollOver);
        let others: Vec<NodeId> = self.table.others(self.me.node).collect();
        for node in others {
            self.ask(now, node, Message::Ping, Purpose::Poll);
        }
    }

    pub(crate) fn poll_answered(&mut self, node: NodeId) {
        if let Some(answered) = self.liveness.poll.as_mut() {
            answered.insert(node);
        }
    }

    /// Counts a poll: with a majority, the suspects whose time is up are given up.
    pub(crate) fn poll_over(&mut self, now: Time) {
        let Some(answered) = self.liveness.poll.take() else {
            if self.liveness.minority.is_some() {
                self.begin_poll(now);
            }
            return;
        };
        let with_tokens: Vec<NodeId> = self
            .table
            .iter()
            .filter(|(_, entry)| entry.member.standing.is_member() && !entry.tokens.is_empty())
            .map(|(&node, _)| node)
            .collect();
        let known = with_tokens.len();
        let reached = with_tokens
            .iter()
            .filter(|&node| *node == self.me.node || answered.contains(node))
            .count();
        let may_decide = !placement::is_minority(reached, known);
        self.liveness.minority = (!may_decide).then_some((reached, known));
        if !may_decide {
            // Nodes return one by one: count again until they are enough.
            self.timers.set(now + POLL_AGAIN, Reason::PollOver);
        }
        let suspects: Vec<NodeId> = self.suspects().collect();
        for node in suspects {
            match self.due_to_give_up(now, node) {
                Some(true) if may_decide => self.give_up(now, node),
                Some(true) => self.timers.set(now + POLL_AGAIN, Reason::GiveUp(node)),
                Some(false) | None => {}
            }
        }
    }

    fn give_up(&mut self, now: Time, node: NodeId) {
        let Some(entry) = self.table.get(node) else {
            return;
        };
        let mut member = entry.to_member();
        // A node that was handing its copies over has not finished: it is gone, not left.
        member.standing = Standing::Gone;
        self.announce(now, vec![member]);
    }

    /// An operator knows that a silent node will not come back: tells the whole ring. Fewer nodes
    /// are a majority from then on.
    pub(crate) fn forget_node(&mut self, now: Time, node: NodeId) {
        let Some(entry) = self.table.get(node) else {
            return;
        };
        let mut member = entry.to_member();
        member.standing = Standing::Forgotten;
        self.announce(now, vec![member]);
        self.count_again(now);
    }

    /// There are fewer nodes: what was a minority may be none any more.
    pub(crate) fn count_again(&mut self, now: Time) {
        if self.liveness.minority.is_some() {
            self.begin_poll(now);
        }
    }

    /// How long this node leaves it to others to give a silent node up, whose grace time is over:
    /// one poll of all nodes is enough.
    fn courtesy(&self, node: NodeId) -> Duration {
        let watchers = self.watchers(node);
        let before = watchers
            .iter()
            .filter(|&&other| self.table.is_alive(other))
            .take_while(|&&other| other != self.me.node);
        let before = u32::try_from(before.count()).unwrap_or(u32::MAX);
        self.timing.emergency * before.min(COURTESY_MAX)
    }

    /// Refuses a write on a node that sees only a minority.
    pub(crate) fn refuse_in_minority(&self) -> Result<(), Failure> {
        match self.liveness.minority {
            Some((reached, known)) => Err(Failure::Minority { reached, known }),
            None => Ok(()),
        }
    }

    /// How many nodes should hold each key on this ring, for the status.
    pub(crate) fn replicas(&self) -> usize {
        placement::replicas(&self.table, &self.settings)
    }
}

/// Whether a node was not written to for a moment, or never. If so, it is about to be.
fn is_time_again(written: &mut BTreeMap<NodeId, Time>, now: Time, node: NodeId) -> bool {
    let last = written.get(&node).copied();
    let is_time = last.is_none_or(|last| now.since(last) >= WRITE_AGAIN);
    if is_time {
        if written.len() >= WRITTEN_MAX {
            written.retain(|_, last| now.since(*last) < WRITE_AGAIN);
        }
        written.insert(node, now);
    }
    is_time
}

/// The first distinct nodes among these tokens' nodes, without one of them.
fn first_nodes(
    tokens: impl Iterator<Item = Token>,
    without: NodeId,
    count: usize,
) -> BTreeSet<NodeId> {
    let mut nodes = BTreeSet::new();
    for token in tokens.filter(|token| token.node != without) {
        if nodes.len() == count {
            break;
        }
        nodes.insert(token.node);
    }
    nodes
}
