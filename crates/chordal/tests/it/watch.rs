//! Watching a ring where nobody draws: in a pipe.

use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStdout, Stdio};

use serde_json::Value;

use crate::support::{Home, Node};

/// `status --watch` in a pipe, ended when it is dropped.
struct Watching {
    child: Child,
    lines: BufReader<ChildStdout>,
}

impl Watching {
    fn begin(home: &Home, node: &Node, more: &[&str]) -> Self {
        let args = [&["status", "--watch", "--node", node.ring.as_str()], more].concat();
        let mut command = home.command(&args);
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap());
        Self { child, lines }
    }

    fn next(&mut self) -> String {
        let mut line = String::new();
        assert!(self.lines.read_line(&mut line).unwrap() > 0, "it ended");
        line
    }

    /// Reads on until a line says this.
    fn until(&mut self, words: &str) -> String {
        loop {
            let line = self.next();
            if line.contains(words) {
                return line;
            }
        }
    }
}

impl Drop for Watching {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

#[test]
fn in_a_pipe_every_change_is_a_line_and_a_node_that_goes_away_is_waited_for() {
    let home = Home::new();
    let node = home.node(&["--ring-name", "office"]);
    let mut watching = Watching::begin(&home, &node, &[]);
    let first = watching.next();
    assert!(first.contains("office · 1 node · whole"), "{first}");
    assert!(!first.contains('\u{1b}'), "no colour, no cursor: {first}");
    let second = home.node(&["--join", &node.ring]);
    watching.until("2 nodes");
    drop(second);
    watching.until("1 node silent");
    drop(node);
    let away = watching.until("trying again");
    assert!(away.contains("broke off"), "{away}");
}

#[test]
fn programs_get_the_whole_ring_at_each_change() {
    let home = Home::new();
    let node = home.node(&[]);
    let mut watching = Watching::begin(&home, &node, &["--json"]);
    let scene: Value = serde_json::from_str(&watching.next()).unwrap();
    assert_eq!(scene["ring"]["nodes"][0]["addr"], node.ring.as_str());
    assert_eq!(scene["safety"]["unplug"], 0);
}

#[test]
fn whoever_watches_a_node_that_does_not_run_is_told_at_once() {
    let home = Home::new();
    let ended = home.run(&["status", "--watch", "--node", "127.0.0.1:1"]);
    assert_eq!(ended.code, 1, "{ended:?}");
    assert!(
        ended.out.is_empty() && ended.err.contains("no node"),
        "{ended:?}"
    );
}
