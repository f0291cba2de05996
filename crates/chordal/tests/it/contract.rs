//! What scripts rely on: the ready line, the shapes of JSON, exit codes, signals.

use std::io::Write;
use std::process::{Child, ChildStdin, Stdio};
use std::time::Instant;

use crate::support::{Ended, Home, Node, PATIENCE, bytes};

#[test]
fn a_node_for_scripts_prints_one_line_and_serves() {
    let home = Home::new();
    let node = home.node(&[]);
    assert!(node.ready_line.starts_with("ready "), "{}", node.ready_line);
    assert_eq!(node.id.len(), 64);
    node.ok(&home, &["status"]);
    node.signal("-TERM");
    let (code, more) = node.wait();
    assert_eq!((code, more), (0, Vec::new()));
}

#[test]
fn an_interrupt_ends_a_node_cleanly_too() {
    let home = Home::new();
    let node = home.node(&[]);
    node.signal("-INT");
    assert_eq!(node.wait().0, 0);
}

#[test]
fn what_was_stored_is_there_after_a_pause_and_after_a_kill() {
    let home = Home::new();
    let file = home.file("a", &bytes(1, 3_000_000));
    let mut node = home.node(&[]);
    let port = node.ring.rsplit_once(':').unwrap().1.to_owned();
    node.ok(&home, &["put", file.to_str().unwrap(), "--as", "a"]);
    let again = || {
        let args = ["node", "127.0.0.1", port.as_str(), "--no-menu"];
        Node::start(home.command(&args))
    };
    node.kill();
    node = again();
    assert_eq!(node.ok(&home, &["cat", "a"]).bytes, bytes(1, 3_000_000));
    node.signal("-TERM");
    assert_eq!(node.wait().0, 0);
    let node = again();
    assert_eq!(node.ok(&home, &["cat", "a"]).bytes, bytes(1, 3_000_000));
}

#[test]
fn the_json_of_every_command_has_its_documented_fields() {
    let home = Home::new();
    let node = home.node(&[]);
    let file = home.file("a.txt", b"hello");
    let hash = blake3::hash(b"hello").to_hex().to_string();

    let put = node
        .ok(
            &home,
            &["put", file.to_str().unwrap(), "--as", "a.txt", "--json"],
        )
        .json();
    assert_eq!(put["name"], "a.txt");
    assert_eq!(put["size"], 5);
    assert_eq!(put["hash"], hash);
    assert!(put["version"].is_string());
    assert_eq!(put["copies"]["durable"], 1);
    assert_eq!(put["copies"]["wanted"], 1);

    let ls = node.ok(&home, &["ls", "--json"]).json();
    assert_eq!((&ls["name"], &ls["size"]), (&put["name"], &put["size"]));
    assert_eq!(ls["hash"], hash);
    assert!(ls["modified"].as_str().unwrap().ends_with('Z'));

    let stat = node.ok(&home, &["stat", "a.txt", "--json"]).json();
    assert_eq!(stat["hash"], hash);
    assert!(stat["key"].is_string());
    assert_eq!(stat["chunks"], 0);

    let found = node.ok(&home, &["where", "a.txt", "--json"]).json();
    assert_eq!(found["key"], stat["key"]);
    let hop = &found["hops"][0];
    assert_eq!(hop["node"], node.id);
    assert_eq!(hop["addr"], node.ring);
    assert!(hop["via"].is_string() && hop["ms"].is_number());
    assert_eq!(found["holders"][0]["node"], node.id);
    assert_eq!(found["holders"][0]["copy"], "durable");

    let status = node.ok(&home, &["status", "--json"]).json();
    assert_eq!(status["node"]["id"], node.id);
    assert_eq!(status["node"]["addr"], node.ring);
    let token = &status["node"]["tokens"][0];
    assert!(token["key"].is_string());
    assert!(token["predecessor"].is_string() && token["successor"].is_string());
    assert_eq!(status["ring"]["whole"], true);
    assert!(status["ring"]["problems"].is_array());
    let own = &status["ring"]["nodes"][0];
    assert_eq!(
        (&own["id"], &own["state"]),
        (&status["node"]["id"], &"alive".into())
    );
    assert!(own["used_bytes"].is_u64() && own["offered_bytes"].is_u64());
    assert_eq!(status["repair"]["copies_missing"], 0);
    assert_eq!(status["repair"]["state"], "idle");

    let fingers = node.ok(&home, &["fingers", "--json"]).json();
    let table = &fingers[token["key"].as_str().unwrap()];
    assert_eq!(table.as_array().unwrap().len(), 128);
    for field in ["start", "node", "addr", "key"] {
        assert!(table[0][field].is_string(), "{field}");
    }

    let check = node.ok(&home, &["check", "--json"]).json();
    assert_eq!(
        (&check["verdict"], &check["nodes"]),
        (&"right".into(), &1.into())
    );
    assert_eq!(check["tokens"], check["on_ring"]);
    assert_eq!(check["heard"][0]["id"], node.id);
    for field in ["flaws", "silent"] {
        assert_eq!(check[field], serde_json::json!([]), "{field}");
    }
    assert!(check["walks"].is_u64() && check["ms"].is_number() && check["unasked"] == 0);

    let ring = node.ok(&home, &["ring", "--json"]).json();
    assert_eq!(ring["nodes"][0]["id"], node.id);
    let rm = node.ok(&home, &["rm", "a.txt", "--json"]).json();
    assert_eq!(rm["name"], "a.txt");
}

