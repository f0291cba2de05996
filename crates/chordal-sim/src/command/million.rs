//! `million`: a ring of very many nodes on successor lists and fingers.

use std::io::{self, Write};
use std::num::NonZeroUsize;
use std::thread;
use std::time::Duration;

use anyhow::Result;
use clap::Args;

use super::human::time;
use super::{Outcome, require};
use crate::scale::{self, ScaleOptions};

/// A ring of very many nodes: memory, hops, and whether it heals.
///
/// The nodes know those that their pointers name and no others, and begin in the ideal state. Ends
/// with 1 when a lookup of the quiet ring failed or the ring is not whole at the end.
#[derive(Clone, Debug, Args)]
pub struct MillionArgs {
    /// Nodes, one token each
    #[arg(long, value_name = "N", default_value_t = 1_000_000)]
    nodes: usize,
    /// Lookups in the quiet ring; a tenth as many again while nodes come and go
    #[arg(long, value_name = "N", default_value_t = 100_000)]
    lookups: usize,
    /// How long nodes come and go, in virtual time; 20 seconds to settle follow
    #[arg(long = "for", value_name = "TIME", value_parser = time, default_value = "4s")]
    time: Duration,
    /// How many nodes crash, and how many join, while they come and go: more than one in a
    /// thousand a second is more than nodes can notice
    #[arg(long, value_name = "N", default_value_t = 1000)]
    changes: usize,
    /// Chooses everything
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// Threads that work on it, which changes nothing but the time it takes; as many as the
    /// machine runs at once if not said
    #[arg(long, value_name = "N")]
    threads: Option<NonZeroUsize>,
}

/// Runs what was asked for.
pub(super) fn run(arguments: &MillionArgs) -> Result<Outcome> {
    let nodes = arguments.nodes;
    require(nodes > 1, "a ring to look around in has two nodes at least")?;
    require(arguments.changes < nodes, "some nodes must stay")?;
    let at_once = || thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
    let report = scale::run(ScaleOptions {
        nodes: arguments.nodes,
        lookups: arguments.lookups,
        churn: arguments.time,
        changes: arguments.changes,
        seed: arguments.seed,
        threads: arguments.threads.unwrap_or_else(at_once).get(),
    });
    writeln!(io::stdout(), "{report}")?;
    Ok(if report.is_right() {
        Outcome::Kept
    } else {
        Outcome::Broken("a lookup of the quiet ring failed, or the ring is not whole in the end")
    })
}
