//! What goes wrong in a ring, and when.
//!
//! Nodes stop within the assumptions of Zave's proof: everybody else keeps a living successor, and
//! r + 1 tokens remain that no list skips over. What breaks these assumptions on purpose (all
//! nodes stop at once, the network parts) is followed by quiet, in which the ring must heal.

use std::collections::BTreeMap;
use std::time::Duration;

use chordal_object::{Key, Name};
use chordal_proto::Time;
use chordal_proto::effect::Answer;
use chordal_proto::input::Command;

use super::plan::Plan;
use super::{Findings, RingFault};
use crate::dice::Dice;
use crate::ring_world::{Machine, Memory, RingWorld, Stop};
use crate::violation::Violation;

/// The hand of fate.
#[derive(Debug)]
pub(super) struct Fate<'a> {
    dice: Dice,
    plan: &'a Plan,
    todo: BTreeMap<(Time, u64), Todo>,
    noted: u64,
    pub(super) findings: Findings,
}

/// What fate has decided already.
#[derive(Clone, Copy, Debug)]
enum Todo {
    /// Something goes wrong.
    Strike,
    /// A machine that stopped starts again.
    Restart(usize),
    /// A node's session is over.
    SessionEnds(usize),
    /// A slow machine keeps up again.
    Hurry(usize),
    /// A network that was parted or cut is whole again.
    Mend,
    /// A client looks for a name.
    LookUp,
}

impl<'a> Fate<'a> {
    /// Nothing is wrong yet.
    pub(super) fn new(seed: u64, plan: &'a Plan) -> Self {
        Self {
            dice: Dice::new(seed, "ring faults"),
            plan,
            todo: BTreeMap::new(),
            noted: 0,
            findings: Findings::default(),
        }
    }

    /// Lets things go wrong for as long as the plan says, and then heal.
    pub(super) fn reign(&mut self, world: &mut RingWorld) -> Result<(), Violation> {
        let until = world.now() + self.plan.time;
        self.note(world, Duration::ZERO, Todo::LookUp);
        if !self.plan.faults.is_empty() {
            let pause = self.dice.exponential(self.plan.pause);
            self.note(world, pause, Todo::Strike);
        }
        for number in 0..world.machines().len() {
            self.begin_session(world, number);
        }
        while let Some((&(at, _), _)) = self.todo.first_key_value() {
            if at > until {
                break;
            }
            let Some((_, todo)) = self.todo.pop_first() else {
                break;
            };
            world.run_until(at.max(world.now()))?;
            self.act(world, todo)?;
        }
        world.run_until(until.max(world.now()))?;
        world.mend();
        for (_, todo) in std::mem::take(&mut self.todo) {
            if let Todo::Restart(number) = todo
                && self.dice.chance(0.7)
            {
                self.restart(world, number)?;
            }
        }
        self.heal(world)?;
        self.prove(world)
    }

    fn note(&mut self, world: &RingWorld, after: Duration, todo: Todo) {
        self.noted += 1;
        self.todo.insert((world.now() + after, self.noted), todo);
    }

    fn act(&mut self, world: &mut RingWorld, todo: Todo) -> Result<(), Violation> {
        match todo {
            Todo::Strike => {
                let pause = self.dice.exponential(self.plan.pause);
                self.strike(world)?;
                self.note(world, pause, Todo::Strike);
            }
            Todo::Restart(number) => self.restart(world, number)?,
            Todo::SessionEnds(number) => self.end_session(world, number)?,
            Todo::Hurry(number) => world.set_slowness(number, Duration::ZERO),
            Todo::Mend => {
                world.mend();
                self.heal(world)?;
            }
            Todo::LookUp => {
                self.hear(world);
                if let Some(number) = self.somebody(world) {
                    let key = self.key(world);
                    world.command(number, Command::LookUp(key))?;
                }
                let pause = self.dice.exponential(LOOKUP_PAUSE);
                self.note(world, pause, Todo::LookUp);
            }
        }
        Ok(())
    }

    fn strike(&mut self, world: &mut RingWorld) -> Result<(), Violation> {
        let Some(&fault) = self.dice.pick(&self.plan.faults) else {
            return Ok(());
        };
        let Some(number) = self.somebody(world) else {
            return Ok(());
        };
        let needs_one_network = matches!(
            fault,
            RingFault::MassRestart | RingFault::Partition | RingFault::Cut
        );
        if needs_one_network && self.is_parted() {
            return Ok(());
        }
        match fault {
            RingFault::Crash => self.crash(world, number),
            RingFault::MassCrash => self.mass_crash(world),
            RingFault::Leave => self.leave(world, number)?,
            RingFault::Join => self.join(world, 1)?,
            RingFault::MassJoin => {
                let many = self.dice.between(2, 2 + self.plan.nodes / 4);
                self.join(world, many)?;
            }
            RingFault::MassRestart => self.mass_restart(world)?,
            RingFault::Partition => self.partition(world),
            RingFault::Cut => self.cut(world, number),
            RingFault::Slow => {
                let slowness = self.dice.time(Duration::from_millis(1), SLOWNESS_MAX);
                world.set_slowness(number, slowness);
                let time = self.dice.time(Duration::from_secs(1), FAULT_MAX);
                self.note(world, time, Todo::Hurry(number));
            }
            RingFault::Freeze => {
                let long = self.dice.chance(0.3);
                let most = if long { FREEZE_MAX } else { HICCUP_MAX };
                let time = self.dice.time(Duration::from_millis(10), most);
                world.freeze(number, time);
            }
            RingFault::Clock => {
                let long = self.dice.chance(0.3);
                let most = if long { FREEZE_MAX } else { HICCUP_MAX };
                let step = self.dice.time(Duration::from_millis(10), most);
                world.step_clock(number, step)?;
            }
        }
        Ok(())
    }