#[test]
fn errors_are_objects_where_json_is_wanted() {
    let home = Home::new();
    let node = home.node(&[]);
    let ended = node.run(&home, &["stat", "missing", "--json"]);
    assert_eq!(ended.code, 3);
    let error = ended.error();
    assert_eq!(error["code"], "not_found");
    for field in ["message", "still_true", "to_do"] {
        assert!(!error[field].as_str().unwrap().is_empty(), "{field}");
    }
    assert!(error["missing"].is_array());
    assert_eq!(ended.out, "");

    let ended = home.run(&["stat", "--json"]);
    assert_eq!(ended.code, 2);
    assert_eq!(ended.error()["code"], "usage");
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let home = Home::new();
    let node = home.node(&[]);
    let file = home.file("a", &bytes(1, 4_000_000));
    node.ok(&home, &["put", file.to_str().unwrap()]);
    let mut child = home
        .command(&["--node", &node.ring, "cat", "a"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let ended = Ended::of(child.wait_with_output().unwrap());
    assert_eq!((ended.code, ended.err.as_str()), (0, ""));
}

#[test]
fn leave_hands_over_and_the_node_ends_by_itself() {
    let home = Home::new();
    let [first, second, third] = home.ring_of_three(&[]);
    for seed in 0..20 {
        let file = home.file("a", &bytes(seed, 100_000));
        let name = format!("file {seed}");
        first.ok(&home, &["put", file.to_str().unwrap(), "--as", &name]);
    }
    third.ok(&home, &["leave"]);
    let (code, more) = third.wait();
    assert_eq!((code, more), (0, Vec::new()));
    for seed in 0..20 {
        let got = second.ok(&home, &["cat", &format!("file {seed}")]);
        assert_eq!(got.bytes, bytes(seed, 100_000), "{seed}");
    }
    second.until(&home, "nothing is missing", |status| {
        status["repair"]["copies_missing"] == 0 && crate::support::alive(status) == 2
    });
}

#[test]
fn a_stop_takes_the_running_file_away_and_a_dead_nodes_file_is_passed_over() {
    let home = Home::new();
    let mut node = home.node(&[]);
    node.kill();
    let ended = home.run(&["status"]);
    assert_eq!(ended.code, 1);
    assert!(ended.err.contains("chordal up"), "{}", ended.err);
    let node = home.node(&[]);
    home.ok(&["status"]);
    node.signal("-TERM");
    assert_eq!(node.wait().0, 0);
    let running = home.root().join("home/running");
    let left = std::fs::read_dir(running).unwrap().count();
    assert!(left <= 1, "{left} files stay behind");
}

/// A put from a pipe, of which a first part was taken by the node.
fn half_a_put(home: &Home, node: &Node, name: &str) -> (Child, ChildStdin) {
    let mut child = home
        .command(&["--node", &node.ring, "put", "-", "--as", name])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(&bytes(1, 3_000_000)).unwrap();
    stdin.flush().unwrap();
    node.until_counted(home, "bytes_in", 2_000_000);
    (child, stdin)
}

#[test]
fn work_in_flight_ends_before_a_node_pauses() {
    let home = Home::new();
    let node = home.node(&[]);
    let port = node.ring.rsplit_once(':').unwrap().1.to_owned();
    let (child, mut stdin) = half_a_put(&home, &node, "a");
    node.signal("-TERM");
    // A node that is about to stop is not found any more.
    let begun = Instant::now();
    while node.run(&home, &["status"]).code == 0 {
        assert!(begun.elapsed() < PATIENCE);
    }
    stdin.write_all(&bytes(2, 1_000_000)).unwrap();
    drop(stdin);
    let put = Ended::of(child.wait_with_output().unwrap());
    assert_eq!(put.code, 0, "{put:?}");
    assert_eq!(node.wait().0, 0);
    let node = Node::start(home.command(&["node", "127.0.0.1", &port, "--no-menu"]));
    let whole = [bytes(1, 3_000_000), bytes(2, 1_000_000)].concat();
    assert_eq!(node.ok(&home, &["cat", "a"]).bytes, whole);
}

#[test]
fn a_second_signal_ends_a_node_at_once() {
    let home = Home::new();
    let node = home.node(&[]);
    let (mut child, stdin) = half_a_put(&home, &node, "a");
    node.signal("-TERM");
    let begun = Instant::now();
    while node.run(&home, &["status"]).code == 0 {
        assert!(begun.elapsed() < PATIENCE);
    }
    let begun = Instant::now();
    node.signal("-TERM");
    assert_eq!(node.wait().0, 1);
    assert!(begun.elapsed().as_secs() < 3);
    drop(stdin);
    assert!(!child.wait().unwrap().success());
}

#[test]
fn a_stop_with_a_stalled_upload_takes_no_longer_than_promised() {
    let home = Home::new();
    let node = home.node(&[]);
    let (mut child, stdin) = half_a_put(&home, &node, "a");
    let begun = Instant::now();
    node.signal("-TERM");
    assert_eq!(node.wait().0, 0);
    assert!(begun.elapsed().as_secs() < 10, "{:?}", begun.elapsed());
    drop(stdin);
    assert!(!child.wait().unwrap().success());
}
