//! What a ring costs when nobody uses it: bytes of messages per node and second, by kind of
//! message, with all nodes staying and with nodes that come and go.
//!
//! The peers are the production ones and exchange encoded messages. There are no files: every
//! disk is empty and answers so, which is the state in which all traffic is upkeep. A message
//! counts with its frame's four bytes; TLS and TCP add their own. Nothing is checked here beyond
//! what the peers check of themselves.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use chordal_object::NodeId;
use chordal_proto::{Settings, Time, Timing};

use crate::dice::Dice;
use crate::ring_world::{Checks, Count, Pause, RingOptions, RingWorld, Spread, Stop, Weather};
use crate::violation::Violation;

/// What is measured.
#[derive(Clone, Debug)]
pub struct Options {
    /// Seed of every choice.
    pub seed: u64,
    /// Nodes in the ring.
    pub nodes: usize,
    /// Tokens of each.
    pub tokens: u8,
    /// What the ring is set to.
    pub settings: Settings,
    /// Mean length of a node's stay, exponentially distributed; nothing: everybody stays. Half of
    /// the nodes leave with notice, half of them crash, and a new node joins for each.
    pub session: Option<Duration>,
    /// How long the ring settles before anything counts.
    pub settle: Duration,
    /// How long is counted.
    pub measure: Duration,
    /// The probability that a message is lost.
    pub loss: f64,
}

/// What was measured.
#[derive(Clone, Debug)]
pub struct Report {
    /// What was asked for.
    pub options: Options,
    /// Traffic of all nodes by the name of the message, frames included.
    pub kinds: BTreeMap<&'static str, Count>,
    /// Nodes that left and crashed while it was counted.
    pub departures: (u64, u64),
    /// From each crash, how long until each node that was there then and came to suspect the dead
    /// one did, ascending.
    pub suspected_after: Vec<Duration>,
    /// Nodes that suspected one that was running.
    pub false_suspicions: u64,
}

impl Report {
    /// Bytes a node sent in a second, on average.
    pub fn bytes_per_node_second(&self) -> f64 {
        let bytes: u64 = self.kinds.values().map(|kind| kind.bytes).sum();
        self.per_node_second(bytes)
    }

    #[expect(clippy::cast_precision_loss, reason = "figures for people")]
    fn per_node_second(&self, count: u64) -> f64 {
        count as f64 / self.options.nodes as f64 / self.options.measure.as_secs_f64()
    }

    fn suspected_at(&self, hundredths: usize) -> Option<Duration> {
        let last = self.suspected_after.len().checked_sub(1)?;
        self.suspected_after.get(last * hundredths / 100).copied()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Options { nodes, tokens, .. } = self.options;
        let successors = self.options.settings.successors;
        write!(out, "{nodes} nodes, {tokens} tokens, r = {successors}, ")?;
        match self.options.session {
            Some(session) => writeln!(out, "sessions of {session:?}")?,
            None => writeln!(out, "idle")?,
        }
        writeln!(out, "{:<14} {:>10} {:>10}", "message", "per s", "bytes/s")?;
        let mut kinds: Vec<_> = self.kinds.iter().collect();
        kinds.sort_by_key(|(name, kind)| (std::cmp::Reverse(kind.bytes), **name));
        for (name, kind) in kinds {
            let (messages, bytes) = (
                self.per_node_second(kind.messages),
                self.per_node_second(kind.bytes),
            );
            writeln!(out, "{name:<14} {messages:>10.3} {bytes:>10.1}")?;
        }
        let all = self.bytes_per_node_second();
        writeln!(out, "{:<14} {:>10} {all:>10.1}", "all", "")?;
        let (left, crashed) = self.departures;
        writeln!(out, "{left} left, {crashed} crashed")?;
        if let (Some(half), Some(most), Some(all)) = (
            self.suspected_at(50),
            self.suspected_at(99),
            self.suspected_at(100),
        ) {
            let count = self.suspected_after.len();
            writeln!(
                out,
                "suspected {count} times, after {half:?}, {most:?} (99 %), {all:?} (all)"
            )?;
        }
        write!(out, "{} false suspicions", self.false_suspicions)
    }
}

