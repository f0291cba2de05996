//! The ring by itself: many production peers exchanging bytes, on virtual time.
//!
//! Where the world of files ([`crate::run()`]) simulates whole nodes with their disks and clients,
//! this one leaves the data out and goes for numbers: thousands of seeds, thousands of nodes.
//! Disks are empty and answer at once; transfers fail. It chooses no faults and promises nothing;
//! its owner does, through [`RingWorld::crash`] and the like.

mod grounds;
mod lives;
mod look;
mod machine;
mod queue;
mod stranded;
mod traffic;
mod watch;
mod weather;

use std::collections::VecDeque;
use std::io::Write;
use std::time::Duration;

use bytes::Bytes;
use chordal_object::NodeId;
use chordal_proto::effect::{Answer, Destination, DiskOp, Failure, Notice};
use chordal_proto::input::{Command, Completion, DiskAnswer, EffectId, OperationId, TransferError};
use chordal_proto::limits::TABLE_MAX;
use chordal_proto::message::{Care, Kind};
use chordal_proto::{Effect, Input, Settings, Time, Timing};

use crate::dice::Dice;
use crate::trace::Trace;
use crate::violation::Violation;

pub use self::lives::Memory;
pub use self::machine::{Machine, Stop};
pub use self::traffic::{Count, Traffic};
pub use self::weather::{Spread, Weather};

use self::machine::{State, number_at};
use self::queue::Queue;
use self::watch::Watch;
use self::weather::{Fate, Network};

/// What a world is made of.
#[derive(Clone, Debug)]
pub struct RingOptions {
    /// Every choice follows from this number.
    pub seed: u64,
    /// What the ring is set to.
    pub settings: Settings,
    /// How nodes pace themselves.
    pub timing: Timing,
    /// Tokens that a node takes.
    pub tokens: u8,
    /// The most nodes that a node's table holds: see `chordal_proto::Config`.
    pub table_nodes: usize,
    /// What the network does to messages.
    pub weather: Weather,
    /// How often the ring's invariant is checked.
    pub checks: Checks,
}

/// How often the ring's invariant is checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Checks {
    /// After every event: a violation ends the run.
    EveryEvent,
    /// Never: for measuring rings too large to be looked at all the time.
    Never,
}

impl Default for RingOptions {
    /// Product settings, one token a node, a fair network of ten milliseconds; nothing is checked.
    fn default() -> Self {
        Self {
            seed: 1,
            settings: Settings::default(),
            timing: Timing::default(),
            tokens: 1,
            table_nodes: TABLE_MAX,
            weather: Weather::fair(Duration::from_millis(10)),
            checks: Checks::Never,
        }
    }
}

/// Machines, the network between them, and one clock that jumps from event to event.
#[derive(Debug)]
pub struct RingWorld {
    now: Time,
    machines: Vec<Machine>,
    network: Network,
    settings: Settings,
    timing: Timing,
    tokens: u8,
    table_nodes: usize,
    plant: RingPlant,
    queue: Queue<Event>,
    replies: VecDeque<Reply>,
    operations: u64,
    /// Operations of the world itself: a machine's wish to join, or to leave.
    wishes: std::collections::BTreeMap<OperationId, (usize, lives::Wish)>,
    /// Ends of effects that come at once.
    ready: VecDeque<(EffectId, Completion)>,
    traffic: Traffic,
    suspicions: Vec<Suspicion>,
    counts: Counts,
    /// The invariant, where it is checked.
    watch: Option<Watch>,
    trace: Trace,
    dice: Dice,
}

/// Mistakes made on purpose: a checker that cannot fail proves nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RingPlant {
    /// None.
    #[default]
    Nothing,
    /// The first machine never sends a notification.
    DropNotify,
    /// A node that crashed comes back in the middle of its old life, pointers and all.
    Undead,
    /// A driver whose message is lost says that there is no way to whom it was for.
    AccuseOnLoss,
}

