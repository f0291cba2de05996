//! `ring`: the ring by itself; seeds, what happened, and whether every promise held.

use std::io::{self, Write};
use std::ops::RangeInclusive;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use anyhow::{Context, Result};
use clap::Args;

use super::at_once::at_once;
use super::human::{share, time};
use super::{BROKEN_PROMISE, Outcome, panic_words, range, require};
use crate::ring_run::{self, RingFault, RingReport, RingRun};
use crate::ring_world::RingPlant;

/// The ring by itself: joins, crashes, partitions, bad networks; every invariant after every event.
///
/// The same arguments are the same run, event by event. Ends with 1 when a promise was broken, and
/// prints the command that shows it again.
#[derive(Clone, Debug, Args)]
pub struct RingArgs {
    /// One seed
    #[arg(long, value_name = "N", conflicts_with = "seeds")]
    seed: Option<u64>,
    /// All seeds of a range
    #[arg(long, value_name = "A..=B", value_parser = range::<u64>)]
    seeds: Option<RangeInclusive<u64>>,
    /// Nodes that found the ring: a number, or a range to draw from [default: 5..=200]
    #[arg(long, value_name = "N or A..=B", value_parser = range::<usize>)]
    nodes: Option<RangeInclusive<usize>>,
    /// How long things happen to the ring, in virtual time [default: the seed chooses]
    #[arg(long = "for", value_name = "TIME", value_parser = time)]
    time: Option<Duration>,
    /// The mean time that a node stays before it crashes or leaves, and another one joins;
    /// 0 for none [default: the seed chooses]
    #[arg(long, value_name = "TIME", value_parser = time)]
    churn: Option<Duration>,
    /// Part the network in two for this long; 0 for never [default: the seed chooses]
    #[arg(long, value_name = "TIME", value_parser = time)]
    partition: Option<Duration>,
    /// The share of messages that are lost [default: the seed chooses]
    #[arg(long, value_name = "SHARE", value_parser = share)]
    loss: Option<f64>,
    /// The mean time a message takes [default: the seed chooses]
    #[arg(long, value_name = "TIME", value_parser = time)]
    latency: Option<Duration>,
    /// Only these faults, all of them: crash, mass-crash, leave, join, mass-join, mass-restart,
    /// partition, cut, slow, freeze, clock; or none [default: the seed chooses]
    #[arg(long, value_name = "KIND,..", value_parser = faults)]
    faults: Option<Faults>,
    /// Make a mistake on purpose: drop-notify, undead, accuse-on-loss
    #[arg(long, value_name = "MISTAKE", value_parser = plant)]
    plant: Option<RingPlant>,
    /// Print every event
    #[arg(long, conflicts_with = "seeds")]
    trace: bool,
}

/// What `--faults` names.
#[derive(Clone, Debug)]
struct Faults(Vec<RingFault>);

/// Runs what was asked for.
pub(super) fn run(arguments: &RingArgs) -> Result<Outcome> {
    let nodes = arguments.nodes.clone().unwrap_or(ring_run::NODES);
    require(*nodes.start() > 0, "a ring has at least one node")?;
    let run = RingRun {
        seed: arguments.seed.unwrap_or(1),
        nodes,
        time: arguments.time,
        churn: arguments.churn,
        partition: arguments.partition,
        loss: arguments.loss,
        latency: arguments.latency,
        faults: arguments.faults.clone().map(|faults| faults.0),
        plant: arguments.plant.unwrap_or_default(),
    };
    match &arguments.seeds {
        Some(seeds) => many(&run, seeds.clone()),
        None => one(&run, arguments.trace),
    }
}

fn one(run: &RingRun, trace: bool) -> Result<Outcome> {
    let lines: Option<Box<dyn Write>> =
        trace.then(|| Box::new(io::BufWriter::new(io::stdout())) as Box<dyn Write>);
    let report = ring_run::run(run, lines);
    writeln!(io::stdout(), "{report}")?;
    Ok(outcome(&report))
}

/// Runs all seeds of a range.
fn many(run: &RingRun, seeds: RangeInclusive<u64>) -> Result<Outcome> {
    let (mut passed, mut failed) = (0_u64, 0_u64);
    let (mut events, mut longest) = (0_u64, Duration::ZERO);
    let (mut lasted, mut unasked, mut accused) = (Duration::ZERO, Duration::ZERO, 0_u64);
    let work = |seed| {
        run_seed(&RingRun {
            seed,
            ..run.clone()
        })
    };
    at_once(seeds, work, |(line, report): Told| {
        writeln!(io::stdout(), "{line}")?;
        if let Some(report) = &report {
            events += report.counts.events;
            longest = longest.max(report.findings.longest_healing);
            lasted += report.virtual_time;
            unasked += report.findings.unasked;
            accused += report.findings.accused;
        }
        if report.is_some_and(|report| outcome(&report) == Outcome::Kept) {
            passed += 1;
        } else {
            failed += 1;
        }
        Ok(())
    })?;
    writeln!(
        io::stdout(),
        "{passed} passed, {failed} failed; {events} events, healed in at most {:.1} s; the invariant was asked for in \
         {} of {} s, the others after {accused} accusations of living tokens",
        longest.as_secs_f64(),
        lasted.saturating_sub(unasked).as_secs(),
        lasted.as_secs(),
    )?;
    Ok(if failed == 0 {
        Outcome::Kept
    } else {
        BROKEN_PROMISE
    })
}

/// What became of a seed: its line, and its report unless it panicked.
type Told = (String, Option<RingReport>);

/// Runs one seed. A panic is a failure like any other.
fn run_seed(run: &RingRun) -> Told {
    match catch_unwind(AssertUnwindSafe(|| ring_run::run(run, None))) {
        Ok(report) => (report.to_string(), Some(report)),
        Err(panic) => {
            let words = panic_words(&*panic);
            let seed = run.seed;
            let line = format!(
                "seed {seed}: FAILED: panic: {words}\n  repeat with: chordal sim ring {run}"
            );
            (line, None)
        }
    }
}

const fn outcome(report: &RingReport) -> Outcome {
    if report.outcome.is_ok() {
        Outcome::Kept
    } else {
        BROKEN_PROMISE
    }
}

fn faults(text: &str) -> Result<Faults> {
    if text == "none" {
        return Ok(Faults(Vec::new()));
    }
    let named = text.split(',').map(|name| {
        RingFault::from_name(name).with_context(|| {
            let names = RingFault::ALL.map(RingFault::name);
            format!("'{name}' is none of {}", names.join(", "))
        })
    });
    named.collect::<Result<_>>().map(Faults)
}

fn plant(text: &str) -> Result<RingPlant> {
    let names = RingPlant::ALL.map(RingPlant::name);
    super::named(text, RingPlant::from_name(text), &names)
}
