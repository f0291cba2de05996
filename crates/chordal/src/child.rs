//! Nodes as child processes of this program, for the demo and the measurements.
//!
//! They are real nodes: the same executable, told to run in a folder that is removed afterwards.
//! They end with this program, however it ends: killed when dropped, and when the pipe that they
//! hold breaks.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::{Duration, Instant};

use chordal_node::Home;

use crate::client::Client;
use crate::find;
use crate::service;
use crate::settings::SETTINGS;
use crate::trouble::Trouble;

/// How long a node may take to say that it is ready.
const READY_PATIENCE: Duration = Duration::from_mins(1);

/// A node that runs as a child.
#[derive(Debug)]
pub(crate) struct ChildNode {
    pub(crate) id: String,
    pub(crate) ring: SocketAddr,
    pub(crate) client: Client,
    /// From the start of the process to its ready line; with a join the join is in it.
    pub(crate) ready_after: Duration,
    process: Process,
}

/// A process that does not outlive this value.
#[derive(Debug)]
struct Process {
    child: Child,
    /// The child ends when this is closed.
    _lifeline: Option<ChildStdin>,
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended already.
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

impl ChildNode {
    /// Starts a node of this home on a free loopback port, and waits until it is ready.
    pub(crate) async fn start(home: &Path, flags: &[String]) -> Result<Self, Trouble> {
        Self::start_at(home, 0, flags).await
    }

    /// The same at this port: a node that was there before comes back.
    pub(crate) async fn start_at(
        home: &Path,
        port: u16,
        flags: &[String],
    ) -> Result<Self, Trouble> {
        let (home, flags) = (home.to_path_buf(), flags.to_vec());
        tokio::task::spawn_blocking(move || Self::start_blocking(&home, port, &flags))
            .await
            .map_err(|error| Trouble::failed("failed", error.to_string()))?
    }

    fn start_blocking(home: &Path, port: u16, flags: &[String]) -> Result<Self, Trouble> {
        let failed = |error: std::io::Error| Trouble::failed("no_child", error.to_string());
        let begun = Instant::now();
        let (log, log_path) = log_file(home).map_err(failed)?;
        let mut command = Command::new(std::env::current_exe().map_err(failed)?);
        command
            .args(["node", "127.0.0.1", &port.to_string()])
            .args(["--no-menu", "--until-stdin-ends"])
            .arg("--home")
            .arg(home)
            .args(flags)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(log);
        // What this user set is for nodes of their own, and no service manager asked for these.
        command.env_remove(service::SOCKET);
        for setting in SETTINGS {
            command.env_remove(setting.variable());
        }
        // A Ctrl-C is this program's to handle: it takes its children down in its own order.
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        let mut child = command.spawn().map_err(failed)?;
        let (lifeline, output) = (child.stdin.take(), child.stdout.take());
        let process = Process {
            child,
            _lifeline: lifeline,
        };
        let line = output.and_then(first_line).ok_or_else(|| {
            let log = std::fs::read_to_string(&log_path).unwrap_or_default();
            let last = log.lines().last().unwrap_or("it said nothing").to_owned();
            Trouble::failed("no_child", format!("a node did not start: {last}"))
        })?;
        let ready_after = begun.elapsed();
        let field = |name: &str| {
            line.split(' ')
                .find_map(|word| word.strip_prefix(name)?.strip_prefix('='))
        };
        let strange = || Trouble::failed("no_child", format!("a node said '{line}'"));
        let id = field("node").ok_or_else(strange)?.to_owned();
        let ring: SocketAddr = field("ring")
            .and_then(|addr| addr.parse().ok())
            .ok_or_else(strange)?;
        let running = Home::at(home)
            .find(ring)
            .map_err(|error| Trouble::failed("io", error.to_string()))?
            .ok_or_else(strange)?;
        Ok(Self {
            id,
            ring,
            client: find::client_of(&running)?,
            ready_after,
            process,
        })
    }

    /// The process number.
    pub(crate) fn pid(&self) -> u32 {
        self.process.child.id()
    }

    /// Ends it without a word, as a power cut would.
    pub(crate) fn kill(&mut self) {
        // It may have ended already.
        self.process.child.kill().ok();
        self.process.child.wait().ok();
    }
}

fn log_file(home: &Path) -> std::io::Result<(File, PathBuf)> {
    std::fs::create_dir_all(home)?;
    let (file, path) = tempfile::Builder::new()
        .prefix("node-")
        .suffix(".log")
        .tempfile_in(home)?
        .keep()
        .map_err(|error| error.error)?;
    Ok((file, path))
}

/// The first line that a node prints; nothing when it ends or takes too long.
fn first_line(output: impl std::io::Read + Send + 'static) -> Option<String> {
    let (sender, line) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let mut text = String::new();
        let read = BufReader::new(output).read_line(&mut text);
        // Whoever waited may have given up.
        sender.send(read.map(|_| text)).ok();
    });
    let text = line.recv_timeout(READY_PATIENCE).ok()?.ok()?;
    text.starts_with("ready ").then(|| text.trim().to_owned())
}