/// Forms a ring, lets it settle, and counts.
///
/// # Errors
///
/// When a peer broke one of its own invariants, or no ring was formed.
pub fn measure(options: Options) -> Result<Report, Violation> {
    let mut run = Run::new(&options);
    run.world.form_by_doubling(options.nodes, FORMING)?;
    let end = run.world.now() + options.settle;
    for machine in 0..options.nodes {
        run.plan_departure(machine);
    }
    run.until(end)?;
    run.departures = (0, 0);
    run.world.take_suspicions();
    let before = run.world.traffic().clone();
    let end = end + options.measure;
    run.until(end)?;
    let sent = run.world.traffic().since(&before);
    let kinds = sent.by_kind().map(|(name, mut count)| {
        count.bytes += FRAME_BYTES * count.messages;
        (name, count)
    });
    let kinds = kinds.collect();
    let (mut suspected_after, mut false_suspicions) = (Vec::new(), 0);
    for suspicion in run.world.take_suspicions() {
        match run.ended.get(&suspicion.of) {
            // Who joins later has heard of the dead node, and finds out in its own time.
            Some(Some(at)) if run.began(suspicion.by) <= *at => {
                suspected_after.push(suspicion.at.since(*at));
            }
            Some(_) => {}
            None => false_suspicions += 1,
        }
    }
    suspected_after.sort_unstable();
    Ok(Report {
        kinds,
        departures: run.departures,
        suspected_after,
        false_suspicions,
        options,
    })
}

/// A ring whose nodes come and go.
struct Run {
    world: RingWorld,
    dice: Dice,
    session: Option<Duration>,
    departures: (u64, u64),
    /// Nodes that ended, and when they crashed, if they did.
    ended: BTreeMap<NodeId, Option<Time>>,
    /// When each machine began that was not there from the beginning.
    began: BTreeMap<usize, Time>,
}

impl Run {
    fn new(options: &Options) -> Self {
        let world = RingWorld::new(RingOptions {
            seed: options.seed,
            settings: options.settings.clone(),
            timing: Timing::default(),
            tokens: options.tokens,
            weather: Weather {
                latency: Spread::Even(LATENCY.0, LATENCY.1),
                loss: options.loss,
                ..Weather::fair(LATENCY.1)
            },
            checks: Checks::Never,
            ..RingOptions::default()
        });
        Self {
            world,
            dice: Dice::new(options.seed, "traffic"),
            session: options.session,
            departures: (0, 0),
            ended: BTreeMap::new(),
            began: BTreeMap::new(),
        }
    }

    fn began(&self, machine: usize) -> Time {
        let first = Time::from_nanos(0);
        self.began.get(&machine).copied().unwrap_or(first)
    }

    fn plan_departure(&mut self, machine: usize) {
        if let Some(mean) = self.session {
            let stay = self.dice.exponential(mean);
            self.world.alarm(stay, machine as u64);
        }
    }

    fn until(&mut self, end: Time) -> Result<(), Violation> {
        while let Pause::Alarm(machine) = self.world.run_until(end)? {
            let machine = usize::try_from(machine).expect("alarms are numbers of machines");
            self.replace(machine)?;
        }
        Ok(())
    }

    /// A machine's node goes, and another one joins.
    fn replace(&mut self, machine: usize) -> Result<(), Violation> {
        let id = self.world.machines()[machine].id();
        if self.dice.chance(0.5) {
            self.departures.0 += 1;
            self.ended.insert(id, None);
            self.world.leave(machine, true)?;
        } else {
            self.departures.1 += 1;
            self.ended.insert(id, Some(self.world.now()));
            self.world.crash(machine, Stop::Machine);
        }
        let other = self.world.add_machine();
        self.began.insert(other, self.world.now());
        self.world.join(other)?;
        self.plan_departure(other);
        Ok(())
    }
}

/// Bytes before each message on a connection.
const FRAME_BYTES: u64 = 4;

/// A message's time on its way, at least and at most.
const LATENCY: (Duration, Duration) = (Duration::from_micros(200), Duration::from_millis(2));

/// How long a ring may take to form.
const FORMING: Duration = Duration::from_hours(2);

#[cfg(test)]
mod tests;
