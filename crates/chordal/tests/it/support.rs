//! Homes, nodes and commands for the tests.

use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

/// How long anything may take before a test fails.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// The program, knowing nothing of the machine's own nodes.
pub(crate) fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_chordal"));
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("CHORDAL_") {
            command.env_remove(name);
        }
    }
    command.env_remove("NOTIFY_SOCKET");
    command
}

/// A home for nodes, removed in the end.
pub(crate) struct Home {
    folder: TempDir,
}

impl Home {
    pub(crate) fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
        }
    }

    /// A path for files of the test, beside the nodes' own.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        let files = self.folder.path().join("files");
        std::fs::create_dir_all(&files).unwrap();
        files.join(name)
    }

    /// The folder of such files.
    pub(crate) fn files(&self) -> PathBuf {
        self.path("x").parent().unwrap().to_path_buf()
    }

    /// A file with this content.
    pub(crate) fn file(&self, name: &str, content: &[u8]) -> PathBuf {
        let path = self.path(name);
        std::fs::write(&path, content).unwrap();
        path
    }

    pub(crate) fn root(&self) -> &Path {
        self.folder.path()
    }

    /// A command in this home.
    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = program();
        command
            .env("CHORDAL_HOME", self.folder.path().join("home"))
            .current_dir(self.files())
            .args(args);
        command
    }

    /// The secret of a node's control API.
    pub(crate) fn token(&self, node: &Node) -> String {
        let (_, port) = node.ring.rsplit_once(':').unwrap();
        let folder = self.folder.path().join("home/nodes").join(port);
        let token = std::fs::read_to_string(folder.join("control.token")).unwrap();
        token.trim().to_owned()
    }

    /// Runs a command to its end.
    pub(crate) fn run(&self, args: &[&str]) -> Ended {
        Ended::of(self.command(args).output().unwrap())
    }

    /// Runs a command that must succeed.
    pub(crate) fn ok(&self, args: &[&str]) -> Ended {
        let ended = self.run(args);
        assert_eq!(ended.code, 0, "{args:?}: {ended:?}");
        ended
    }

    /// Runs a command with these bytes on its standard input.
    pub(crate) fn feed(&self, args: &[&str], input: &[u8]) -> Ended {
        let mut child = self
            .command(args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdin = child.stdin.take().unwrap();
        let input = input.to_vec();
        let feeding = std::thread::spawn(move || stdin.write_all(&input));
        let output = child.wait_with_output().unwrap();
        feeding.join().unwrap().ok();
        Ended::of(output)
    }

    /// Starts a node for scripts on a free port.
    pub(crate) fn node(&self, flags: &[&str]) -> Node {
        let mut args = vec!["node", "127.0.0.1", "0", "--no-menu"];
        args.extend(flags);
        Node::start(self.command(&args))
    }

    /// Three nodes of one ring, which know each other.
    pub(crate) fn ring_of_three(&self, flags: &[&str]) -> [Node; 3] {
        let first = self.node(flags);
        let mut join = vec!["--join", first.ring.as_str()];
        join.extend(flags);
        let (second, third) = (self.node(&join), self.node(&join));
        let nodes = [first, second, third];
        for node in &nodes {
            node.until(self, "the ring is whole", |status| {
                status["ring"]["whole"] == true && alive(status) == 3
            });
        }
        nodes
    }
}

/// How many nodes a status calls alive.
pub(crate) fn alive(status: &Value) -> usize {
    let nodes = status["ring"]["nodes"].as_array().unwrap();
    nodes.iter().filter(|node| node["state"] == "alive").count()
}

/// A command that ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
    pub(crate) bytes: Vec<u8>,
}

impl Ended {
    pub(crate) fn of(output: Output) -> Self {
        Self {
            code: output.status.code().unwrap_or(-1),
            out: String::from_utf8_lossy(&output.stdout).into_owned(),
            err: String::from_utf8_lossy(&output.stderr).into_owned(),
            bytes: output.stdout,
        }
    }