impl RingPlant {
    /// Every mistake there is.
    pub const ALL: [Self; 4] = [
        Self::Nothing,
        Self::DropNotify,
        Self::Undead,
        Self::AccuseOnLoss,
    ];

    /// What the command line calls it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Nothing => "nothing",
            Self::DropNotify => "drop-notify",
            Self::Undead => "undead",
            Self::AccuseOnLoss => "accuse-on-loss",
        }
    }

    /// The mistake of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|plant| plant.name() == name)
    }
}

/// How much has happened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Events.
    pub events: u64,
    /// Messages that arrived.
    pub delivered: u64,
    /// Nodes that were let into a ring, each time it happened.
    pub joins: u64,
    /// Nodes that left with notice.
    pub leaves: u64,
    /// Nodes that stopped without notice.
    pub crashes: u64,
    /// Times that a node began to suspect another one.
    pub suspicions: u64,
}

/// A node began to suspect another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Suspicion {
    /// When.
    pub at: Time,
    /// The node on this machine.
    pub by: usize,
    /// This one.
    pub of: NodeId,
}

/// What a client was told.
#[derive(Clone, Debug)]
pub struct Reply {
    /// When.
    pub at: Time,
    /// By the node on this machine.
    pub machine: usize,
    /// About this.
    pub operation: OperationId,
    /// This.
    pub answer: Result<Answer, Failure>,
}

/// Something to come.
#[derive(Debug)]
enum Event {
    /// Something happens to a node, if it is still in this life.
    To {
        machine: usize,
        life: u32,
        what: Happening,
    },
    /// A busy machine may go on.
    Resume(usize),
    /// The owner's.
    Alarm(u64),
}

/// What can happen to a node.
#[derive(Debug)]
enum Happening {
    /// A message arrives from another machine.
    Message {
        from: usize,
        /// The life of the sender's that sent it.
        life: u32,
        bytes: Bytes,
    },
    /// It is told something by its own driver.
    News(Box<Input>),
    /// An attempt to reach somebody is given up.
    TimeOut(Destination),
    /// Its deadline.
    Deadline,
    /// It could not join, and tries again.
    JoinAgain,
    /// Somebody looks whether it has found the ring that it remembers.
    LookedAfter,
}

/// What stopped [`RingWorld::run_until`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pause {
    /// The time has come.
    Due,
    /// An alarm of the owner's.
    Alarm(u64),
}

impl RingWorld {
    /// An empty world.
    pub fn new(options: RingOptions) -> Self {
        Self::with_trace(options, Trace::silent())
    }

    /// An empty world that writes a line for every event.
    pub fn traced(options: RingOptions, lines: Box<dyn Write>) -> Self {
        Self::with_trace(options, Trace::to(lines))
    }

    fn with_trace(options: RingOptions, trace: Trace) -> Self {
        let watched = options.checks == Checks::EveryEvent;
        let list_length = usize::from(options.settings.successors);
        Self {
            now: Time::from_nanos(0),
            machines: Vec::new(),
            network: Network::new(options.seed, options.weather),
            settings: options.settings,
            timing: options.timing,
            tokens: options.tokens,
            table_nodes: options.table_nodes,
            plant: RingPlant::Nothing,
            queue: Queue::new(),
            replies: VecDeque::new(),
            operations: 0,
            wishes: std::collections::BTreeMap::new(),
            ready: VecDeque::new(),
            traffic: Traffic::new(),
            suspicions: Vec::new(),
            counts: Counts::default(),
            watch: watched.then(|| Watch::new(list_length)),
            trace,
            dice: Dice::new(options.seed, "ring world"),
        }
    }

    /// What time it is.
    pub const fn now(&self) -> Time {
        self.now
    }

    /// All machines there have ever been.
    pub fn machines(&self) -> &[Machine] {
        &self.machines
    }

    /// What the ring is set to.
    pub const fn settings(&self) -> &Settings {
        &self.settings
    }

    /// What was sent so far.
    pub const fn traffic(&self) -> &Traffic {
        &self.traffic
    }