    /// A node stops, if the proof allows for it, and comes back later, most of the time.
    fn crash(&mut self, world: &mut RingWorld, number: usize) {
        if !world.may_fail(number) {
            return;
        }
        let stop = if self.dice.chance(0.5) {
            Stop::Process
        } else {
            Stop::Machine
        };
        world.crash(number, stop);
        if self.dice.chance(0.8) {
            let soon = self.dice.chance(0.3);
            let most = if soon { RESTART_SOON } else { FAULT_MAX };
            let after = self.dice.time(Duration::from_millis(100), most);
            self.note(world, after, Todo::Restart(number));
        }
    }

    fn mass_crash(&mut self, world: &mut RingWorld) {
        let most = serving(world).len() / 2;
        for _ in 0..self.dice.between(1, most.max(1)) {
            if let Some(number) = self.somebody(world) {
                self.crash(world, number);
            }
        }
    }

    fn leave(&mut self, world: &mut RingWorld, number: usize) -> Result<(), Violation> {
        if world.may_fail(number) {
            let force = self.dice.chance(0.2);
            world.leave(number, force)?;
        }
        Ok(())
    }

    fn join(&mut self, world: &mut RingWorld, many: usize) -> Result<(), Violation> {
        for _ in 0..many {
            if world
                .machines()
                .iter()
                .filter(|machine| machine.is_up())
                .count()
                >= 2 * self.plan.nodes
            {
                break;
            }
            let number = world.add_machine();
            world.join(number)?;
            self.begin_session(world, number);
        }
        Ok(())
    }

    /// Everybody stops, as when the power goes, and comes back by what it remembers.
    fn mass_restart(&mut self, world: &mut RingWorld) -> Result<(), Violation> {
        let all = serving(world);
        for &number in &all {
            world.crash(number, Stop::Machine);
        }
        let mut returns: Vec<(Time, usize)> = Vec::new();
        for number in all {
            let after = self.dice.time(Duration::from_millis(100), POWER_BACK);
            returns.push((world.now() + after, number));
        }
        returns.sort_unstable();
        for (at, number) in returns {
            world.run_until(at)?;
            world.restart(number, Memory::Saved)?;
        }
        self.heal(world)
    }

    /// The network falls into two parts, and comes together again.
    fn partition(&mut self, world: &mut RingWorld) {
        let all: Vec<usize> = (0..world.machines().len()).collect();
        let share = *self.dice.pick(&[0.5, 0.2, 0.05]).expect("there are some");
        let (mut one, mut other) = (Vec::new(), Vec::new());
        for number in all {
            if self.dice.chance(share) {
                one.push(number);
            } else {
                other.push(number);
            }
        }
        world.part(&one, &other);
        self.mend_later(world);
    }

    /// Everything else goes on meanwhile.
    fn mend_later(&mut self, world: &RingWorld) {
        let time = self.plan.partition.draw(&mut self.dice);
        self.note(world, time, Todo::Mend);
    }

    /// Whether the network is parted or cut.
    fn is_parted(&self) -> bool {
        self.todo.values().any(|todo| matches!(todo, Todo::Mend))
    }

    /// Some ways are cut in one direction.
    fn cut(&mut self, world: &mut RingWorld, number: usize) {
        let deaf = self.dice.chance(0.5);
        let share = *self.dice.pick(&[1.0, 0.3]).expect("there are some");
        for other in 0..world.machines().len() {
            if other != number && self.dice.chance(share) {
                let (from, to) = if deaf {
                    (other, number)
                } else {
                    (number, other)
                };
                world.cut(from, to);
            }
        }
        self.mend_later(world);
    }

    fn restart(&mut self, world: &mut RingWorld, number: usize) -> Result<(), Violation> {
        let memory = if self.dice.chance(0.7) {
            Memory::Saved
        } else {
            Memory::Blank
        };
        world.restart(number, memory)?;
        self.begin_session(world, number);
        Ok(())
    }

    fn begin_session(&mut self, world: &RingWorld, number: usize) {
        if let Some(sessions) = self.plan.sessions {
            let time = sessions.draw(&mut self.dice);
            self.note(world, time, Todo::SessionEnds(number));
        }
    }

