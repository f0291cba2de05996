//! `mistakes`: makes each mistake in turn, and says how many seeds it took to see it.

use std::io::{self, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};

use anyhow::Result;
use clap::Args;

use super::at_once::at_once;
use super::files::plant;
use super::{Outcome, require};
use crate::{Faults, Options, Plant, run as simulate_run};

/// Mistakes made on purpose: who looks for them, and for how long.
#[derive(Clone, Debug, Args)]
pub struct MistakesArgs {
    /// Give a mistake up after so many seeds
    #[arg(long, value_name = "N", default_value_t = 500)]
    seeds: u64,
    /// Only these mistakes
    #[arg(long, value_name = "MISTAKE,..", value_delimiter = ',', value_parser = plant)]
    only: Vec<Plant>,
}

/// What became of a mistake.
enum Found {
    /// Seen at this seed: what was broken there.
    At(u64, String),
    /// Not seen.
    Never,
}

/// Runs what was asked for: a row of a table for each mistake.
pub(super) fn run(arguments: &MistakesArgs) -> Result<Outcome> {
    require(arguments.seeds > 0, "at least one seed is needed")?;
    let plants = if arguments.only.is_empty() {
        Plant::ALL.to_vec()
    } else {
        arguments.only.clone()
    };
    let mut found: Vec<Option<Found>> = plants.iter().map(|_| None).collect();
    let work = |place: usize| (place, look_for(plants[place], arguments.seeds));
    at_once(0..plants.len(), work, |(place, result)| {
        found[place] = Some(result);
        Ok(())
    })?;
    print(&plants, &found, arguments.seeds)
}

fn print(plants: &[Plant], found: &[Option<Found>], seeds: u64) -> Result<Outcome> {
    let mut out = io::stdout();
    writeln!(out, "| mistake | seeds | broken |\n|---|---|---|")?;
    let mut outcome = Outcome::Kept;
    for (plant, found) in plants.iter().zip(found) {
        let name = plant.name().unwrap_or("nothing");
        match found {
            Some(Found::At(seed, what)) => writeln!(out, "| `{name}` | {seed} | {what} |")?,
            Some(Found::Never) | None => {
                writeln!(out, "| `{name}` | not in {seeds} | |")?;
                outcome = Outcome::Broken("a mistake was not seen");
            }
        }
    }
    Ok(outcome)
}

/// Makes a mistake seed by seed, until a run fails that passes without it.
fn look_for(plant: Plant, seeds: u64) -> Found {
    for seed in 1..=seeds {
        if let Some(what) = broken(plant, seed)
            && broken(Plant::Nothing, seed).is_none()
        {
            return Found::At(seed, what);
        }
    }
    Found::Never
}

/// What is broken in a run, if anything is.
fn broken(plant: Plant, seed: u64) -> Option<String> {
    let options = Options {
        seed,
        nodes: 3..=12,
        down_max: 2,
        faults: Faults::ALL,
        plant,
        ..Options::default()
    };
    match catch_unwind(AssertUnwindSafe(|| simulate_run(&options, None))) {
        Ok(report) => report
            .outcome
            .err()
            .map(|violation| violation.promise.to_owned()),
        Err(_) => Some("no panic".to_owned()),
    }
}