    /// Who began to suspect whom since this was last asked.
    pub fn take_suspicions(&mut self) -> Vec<Suspicion> {
        std::mem::take(&mut self.suspicions)
    }

    /// How much has happened so far.
    pub const fn counts(&self) -> Counts {
        self.counts
    }

    /// A hash of everything that happened: equal for equal runs.
    pub fn digest(&self) -> [u8; 32] {
        self.trace.digest()
    }

    /// From now on this mistake is made.
    pub const fn plant(&mut self, plant: RingPlant) {
        self.plant = plant;
    }

    /// Gives a client's command to a running node; what it is told comes to
    /// [`RingWorld::take_replies`].
    pub fn command(&mut self, machine: usize, command: Command) -> Result<OperationId, Violation> {
        let operation = self.operation();
        self.note(machine, &operation.0.to_be_bytes(), || {
            format!("node {machine} is asked {}: {command:?}", operation.0)
        });
        self.feed(machine, Input::Command { operation, command })?;
        Ok(operation)
    }

    /// What clients were told since this was last asked.
    pub fn take_replies(&mut self) -> Vec<Reply> {
        self.replies.drain(..).collect()
    }

    /// Ends a [`RingWorld::run_until`] after a while.
    pub fn alarm(&mut self, after: Duration, alarm: u64) {
        self.queue.push(self.now + after, Event::Alarm(alarm));
    }

    /// Lets everything happen up to and including a time.
    pub fn run_until(&mut self, until: Time) -> Result<Pause, Violation> {
        while self.queue.next_at().is_some_and(|at| at <= until) {
            if let Some(alarm) = self.step()? {
                return Ok(Pause::Alarm(alarm));
            }
        }
        self.now = self.now.max(until);
        Ok(Pause::Due)
    }

    /// Lets everything happen for a while.
    pub fn run_for(&mut self, time: Duration) -> Result<Pause, Violation> {
        self.run_until(self.now + time)
    }

    /// When the next thing happens.
    pub fn next_at(&self) -> Option<Time> {
        self.queue.next_at()
    }

    /// Lets the next thing happen; an alarm is the owner's to deal with.
    pub fn step(&mut self) -> Result<Option<u64>, Violation> {
        let Some((at, event)) = self.queue.pop() else {
            return Ok(None);
        };
        debug_assert!(at >= self.now, "time goes forwards");
        self.now = at;
        self.counts.events += 1;
        match event {
            Event::Alarm(alarm) => return Ok(Some(alarm)),
            Event::Resume(machine) => self.resume(machine)?,
            Event::To {
                machine,
                life,
                what,
            } => {
                let there = &self.machines[machine];
                if there.is_up() && there.lives == life {
                    self.happen(machine, what)?;
                }
            }
        }
        Ok(None)
    }

    /// Lets something happen to a running node, or wait until its machine is not busy any more.
    fn happen(&mut self, number: usize, what: Happening) -> Result<(), Violation> {
        let machine = &mut self.machines[number];
        if machine.busy_until > self.now || !machine.inbox.is_empty() {
            if machine.inbox.is_empty() {
                self.queue.push(machine.busy_until, Event::Resume(number));
            }
            machine.inbox.push_back(what);
            return Ok(());
        }
        if !machine.slowness.is_zero() {
            machine.busy_until = self.now + machine.slowness;
        }
        match what {
            Happening::Message { from, life, bytes } => {
                self.note_heard(number, from, life);
                self.deliver(number, from, bytes)
            }
            Happening::News(input) => {
                self.trace
                    .line(self.now, || format!("node {number} <- {input:?}"));
                self.note_out_of_reach(number, &input);
                self.feed(number, *input)
            }
            Happening::TimeOut(to) => match self.give_up(number, to) {
                Some(input) => {
                    self.note_out_of_reach(number, &input);
                    self.feed(number, input)
                }
                None => Ok(()),
            },
            Happening::Deadline => self.wake(number),
            Happening::JoinAgain => self.join_somebody(number),
            Happening::LookedAfter => self.look_after(number),
        }
    }

