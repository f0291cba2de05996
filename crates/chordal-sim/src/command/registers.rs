//! `registers`: explores every world of a name whose holders change, and says what it found.

use std::io::{self, Write};

use anyhow::Result;
use clap::Args;

use super::Outcome;
use crate::registers::{Mistake, bounded, demonstration, explore, full};

/// Which worlds to explore.
#[derive(Clone, Debug, Args)]
pub struct RegistersArgs {
    /// The explorations of docs/proof.md, some minutes long, instead of the gate's
    #[arg(long, conflicts_with = "mistake")]
    full: bool,
    /// Make a mistake on purpose and print the shortest way to a read that finds too little
    #[arg(long, value_name = "MISTAKE", value_parser = mistake)]
    mistake: Option<Mistake>,
}

pub(super) fn run(arguments: &RegistersArgs) -> Result<Outcome> {
    let settings = match arguments.mistake {
        Some(mistake) => vec![demonstration(mistake)],
        None if arguments.full => full(),
        None => bounded(),
    };
    let mut out = io::stdout();
    let mut outcome = Outcome::Kept;
    for setting in &settings {
        let findings = explore(setting);
        writeln!(
            out,
            "{}: {} nodes, {} changes of membership{}, {} writes, {} reads, {} restarts\n  \
             {} worlds, {} moves",
            setting.name,
            setting.nodes,
            setting.changes,
            if setting.piecewise {
                ", tables travel in pieces"
            } else {
                ""
            },
            setting.writes,
            setting.reads,
            setting.restarts,
            findings.worlds,
            findings.moves,
        )?;
        match findings.wrong {
            Some((flaw, way)) => {
                writeln!(out, "  {}\n  WRONG: {flaw}", way.join("\n  "))?;
                outcome = Outcome::Broken("a read can find less than was acknowledged");
            }
            None if findings.unfinished => {
                writeln!(out, "  UNFINISHED: too many worlds")?;
                outcome = Outcome::Broken("an exploration was not finished");
            }
            None => writeln!(out, "  right")?,
        }
        out.flush()?;
    }
    Ok(outcome)
}

fn mistake(text: &str) -> Result<Mistake> {
    let names = Mistake::ALL.map(Mistake::name);
    super::named(text, Mistake::from_name(text), &names)
}
