//! Writes the page of the book that is made of the program's flags: `docs/commands.md`.
//!
//! What stands in it, the program says itself; a test of the program holds the two together.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};

/// Builds the program, asks it, and writes what it says.
pub(crate) fn write(root: &Path) -> Result<()> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let asked = Command::new(cargo)
        .args(["run", "--quiet", "--locked", "-p", "chordal", "--"])
        .args(["man", "--markdown"])
        .current_dir(root)
        .output()
        .context("cannot run cargo")?;
    let said = String::from_utf8_lossy(&asked.stderr);
    ensure!(asked.status.success(), "the program did not tell: {said}");
    let page = root.join("docs/commands.md");
    std::fs::write(&page, asked.stdout).with_context(|| format!("cannot write {}", page.display()))
}
