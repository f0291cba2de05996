//! The nodes, the messages on their way, and the clock.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use chordal_object::{Key, NodeId};
use chordal_proto::effect::{Answer, DiskOp, Effect, Found};
use chordal_proto::input::{Command, Completion, DiskAnswer, OperationId};
use chordal_proto::{Input, Peer, Time};

use super::build::{Plan, address, ideal_peer, number_at, owner_of};
use super::queue::{Queue, What};
use super::{LookupTally, ScaleOptions};
use crate::dice::Dice;

/// The time a message takes, at least and at most.
const LATENCY_MIN: Duration = Duration::from_millis(20);
const LATENCY_MAX: Duration = Duration::from_millis(80);

/// How long the last lookups of a time are waited for.
const PATIENCE: Duration = Duration::from_secs(4);

/// A message on its way.
struct Letter {
    from: u32,
    to: u32,
    bytes: Bytes,
}

pub(super) struct ScaleWorld {
    plan: Plan,
    ids: Vec<NodeId>,
    peers: Vec<Option<Box<Peer>>>,
    /// The living tokens in order, as of the last change.
    ring: Vec<(Key, u32)>,
    /// When each node is to be woken, or never.
    wakes: Vec<u64>,
    letters: Vec<Option<Letter>>,
    free_letters: Vec<u32>,
    queue: Queue,
    now: u64,
    events: u64,
    operations: u64,
    asked: BTreeMap<OperationId, Key>,
    answers: Vec<(OperationId, Option<Found>)>,
    dice: Dice,
    network: Dice,
}

const NEVER: u64 = u64::MAX;

impl ScaleWorld {
    pub(super) fn new(options: &ScaleOptions) -> Self {
        let plan = Plan::new(options.seed);
        let mut dice = Dice::new(options.seed, "scale");
        let ids: Vec<NodeId> = (0..options.nodes).map(|_| some_id(&mut dice)).collect();
        let mut ring: Vec<(Key, u32)> = (0..)
            .zip(&ids)
            .map(|(number, &node)| (plan.token(node), number))
            .collect();
        ring.sort_unstable();
        let mut world = Self {
            plan,
            peers: ids.iter().map(|_| None).collect(),
            wakes: vec![NEVER; ids.len()],
            ids,
            ring: Vec::new(),
            letters: Vec::new(),
            free_letters: Vec::new(),
            queue: Queue::new(),
            now: 0,
            events: 0,
            operations: 0,
            asked: BTreeMap::new(),
            answers: Vec::new(),
            dice,
            network: Dice::new(options.seed, "scale network"),
        };
        for place in 0..ring.len() {
            let number = ring[place].1;
            let peer = ideal_peer(&world.plan, &world.ids, &ring, place);
            world.peers[number as usize] = Some(Box::new(peer));
            world.plan_wake(number);
        }
        world.ring = ring;
        world
    }

    pub(super) const fn events(&self) -> u64 {
        self.events
    }

    pub(super) fn peer(&self, number: u32) -> Option<&Peer> {
        self.peers.get(number as usize)?.as_deref()
    }

    pub(super) fn living_ring(&self) -> &[(Key, u32)] {
        &self.ring
    }

    /// Spreads so many lookups, and so many crashes and joins, over a time.
    pub(super) fn look_up_while(
        &mut self,
        lookups: usize,
        changes: usize,
        time: Duration,
    ) -> LookupTally {
        let mut tally = LookupTally::default();
        let (began, span) = (self.now, nanos(time));
        let steps = lookups.max(changes).max(1);
        let mut changed = 0;
        for step in 0..steps {
            self.run_until(began + span / steps as u64 * step as u64);
            if step * lookups / steps != (step + 1) * lookups / steps {
                self.look_up();
                tally.begun += 1;
            }
            while changed < (step + 1) * changes / steps {
                self.crash_one();
                self.join_one();
                changed += 1;
            }
            self.count_answers(&mut tally);
        }
        self.rest_until(began + span, &mut tally);
        // Lookups that are still under way belong to this time.
        self.rest(PATIENCE, &mut tally);
        tally
    }

    /// Lets time pass.
    pub(super) fn rest(&mut self, time: Duration, tally: &mut LookupTally) {
        self.rest_until(self.now + nanos(time), tally);
    }

    fn rest_until(&mut self, end: u64, tally: &mut LookupTally) {
        self.run_until(end);
        self.count_answers(tally);
    }

    fn look_up(&mut self) {
        self.operations += 1;
        let operation = OperationId(self.operations);
        let position = u128::from(self.dice.number()) << 64 | u128::from(self.dice.number());
        let key = Key::new(position);
        let number = self.someone();
        self.asked.insert(operation, key);
        let command = Command::LookUp(key);
        self.give(number, Input::Command { operation, command });
    }

