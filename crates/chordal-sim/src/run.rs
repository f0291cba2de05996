//! One run: a ring forms, is put through faults while clients use it, and must then heal.

use std::io::Write;
use std::time::Duration;

use chordal_proto::Time;
use tracing::Level;
use tracing::level_filters::LevelFilter;

use crate::clients::Clients;
use crate::dice::Dice;
use crate::ear::Ear;
use crate::faults::{Fate, tokens};
use crate::members::{Members, Way};
use crate::options::Options;
use crate::plan::Plan;
use crate::report::Report;
use crate::trace::Trace;
use crate::violation::Violation;
use crate::watch;
use crate::workload::Workload;
use crate::world::{Alarm, World};

/// Runs what the options say. `lines` gets a line for every event.
pub fn run(options: &Options, lines: Option<Box<dyn Write>>) -> Report {
    let level = if lines.is_some() {
        LevelFilter::DEBUG
    } else {
        LevelFilter::ERROR
    };
    let mut run = Run::new(options, lines);
    let ear = run.ear.clone();
    let outcome = ear.listen(level, || run.all());
    run.report(options, outcome)
}

struct Run {
    plan: Plan,
    ear: Ear,
    world: World,
    clients: Clients,
    members: Members,
    fate: Fate,
    workload: Workload,
    dice: Dice,
    phase: Phase,
    looks: u64,
    healed_after: Option<Duration>,
}

/// What a run is at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// The founders join.
    Forming,
    /// Things go wrong.
    Faults,
    /// Nothing goes wrong any more.
    Healing,
}

impl Run {
    fn new(options: &Options, lines: Option<Box<dyn Write>>) -> Self {
        let plan = Plan::draw(options);
        let trace = lines.map_or_else(Trace::silent, Trace::to);
        let patience = WRITE_PATIENCE * plan.timing.operation + SLACK;
        let mut world = World::new(options.seed, &plan, options, trace);
        world.note(0, b"plan", || format!("{plan:?}"));
        Self {
            world,
            clients: Clients::new(patience),
            members: Members::new(options.seed, patience),
            fate: Fate::new(options.seed),
            workload: Workload::new(options.seed, &plan),
            dice: Dice::new(options.seed, "run"),
            phase: Phase::Forming,
            looks: 0,
            healed_after: None,
            ear: Ear::default(),
            plan,
        }
    }

    fn all(&mut self) -> Result<(), Violation> {
        self.world.alarm(LOOK, Alarm::Look);
        self.form()?;
        self.suffer()?;
        self.heal()
    }

    /// Phase one: the founders join, and the ring becomes ideal.
    fn form(&mut self) -> Result<(), Violation> {
        for number in 0..self.plan.nodes {
            let count = tokens(&mut self.dice, &self.plan);
            let place = self.world.add_machine(count);
            assert_eq!(place, number, "machines are numbered in order");
        }
        self.members
            .start(&mut self.world, &mut self.clients, 0, Way::Founder)?;
        for number in 1..self.plan.nodes {
            self.members
                .start(&mut self.world, &mut self.clients, number, Way::Asking)?;
            if self.plan.join_in_turn {
                self.until(FORM_MAX, "rings form", |run| {
                    let node = &run.world.nodes[number];
                    if node.is_up() && !node.serves() {
                        return Err(format!("node {number} has not joined"));
                    }
                    Ok(())
                })?;
            }
        }
        self.until(FORM_MAX, "rings form", |run| watch::ideal(&run.world))
    }

    /// Phase two: faults and clients; only safety is asked for.
    fn suffer(&mut self) -> Result<(), Violation> {
        self.phase = Phase::Faults;
        self.world.alarm(Duration::ZERO, Alarm::Client);
        let pause = self.fate.pause(&self.plan);
        self.world.alarm(pause, Alarm::Fault);
        let end = self.world.now + self.plan.fault_time;
        self.advance(end)
    }

