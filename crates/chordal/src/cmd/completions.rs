//! `completions`: for shells, generated from the flags themselves.

use clap_complete::Shell;

use super::Context;
use crate::cli;
use crate::trouble::Trouble;

pub(super) fn run(context: Context, shell: Shell) -> Result<(), Trouble> {
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut cli::command(), "chordal", &mut text);
    context.out.line(String::from_utf8_lossy(&text).trim_end())
}
