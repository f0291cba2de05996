//! `ring`: the ring by itself; seeds, what happened, and whether every promise held.

use std::io::{self, Write};
use std::ops::RangeInclusive;
use std::time::Duration;

use anyhow::{Result, ensure};
use clap::Args;

use super::human::{share, time};
use super::{Outcome, range};
use crate::ring_run::{self, RingRun};

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
    /// Print every event
    #[arg(long)]
    trace: bool,
}

/// Runs what was asked for.
pub(super) fn run(arguments: &RingArgs) -> Result<Outcome> {
    let seeds = match (&arguments.seeds, arguments.seed) {
        (Some(seeds), _) => seeds.clone(),
        (None, seed) => {
            let seed = seed.unwrap_or(1);
            seed..=seed
        }
    };
    let nodes = arguments.nodes.clone().unwrap_or(5..=200);
    ensure!(*nodes.start() > 0, "a ring has at least one node");
    let mut outcome = Outcome::Kept;
    for seed in seeds {
        let run = RingRun {
            seed,
            nodes: nodes.clone(),
            time: arguments.time,
            churn: arguments.churn,
            partition: arguments.partition,
            loss: arguments.loss,
            latency: arguments.latency,
        };
        let lines: Option<Box<dyn Write>> = arguments
            .trace
            .then(|| Box::new(io::BufWriter::new(io::stdout())) as Box<dyn Write>);
        let report = ring_run::run(&run, lines);
        if report.outcome.is_err() {
            outcome = Outcome::Broken;
        }
        writeln!(io::stdout(), "{report}")?;
    }
    Ok(outcome)
}
