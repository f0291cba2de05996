//! `files`: whole nodes with their disks and clients; seeds, and which promises held.

use std::io::{self, Write};
use std::ops::RangeInclusive;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use anyhow::{Result, bail};
use clap::Args;

use super::at_once::at_once;
use super::{BROKEN_PROMISE, Outcome, panic_words, range, require};
use crate::{Faults, Options, Plant, Twins, run as simulate_run};

/// Whole nodes with their disks, and clients that remember what they were promised.
#[derive(Clone, Debug, Args)]
pub struct FilesArgs {
    /// One seed
    #[arg(long, value_name = "N", conflicts_with = "seeds")]
    seed: Option<u64>,
    /// All seeds of a range
    #[arg(long, value_name = "A..=B", value_parser = range::<u64>)]
    seeds: Option<RangeInclusive<u64>>,
    /// Nodes that found the ring: a number, or a range to draw from
    #[arg(long, value_name = "N or A..=B", value_parser = range::<usize>, default_value = "3..=12")]
    nodes: RangeInclusive<usize>,
    /// How long faults go on, in virtual seconds
    #[arg(long, value_name = "S", default_value_t = 120)]
    seconds: u64,
    /// The probability that a message is lost [default: the seed chooses]
    #[arg(long, value_name = "P")]
    loss: Option<f64>,
    /// The mean time a message takes, in milliseconds [default: the seed chooses]
    #[arg(long, value_name = "MS")]
    delay: Option<u64>,
    /// The most nodes that are down at once
    #[arg(long, value_name = "N", default_value_t = 1)]
    down: usize,
    /// Allow only these faults: crashes, wipes, power, leaves, joins, partitions, storms, splits,
    /// cuts, slow, freezes, clocks, rot, full, syncs;
    /// or none, or all [default: all but splits]
    #[arg(long, value_name = "KIND,..", value_parser = faults)]
    faults: Option<Faults>,
    /// Allow only crashes: the same as --faults crashes
    #[arg(long, conflicts_with = "faults")]
    crashes: bool,
    /// Make a mistake on purpose; `sim mistakes` lists them
    #[arg(long, value_name = "MISTAKE", value_parser = plant)]
    plant: Option<Plant>,
    /// Give every node a twin that is told the same through a recording and must decide the same
    #[arg(long)]
    twins: bool,
    /// Print every event
    #[arg(long)]
    trace: bool,
}

/// Runs what was asked for.
pub(super) fn run(arguments: &FilesArgs) -> Result<Outcome> {
    match simulate(arguments)? {
        0 => Ok(Outcome::Kept),
        _ => Ok(BROKEN_PROMISE),
    }
}

/// Runs all seeds; how many failed.
fn simulate(arguments: &FilesArgs) -> Result<u64> {
    let seeds = match (&arguments.seeds, arguments.seed) {
        (Some(seeds), _) => seeds.clone(),
        (None, seed) => {
            let seed = seed.unwrap_or(1);
            seed..=seed
        }
    };
    require(*arguments.nodes.start() > 0, "a ring has at least one node")?;
    let (mut passed, mut failed) = (0_u64, 0_u64);
    let mut take = |(line, has_passed): (String, bool)| {
        writeln!(io::stdout(), "{line}")?;
        if has_passed {
            passed += 1;
        } else {
            failed += 1;
        }
        Ok(())
    };
    if arguments.trace {
        // Of one seed after the other, or nobody could read it.
        for seed in seeds {
            let lines = Box::new(io::BufWriter::new(io::stdout()));
            take(simulate_one(&options(arguments, seed), Some(lines)))?;
        }
    } else {
        let work = |seed| simulate_one(&options(arguments, seed), None);
        at_once(seeds, work, take)?;
    }
    writeln!(io::stdout(), "{passed} passed, {failed} failed")?;
    Ok(failed)
}

/// Runs one seed: its line, and whether it passed. A panic is a failure like any other.
fn simulate_one(options: &Options, lines: Option<Box<dyn Write>>) -> (String, bool) {
    let report = catch_unwind(AssertUnwindSafe(|| simulate_run(options, lines)));
    match report {
        Ok(report) => (report.to_string(), report.outcome.is_ok()),
        Err(panic) => {
            let (words, seed) = (panic_words(&*panic), options.seed);
            let line = format!(
                "seed {seed}: FAILED: panic: {words}\n  repeat with: chordal sim files {options}"
            );
            (line, false)
        }
    }
}

fn options(arguments: &FilesArgs, seed: u64) -> Options {
    let mut faults = arguments.faults.unwrap_or(Faults::USUAL);
    if arguments.crashes {
        faults = Faults {
            crashes: true,
            ..Faults::NONE
        };
    }
    Options {
        seed,
        nodes: arguments.nodes.clone(),
        fault_time: Duration::from_secs(arguments.seconds),
        loss: arguments.loss,
        delay: arguments.delay.map(Duration::from_millis),
        down_max: arguments.down,
        faults,
        plant: arguments.plant.unwrap_or(Plant::Nothing),
        twins: if arguments.twins {
            Twins::Beside
        } else {
            Twins::Nowhere
        },
    }
}

fn faults(text: &str) -> Result<Faults> {
    match text {
        "none" => return Ok(Faults::NONE),
        "all" => return Ok(Faults::ALL),
        _ => {}
    }
    let mut faults = Faults::NONE;
    for name in text.split(',') {
        if !faults.allow(name) {
            bail!("'{name}' is none of {}", Faults::NAMES.join(", "));
        }
    }
    Ok(faults)
}

pub(super) fn plant(text: &str) -> Result<Plant> {
    let names: Vec<&str> = Plant::ALL.into_iter().filter_map(Plant::name).collect();
    super::named(text, Plant::from_name(text), &names)
}
