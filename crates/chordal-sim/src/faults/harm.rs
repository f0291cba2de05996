//! What goes wrong with one machine that goes on running.

use std::time::Duration;

use super::{Fate, is_repaired, longest_absence, stop};
use crate::clients::Clients;
use crate::members::{Members, serving, up};
use crate::plan::Plan;
use crate::violation::Violation;
use crate::world::{Alarm, Stop, World};

impl Fate {
    /// The ways from a node are cut, or those to it, to all others or to one.
    pub(super) fn cut(&mut self, world: &mut World, plan: &Plan) {
        if world.network.is_parted() {
            return;
        }
        let Some(victim) = self.victim(world, plan) else {
            return;
        };
        let mut others = up(world);
        others.retain(|&other| other != victim);
        if self.dice.chance(0.3) {
            others = self.dice.pick(&others).copied().into_iter().collect();
        }
        let outwards = self.dice.chance(0.5);
        let (from, to) = if outwards {
            (vec![victim], others)
        } else {
            (others, vec![victim])
        };
        self.cut_off = 1;
        world.network.cut_one_way(&from, &to);
        world.note(victim, b"cut", || {
            format!("nothing comes from {from:?} to {to:?}")
        });
        let longest = longest_absence(world, plan).min(Duration::from_secs(40));
        let after = self.dice.time(Duration::from_millis(500), longest);
        world.alarm(after, Alarm::Mend);
    }

    /// All that comes from a node and goes to it is late.
    pub(super) fn slow(&mut self, world: &mut World, plan: &Plan) {
        let Some(victim) = self.victim(world, plan) else {
            return;
        };
        let extra = self.dice.time(Duration::from_millis(20), LATE_MAX);
        world.network.set_slowness(victim, extra);
        world.note(victim, b"slow", || {
            format!("messages of node {victim} take {extra:?} longer")
        });
        let after = self.dice.time(Duration::from_secs(1), HINDERED_MAX);
        world.alarm(after, Alarm::Hurry(victim));
    }

    /// A node stands still.
    pub(super) fn freeze(&mut self, world: &mut World, plan: &Plan) {
        if let Some(victim) = self.victim(world, plan) {
            let time = self.dice.time(Duration::from_millis(200), FROZEN_MAX);
            world.freeze(victim, time);
        }
    }

    /// A node's clock jumps, by half of the grace time at most: a longer jump is as if all others
    /// had been silent for longer than they are waited for.
    pub(super) fn step_clock(&mut self, world: &mut World, plan: &Plan) -> Result<(), Violation> {
        let Some(&victim) = self.dice.pick(&up(world)) else {
            return Ok(());
        };
        let longest = plan.timing.grace / 2;
        let step = self.dice.time(Duration::from_millis(10), longest);
        world.step_clock(victim, step)
    }

    /// A bit of one copy of a chunk flips, while all copies are there and nothing else is wrong.
    pub(super) fn rot(&mut self, world: &mut World, clients: &Clients) {
        if self.rotten.is_some_and(|_| is_repaired(world, clients)) {
            self.rotten = None;
        }
        if self.down(world) > 0 || super::leaving(world) || !is_repaired(world, clients) {
            return;
        }
        let Some(&victim) = self.dice.pick(&serving(world)) else {
            return;
        };
        let Some(&chunk) = self.dice.pick(&world.chunks_on(victim)) else {
            return;
        };
        let bit = self.dice.below(64) as u64;
        if world.rot(victim, chunk, bit) {
            self.rotten = Some(victim);
            let after = self.dice.time(Duration::from_secs(1), SCRUBBED_WITHIN);
            world.alarm(after, Alarm::Scrub(victim));
        }
    }

    /// A scrub comes by; where nobody is there to do it, it comes again.
    pub(crate) fn scrub(&mut self, world: &mut World, number: usize) -> Result<(), Violation> {
        if self.rotten != Some(number) {
            return Ok(());
        }
        if world.nodes[number].is_up() {
            world.scrub(number)?;
            self.rotten = None;
        } else {
            world.alarm(SCRUB_AGAIN, Alarm::Scrub(number));
        }
        Ok(())
    }

    /// Hardly anything fits on a disk any more, or nothing at all.
    pub(super) fn fill(&mut self, world: &mut World, plan: &Plan) {
        let Some(victim) = self.victim(world, plan) else {
            return;
        };
        let rooms = [0, RESERVE / 2, RESERVE, RESERVE + (16 << 10)];
        let room = *self.dice.pick(&rooms).expect("there are some");
        world.leave_room(victim, Some(room));
        self.full.insert(victim);
        let after = self.dice.time(Duration::from_secs(1), HINDERED_MAX);
        world.alarm(after, Alarm::Room(victim));
    }

    /// A full disk has room again. A store that could not even keep what it had to takes no more
    /// writes until it is opened again, so somebody restarts the node, as the documents say.
    pub(crate) fn make_room(
        &mut self,
        world: &mut World,
        clients: &mut Clients,
        members: &mut Members,
        number: usize,
    ) {
        world.leave_room(number, None);
        self.full.remove(&number);
        let life = world.nodes[number].life();
        if life.is_some_and(|life| life.disk.is_poisoned()) {
            stop(world, clients, members, number, Stop::Process);
            let after = self.dice.time(Duration::ZERO, Duration::from_secs(5));
            world.alarm(after, Alarm::Restart(number));
        }
    }

    /// A disk fails to sync; somebody restarts the machine some time later.
    pub(super) fn fail_sync(&mut self, world: &mut World, clients: &Clients, plan: &Plan) {
        if self.down(world) > 0 && !is_repaired(world, clients) {
            return;
        }
        let Some(victim) = self.victim(world, plan) else {
            return;
        };
        self.doomed.insert(victim);
        world.fail_sync(victim);
        let after = self.dice.time(Duration::from_secs(1), HINDERED_MAX);
        world.alarm(after, Alarm::Restart(victim));
    }

    /// Nobody is hindered any more.
    pub(super) fn relieve(
        &mut self,
        world: &mut World,
        clients: &mut Clients,
        members: &mut Members,
    ) -> Result<(), Violation> {
        world.network.set_duplicates(0.0);
        for number in 0..world.nodes.len() {
            world.network.set_slowness(number, Duration::ZERO);
            if self.full.contains(&number) {
                self.make_room(world, clients, members, number);
            }
        }
        match self.rotten {
            Some(number) => self.scrub(world, number),
            None => Ok(()),
        }
    }

    /// A node that runs and is well, if one more may be hindered.
    fn victim(&mut self, world: &World, plan: &Plan) -> Option<usize> {
        if self.down(world) >= plan.down_max {
            return None;
        }
        let doomed = self.doomed.clone();
        let mut running = up(world);
        running.retain(|number| !doomed.contains(number));
        self.dice.pick(&running).copied()
    }
}

/// How much longer than usual the messages of a slow machine take, at most.
const LATE_MAX: Duration = Duration::from_millis(1_500);

/// How long a machine is hindered, at most.
const HINDERED_MAX: Duration = Duration::from_secs(30);

/// How long a machine stands still, at most: clients wait for longer.
const FROZEN_MAX: Duration = Duration::from_secs(15);

/// A bad copy is read again within this time.
const SCRUBBED_WITHIN: Duration = Duration::from_mins(1);

/// How long until a scrub is tried again on a machine that is off.
const SCRUB_AGAIN: Duration = Duration::from_secs(5);

/// What the store keeps free of chunks and records.
const RESERVE: u64 = chordal_store::limits::RESERVE_BYTES;
