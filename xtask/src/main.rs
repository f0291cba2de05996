//! Tasks of the house: generated code, and the checks that hold the workspace in shape.
//!
//! `cargo run -p xtask -- codegen` writes the Rust of the `.proto` files; `-- reference --write` the page of
//! all commands; `-- check` lists what is untidy; `-- torture` runs real nodes under real faults; `-- browser` drives the dashboard in a browser. The checks run as tests of this package,
//! too. Nothing here is linked into the product.

mod browser;
mod codegen;
mod house;
mod layers;
mod reference;
mod tidy;
mod torture;

use std::io::Write;
use std::process::ExitCode;

use anyhow::{Result, bail, ensure};

const USAGE: &str =
    "usage: cargo run -p xtask -- codegen|check|reference --write|torture|browser [OPTIONS]";

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Standard error is the last place to complain: if it is closed, the exit code remains.
            drop(writeln!(std::io::stderr(), "xtask: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["codegen"] => codegen::write_all(&house::root())?,
        ["check"] => check()?,
        ["browser", options @ ..] => browser::run(&house::root(), options)?,
        ["reference", "--write"] => reference::write(&house::root())?,
        ["torture", options @ ..] => torture::run(&house::root(), options)?,
        _ => bail!("{USAGE}"),
    }
    Ok(())
}

/// Prints every finding and fails if there is one.
fn check() -> Result<()> {
    let root = house::root();
    let mut found = layers::check(&root)?;
    found.extend(tidy::check(&root)?);
    for line in &found {
        writeln!(std::io::stdout(), "{line}")?;
    }
    ensure!(found.is_empty(), "{} findings", found.len());
    Ok(())
}