    fn count_answers(&mut self, tally: &mut LookupTally) {
        for (operation, found) in std::mem::take(&mut self.answers) {
            let Some(key) = self.asked.remove(&operation) else {
                continue;
            };
            let owner = self.ring[owner_of(&self.ring, key)].0;
            let found_owner = found.as_ref().and_then(|found| found.owner);
            if found_owner.is_some_and(|token| token.key == owner) {
                tally.right += 1;
            } else {
                tally.wrong += 1;
            }
            if let Some(found) = found {
                tally.hops += found.hops.len() as u64;
                tally.silent += u64::from(found.silent);
            }
        }
    }

    fn someone(&mut self) -> u32 {
        self.ring[self.dice.below(self.ring.len())].1
    }

    fn crash_one(&mut self) {
        let place = self.dice.below(self.ring.len());
        let (_, number) = self.ring.remove(place);
        self.peers[number as usize] = None;
        self.wakes[number as usize] = NEVER;
    }

    fn join_one(&mut self) {
        let node = some_id(&mut self.dice);
        let number = u32::try_from(self.ids.len()).expect("nodes are numbered");
        let contact = self.someone();
        self.ids.push(node);
        let peer = Peer::new(self.plan.config(number, node), Time::from_nanos(self.now));
        self.peers.push(Some(Box::new(peer)));
        self.wakes.push(NEVER);
        let key = self.plan.token(node);
        let place = self.ring.partition_point(|&(token, _)| token < key);
        self.ring.insert(place, (key, number));
        self.operations += 1;
        let operation = OperationId(self.operations);
        let command = Command::Join(vec![address(contact)]);
        self.give(number, Input::Command { operation, command });
    }

    fn run_until(&mut self, end: u64) {
        while let Some(due) = self.queue.pop_before(end) {
            self.now = due.at;
            match due.what {
                What::Wake(number) => {
                    if self.wakes[number as usize] == due.at {
                        self.wakes[number as usize] = NEVER;
                        self.events += 1;
                        self.give(number, Input::Tick);
                    }
                }
                What::Arrive(letter) => {
                    self.free_letters.push(letter);
                    if let Some(letter) = self.letters[letter as usize].take() {
                        self.deliver(letter);
                    }
                }
            }
        }
        self.now = end;
    }

    fn deliver(&mut self, letter: Letter) {
        let Letter { from, to, bytes } = letter;
        if self.peers[to as usize].is_none() {
            return;
        }
        self.events += 1;
        let input = Input::Message {
            from: self.ids[from as usize],
            addr: address(from),
            bytes,
        };
        self.give(to, input);
    }

    /// Gives a node an input and does what comes of it.
    fn give(&mut self, number: u32, input: Input) {
        let Some(mut peer) = self.peers[number as usize].take() else {
            return;
        };
        let now = Time::from_nanos(self.now);
        let mut next = Some(input);
        while let Some(input) = next.take() {
            peer.handle(now, input);
            while let Some(effect) = peer.poll() {
                match effect {
                    Effect::Send { to, bytes } => {
                        if let Some(to) = number_at(to.addr) {
                            self.send(number, to, bytes);
                        }
                    }
                    Effect::Disk {
                        effect,
                        op: DiskOp::SaveMembers(_),
                    } => {
                        let completion = Completion::Disk(Ok(DiskAnswer::Done));
                        next = Some(Input::Completion { effect, completion });
                    }
                    Effect::Reply { operation, answer } => {
                        let found = match answer {
                            Ok(Answer::Found(found)) => Some(found),
                            Ok(_) | Err(_) => None,
                        };
                        self.answers.push((operation, found));
                    }
                    // Nodes without data ask their disks nothing else.
                    Effect::Disk { .. } | Effect::Transfer { .. } | Effect::Notice(_) => {}
                }
            }
        }
        self.peers[number as usize] = Some(peer);
        self.plan_wake(number);
    }

    fn send(&mut self, from: u32, to: u32, bytes: Bytes) {
        if to as usize >= self.peers.len() {
            return;
        }
        let letter = Some(Letter { from, to, bytes });
        let place = self.free_letters.pop().unwrap_or_else(|| {
            self.letters.push(None);
            u32::try_from(self.letters.len() - 1).expect("few letters at once")
        });
        self.letters[place as usize] = letter;
        let latency = nanos(self.network.time(LATENCY_MIN, LATENCY_MAX));
        self.queue.push(self.now + latency, What::Arrive(place));
    }

    fn plan_wake(&mut self, number: u32) {
        let deadline = self.peer(number).and_then(Peer::deadline);
        let Some((at, _)) = deadline else { return };
        let at = at.as_nanos().max(self.now);
        let planned = &mut self.wakes[number as usize];
        if at < *planned {
            *planned = at;
            self.queue.push(at, What::Wake(number));
        }
    }
}

fn some_id(dice: &mut Dice) -> NodeId {
    let mut id = [0; 32];
    id.copy_from_slice(&dice.bytes(32));
    NodeId::new(id)
}

fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}
