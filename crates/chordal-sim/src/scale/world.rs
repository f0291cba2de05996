//! The whole ring: who lives on it, what is asked of it, and the clock that its shards share.

use std::collections::BTreeMap;
use std::thread;
use std::time::Duration;

use chordal_object::{Key, NodeId};
use chordal_proto::input::{Command, OperationId};
use chordal_proto::{Peer, Time};

use super::build::{Plan, address, ideal_peer, owner_of};
use super::shard::{LATENCY_MIN, Shard};
use super::{LookupTally, ScaleOptions, nanos};
use crate::dice::Dice;

/// How long the last lookups of a time are waited for.
const PATIENCE: Duration = Duration::from_secs(4);

/// How long the shards run between two meetings: what one sends arrives after the next.
const WINDOW: Duration = LATENCY_MIN;

pub(super) struct ScaleWorld {
    plan: Plan,
    ids: Vec<NodeId>,
    shards: Vec<Shard>,
    /// The living tokens in order.
    ring: Vec<(Key, u32)>,
    now: u64,
    operations: u64,
    asked: BTreeMap<OperationId, Key>,
    dice: Dice,
}

impl ScaleWorld {
    pub(super) fn new(options: &ScaleOptions) -> Self {
        let plan = Plan::new(options.seed);
        let mut dice = Dice::new(options.seed, "scale");
        let salt = Dice::new(options.seed, "scale network").number();
        let ids: Vec<NodeId> = (0..options.nodes).map(|_| some_id(&mut dice)).collect();
        let mut ring: Vec<(Key, u32)> = (0..)
            .zip(&ids)
            .map(|(number, &node)| (plan.token(node), number))
            .collect();
        ring.sort_unstable();
        let mut places = vec![0; ring.len()];
        for (place, &(_, number)) in ring.iter().enumerate() {
            places[number as usize] = place;
        }
        let count = options.threads.max(1);
        let mut shards: Vec<Shard> = (0..count)
            .map(|index| Shard::new(index, count, salt))
            .collect();
        side_by_side(&mut shards, |index, shard| {
            for &place in places.iter().skip(index).step_by(count) {
                shard.add(ideal_peer(&plan, &ids, &ring, place));
            }
        });
        Self {
            plan,
            ids,
            shards,
            ring,
            now: 0,
            operations: 0,
            asked: BTreeMap::new(),
            dice,
        }
    }

    pub(super) fn events(&self) -> u64 {
        self.shards.iter().map(Shard::events).sum()
    }

    pub(super) fn peer(&self, number: u32) -> Option<&Peer> {
        self.shards[self.shard_of(number)].peer(number)
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
        let windows = usize::try_from(span.div_ceil(nanos(WINDOW))).expect("a short time");
        let mut changed = 0;
        for window in 0..windows {
            while changed < (window + 1) * changes / windows {
                self.crash_one();
                self.join_one();
                changed += 1;
            }
            let upto = (window + 1) * lookups / windows;
            let count = upto - tally.begun;
            for number in 0..count {
                let after = nanos(WINDOW) / count as u64 * number as u64;
                self.look_up(self.now + after);
            }
            tally.begun = upto;
            let end = began + nanos(WINDOW) * (window as u64 + 1);
            self.rest_until(end, &mut tally);
        }
        // Lookups that are still under way belong to this time.
        self.rest(PATIENCE, &mut tally);
        tally
    }

    /// Lets time pass.
    pub(super) fn rest(&mut self, time: Duration, tally: &mut LookupTally) {
        self.rest_until(self.now + nanos(time), tally);
    }

    fn rest_until(&mut self, end: u64, tally: &mut LookupTally) {
        while self.now < end {
            self.now = end.min(self.now + nanos(WINDOW));
            let until = self.now;
            side_by_side(&mut self.shards, |_, shard| shard.run_until(until));
            for from in 0..self.shards.len() {
                for to in 0..self.shards.len() {
                    let messages = self.shards[from].take_outgoing(to);
                    self.shards[to].accept(messages);
                }
            }
        }
        self.count_ended(tally);
    }

    fn look_up(&mut self, when: u64) {
        let operation = self.next_operation();
        let position = u128::from(self.dice.number()) << 64 | u128::from(self.dice.number());
        let key = Key::new(position);
        let number = self.someone();
        self.asked.insert(operation, key);
        let shard = self.shard_of(number);
        self.shards[shard].look_up(when, number, operation, key);
    }

    fn count_ended(&mut self, tally: &mut LookupTally) {
        let ended: Vec<_> = self.shards.iter_mut().flat_map(Shard::take_ended).collect();
        for (operation, found) in ended {
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
        let shard = self.shard_of(number);
        self.shards[shard].crash(number);
    }

    fn join_one(&mut self) {
        let node = some_id(&mut self.dice);
        let number = u32::try_from(self.ids.len()).expect("nodes are numbered");
        let contact = self.someone();
        self.ids.push(node);
        let key = self.plan.token(node);
        let place = self.ring.partition_point(|&(token, _)| token < key);
        self.ring.insert(place, (key, number));
        let operation = self.next_operation();
        let command = Command::Join(vec![address(contact)]);
        let peer = Peer::new(self.plan.config(number, node), Time::from_nanos(self.now));
        let shard = self.shard_of(number);
        self.shards[shard].add(peer);
        self.shards[shard].command(number, operation, command);
    }

    const fn next_operation(&mut self) -> OperationId {
        self.operations += 1;
        OperationId(self.operations)
    }

    fn shard_of(&self, number: u32) -> usize {
        number as usize % self.shards.len()
    }
}

/// Does something with all shards at once, each on a thread.
fn side_by_side(shards: &mut [Shard], work: impl Fn(usize, &mut Shard) + Sync) {
    let work = &work;
    thread::scope(|scope| {
        let mut shards = shards.iter_mut().enumerate();
        let first = shards.next();
        for (index, shard) in shards {
            scope.spawn(move || work(index, shard));
        }
        if let Some((index, shard)) = first {
            work(index, shard);
        }
    });
}

fn some_id(dice: &mut Dice) -> NodeId {
    let mut id = [0; 32];
    id.copy_from_slice(&dice.bytes(32));
    NodeId::new(id)
}
