//! The world: machines, the network between them, and one clock that jumps from event to event.
//!
//! The world does what production drivers do, and nothing cleverer: it carries bytes, asks disks
//! and wakes peers. It promises nothing to clients and chooses no faults; its owner does, through
//! [`World::command`], [`World::crash`] and the like.

mod effects;
mod harm;
mod transfer;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use chordal_object::{Chunk, ChunkId, NodeId};
use chordal_proto::effect::{Answer, Destination, DiskOp, Failure};
use chordal_proto::input::{Command, EffectId, OperationId};
use chordal_proto::limits::TABLE_MAX;
use chordal_proto::{Config, Input, Peer, Settings, Time, Timing};
use chordal_store::MemDisk;

use crate::dice::Dice;
use crate::network::Network;
use crate::node::{End, Held, Life, Node, State, address};
use crate::node_disk::NodeDisk;
use crate::options::{Options, Twins};
use crate::plan::Plan;
use crate::plant::Plant;
use crate::shadow::Shadow;
use crate::trace::Trace;
use crate::violation::Violation;

use self::transfer::Move;

/// Everything there is.
#[derive(Debug)]
pub(crate) struct World {
    /// What time it is.
    pub(crate) now: Time,
    /// All machines there have ever been.
    pub(crate) nodes: Vec<Node>,
    /// What lies between them.
    pub(crate) network: Network,
    /// What has happened.
    pub(crate) trace: Trace,
    /// How much has happened.
    pub(crate) counts: Counts,
    /// What clients were told, for the owner to collect.
    pub(crate) replies: VecDeque<Reply>,
    /// Machines whose power went while their disk was writing, for the owner to collect.
    pub(crate) deaths: VecDeque<usize>,
    settings: Settings,
    timing: Timing,
    plant: Plant,
    twins: Twins,
    /// How often a disk takes seconds for what it does, or to say so.
    pub(crate) disk_stalls: f64,
    schedule: Schedule,
    by_addr: BTreeMap<SocketAddr, usize>,
    dice: Dice,
}

type Schedule = crate::schedule::Schedule<Event>;

/// How much has happened.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Counts {
    /// Events.
    pub(crate) events: u64,
    /// Messages handed to the network.
    pub(crate) messages: u64,
    /// Bytes of these.
    pub(crate) message_bytes: u64,
    /// Chunks handed to the network.
    pub(crate) chunks: u64,
}

/// What a client was told.
#[derive(Debug)]
pub(crate) struct Reply {
    /// By the node on this machine.
    pub(crate) node: usize,
    /// About this.
    pub(crate) operation: OperationId,
    /// This.
    pub(crate) answer: Result<Answer, Failure>,
}

/// Something to come.
#[derive(Debug)]
#[expect(
    clippy::large_enum_variant,
    reason = "what is told to a node is rare beside messages, and moved once"
)]
pub(crate) enum Event {
    /// A message arrives.
    Deliver {
        to: usize,
        life: u64,
        from: usize,
        bytes: Bytes,
    },
    /// A node is told something by its own driver.
    Tell {
        node: usize,
        life: u64,
        input: Input,
    },
    /// An attempt to reach somebody is given up.
    TimeOut {
        from: usize,
        life: u64,
        to: Destination,
    },
    /// A node's deadline.
    Wake { node: usize, life: u64 },
    /// A disk does what it was asked to.
    Disk {
        node: usize,
        life: u64,
        effect: EffectId,
        op: Box<DiskOp>,
    },
    /// A chunk on its way.
    Move(Move),
    /// The owner's.
    Alarm(Alarm),
}

/// What the owner wants to be woken for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Alarm {
    /// A client has a wish.
    Client,
    /// Something goes wrong.
    Fault,
    /// Parted networks come together.
    Mend,
    /// Bad weather ends.
    Calm,
    /// A machine that stopped starts again.
    Restart(usize),
    /// A slow machine keeps up again.
    Hurry(usize),
    /// A disk is scrubbed.
    Scrub(usize),
    /// A full disk has room again.
    Room(usize),
    /// A node that is not in the ring tries again.
    Join(usize),
    /// A client has waited long enough.
    Overdue(OperationId),
    /// Time to look at everything.
    Look,
}

/// How a machine stops.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stop {
    /// The program dies: its connections break at once, for all to see.
    Process,
    /// The machine dies: silence.
    Machine,
}

