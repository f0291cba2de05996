//! Tasks of the house: generated code, and the checks that hold the workspace in shape.
//!
//! `cargo run -p xtask -- codegen` writes the Rust of the `.proto` files. The checks run as the
//! tests of this package. Nothing here is linked into the product.

mod codegen;
mod house;

use std::io::Write;
use std::process::ExitCode;

use anyhow::{Result, bail};

const USAGE: &str = "usage: cargo run -p xtask -- codegen";

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
        _ => bail!("{USAGE}"),
    }
    Ok(())
}
