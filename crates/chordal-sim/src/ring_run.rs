//! One run of the ring by itself: it forms, things go wrong, it heals.

use std::fmt;
use std::io::Write;
use std::ops::RangeInclusive;
use std::time::Duration;

use crate::dice::Dice;
use crate::ring_world::{Counts, RingOptions, RingWorld, Spread, Stop, Weather};
use crate::violation::Violation;

/// What to simulate. Where nothing is said, the seed chooses. The same values are the same run.
#[derive(Clone, Debug, PartialEq)]
pub struct RingRun {
    /// Every choice follows from this number.
    pub seed: u64,
    /// How many nodes found the ring; the seed draws one of these.
    pub nodes: RangeInclusive<usize>,
    /// How long things go wrong.
    pub time: Option<Duration>,
    /// The mean time that a node stays.
    pub churn: Option<Duration>,
    /// How long the network is parted.
    pub partition: Option<Duration>,
    /// The share of messages that are lost.
    pub loss: Option<f64>,
    /// The mean time a message takes.
    pub latency: Option<Duration>,
}

/// What became of a run.
#[derive(Clone, Debug, PartialEq)]
pub struct RingReport {
    /// What was asked for.
    pub run: RingRun,
    /// Nodes that founded the ring.
    pub nodes: usize,
    /// How much happened.
    pub counts: Counts,
    /// Messages and bytes handed to the network.
    pub sent: crate::ring_world::Count,
    /// How long it lasted for those within.
    pub virtual_time: Duration,
    /// How long the ring took to be ideal once nothing went wrong any more.
    pub healed_after: Option<Duration>,
    /// A hash of everything that happened: equal for equal runs.
    pub trace: [u8; 32],
    /// Which promise was broken, if one was.
    pub outcome: Result<(), Violation>,
}

/// Makes one run.
pub fn run(run: &RingRun, lines: Option<Box<dyn Write>>) -> RingReport {
    let mut dice = Dice::new(run.seed, "ring plan");
    let nodes = dice.between(*run.nodes.start(), *run.nodes.end());
    let options = RingOptions {
        seed: run.seed,
        weather: Weather {
            latency: Spread::Exponential(run.latency.unwrap_or(Duration::from_millis(20))),
            loss: run.loss.unwrap_or(0.0),
            ..Weather::fair(Duration::from_millis(20))
        },
        ..RingOptions::default()
    };
    let mut world = match lines {
        Some(lines) => RingWorld::traced(options, lines),
        None => RingWorld::new(options),
    };
    let outcome = live(run, nodes, &mut world, &mut dice);
    RingReport {
        run: run.clone(),
        nodes,
        counts: world.counts(),
        sent: world.traffic().total(),
        virtual_time: world.now().since(chordal_proto::Time::from_nanos(0)),
        healed_after: outcome.as_ref().ok().copied(),
        trace: world.digest(),
        outcome: outcome.map(drop),
    }
}

/// How long the ring took to heal.
fn live(
    run: &RingRun,
    nodes: usize,
    world: &mut RingWorld,
    dice: &mut Dice,
) -> Result<Duration, Violation> {
    world.form(nodes, FORMING)?;
    if let Some(time) = run.partition {
        let all: Vec<usize> = (0..nodes).collect();
        let (one, other) = all.split_at(dice.below(nodes));
        world.part(one, other);
        world.run_for(time)?;
        world.mend();
    }
    if run.churn.is_some() {
        let first = dice.below(nodes);
        world.crash(first, Stop::Machine);
    }
    world.run_for(run.time.unwrap_or(Duration::from_secs(30)))?;
    world.await_ideal(HEALING)
}

/// A ring forms within this.
const FORMING: Duration = Duration::from_mins(10);

/// And heals within this.
const HEALING: Duration = Duration::from_mins(5);

impl fmt::Display for RingReport {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hash = u64::from_be_bytes(self.trace[..8].try_into().expect("eight of 32 bytes"));
        write!(
            out,
            "seed {}: {} nodes, {} events, {} messages, {} KiB, {} joins, {} leaves, {} crashes, \
             {} s, trace {hash:016x}: ",
            self.run.seed,
            self.nodes,
            self.counts.events,
            self.sent.messages,
            self.sent.bytes / 1024,
            self.counts.joins,
            self.counts.leaves,
            self.counts.crashes,
            self.virtual_time.as_secs(),
        )?;
        match (&self.outcome, self.healed_after) {
            (Ok(()), Some(after)) => write!(out, "passed, healed in {:.1} s", after.as_secs_f64()),
            (Ok(()), None) => write!(out, "passed"),
            (Err(violation), _) => write!(
                out,
                "FAILED: {violation}\n  repeat with: chordal sim {}",
                self.run
            ),
        }
    }
}

impl fmt::Display for RingRun {
    /// The arguments that repeat the run.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "--seed {}", self.seed)?;
        write!(
            out,
            " --nodes {}..={}",
            self.nodes.start(),
            self.nodes.end()
        )?;
        if let Some(time) = self.time {
            write!(out, " --for {time:?}")?;
        }
        if let Some(churn) = self.churn {
            write!(out, " --churn {churn:?}")?;
        }
        if let Some(partition) = self.partition {
            write!(out, " --partition {partition:?}")?;
        }
        if let Some(loss) = self.loss {
            write!(out, " --loss {loss}")?;
        }
        if let Some(latency) = self.latency {
            write!(out, " --latency {latency:?}")?;
        }
        Ok(())
    }
}