    /// A node goes, in whichever way, and another one comes for it.
    fn end_session(&mut self, world: &mut RingWorld, number: usize) -> Result<(), Violation> {
        if !world.machines()[number].is_up() {
            return Ok(());
        }
        if !world.machines()[number].serves() || !world.may_fail(number) {
            self.note(world, SESSION_LONGER, Todo::SessionEnds(number));
            return Ok(());
        }
        if self.dice.chance(0.5) {
            world.leave(number, false)?;
        } else {
            world.crash(number, Stop::Machine);
        }
        self.join(world, 1)
    }

    /// Nothing goes wrong any more: the ring must be one and ideal within the bound.
    fn heal(&mut self, world: &mut RingWorld) -> Result<(), Violation> {
        for number in 0..world.machines().len() {
            world.wake_up(number);
        }
        let bad = world.weather();
        let mut good = bad;
        good.loss = 0.0;
        world.set_weather(good);
        let took = world.await_ideal(HEALING)?;
        self.findings.healings += 1;
        self.findings.longest_healing = self.findings.longest_healing.max(took);
        world.set_weather(bad);
        Ok(())
    }

    /// In a quiet ideal ring every lookup ends at the owner.
    fn prove(&mut self, world: &mut RingWorld) -> Result<(), Violation> {
        let mut good = world.weather();
        good.loss = 0.0;
        world.set_weather(good);
        world.run_for(Duration::from_secs(20))?;
        self.hear(world);
        let mut owners = BTreeMap::new();
        for _ in 0..LOOKUPS_AT_END {
            let Some(number) = self.somebody(world) else {
                break;
            };
            let key = self.key(world);
            let owner = world.owner(key);
            owners.insert(world.command(number, Command::LookUp(key))?, owner);
        }
        world.run_for(Duration::from_secs(20))?;
        for reply in world.take_replies() {
            let Some(owner) = owners.remove(&reply.operation) else {
                continue;
            };
            let found = match &reply.answer {
                Ok(Answer::Found(found)) => found,
                answer => {
                    let seen = format!("{answer:?}");
                    return Err(world.violation("lookups are answered", Some(reply.machine), seen));
                }
            };
            // Whoever answers too late is taken for dead, rightly or not; somebody is found.
            let is_owner = found.owner.map(|token| token.node) == owner;
            if !is_owner && (found.silent == 0 || found.owner.is_none()) {
                let seen = format!("{:?}, but the owner is {owner:?}", reply.answer);
                return Err(world.violation("lookups find the owner", Some(reply.machine), seen));
            }
        }
        if !owners.is_empty() {
            let seen = format!("{} lookups have no answer", owners.len());
            return Err(world.violation("lookups are answered", None, seen));
        }
        Ok(())
    }

    fn key(&mut self, world: &RingWorld) -> Key {
        let name = format!("file {}", self.dice.below(1 << 30));
        world
            .settings()
            .name_key(&Name::new("main", &name).expect("it is a name"))
    }

    fn hear(&mut self, world: &mut RingWorld) {
        for reply in world.take_replies() {
            match reply.answer {
                Ok(Answer::Found(found)) if found.owner.is_some() => {
                    self.findings.lookups += 1;
                    self.findings.hops += found.hops.len() as u64;
                }
                Ok(_) | Err(_) => self.findings.failed_lookups += 1,
            }
        }
    }

    /// A node that serves, at random.
    fn somebody(&mut self, world: &RingWorld) -> Option<usize> {
        self.dice.pick(&serving(world)).copied()
    }
}

fn serving(world: &RingWorld) -> Vec<usize> {
    let machines = world.machines().iter().enumerate();
    machines
        .filter(|(_, machine)| Machine::serves(machine))
        .map(|(number, _)| number)
        .collect()
}

/// How much longer a session lasts whose end the proof does not allow for.
const SESSION_LONGER: Duration = Duration::from_secs(1);

/// The mean time between two lookups of clients.
const LOOKUP_PAUSE: Duration = Duration::from_secs(1);

/// Lookups in a quiet ring.
const LOOKUPS_AT_END: usize = 10;

/// The ring heals within this.
const HEALING: Duration = Duration::from_secs(30);

/// The longest that a slow machine takes over an event.
const SLOWNESS_MAX: Duration = Duration::from_millis(30);

/// A short stop, or step of a clock: shorter than anybody's patience.
const HICCUP_MAX: Duration = Duration::from_millis(400);

/// A long one.
const FREEZE_MAX: Duration = Duration::from_secs(15);

/// The longest that a machine is slow or down.
const FAULT_MAX: Duration = Duration::from_secs(40);

/// The longest that a machine is down that comes back soon: before anybody has noticed.
const RESTART_SOON: Duration = Duration::from_secs(3);

/// After the power went, all machines are back within this.
const POWER_BACK: Duration = Duration::from_secs(10);
