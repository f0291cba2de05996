//! Real nodes, killed, stopped, wiped, added and taken away, while clients hold them to their word.
//!
//! `cargo xtask torture` builds the program and this, and runs it. The nodes are processes of the
//! `chordal` program on loopback, in a folder that is removed afterwards; clients speak the control
//! API. What clients may see is judged by the simulator's oracle. Nothing here is repeatable to the
//! byte: the seed repeats the choices, the machine adds its own.

mod bars;
mod clients;
mod events;
mod fleet;
mod healing;
mod http;
mod judge;
mod last_look;
mod limits;
mod machine;
mod options;
mod plan;
mod report;

use std::io::Write as _;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context as _, Result};
use clap::Parser as _;

use crate::clients::Clients;
use crate::events::Events;
use crate::fleet::Fleet;
use crate::judge::Judge;
use crate::options::Options;
use crate::report::Report;

fn main() -> ExitCode {
    let options = Options::parse();
    match run(&options) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            say(format_args!("torture: {error:#}"));
            ExitCode::from(2)
        }
    }
}

/// Whether every promise was kept. An error is one of the torture's own.
fn run(options: &Options) -> Result<bool> {
    let home = tempfile::Builder::new()
        .prefix("chordal-torture-")
        .tempdir_in(options.folder())
        .context("cannot make a folder for the nodes")?;
    say(format_args!(
        "torture: {}\ntorture: nodes and logs in {}",
        options.command_line(),
        home.path().display()
    ));
    if let Some(bytes) = options.bars {
        bars::run(options, bytes, home.path())?;
        return Ok(true);
    }
    let judge = Arc::new(Judge::new(options.patience));
    let fleet = Arc::new(Fleet::new(options, home.path()));
    let mut events = Events::new(options, Arc::clone(&fleet), Arc::clone(&judge));
    events.found()?;
    let began = Instant::now();
    let clients = Clients::start(options, &fleet, &judge);
    events.torment();
    clients.stop();
    let tormented = began.elapsed();
    let looked = last_look::look(options, &mut events, &fleet, &judge);
    events.end();
    let report = Report::new(options, &judge, &events, tormented, looked);
    say(format_args!("{report}"));
    if !report.is_clean() {
        let kept = home.keep();
        say(format_args!(
            "torture: the nodes' folders and logs are kept in {}",
            kept.display()
        ));
    }
    Ok(report.is_clean())
}

/// Says something on standard output; whoever closed it does not want to hear it.
fn say(what: std::fmt::Arguments<'_>) {
    writeln!(std::io::stdout(), "{what}").ok();
}
