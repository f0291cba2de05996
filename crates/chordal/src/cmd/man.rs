//! `man`: the manual page, generated from the flags themselves.

use clap::CommandFactory;

use super::Context;
use crate::cli::Cli;
use crate::trouble::Trouble;

pub(super) fn run(context: Context) -> Result<(), Trouble> {
    let mut text = Vec::new();
    clap_mangen::Man::new(Cli::command())
        .render(&mut text)
        .map_err(|error| Trouble::failed("failed", error.to_string()))?;
    context.out.line(String::from_utf8_lossy(&text).trim_end())
}