    /// A machine that was busy does the next thing that waits for it.
    fn resume(&mut self, number: usize) -> Result<(), Violation> {
        let now = self.now;
        let machine = &mut self.machines[number];
        if machine.busy_until > now {
            let at = machine.busy_until;
            self.queue.push(at, Event::Resume(number));
            return Ok(());
        }
        let mut waiting = std::mem::take(&mut machine.inbox);
        if let Some(what) = waiting.pop_front() {
            self.happen(number, what)?;
        }
        if let Some(first) = waiting.pop_front() {
            let machine = &mut self.machines[number];
            machine.inbox = waiting;
            machine.inbox.push_front(first);
            let at = machine.busy_until.max(now);
            self.queue.push(at, Event::Resume(number));
        }
        Ok(())
    }

    fn deliver(&mut self, to: usize, from: usize, bytes: Bytes) -> Result<(), Violation> {
        self.counts.delivered += 1;
        self.trace.hash(self.now, to, &bytes);
        self.trace.line(self.now, || {
            format!("node {to} <- node {from}: {}", describe(&bytes))
        });
        let Machine { id: from, addr, .. } = self.machines[from];
        self.feed(to, Input::Message { from, addr, bytes })
    }

    fn wake(&mut self, number: usize) -> Result<(), Violation> {
        let now = self.now;
        let machine = &mut self.machines[number];
        let own_now = now + machine.ahead;
        let Some(life) = machine.life_mut() else {
            return Ok(());
        };
        if life.wake.is_none_or(|wake| wake > now) {
            // An earlier wake-up has taken this one's place.
            return Ok(());
        }
        life.wake = None;
        if life.peer.deadline().is_none_or(|(at, _)| at > own_now) {
            self.set_alarm_clock(number);
            return Ok(());
        }
        let reason = life.peer.deadline();
        self.trace
            .line(now, || format!("node {number} wakes for {reason:?}"));
        self.feed(number, Input::Tick)
    }

    /// Tells a node something and carries out what it decides.
    fn feed(&mut self, number: usize, input: Input) -> Result<(), Violation> {
        let machine = &mut self.machines[number];
        let own_now = self.now + machine.ahead;
        let Some(life) = machine.life_mut() else {
            return Ok(());
        };
        life.peer.handle(own_now, input);
        self.settle(number)
    }

    /// Carries out what a node wants, asks it whether it is well, and sets its alarm clock.
    fn settle(&mut self, number: usize) -> Result<(), Violation> {
        let mut effects = 0_u32;
        loop {
            let Some(life) = self.machines[number].life_mut() else {
                return Ok(());
            };
            if let Some(effect) = life.peer.poll() {
                self.perform(number, effect)?;
            } else if let Some((effect, completion)) = self.ready.pop_front() {
                let own_now = self.now + self.machines[number].ahead;
                if let Some(life) = self.machines[number].life_mut() {
                    life.peer
                        .handle(own_now, Input::Completion { effect, completion });
                }
            } else {
                break;
            }
            effects += 1;
            if effects > EFFECTS_MAX {
                let seen = "it wants more and more done";
                return Err(self.violation("nodes come to an end", Some(number), seen));
            }
        }
        self.look_at(number)?;
        self.set_alarm_clock(number);
        Ok(())
    }

    fn set_alarm_clock(&mut self, number: usize) {
        let now = self.now;
        let machine = &mut self.machines[number];
        let (ahead, lives) = (machine.ahead, machine.lives);
        let Some(life) = machine.life_mut() else {
            return;
        };
        let due = life.peer.deadline().map(|(at, _)| {
            let wait = at.since(Time::from_nanos(0)).saturating_sub(ahead);
            (Time::from_nanos(0) + wait).max(now)
        });
        if let Some(at) = due
            && life.wake.is_none_or(|wake| at < wake)
        {
            life.wake = Some(at);
            let event = Event::To {
                machine: number,
                life: lives,
                what: Happening::Deadline,
            };
            self.queue.push(at, event);
        }
    }