impl World {
    /// An empty world.
    pub(crate) fn new(seed: u64, plan: &Plan, options: &Options, trace: Trace) -> Self {
        let mut network = Network::new(seed, plan.delay, plan.loss);
        network.set_duplicates(plan.duplicates);
        Self {
            now: Time::from_nanos(0),
            nodes: Vec::new(),
            network,
            trace,
            counts: Counts::default(),
            replies: VecDeque::new(),
            deaths: VecDeque::new(),
            settings: plan.settings.clone(),
            timing: plan.timing.clone(),
            plant: options.plant,
            twins: options.twins,
            disk_stalls: plan.disk_stalls,
            schedule: Schedule::new(),
            by_addr: BTreeMap::new(),
            dice: Dice::new(seed, "world"),
        }
    }

    /// What the ring is set to.
    pub(crate) const fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Sets up a machine with an empty disk, switched off.
    pub(crate) fn add_machine(&mut self, tokens: u8) -> usize {
        let number = self.nodes.len();
        let addr = address(number);
        let id = self.dice.bytes(32);
        self.nodes.push(Node {
            id: NodeId::from_slice(&id).expect("it has 32 bytes"),
            addr,
            tokens,
            incarnation: 0,
            lives: 0,
            ahead: Duration::ZERO,
            frozen_until: Time::from_nanos(0),
            state: State::Down(Box::new(MemDisk::new())),
        });
        self.by_addr.insert(addr, number);
        number
    }

    /// Begins the next life of a node that is down. Whether it remembers others is told.
    pub(crate) fn start(&mut self, number: usize) -> Result<Memory, Violation> {
        let disk_seed = self.dice.number();
        let node = &mut self.nodes[number];
        let State::Down(image) = &node.state else {
            return Ok(Memory::Blank);
        };
        let disk = match NodeDisk::open((**image).clone(), self.plant, disk_seed) {
            Ok(disk) => disk,
            Err(error) => return Err(self.violation("stores open", Some(number), error)),
        };
        if self.plant != Plant::ReuseIncarnation || node.lives == 0 {
            node.incarnation += 1;
        }
        node.lives += 1;
        node.frozen_until = self.now;
        let own_now = self.now + node.ahead;
        let remembered = disk.remembered();
        let memory = if remembered.is_some() {
            Memory::Some
        } else {
            Memory::Blank
        };
        let config = Config {
            settings: self.settings.clone(),
            timing: self.timing.clone(),
            node: node.id,
            addr: node.addr,
            incarnation: node.incarnation,
            offered_bytes: OFFERED_BYTES,
            tokens: node.tokens,
            remembered,
            table_nodes: TABLE_MAX,
            seed: self.dice.number(),
        };
        let shadow = match self.twins {
            Twins::Nowhere => None,
            Twins::Beside => match Shadow::new(config.clone(), own_now) {
                Ok(shadow) => Some(Box::new(shadow)),
                Err(seen) => return Err(self.violation(SAME, Some(number), seen)),
            },
        };
        let life = Life {
            shadow,
            peer: Peer::new(config, own_now),
            disk,
            held: Held::new(),
            wake: None,
            wakes_here: 0,
            woken_at: self.now,
            contacts: BTreeSet::new(),
            joined: false,
            leaving: false,
        };
        node.state = State::Up(Box::new(life));
        self.note(number, b"start", || {
            format!("node {number} starts, {memory:?}")
        });
        self.settle(number, "its start")?;
        Ok(memory)
    }

    /// Stops a node without notice. What its disk had not made durable is lost or torn.
    pub(crate) fn crash(&mut self, number: usize, stop: Stop) {
        let State::Up(_) = &self.nodes[number].state else {
            return;
        };
        let seed = self.dice.number();
        let ended = std::mem::replace(&mut self.nodes[number].state, State::Ended);
        let State::Up(life) = ended else { return };
        let Life { disk, contacts, .. } = *life;
        self.nodes[number].state = State::Down(Box::new(disk.crash(seed)));
        self.note(number, b"crash", || {
            format!("node {number} crashes ({stop:?})")
        });
        if stop == Stop::Process {
            self.tell_contacts(number, contacts);
        }
    }

    /// Cuts a node's power during one of its next writes.
    pub(crate) fn crash_while_writing(&mut self, number: usize) {
        let nth = self.dice.between(1, 4) as u64;
        self.note(number, b"doom", || {
            format!("node {number} will die at its sync {nth}")
        });
        if let Some(life) = self.nodes[number].life() {
            life.disk.cut_power_at_sync(nth);
        }
    }

    /// Whether the power went while this machine's disk was writing; then the node is down.
    fn has_died(&mut self, number: usize) -> bool {
        let dead = self.nodes[number]
            .life()
            .is_some_and(|life| life.disk.is_dead());
        if dead {
            self.crash(number, Stop::Machine);
            self.deaths.push_back(number);
        }
        dead
    }

