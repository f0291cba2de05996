//! `chordal-sim`: the simulator without the product around it, so that it builds in seconds.
//!
//! What `chordal sim` understands, it understands too; without a command it simulates whole nodes.

use std::io::{self, Write};
use std::process::ExitCode;

use clap::Parser;

use chordal_sim::command::{Command, FilesArgs, Outcome, Unusable, run};

/// Simulates rings of Chordal nodes on virtual time, with faults, and checks every promise.
///
/// The same arguments are the same run. Ends with 1 when a promise was broken.
#[derive(Debug, Parser)]
#[command(
    name = "chordal-sim",
    version,
    args_conflicts_with_subcommands = true,
    disable_help_subcommand = true
)]
struct Arguments {
    #[command(flatten)]
    files: FilesArgs,
    #[command(subcommand)]
    command: Option<Command>,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let command = arguments.command.unwrap_or(Command::Files(arguments.files));
    match run(&command) {
        Ok(Outcome::Kept) => ExitCode::SUCCESS,
        Ok(Outcome::Broken(words)) => {
            drop(writeln!(io::stderr(), "error: {words}"));
            ExitCode::FAILURE
        }
        Err(error) => {
            drop(writeln!(io::stderr(), "error: {error:#}"));
            if error.is::<Unusable>() {
                ExitCode::from(2)
            } else {
                ExitCode::FAILURE
            }
        }
    }
}