    fn perform(&mut self, number: usize, effect: Effect) -> Result<(), Violation> {
        match effect {
            Effect::Send { to, bytes } => self.send(number, to, bytes),
            Effect::Transfer { effect, .. } => {
                let broken = Completion::Transfer(Err(TransferError::Broken));
                self.ready.push_back((effect, broken));
            }
            Effect::Disk { effect, op } => {
                let answer = self.empty_disk(number, op);
                self.ready.push_back((effect, Completion::Disk(Ok(answer))));
            }
            Effect::Reply { operation, answer } => {
                self.note(number, &operation.0.to_be_bytes(), || {
                    format!("node {number} answers {}: {answer:?}", operation.0)
                });
                let reply = Reply {
                    at: self.now,
                    machine: number,
                    operation,
                    answer,
                };
                return self.hear(reply);
            }
            Effect::Notice(notice) => {
                self.trace
                    .line(self.now, || format!("node {number} notes {notice:?}"));
                match notice {
                    Notice::Refuted { incarnation } | Notice::Placed { incarnation, .. } => {
                        let machine = &mut self.machines[number];
                        machine.incarnation = machine.incarnation.max(incarnation);
                    }
                    Notice::Suspected { node, .. } => {
                        self.counts.suspicions += 1;
                        let (at, by) = (self.now, number);
                        self.suspicions.push(Suspicion { at, by, of: node });
                    }
                    Notice::Malformed { reason, .. } | Notice::NotUnderstood { reason, .. } => {
                        let seen = format!("it was sent what is no message: {reason}");
                        return Err(self.violation("messages are understood", Some(number), seen));
                    }
                    Notice::Appeared(_)
                    | Notice::Recovered(_)
                    | Notice::Gone(_)
                    | Notice::Left(_)
                    | Notice::Pointers { .. }
                    | Notice::Synchronised { .. }
                    | Notice::HandedOff { .. }
                    | Notice::Collected { .. } => {}
                }
            }
        }
        Ok(())
    }

    /// What an empty disk answers.
    fn empty_disk(&mut self, number: usize, op: DiskOp) -> DiskAnswer {
        match op {
            DiskOp::ReadRecord { .. } => DiskAnswer::Record(None),
            DiskOp::WriteRecord { record, .. } => DiskAnswer::RecordStored {
                newest: record.version,
                promised: record.promised,
            },
            DiskOp::StoreChunk { .. } | DiskOp::Remove { .. } => DiskAnswer::Done,
            DiskOp::ReadChunk { .. } => DiskAnswer::NoChunk,
            DiskOp::ItemsIn {
                kind: Kind::Records | Kind::Chunks,
                ..
            } => DiskAnswer::Items(Vec::new()),
            DiskOp::RecordsByDigest { .. } => DiskAnswer::Records(Vec::new()),
            DiskOp::HaveChunks(chunks) | DiskOp::Referenced(chunks) => {
                DiskAnswer::Have(vec![false; chunks.len()])
            }
            DiskOp::Listed(_) => DiskAnswer::Listed(Vec::new()),
            DiskOp::CountIn(arcs) => DiskAnswer::Counts(vec![0; arcs.len()]),
            DiskOp::List { .. } => DiskAnswer::Rows {
                rows: Vec::new(),
                more: false,
            },
            DiskOp::Usage => DiskAnswer::Usage {
                used: 0,
                free: OFFERED_BYTES,
                care: Care::default(),
            },
            DiskOp::SaveMembers(bytes) => {
                self.machines[number].saved = Some(bytes);
                DiskAnswer::Done
            }
        }
    }