    /// Takes a machine out for good.
    pub(crate) fn end(&mut self, number: usize, end: End) {
        let before = std::mem::replace(&mut self.nodes[number].state, State::Ended);
        self.note(number, b"end", || {
            format!("node {number} is out for good ({end:?})")
        });
        if let State::Up(life) = before {
            self.tell_contacts(number, life.contacts);
        }
    }

    fn tell_contacts(&mut self, number: usize, contacts: BTreeSet<usize>) {
        let id = self.nodes[number].id;
        for contact in contacts {
            let after = self.network.delay();
            self.tell_after(after, contact, Input::Disconnected(id));
        }
    }

    /// Gives a command to a running node.
    pub(crate) fn command(
        &mut self,
        number: usize,
        operation: OperationId,
        command: Command,
    ) -> Result<(), Violation> {
        self.note(number, &operation.0.to_be_bytes(), || {
            format!("node {number} is asked {}: {command:?}", operation.0)
        });
        self.tell(number, Input::Command { operation, command }, "a command")
    }

    /// Tells a running node that an operation's result is wanted no more.
    pub(crate) fn cancel(
        &mut self,
        number: usize,
        operation: OperationId,
    ) -> Result<(), Violation> {
        self.note(number, b"cancel", || {
            format!("node {number} need not do {}", operation.0)
        });
        self.tell(number, Input::Cancel(operation), "a cancelled command")
    }

    /// Puts a chunk into the hands of a node's driver.
    pub(crate) fn hold(&mut self, number: usize, operation: OperationId, chunk: &Chunk) {
        if let Some(life) = self.nodes[number].life_mut() {
            life.held
                .entry(operation)
                .or_default()
                .insert(chunk.id(), chunk.bytes().clone());
        }
    }

    /// Takes all that a node's driver keeps for an operation.
    pub(crate) fn release(
        &mut self,
        number: usize,
        operation: OperationId,
    ) -> BTreeMap<ChunkId, Bytes> {
        let life = self.nodes[number].life_mut();
        life.and_then(|life| life.held.remove(&operation))
            .unwrap_or_default()
    }

    /// Wakes the owner after a while.
    pub(crate) fn alarm(&mut self, after: Duration, alarm: Alarm) {
        self.schedule.push(self.now + after, Event::Alarm(alarm));
    }

    /// When the next thing happens.
    pub(crate) fn next_at(&self) -> Option<Time> {
        self.schedule.next_at()
    }

