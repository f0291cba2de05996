//! The program: flags in, the right command, an exit code out.
//!
//! This crate talks to people and scripts. It runs a node when told to, and asks a running one
//! over its control API for everything else. It decides nothing about rings and files.

mod amounts;
mod bench;
mod child;
mod cli;
mod client;
mod cmd;
mod find;
mod log;
mod menu;
mod names;
mod out;
mod picture;
mod progress;
mod receipt;
mod reference;
mod service;
mod settings;
mod trouble;
mod watch;

use std::io::{IsTerminal, Write};
use std::process::ExitCode;

use crate::cli::Cli;
use crate::out::Paint;
use crate::settings::{InForce, NotUnderstood};
use crate::trouble::{Exit, Trouble};

fn main() -> ExitCode {
    let args: Vec<_> = std::env::args_os().collect();
    let json = args.iter().any(|arg| arg == "--json");
    let understood = settings::understand(&args, |name| std::env::var_os(name));
    let ended = match understood {
        Ok((cli, in_force)) => settings::check_variables(std::env::vars_os().map(|(name, _)| name))
            .and_then(|()| run(cli, in_force)),
        Err(NotUnderstood::Typed(error)) => return not_a_command(&error, json),
        Err(NotUnderstood::Set(trouble)) => Err(trouble),
    };
    match ended {
        Ok(()) => Exit::Done.into(),
        Err(trouble) => {
            report(&trouble, json);
            trouble.exit().into()
        }
    }
}

fn run(cli: Cli, in_force: InForce) -> Result<(), Trouble> {
    log::start(&cli.common, cmd::log_filter(&cli.command))?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Trouble::failed("failed", format!("no threads: {error}")))?;
    let result = runtime.block_on(cmd::run(cli, in_force));
    // A thread that waits for a terminal or a pipe must not keep the program alive.
    runtime.shutdown_background();
    result
}

/// Help and version are asked for; everything else is a mistake in the command.
fn not_a_command(error: &clap::Error, json: bool) -> ExitCode {
    if json && error.use_stderr() {
        let text = error.render().to_string();
        let message = text.trim().trim_start_matches("error: ");
        report(
            &Trouble::usage(message).advice("See `chordal --help`."),
            json,
        );
    } else {
        // Nobody reads: nothing to be done about it.
        drop(error.print());
    }
    if error.use_stderr() {
        Exit::Usage.into()
    } else {
        Exit::Done.into()
    }
}

/// Says what went wrong, on standard error.
fn report(trouble: &Trouble, json: bool) {
    if trouble.is_silent() {
        return;
    }
    let text = if json {
        serde_json::to_string(trouble).unwrap_or_else(|_| trouble.paragraph())
    } else {
        // It may hold names that others chose.
        let lines: Vec<String> = trouble.paragraph().lines().map(out::visible).collect();
        let text = format!("error: {}", lines.join("\n"));
        let text = if std::io::stderr().is_terminal() {
            out::fold(&text, out::COLUMNS)
        } else {
            text
        };
        let red = Paint::for_errors().red("error:").to_string();
        text.replacen("error:", &red, 1)
    };
    // There is no other place to complain when standard error is closed.
    drop(writeln!(std::io::stderr().lock(), "{text}"));
}
