//! Builds the program and its torture, and runs the one with the other.
//!
//! What the torture does and how it judges is in `crates/chordal-torture`; this only starts it, with the
//! program of the same tree.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};

/// Builds both and runs the torture with these arguments. `--dev` takes the development build.
pub(crate) fn run(root: &Path, args: &[&str]) -> Result<()> {
    let is_dev = args.contains(&"--dev");
    let args = args.iter().filter(|arg| **arg != "--dev");
    let profile = if is_dev { "dev" } else { "release" };
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let built = Command::new(cargo)
        .args(["build", "--locked", "--profile", profile])
        .args(["-p", "chordal", "-p", "chordal-torture"])
        .current_dir(root)
        .status()
        .context("cannot run cargo build")?;
    ensure!(built.success(), "cargo build failed");
    let target =
        std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), Into::into);
    let folder = target.join(if is_dev { "debug" } else { "release" });
    let ended = Command::new(folder.join("chordal-torture"))
        .arg("--chordal")
        .arg(folder.join("chordal"))
        .args(args)
        .current_dir(root)
        .status()
        .context("cannot run chordal-torture")?;
    ensure!(
        ended.success(),
        "a promise was broken, or the torture failed: see above"
    );
    Ok(())
}
