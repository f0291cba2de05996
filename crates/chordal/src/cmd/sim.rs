//! `sim`: rings on virtual time. Needs no node, no network and no disk.

use chordal_sim::command::{self, Outcome, SimArgs, Unusable};

use super::Context;
use crate::trouble::Trouble;

pub(super) async fn run(context: Context, args: SimArgs) -> Result<(), Trouble> {
    if context.common.json {
        return Err(Trouble::usage("a simulation prints lines; it has no --json").still(""));
    }
    let simulation = move || command::run(&args.into_command());
    let outcome = tokio::task::spawn_blocking(simulation).await;
    let trouble = match outcome {
        Ok(Ok(Outcome::Kept)) => return Ok(()),
        Ok(Ok(Outcome::Broken(words))) => Trouble::failed("broken", words),
        Ok(Err(error)) if error.is::<Unusable>() => Trouble::usage(error.to_string()),
        Ok(Err(error)) => Trouble::failed("failed", format!("{error:#}")),
        Err(stopped) => Trouble::failed("failed", stopped.to_string()),
    };
    // It touches nothing that somebody could fear for.
    Err(trouble.still(""))
}
