//! The ring's certificate on real processes: many started at once, many killed at once.

use std::time::{Duration, Instant};

use crate::support::{Home, Node};

/// How long a ring may take on a machine that is busy with other tests. What it takes on a quiet
/// one is for `chordal bench --ring` to tell.
const SECONDS: &str = "60";

const NODES: usize = 16;

fn certified(node: &Node, home: &Home, nodes: usize) -> serde_json::Value {
    let count = nodes.to_string();
    let args = ["check", "--json", "--wait", SECONDS, "--nodes", &count];
    let check = node.ok(home, &args).json();
    assert_eq!(check["verdict"], "right");
    check
}

/// Starts nodes at once that all join through the first.
fn together(home: &Home) -> Vec<Node> {
    let flags = ["--offer", "1GB"];
    let first = home.node(&flags);
    let join = [&flags[..], &["--join", first.ring.as_str()]].concat();
    let others: Vec<Node> = std::thread::scope(|scope| {
        let starts: Vec<_> = (1..NODES)
            .map(|_| scope.spawn(|| home.node(&join)))
            .collect();
        starts
            .into_iter()
            .map(|node| node.join().unwrap())
            .collect()
    });
    std::iter::once(first).chain(others).collect()
}

#[test]
fn sixteen_started_at_once_are_one_right_ring_and_so_are_those_that_survive_four() {
    let home = Home::new();
    let begun = Instant::now();
    let mut nodes = together(&home);
    let check = certified(&nodes[0], &home, NODES);
    println!(
        "16 nodes: certified {:?} after the first start",
        begun.elapsed()
    );
    assert_eq!(check["silent"].as_array().unwrap().len(), 0);
    let words = nodes[9].ok(&home, &["check"]).out;
    assert!(words.contains("one ordered ring of 16 nodes"), "{words}");

    let begun = Instant::now();
    for node in nodes.drain(..4) {
        drop(node);
    }
    let check = certified(&nodes[0], &home, NODES - 4);
    println!("4 of 16 killed: certified after {:?}", begun.elapsed());
    let silent = check["silent"].as_array().unwrap();
    assert_eq!(silent.len(), 4);
    assert!(silent.iter().all(|node| node["pointers"] == 0), "{check}");
    let words = nodes[5].ok(&home, &["check"]).out;
    assert!(
        words.contains("does not answer; no pointer leads to it"),
        "{words}"
    );
}

#[test]
fn a_check_that_cannot_be_certain_has_an_exit_code_of_its_own() {
    let home = Home::new();
    let [first, mut second, mut third] = home.ring_of_three(&["--grace", "1h"]);
    let other_size = first.run(&home, &["check", "--wait", "20", "--nodes", "3"]);
    assert_eq!(other_size.code, 0, "{other_size:?}");
    let other_size = first.run(&home, &["check", "--nodes", "4", "--json"]);
    assert_eq!(
        (other_size.code, &other_size.error()["code"]),
        (1, &"other_size".into())
    );
    second.kill();
    third.kill();
    // First pointers lead to the dead; then none does, and one of three nodes says nothing of
    // the others.
    let begun = Instant::now();
    loop {
        let ended = first.run(&home, &["check", "--json"]);
        if ended.code == 4 {
            assert_eq!(ended.json()["verdict"], "unknown");
            assert_eq!(ended.error()["code"], "not_certain");
            assert_eq!(ended.error()["missing"].as_array().unwrap().len(), 2);
            return;
        }
        assert_eq!(ended.code, 1, "{ended:?}");
        assert!(begun.elapsed() < Duration::from_mins(1), "{ended:?}");
    }
}
