//! The command line: what `chordal sim` and `chordal-sim` understand, and what they print.
//!
//! One module a command. A command prints to standard output and decides nothing about rings; it
//! ends with [`Outcome::Broken`] when a promise was broken, so that scripts notice.

mod at_once;
mod figures;
mod files;
mod human;
mod million;
mod mistakes;
mod model;
mod registers;
mod replay;
mod ring;
mod traffic;

use std::any::Any;
use std::ops::RangeInclusive;

use anyhow::{Context, Result, ensure};
use clap::{Args, Subcommand};

pub use self::figures::FiguresArgs;
pub use self::files::FilesArgs;
pub use self::million::MillionArgs;
pub use self::mistakes::MistakesArgs;
pub use self::model::ModelArgs;
pub use self::registers::RegistersArgs;
pub use self::replay::ReplayArgs;
pub use self::ring::RingArgs;
pub use self::traffic::TrafficArgs;

/// What to simulate: the ring by itself unless a command says otherwise.
#[derive(Clone, Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct SimArgs {
    #[command(flatten)]
    ring: RingArgs,
    #[command(subcommand)]
    command: Option<Command>,
}

/// What to simulate.
#[derive(Clone, Debug, Subcommand)]
pub enum Command {
    /// The ring by itself: membership and pointers of up to thousands of nodes
    Ring(RingArgs),
    /// Whole nodes with their disks and clients, and every promise about files
    Files(FilesArgs),
    /// Each mistake that is made on purpose in whole nodes, and how many seeds it takes to see it
    Mistakes(MistakesArgs),
    /// A ring of very many nodes, on successor lists and fingers alone
    Million(MillionArgs),
    /// What real nodes recorded with --record, told again to the same code, step by step
    Replay(ReplayArgs),
    /// The figures of the Chord papers, measured on this program's own code
    Figures(FiguresArgs),
    /// Every world that a few tokens can reach: the model checker
    Model(ModelArgs),
    /// Every world that a name and a few nodes can reach while its holders change
    Registers(RegistersArgs),
    /// Bytes that a ring costs when nobody uses it, idle or with nodes that come and go
    Traffic(TrafficArgs),
}

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Every promise was kept.
    Kept,
    /// Something is not as it should be, in these words; what was printed says more.
    Broken(&'static str),
}

/// Arguments that make no sense, alone or together.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Unusable(String);

/// Refuses arguments that make no sense.
fn require(sense: bool, otherwise: impl Into<String>) -> Result<()> {
    if sense {
        Ok(())
    } else {
        Err(Unusable(otherwise.into()).into())
    }
}

/// Of runs that check promises.
const BROKEN_PROMISE: Outcome =
    Outcome::Broken("a promise was broken; the lines above say which, and how to see it again");

impl SimArgs {
    /// The command that was meant.
    pub fn into_command(self) -> Command {
        self.command.unwrap_or(Command::Ring(self.ring))
    }
}

/// Does what was typed. Takes as long as it takes, on this thread and, for many seeds, on as many
/// others as there are processors.
pub fn run(command: &Command) -> Result<Outcome> {
    match command {
        Command::Ring(arguments) => ring::run(arguments),
        Command::Files(arguments) => files::run(arguments),
        Command::Mistakes(arguments) => mistakes::run(arguments),
        Command::Million(arguments) => million::run(arguments),
        Command::Replay(arguments) => replay::run(arguments),
        Command::Traffic(arguments) => traffic::run(arguments),
        Command::Figures(arguments) => figures::run(arguments),
        Command::Model(arguments) => model::run(arguments),
        Command::Registers(arguments) => registers::run(arguments),
    }
}

/// What somebody chose by its name, or which names there are.
fn named<T>(text: &str, found: Option<T>, names: &[&str]) -> Result<T> {
    found.with_context(|| format!("'{text}' is none of {}", names.join(", ")))
}

/// What a panic said.
fn panic_words(panic: &(dyn Any + Send)) -> String {
    if let Some(words) = panic.downcast_ref::<String>() {
        words.clone()
    } else if let Some(words) = panic.downcast_ref::<&str>() {
        (*words).to_owned()
    } else {
        "without words".to_owned()
    }
}

/// Reads `A..=B`, or `A` for a range of one.
fn range<T>(text: &str) -> Result<RangeInclusive<T>>
where
    T: std::str::FromStr + PartialOrd + Copy,
    T::Err: std::error::Error + Send + Sync + 'static,
{
    let read = |text: &str| {
        text.parse::<T>()
            .with_context(|| format!("'{text}' is no number"))
    };
    let (first, last) = match text.split_once("..=") {
        Some((first, last)) => (read(first)?, read(last)?),
        None => (read(text)?, read(text)?),
    };
    ensure!(first <= last, "'{text}' is an empty range");
    Ok(first..=last)
}

#[cfg(test)]
mod tests;
