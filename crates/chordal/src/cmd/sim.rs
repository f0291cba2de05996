//! `sim`: rings on virtual time. Needs no node, no network and no disk.

use chordal_sim::command::{self, Outcome, SimArgs};

use crate::trouble::Trouble;

pub(super) async fn run(args: SimArgs) -> Result<(), Trouble> {
    let simulation = move || command::run(&args.into_command());
    let outcome = tokio::task::spawn_blocking(simulation).await;
    match outcome {
        Ok(Ok(Outcome::Kept)) => Ok(()),
        Ok(Ok(Outcome::Broken)) => Err(Trouble::failed("broken", "a promise was broken")),
        Ok(Err(error)) => Err(Trouble::failed("failed", format!("{error:#}"))),
        Err(stopped) => Err(Trouble::failed("failed", stopped.to_string())),
    }
}