    /// Standard output as one object.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// Standard error as one object.
    pub(crate) fn error(&self) -> Value {
        let line = self.err.lines().last().unwrap_or_default();
        serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

/// A node that runs; killed when dropped.
pub(crate) struct Node {
    pub(crate) id: String,
    pub(crate) ring: String,
    pub(crate) http: String,
    pub(crate) ready_line: String,
    child: Child,
    more: Receiver<String>,
}

impl Node {
    pub(crate) fn start(mut command: Command) -> Self {
        command.stdin(Stdio::null());
        Self::with_input(command)
    }

    /// The same, with the input that the command was given.
    pub(crate) fn with_input(mut command: Command) -> Self {
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .unwrap();
        let more = lines_of(child.stdout.take().unwrap());
        let ready_line = more.recv_timeout(PATIENCE).expect("a ready line");
        let field = |name: &str| {
            ready_line
                .split(' ')
                .find_map(|word| word.strip_prefix(name)?.strip_prefix('='))
                .unwrap_or_else(|| panic!("no {name} in '{ready_line}'"))
                .to_owned()
        };
        Self {
            id: field("node"),
            ring: field("ring"),
            http: field("http"),
            child,
            more,
            ready_line,
        }
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Runs a command that talks to this node.
    pub(crate) fn run(&self, home: &Home, args: &[&str]) -> Ended {
        home.run(&[&["--node", self.ring.as_str()], args].concat())
    }

    pub(crate) fn ok(&self, home: &Home, args: &[&str]) -> Ended {
        home.ok(&[&["--node", self.ring.as_str()], args].concat())
    }

    /// Looks at the status until it is as wanted.
    pub(crate) fn until(&self, home: &Home, what: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        let begun = Instant::now();
        loop {
            let status = self.ok(home, &["status", "--json"]).json();
            if wanted(&status) {
                return status;
            }
            assert!(begun.elapsed() < PATIENCE, "not in time: {what}: {status}");
            // The pace of looking, not of the thing looked at.
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Asks the control API, which answers with JSON.
    pub(crate) fn api(&self, home: &Home, path: &str) -> Value {
        let mut stream = std::net::TcpStream::connect(&self.http).unwrap();
        let request = format!(
            "GET {path} HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {}\r\n\
             Connection: close\r\n\r\n",
            self.http,
            home.token(self)
        );
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (_, body) = answer.split_once("\r\n\r\n").unwrap();
        serde_json::from_str(body).unwrap()
    }

    /// Looks at the node's counters until this one is at least as wanted.
    pub(crate) fn until_counted(&self, home: &Home, counter: &str, wanted: u64) {
        let begun = Instant::now();
        while self.api(home, "/v1/counters")[counter].as_u64().unwrap() < wanted {
            assert!(begun.elapsed() < PATIENCE, "{counter} stays below {wanted}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    pub(crate) fn signal(&self, name: &str) {
        let pid = self.pid().to_string();
        let status = Command::new("kill").args([name, &pid]).status().unwrap();
        assert!(status.success());
    }

    /// Kills it as a power cut would.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Waits for its end: its exit code, and what it printed after the ready line.
    pub(crate) fn wait(mut self) -> (i32, Vec<String>) {
        let begun = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return (status.code().unwrap_or(-1), self.more.iter().collect());
            }
            assert!(begun.elapsed() < PATIENCE, "the node does not end");
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

fn lines_of(output: impl Read + Send + 'static) -> Receiver<String> {
    let (sender, lines) = channel();
    std::thread::spawn(move || {
        for line in BufReader::new(output).lines() {
            let Ok(line) = line else { return };
            if sender.send(line).is_err() {
                return;
            }
        }
    });
    lines
}

/// A node with its menu on a pipe; killed when dropped.
pub(crate) struct MenuNode {
    child: Child,
    stdin: std::process::ChildStdin,
    lines: Receiver<String>,
    seen: Vec<String>,
}

impl MenuNode {
    pub(crate) fn start(mut command: Command) -> Self {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .unwrap();
        let lines = lines_of(child.stdout.take().unwrap());
        Self {
            stdin: child.stdin.take().unwrap(),
            child,
            lines,
            seen: Vec::new(),
        }
    }

    /// Types lines.
    pub(crate) fn type_lines(&mut self, lines: &[&str]) {
        for line in lines {
            writeln!(self.stdin, "{line}").unwrap();
        }
        self.stdin.flush().unwrap();
    }

    /// Waits until a line holds this text, and returns the line.
    pub(crate) fn expect(&mut self, text: &str) -> String {
        loop {
            let Ok(line) = self.lines.recv_timeout(PATIENCE) else {
                panic!("no '{text}' in:\n{}", self.seen.join("\n"));
            };
            self.seen.push(line.clone());
            if line.contains(text) {
                return line;
            }
        }
    }

    pub(crate) fn wait(mut self) -> i32 {
        let begun = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status.code().unwrap_or(-1);
            }
            assert!(begun.elapsed() < PATIENCE, "the node does not end");
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for MenuNode {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// Bytes without a pattern, different for every seed.
pub(crate) fn bytes(seed: u64, length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    let mut hasher = blake3::Hasher::new();
    hasher.update(&seed.to_le_bytes());
    hasher.finalize_xof().fill(&mut bytes);
    bytes
}

/// An address where nobody listens.
pub(crate) fn nobody() -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().to_string()
}
