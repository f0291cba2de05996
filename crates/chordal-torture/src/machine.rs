//! One machine: a folder and, while it runs, a process of the `chordal` program.

use std::fs::{File, OpenOptions};
use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, anyhow, bail};
use chordal_object::NodeId;
use rustix::process::{Pid, Signal, kill_process};

use crate::limits::{END_PATIENCE, READY_PATIENCE};

/// How nodes are started.
#[derive(Clone, Debug)]
pub(crate) struct Program {
    /// The executable.
    pub(crate) chordal: PathBuf,
    /// `CHORDAL_HOME` of all nodes.
    pub(crate) home: PathBuf,
    /// Their grace time.
    pub(crate) grace: Duration,
    /// How many bytes a second each may copy.
    pub(crate) repair_rate: u64,
    /// What each node offers, in bytes; nothing: what it offers by itself.
    pub(crate) offer: Option<u64>,
    /// Whether they record what they decide upon.
    pub(crate) record: bool,
}

/// A machine.
#[derive(Debug)]
pub(crate) struct Machine {
    /// What it is called in the report.
    pub(crate) number: usize,
    /// The port it has had since it was first started.
    port: u16,
    /// How often it was started.
    starts: u32,
    /// Nothing while it is switched off.
    pub(crate) life: Option<Life>,
}

/// A node that runs.
#[derive(Debug)]
pub(crate) struct Life {
    /// Its identity.
    pub(crate) id: NodeId,
    /// Where the others reach it.
    pub(crate) ring: SocketAddr,
    /// Where its control API listens.
    pub(crate) http: SocketAddr,
    /// The secret of that.
    pub(crate) token: String,
    child: Child,
    /// The node ends when this is closed, so that it does not outlive this program.
    _lifeline: Option<ChildStdin>,
}

impl Drop for Life {
    fn drop(&mut self) {
        // It may have ended already.
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

impl Machine {
    /// A machine that is switched off and has no folder yet.
    pub(crate) const fn new(number: usize) -> Self {
        Self {
            number,
            port: 0,
            starts: 0,
            life: None,
        }
    }

    /// Starts the node; one without a folder joins the ring at one of these addresses.
    pub(crate) fn start(&mut self, program: &Program, join: &[SocketAddr]) -> Result<()> {
        let log = program.home.join(format!("machine-{}.log", self.number));
        let mut command = Command::new(&program.chordal);
        command
            .args(["node", "127.0.0.1", &self.port.to_string()])
            .args(["--no-menu", "--until-stdin-ends", "--home"])
            .arg(&program.home)
            .args(["--grace", &format!("{}s", program.grace.as_secs())])
            .args(["--repair-rate", &program.repair_rate.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(append(&log)?);
        if let Some(bytes) = program.offer {
            command.args(["--offer", &bytes.to_string()]);
        }
        // What somebody has set for nodes of their own is not for these.
        let set = std::env::vars_os().map(|(name, _)| name);
        for name in set.filter(|name| name.to_string_lossy().starts_with("CHORDAL_")) {
            command.env_remove(name);
        }
        self.starts += 1;
        if program.record {
            let file = format!("machine-{}.{}.record", self.number, self.starts);
            command.arg("--record").arg(program.home.join(file));
        }
        for addr in join {
            command.args(["--join", &addr.to_string()]);
        }
        // A Ctrl-C is for this program. A stopped node wakes up and ends when this program does:
        // the system tells the groups that nobody looks after any more.
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        let mut child = command
            .spawn()
            .with_context(|| format!("cannot start {}", program.chordal.display()))?;
        let (lifeline, output) = (child.stdin.take(), child.stdout.take());
        let line = output.and_then(first_line);
        let life = line.as_deref().and_then(|line| read_ready(line, program));
        let Some((id, ring, http, token)) = life else {
            child.kill().ok();
            child.wait().ok();
            let text = std::fs::read_to_string(&log).unwrap_or_default();
            let said = text.lines().last().unwrap_or("nothing");
            bail!("machine {} did not start: {said}", self.number);
        };
        self.port = ring.port();
        self.life = Some(Life {
            id,
            ring,
            http,
            token,
            child,
            _lifeline: lifeline,
        });
        Ok(())
    }

    /// Switches it off, as a power cut would.
    pub(crate) fn kill(&mut self) {
        self.life = None;
    }

    /// Removes everything the node had.
    pub(crate) fn wipe(&mut self, program: &Program) -> Result<()> {
        self.kill();
        let folder = self.folder(&program.home);
        std::fs::remove_dir_all(&folder)
            .with_context(|| format!("cannot remove {}", folder.display()))
    }

    /// Where its node keeps everything.
    pub(crate) fn folder(&self, home: &Path) -> PathBuf {
        home.join("nodes").join(self.port.to_string())
    }

    /// Sends the node a signal.
    pub(crate) fn signal(&self, signal: Signal) -> Result<()> {
        let life = self.life.as_ref().ok_or_else(|| anyhow!("it is off"))?;
        let pid = i32::try_from(life.child.id()).ok().and_then(Pid::from_raw);
        kill_process(pid.context("no process number")?, signal)
            .with_context(|| format!("cannot send {signal:?} to machine {}", self.number))
    }

    /// Waits until the node has ended by itself, and says whether it was content.
    pub(crate) fn wait_end(&mut self) -> Result<bool> {
        let until = Instant::now() + END_PATIENCE;
        let Some(life) = &mut self.life else {
            return Ok(true);
        };
        while Instant::now() < until {
            if let Some(status) = life.child.try_wait()? {
                self.life = None;
                return Ok(status.success());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        bail!("machine {} does not end", self.number)
    }

    /// Whether the node has ended though nobody asked it to.
    pub(crate) fn has_died(&mut self) -> bool {
        let life = self.life.as_mut();
        life.is_some_and(|life| matches!(life.child.try_wait(), Ok(Some(_))))
    }
}

fn append(path: &Path) -> Result<File> {
    OpenOptions::new()
        .create(true)
        .append(true)
        .open(path)
        .with_context(|| format!("cannot open {}", path.display()))
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
    line.recv_timeout(READY_PATIENCE).ok()?.ok()
}

fn read_ready(line: &str, program: &Program) -> Option<(NodeId, SocketAddr, SocketAddr, String)> {
    let mut words = line.trim().strip_prefix("ready ")?.split(' ');
    let mut field = |name: &str| words.find_map(|word| word.strip_prefix(name)?.strip_prefix('='));
    let id = field("node")?.parse().ok()?;
    let ring: SocketAddr = field("ring")?.parse().ok()?;
    let http = field("http")?.parse().ok()?;
    let folder = program.home.join("nodes").join(ring.port().to_string());
    let token = std::fs::read_to_string(folder.join("control.token")).ok()?;
    Some((id, ring, http, token.trim().to_owned()))
}
