//! Drives the dashboard in a headless browser, where there is one.
//!
//! What is tested is in `crates/chordal-web/browser`; this finds what it needs, builds the program and
//! starts it. A machine without a browser, without Node.js, or without the one package that drives the
//! browser has nothing to test with: that is said in one line and is no failure.

use std::ffi::OsString;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail, ensure};

const CHROMIUMS: &[&str] = &["chromium", "chromium-browser", "google-chrome"];

/// Nodes in the ring that no test starts.
const CANNED_NODES: &str = "300";

/// Runs the tests, or says why not. `--shots FOLDER` keeps pictures of what was seen.
pub(crate) fn run(root: &Path, args: &[&str]) -> Result<()> {
    let shots = match args {
        [] => None,
        ["--shots", folder] => Some(std::path::absolute(folder)?),
        _ => bail!("usage: cargo run -p xtask -- browser [--shots FOLDER]"),
    };
    let wanted = std::env::var_os("CHORDAL_CHROMIUM").map(PathBuf::from);
    let Some(chromium) = wanted.or_else(|| CHROMIUMS.iter().find_map(|name| on_path(name))) else {
        return skipped("there is no Chromium here");
    };
    let (Some(node), Some(npm)) = (on_path("node"), on_path("npm")) else {
        return skipped("there is no Node.js with npm here");
    };
    let tests = root.join("crates/chordal-web/browser");
    let target =
        std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
    let modules = target.join("browser");
    if !installed(&tests, &modules, &npm)? {
        return skipped("the package that drives the browser cannot be had");
    }
    build(root, &["-p", "chordal"])?;
    build(root, &["-p", "chordal-web", "--example", "canned"])?;
    let canned = Command::new(target.join("debug/examples/canned"))
        .arg(CANNED_NODES)
        .output()
        .context("cannot run the example `canned`")?;
    ensure!(canned.status.success(), "the example `canned` failed");
    let file = modules.join("canned.json");
    fs::write(&file, canned.stdout)?;
    let mut command = Command::new(node);
    command
        .arg(tests.join("run.mjs"))
        .env("CHORDAL", target.join("debug/chordal"))
        .env("CHROMIUM", chromium)
        .env("MODULES", &modules)
        .env("CANNED", file);
    if let Some(shots) = shots {
        fs::create_dir_all(&shots)?;
        command.env("SHOTS", shots);
    }
    let ended = command.status().context("cannot run node")?;
    ensure!(
        ended.success(),
        "the dashboard is not as it should be: see above"
    );
    Ok(())
}

fn skipped(why: &str) -> Result<()> {
    writeln!(std::io::stdout(), "skipped: {why}")?;
    Ok(())
}

fn on_path(name: &str) -> Option<PathBuf> {
    let path: OsString = std::env::var_os("PATH")?;
    let mut files = std::env::split_paths(&path).map(|folder| folder.join(name));
    files.find(|file| file.is_file())
}

/// Whether the packages of the lock file are there, or could be fetched.
fn installed(tests: &Path, modules: &Path, npm: &Path) -> Result<bool> {
    fs::create_dir_all(modules)?;
    let lock = fs::read(tests.join("package-lock.json"))?;
    let kept = modules.join("installed-lock.json");
    if fs::read(&kept).is_ok_and(|known| known == lock) {
        return Ok(true);
    }
    for name in ["package.json", "package-lock.json"] {
        fs::copy(tests.join(name), modules.join(name))?;
    }
    let fetched = Command::new(npm)
        .args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"])
        .args(["--fetch-retries", "1", "--fetch-timeout", "20000"])
        .current_dir(modules)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .status()
        .context("cannot run npm")?;
    if fetched.success() {
        fs::write(kept, lock)?;
    }
    Ok(fetched.success())
}

fn build(root: &Path, what: &[&str]) -> Result<()> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let built = Command::new(cargo)
        .args(["build", "--locked", "--quiet"])
        .args(what)
        .current_dir(root)
        .status()
        .context("cannot run cargo build")?;
    ensure!(built.success(), "cargo build failed");
    Ok(())
}
