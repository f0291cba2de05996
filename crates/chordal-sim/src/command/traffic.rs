//! `chordal sim traffic`: what a ring costs when nobody uses it.

use std::io::{self, Write as _};
use std::time::Duration;

use anyhow::Result;
use chordal_proto::Settings;
use clap::Args;

use super::{BROKEN_PROMISE, Outcome};
use crate::traffic::{Options, measure};

/// What to measure.
#[derive(Clone, Debug, Args)]
pub struct TrafficArgs {
    /// Seed of every choice
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// Nodes in the ring
    #[arg(long, value_name = "N", default_value_t = 100)]
    nodes: usize,
    /// Tokens of each node
    #[arg(long, value_name = "N", default_value_t = 8)]
    tokens: u8,
    /// Mean stay of a node, in seconds; half leave, half crash [default: everybody stays]
    #[arg(long, value_name = "S")]
    session: Option<u64>,
    /// How long the ring settles before anything counts, in virtual seconds
    #[arg(long, value_name = "S", default_value_t = 300)]
    settle: u64,
    /// How long is counted, in virtual seconds
    #[arg(long, value_name = "S", default_value_t = 600)]
    seconds: u64,
    /// The probability that a message is lost
    #[arg(long, value_name = "P", default_value_t = 0.0)]
    loss: f64,
}

pub(super) fn run(arguments: &TrafficArgs) -> Result<Outcome> {
    let options = Options {
        seed: arguments.seed,
        nodes: arguments.nodes,
        tokens: arguments.tokens,
        settings: Settings::default(),
        session: arguments.session.map(Duration::from_secs),
        settle: Duration::from_secs(arguments.settle),
        measure: Duration::from_secs(arguments.seconds),
        loss: arguments.loss,
    };
    match measure(options) {
        Ok(report) => {
            writeln!(io::stdout(), "{report}")?;
            Ok(Outcome::Kept)
        }
        Err(violation) => {
            writeln!(io::stdout(), "{violation}")?;
            Ok(BROKEN_PROMISE)
        }
    }
}