    /// Phase three: nothing goes wrong any more, and all must become good, within a bound.
    fn heal(&mut self) -> Result<(), Violation> {
        self.phase = Phase::Healing;
        self.world.note(0, b"heal", || "faults stop".to_owned());
        let Self {
            world,
            clients,
            members,
            fate,
            plan,
            ..
        } = self;
        fate.relent(world, clients, members, plan)?;
        let began = self.world.now;
        let end = began + self.plan.heal_time();
        loop {
            let longest = end.since(self.world.now);
            self.until(longest, "rings heal", |run| {
                watch::ideal(&run.world)?;
                if run.clients.waiting() > 0 {
                    return Err(format!("{} clients still wait", run.clients.waiting()));
                }
                watch::copies(&run.world, &run.clients.oracle)?;
                watch::space(&run.world, &run.clients.oracle)
            })?;
            if self.prove(self.world.now >= end)? {
                break;
            }
            let rest = (self.world.now + PROVE_PAUSE).min(end.max(self.world.now));
            self.advance(rest)?;
        }
        self.healed_after = Some(self.world.now.since(began));
        self.demand("rings stay healed", watch::ideal(&self.world))?;
        let copies = watch::copies(&self.world, &self.clients.oracle);
        self.demand("rings stay healed", copies)?;
        self.demand("copies are whole", watch::whole(&self.world))
    }

    /// Every node is asked for everything; whether all went well. At last it must.
    fn prove(&mut self, at_last: bool) -> Result<bool, Violation> {
        self.world.note(0, b"proof", || {
            "every node is asked for everything".to_owned()
        });
        self.clients.demanding = at_last;
        let before = self.clients.tally.troubles();
        self.workload
            .roll_call(&mut self.world, &mut self.clients)?;
        self.until(PROVE_MAX, "a quiet ring serves", |run| {
            match run.clients.waiting() {
                0 => Ok(()),
                waiting => Err(format!("{waiting} clients still wait")),
            }
        })?;
        Ok(self.clients.tally.troubles() == before)
    }

    /// Lets time pass until something is true.
    fn until(
        &mut self,
        longest: Duration,
        promise: &'static str,
        mut is: impl FnMut(&Self) -> Result<(), String>,
    ) -> Result<(), Violation> {
        let end = self.world.now + longest;
        loop {
            let Err(seen) = is(self) else { return Ok(()) };
            if self.world.now >= end {
                let seen = format!("not within {longest:?}: {seen}");
                return Err(self.world.violation(promise, None, seen));
            }
            let next = (self.world.now + STEP).min(end);
            self.advance(next)?;
        }
    }

    fn demand(&self, promise: &'static str, seen: Result<(), String>) -> Result<(), Violation> {
        seen.map_err(|seen| self.world.violation(promise, None, seen))
    }

    /// Lets everything happen that happens up to a moment.
    fn advance(&mut self, end: Time) -> Result<(), Violation> {
        while self.world.next_at().is_some_and(|at| at <= end) {
            let alarm = self.world.step();
            self.read_logs()?;
            if let Some(alarm) = alarm? {
                self.ring(alarm)?;
            }
            self.listen()?;
        }
        self.world.now = end;
        Ok(())
    }

    /// Reads what nodes have logged. A store whose power was cut may complain of that.
    fn read_logs(&mut self) -> Result<(), Violation> {
        for heard in self.ear.take() {
            if heard.level == Level::ERROR
                && !EXPECTED.iter().any(|words| heard.line.contains(words))
            {
                return Err(self
                    .world
                    .violation("nodes log no errors", None, heard.line));
            }
            self.world.trace.line(self.world.now, || heard.line);
        }
        Ok(())
    }

    /// Hears what nodes answered and which of them died.
    fn listen(&mut self) -> Result<(), Violation> {
        while let Some(number) = self.world.deaths.pop_front() {
            self.clients.disconnect(number);
            self.members.disconnect(number);
        }
        while let Some(reply) = self.world.replies.pop_front() {
            if self.clients.is_for(reply.operation) {
                self.clients.hear(&mut self.world, reply)?;
            } else {
                self.members
                    .hear(&mut self.world, &mut self.clients, reply)?;
            }
        }
        Ok(())
    }

