//! Rings of several nodes: every node is a door, and a dead one is no loss.

use std::time::{Duration, Instant};

use crate::support::{Home, PATIENCE, alive, bytes, nobody};

#[test]
fn what_goes_in_at_one_node_comes_out_at_the_others() {
    let home = Home::new();
    let [first, second, third] = home.ring_of_three(&[]);
    let content = bytes(7, 5_000_000);
    let file = home.file("big", &content);
    let put = first
        .ok(
            &home,
            &["put", file.to_str().unwrap(), "--as", "big", "--json"],
        )
        .json();
    assert_eq!(put["copies"]["durable"], 3);
    for node in [&second, &third] {
        assert_eq!(node.ok(&home, &["cat", "big"]).bytes, content);
        assert_eq!(node.ok(&home, &["ls", "--json"]).json()["name"], "big");
    }
    let found = third.ok(&home, &["where", "big", "--json"]).json();
    let holders = found["holders"].as_array().unwrap();
    assert_eq!(holders.len(), 3);
    assert!(holders.iter().all(|holder| holder["copy"] == "durable"));
}

#[test]
fn a_killed_node_loses_nothing_and_copies_come_back() {
    let home = Home::new();
    let mut nodes = Vec::from(home.ring_of_three(&["--grace", "1s"]));
    let first = nodes[0].ring.clone();
    nodes.push(home.node(&["--grace", "1s", "--join", &first]));
    nodes[0].until(&home, "four nodes", |status| alive(status) == 4);
    let file = home.file("a", &bytes(3, 2_500_000));
    nodes[1].ok(&home, &["put", file.to_str().unwrap(), "--as", "a"]);
    let dead = nodes[3].id.clone();
    nodes[3].kill();
    assert_eq!(nodes[2].ok(&home, &["cat", "a"]).bytes, bytes(3, 2_500_000));
    nodes[0].until(&home, "healed", |status| {
        let nodes = status["ring"]["nodes"].as_array().unwrap();
        let given_up = nodes
            .iter()
            .all(|node| node["id"] != dead.as_str() || node["state"] == "gone");
        given_up && status["repair"]["copies_missing"] == 0 && status["ring"]["whole"] == true
    });
    let found = nodes[0].ok(&home, &["where", "a", "--json"]).json();
    let holders = found["holders"].as_array().unwrap();
    assert_eq!(holders.len(), 3, "{found}");
    assert!(holders.iter().all(|h| h["copy"] == "durable"), "{found}");
}

#[test]
fn too_few_copies_is_an_error_that_names_the_missing_nodes() {
    let home = Home::new();
    let [first, mut second, mut third] = home.ring_of_three(&["--grace", "1h"]);
    let file = home.file("a", b"x");
    first.ok(&home, &["put", file.to_str().unwrap(), "--as", "a"]);
    second.kill();
    third.kill();
    let ended = first.run(
        &home,
        &["put", file.to_str().unwrap(), "--as", "b", "--json"],
    );
    assert_eq!(ended.code, 4, "{ended:?}");
    let ended = first.run(&home, &["stat", "a", "--json"]);
    assert_eq!(ended.code, 4, "{ended:?}");
    let error = ended.error();
    if error["code"] == "too_few_copies" {
        assert!(!error["missing"].as_array().unwrap().is_empty(), "{error}");
    }
}

#[test]
fn joining_by_command_makes_one_ring_of_two_nodes() {
    let home = Home::new();
    let (first, second) = (home.node(&[]), home.node(&[]));
    let joined = second.ok(&home, &["join", &first.ring, "--json"]).json();
    assert_eq!(joined["nodes"], 2);
    first.until(&home, "two nodes", |status| {
        alive(status) == 2 && status["ring"]["whole"] == true
    });
}

#[test]
fn nobody_and_strangers_cannot_be_joined() {
    let home = Home::new();
    let node = home.node(&[]);
    let before = node.ok(&home, &["status", "--json"]).json();
    let ended = node.run(&home, &["join", &nobody(), "--json"]);
    assert_eq!(
        (ended.code, &ended.error()["code"]),
        (1, &"unjoinable".into())
    );
    let ended = node.run(&home, &["join", &node.ring, "--json"]);
    assert_ne!(ended.code, 0, "{ended:?}");
    let classic = home.node(&["--classic"]);
    let ended = node.run(&home, &["join", &classic.ring, "--json"]);
    assert_eq!((ended.code, &ended.error()["code"]), (5, &"refused".into()));
    // A home of its own has an authority of its own: a stranger.
    let elsewhere = Home::new();
    let stranger = elsewhere.node(&[]);
    let ended = node.run(&home, &["join", &stranger.ring, "--json"]);
    assert_ne!(ended.code, 0, "{ended:?}");
    let after = node.ok(&home, &["status", "--json"]).json();
    assert_eq!(
        before["ring"]["nodes"][0]["id"],
        after["ring"]["nodes"][0]["id"]
    );
    assert_eq!(alive(&after), 1);
    let failed = home.run(&["node", "127.0.0.1", "0", "--no-menu", "--join", &nobody()]);
    assert_eq!((failed.code, failed.out.as_str()), (1, ""));
}

#[test]
fn the_ring_is_drawn_within_80_columns() {
    let home = Home::new();
    let nodes = home.ring_of_three(&[]);
    let drawn = nodes[0].ok(&home, &["ring"]).out;
    for line in drawn.lines() {
        assert!(line.chars().count() <= 100, "{line}");
        assert!(!line.contains('\x1b'), "colour without a terminal: {line}");
    }
    for letter in ["A ", "B ", "C "] {
        assert!(drawn.contains(letter), "{drawn}");
    }
    nodes[0].ok(&home, &["status"]);
    nodes[0].ok(&home, &["fingers"]);
}

#[test]
fn risk_says_how_many_deaths_a_ring_of_three_bears() {
    let home = Home::new();
    let [first, second, _third] = home.ring_of_three(&[]);
    first.until(&home, "at rest", |status| {
        alive(status) == 3 && status["repair"]["copies_missing"] == 0
    });
    // That no copy is missing is not yet that every node has compared all its arcs.
    let begun = Instant::now();
    while second.api(&home, "/v1/risk")["counted"] != 3 {
        assert!(begun.elapsed() < PATIENCE, "three nodes never count");
        std::thread::sleep(Duration::from_millis(50));
    }
    let risk = second.ok(&home, &["risk", "--json"]).json();
    let shares: Vec<f64> = risk["deaths"]
        .as_array()
        .unwrap()
        .iter()
        .map(|deaths| deaths["share"].as_f64().unwrap())
        .collect();
    assert_eq!(risk["copies"], 3);
    assert_eq!(shares, [0.0, 0.0, 1.0], "{risk}");
    let words = String::from_utf8(second.ok(&home, &["risk"]).bytes).unwrap();
    assert!(
        words.contains("if any 2 nodes die: nothing is lost"),
        "{words}"
    );
    assert!(words.contains("if any 3 nodes die: up to 100.0 % is lost"));
}