    fn send(&mut self, from: usize, to: Destination, bytes: Bytes) {
        let kind = self.traffic.count(&bytes);
        if kind == "notify" && from == 0 && self.plant == RingPlant::DropNotify {
            return;
        }
        let Some(target) = number_at(to.addr, self.machines.len()) else {
            let after = self.network.patience();
            self.unreachable(from, to, after, "no route");
            return;
        };
        let life = self.machines[from].lives;
        let (after, again) = match self.network.fate(from, target) {
            Fate::Lost if self.plant == RingPlant::AccuseOnLoss => {
                let after = self.network.patience();
                return self.unreachable(from, to, after, "a message was lost");
            }
            Fate::Lost => return,
            Fate::Blocked(after) => {
                self.push(after, from, Happening::TimeOut(to));
                return;
            }
            Fate::Arrives(after, again) => (after, again),
        };
        let machine = &self.machines[target];
        match machine.state {
            State::Up(_) if to.node.is_some_and(|id| id != machine.id) => {
                self.unreachable(from, to, after * 2, "somebody else is there");
            }
            State::Up(_) => {
                self.connect(from, target);
                for after in again.into_iter().chain([after]) {
                    let bytes = bytes.clone();
                    self.push(after, target, Happening::Message { from, life, bytes });
                }
            }
            // A dead program's machine refuses at once; a dead machine says nothing.
            State::Down(Stop::Process) | State::Ended => {
                self.unreachable(from, to, after * 2, "connection refused");
            }
            State::Down(Stop::Machine) => {
                let after = self.network.patience();
                self.push(after, from, Happening::TimeOut(to));
            }
        }
    }

    fn connect(&mut self, one: usize, other: usize) {
        for (a, b) in [(one, other), (other, one)] {
            if let Some(life) = self.machines[a].life_mut() {
                life.contacts.insert(b);
            }
        }
    }

    /// A way was blocked for as long as anybody waits. One that is open again by then has let one
    /// of the repeated attempts through, too late for the message.
    fn give_up(&mut self, from: usize, to: Destination) -> Option<Input> {
        let target = number_at(to.addr, self.machines.len());
        let open = target.is_some_and(|target| {
            let machine = &self.machines[target];
            let is_there = machine.is_up() && to.node.is_none_or(|id| id == machine.id);
            is_there && !self.network.is_cut(from, target)
        });
        let reason = "timed out".to_owned();
        (!open).then_some(Input::Unreachable {
            addr: to.addr,
            node: to.node,
            reason,
        })
    }

    fn unreachable(&mut self, from: usize, to: Destination, after: Duration, reason: &str) {
        let input = Input::Unreachable {
            addr: to.addr,
            node: to.node,
            reason: reason.to_owned(),
        };
        self.tell_after(after, from, input);
    }

    /// Tells a node something later, unless its life ends before.
    fn tell_after(&mut self, after: Duration, number: usize, input: Input) {
        self.push(after, number, Happening::News(Box::new(input)));
    }

    /// Lets something happen to a node later, unless its life ends before.
    fn push(&mut self, after: Duration, machine: usize, what: Happening) {
        let life = self.machines[machine].lives;
        let event = Event::To {
            machine,
            life,
            what,
        };
        self.queue.push(self.now + after, event);
    }

    fn operation(&mut self) -> OperationId {
        self.operations += 1;
        OperationId(self.operations)
    }

    /// Takes note of something that the owner or the world decided.
    fn note(&mut self, place: usize, what: &[u8], line: impl FnOnce() -> String) {
        self.trace.hash(self.now, place, what);
        self.trace.line(self.now, line);
    }

    /// A broken promise, here and now.
    pub(crate) fn violation(
        &self,
        promise: &'static str,
        node: Option<usize>,
        seen: impl Into<String>,
    ) -> Violation {
        Violation {
            promise,
            at: self.now,
            node,
            seen: seen.into(),
        }
    }
}

/// What a message says, for people.
fn describe(bytes: &Bytes) -> String {
    match chordal_proto::codec::decode(bytes.clone()) {
        Ok(envelope) => format!("{} {:?}", envelope.request, envelope.message),
        Err(error) => format!("{} bytes, {error}", bytes.len()),
    }
}

/// What each node offers.
const OFFERED_BYTES: u64 = 1 << 30;

/// A node that wants so much after one input does not stop.
const EFFECTS_MAX: u32 = 200_000;

#[cfg(test)]
mod tests;