    fn ring(&mut self, alarm: Alarm) -> Result<(), Violation> {
        let Self {
            world,
            clients,
            members,
            fate,
            workload,
            plan,
            ..
        } = self;
        let at_faults = self.phase == Phase::Faults;
        match alarm {
            Alarm::Client if at_faults => {
                workload.wish(world, clients, plan)?;
                let pause = workload.pause(plan);
                world.alarm(pause, Alarm::Client);
            }
            Alarm::Fault if at_faults => {
                fate.strike(world, clients, members, plan)?;
                let pause = fate.pause(plan);
                world.alarm(pause, Alarm::Fault);
            }
            Alarm::Client | Alarm::Fault => {}
            Alarm::Mend => fate.mend(world),
            Alarm::Calm if at_faults => world.network.set_weather(plan.delay, plan.loss),
            Alarm::Calm => {}
            Alarm::Restart(number) => fate.restart(world, clients, members, number)?,
            Alarm::Hurry(number) => world.network.set_slowness(number, Duration::ZERO),
            Alarm::Scrub(number) => fate.scrub(world, number)?,
            Alarm::Room(number) => fate.make_room(world, clients, members, number),
            Alarm::Join(number) => members.join(world, clients, number)?,
            Alarm::Overdue(operation) => {
                clients.overdue(world, operation)?;
                members.overdue(world, operation)?;
            }
            Alarm::Look => {
                world.alarm(LOOK, Alarm::Look);
                self.look()?;
            }
        }
        Ok(())
    }

    /// Judges what must be true even in the worst weather.
    fn look(&mut self) -> Result<(), Violation> {
        self.looks += 1;
        self.demand("lists are ordered", watch::order(&self.world))?;
        let faults = self.plan.faults;
        let messages_fail = faults.partitions || faults.storms || faults.splits || faults.cuts;
        let stand_still = faults.power || faults.slow || faults.freezes || faults.clocks;
        let fair = self.plan.loss == 0.0 && !messages_fail && !stand_still;
        if fair {
            self.demand(
                "one successor lives",
                watch::one_live_successor(&self.world),
            )?;
        }
        if self.looks.is_multiple_of(LOOKS_PER_SEARCH) {
            let lost = watch::nothing_lost(&self.world, &self.clients.oracle);
            self.demand("nothing acknowledged is lost", lost)?;
        }
        Ok(())
    }

    fn report(&self, options: &Options, outcome: Result<(), Violation>) -> Report {
        Report {
            options: options.clone(),
            nodes: self.plan.nodes,
            events: self.world.counts.events,
            messages: self.world.counts.messages,
            message_bytes: self.world.counts.message_bytes,
            chunks: self.world.counts.chunks,
            written: self.clients.tally.written,
            got: self.clients.tally.got,
            failed: self.clients.tally.failed,
            virtual_time: self.world.now.since(Time::from_nanos(0)),
            healed_after: self.healed_after,
            trace: self.world.trace.digest(),
            outcome,
        }
    }
}

/// A client waits this much longer than an operation may take.
const SLACK: Duration = Duration::from_secs(20);

/// A write is tried for this many times the time of an operation.
const WRITE_PATIENCE: u32 = 3;

/// How long a ring may take to form.
const FORM_MAX: Duration = Duration::from_mins(3);

/// How long everybody may take to ask for everything.
const PROVE_MAX: Duration = Duration::from_mins(2);

/// How long a ring that did not serve everything is left alone before it is asked again.
const PROVE_PAUSE: Duration = Duration::from_secs(20);

/// How often the whole world is looked at.
const LOOK: Duration = Duration::from_secs(1);

/// Every so many looks, all disks are searched.
const LOOKS_PER_SEARCH: u64 = 5;

/// What a simulated disk says when its power is off or goes, when it does not sync, and when it is
/// full.
const EXPECTED: [&str; 3] = [
    "error=the power ",
    "error=the disk failed to sync",
    "error=no storage space",
];

/// How often it is looked whether something has become true.
const STEP: Duration = Duration::from_millis(500);