    /// Lets the next thing happen; an alarm is the owner's to deal with.
    pub(crate) fn step(&mut self) -> Result<Option<Alarm>, Violation> {
        let Some((at, number, event)) = self.schedule.pop() else {
            return Ok(None);
        };
        assert!(at >= self.now, "time goes forwards");
        self.now = at;
        self.counts.events += 1;
        self.trace.hash(at, usize::MAX, &number.to_be_bytes());
        let Some(event) = self.unless_frozen(event) else {
            return Ok(None);
        };
        match event {
            Event::Deliver {
                to,
                life,
                from,
                bytes,
            } => self.deliver(to, life, from, bytes)?,
            Event::Tell { node, life, input } => {
                if self.lives(node, life) {
                    self.trace.line(at, || format!("node {node} <- {input:?}"));
                    self.feed(node, input, "news from its driver")?;
                }
            }
            Event::TimeOut { from, life, to } => {
                if self.lives(from, life)
                    && let Some(input) = self.give_up(from, to)
                {
                    self.trace.line(at, || format!("node {from} <- {input:?}"));
                    self.feed(from, input, "a time-out")?;
                }
            }
            Event::Wake { node, life } => {
                if self.lives(node, life) {
                    self.wake(node)?;
                }
            }
            Event::Disk {
                node,
                life,
                effect,
                op,
            } => {
                if self.lives(node, life) {
                    self.do_disk(node, effect, *op);
                    self.tell_damaged(node)?;
                }
            }
            Event::Move(step) => {
                let source = step.source();
                self.do_move(step);
                if let Some(source) = source {
                    self.tell_damaged(source)?;
                }
            }
            Event::Alarm(alarm) => return Ok(Some(alarm)),
        }
        Ok(None)
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

    /// Takes note of something that the owner or the world decided.
    pub(crate) fn note(&mut self, place: usize, what: &[u8], line: impl FnOnce() -> String) {
        self.trace.hash(self.now, place, what);
        self.trace.line(self.now, line);
    }

    /// Whether the node on this machine is in this very life.
    fn lives(&self, number: usize, life: u64) -> bool {
        let node = &self.nodes[number];
        node.is_up() && node.lives == life
    }

    fn deliver(
        &mut self,
        to: usize,
        life: u64,
        from: usize,
        bytes: Bytes,
    ) -> Result<(), Violation> {
        if !self.lives(to, life) {
            return Ok(());
        }
        self.trace.hash(self.now, to, &bytes);
        self.trace.line(self.now, || {
            format!("node {to} <- node {from}: {}", describe(&bytes))
        });
        let Node { id: from, addr, .. } = self.nodes[from];
        self.feed(to, Input::Message { from, addr, bytes }, "a message")
    }

    fn wake(&mut self, number: usize) -> Result<(), Violation> {
        let now = self.now;
        let own_now = self.clock(number);
        let Some(life) = self.nodes[number].life_mut() else {
            return Ok(());
        };
        if life.wake != Some(now) {
            // An earlier wake-up has taken this one's place.
            return Ok(());
        }
        life.wake = None;
        if life.peer.deadline().is_none_or(|(at, _)| at > own_now) {
            return self.settle(number, "a wake-up");
        }
        if life.woken_at != now {
            life.woken_at = now;
            life.wakes_here = 0;
        }
        life.wakes_here += 1;
        let reason = life.peer.deadline();
        self.trace
            .line(now, || format!("node {number} wakes for {reason:?}"));
        if life.wakes_here > WAKES_MAX {
            let reason = life.peer.deadline();
            let seen = format!("its deadline stays at {reason:?} however often it is woken");
            return Err(self.violation("nodes sleep", Some(number), seen));
        }
        self.feed(number, Input::Tick, "a tick")
    }

    /// Tells a node something and carries out what it decides.
    fn feed(&mut self, number: usize, input: Input, what: &str) -> Result<(), Violation> {
        let now = self.clock(number);
        let tick = matches!(input, Input::Tick);
        let Some(life) = self.nodes[number].life_mut() else {
            return Ok(());
        };
        if !tick {
            life.wakes_here = 0;
        }
        if let Some(shadow) = &mut life.shadow
            && let Err(seen) = shadow.follow(now, input.clone())
        {
            let seen = format!("before {what}: {seen}");
            return Err(self.violation(SAME, Some(number), seen));
        }
        life.peer.handle(now, input);
        self.settle(number, what)
    }

    /// Carries out what a node wants, asks it whether it is well, and sets its alarm clock.
    fn settle(&mut self, number: usize, after: &str) -> Result<(), Violation> {
        let (now, own_now) = (self.now, self.clock(number));
        let mut effects = 0_u32;
        while let Some(effect) = self.nodes[number].life_mut().and_then(Life::decided) {
            effects += 1;
            if effects > EFFECTS_MAX {
                let seen = format!("it wants more and more done after {after}");
                return Err(self.violation("nodes come to an end", Some(number), seen));
            }
            self.perform(number, effect);
        }
        let Some(life) = self.nodes[number].life_mut() else {
            return Ok(());
        };
        if let Err(broken) = life.peer.check() {
            let seen = format!("after {after}: {broken}");
            return Err(self.violation("nodes are well", Some(number), seen));
        }
        if let Some(shadow) = &mut life.shadow
            && let Err(seen) = shadow.compare(own_now, &life.peer)
        {
            let seen = format!("after {after}: {seen}");
            return Err(self.violation(SAME, Some(number), seen));
        }
        let due = life.peer.deadline().map(|(at, _)| now + at.since(own_now));
        if let Some(at) = due
            && life.wake.is_none_or(|wake| at < wake)
        {
            life.wake = Some(at);
            let life = self.nodes[number].lives;
            self.schedule.push(at, Event::Wake { node: number, life });
        }
        Ok(())
    }

    /// Tells a node something later, unless its life ends before.
    fn tell_after(&mut self, after: Duration, number: usize, input: Input) {
        let life = self.nodes[number].lives;
        self.schedule.push(
            self.now + after,
            Event::Tell {
                node: number,
                life,
                input,
            },
        );
    }
}

/// Whether a starting node remembers the ring.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Memory {
    /// It remembers nodes.
    Some,
    /// It knows nobody.
    Blank,
}

/// What a message says, for people.
fn describe(bytes: &Bytes) -> String {
    match chordal_proto::codec::decode(bytes.clone()) {
        Ok(envelope) => format!("{} {:?}", envelope.request, envelope.message),
        Err(error) => format!("{} bytes, {error}", bytes.len()),
    }
}

/// The promise that a replay would come to the same.
const SAME: &str = "twins decide alike";

/// What each node offers.
const OFFERED_BYTES: u64 = 1 << 30;

/// A node that is woken so often at one moment does not sleep.
const WAKES_MAX: u32 = 1_000;

/// A node that wants so much after one input does not stop.
const EFFECTS_MAX: u32 = 200_000;
