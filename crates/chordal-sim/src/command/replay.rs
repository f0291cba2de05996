//! `replay`: what nodes recorded, told again to the same code.

use std::collections::BTreeSet;
use std::io::{self, BufWriter, Write as _};
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use clap::Args;

use super::Outcome;
use crate::replay::{Options, Show, Verdict, replay};

/// Tells recordings again to the same code, and shows every decision.
#[derive(Clone, Debug, Args)]
pub struct ReplayArgs {
    /// Files written by `--record`, of one node or of several, in any order
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Only the node with this id or the beginning of it, or at this IP:PORT
    #[arg(long, value_name = "NODE")]
    only: Vec<String>,
    /// Show only steps from this many seconds after the first recording's start
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    from: Option<Duration>,
    /// Show only steps up to this many seconds after the first recording's start
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    to: Option<Duration>,
    /// Only say whether each node came to the same state
    #[arg(long)]
    quiet: bool,
}

/// A file that is named twice, once by a pattern perhaps, is read once.
fn each_once(files: &[PathBuf]) -> Vec<PathBuf> {
    let mut known = BTreeSet::new();
    let is_new =
        |file: &&PathBuf| known.insert(file.canonicalize().unwrap_or_else(|_| (*file).clone()));
    files.iter().filter(is_new).cloned().collect()
}

pub(super) fn run(arguments: &ReplayArgs) -> Result<Outcome> {
    let options = Options {
        files: each_once(&arguments.files),
        nodes: arguments.only.clone(),
        show: if arguments.quiet {
            Show::Verdicts
        } else {
            Show::Steps
        },
        from: arguments.from,
        to: arguments.to,
    };
    let mut out = BufWriter::new(io::stdout().lock());
    let verdicts = match replay(&options, &mut out) {
        // A reader that goes away is no error.
        Err(error) if is_broken_pipe(&error) => return Ok(Outcome::Kept),
        other => other?,
    };
    out.flush()?;
    Ok(if verdicts.iter().all(Verdict::is_same) {
        Outcome::Kept
    } else {
        Outcome::Broken("told the same, this program does not come to what was recorded")
    })
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    let cause = error.downcast_ref::<io::Error>();
    cause.is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}

fn seconds(text: &str) -> Result<Duration> {
    let number: f64 = text
        .trim_end_matches('s')
        .parse()
        .with_context(|| format!("'{text}' is no number of seconds"))?;
    ensure!(
        number.is_finite() && number >= 0.0,
        "a time is not negative"
    );
    Duration::try_from_secs_f64(number).with_context(|| format!("'{text}' is too long"))
}
