//! The blackboard's ring: the seed's ids, keys, menu and session.

use std::process::Command;

use crate::support::{Home, MenuNode, Node};

/// The seed's ids follow from address and port, so these ports are fixed; where one of them is in
/// use, the test says so and passes.
const PORTS: [(u16, &str); 3] = [(5000, "797"), (5001, "88"), (5002, "631")];

fn classic(home: &Home, port: u16, more: &[&str]) -> Command {
    let port = port.to_string();
    let mut args = vec!["node", "127.0.0.1", port.as_str(), "--classic"];
    args.extend(more);
    home.command(&args)
}

#[test]
fn a_session_of_the_seed_with_three_nodes_through_their_menus() {
    if PORTS
        .iter()
        .any(|(port, _)| std::net::TcpListener::bind(("127.0.0.1", *port)).is_err())
    {
        eprintln!("skipped: the seed's ports are in use on this machine");
        return;
    }
    let home = Home::new();
    let mut nodes: Vec<MenuNode> = Vec::new();
    for (port, id) in PORTS {
        let mut node = MenuNode::start(classic(&home, port, &[]));
        node.expect(&format!("My ID is: {id}"));
        node.expect("1. Join Network");
        node.expect("6. Print my predecessor and successor");
        nodes.push(node);
    }
    for node in &mut nodes[1..] {
        node.type_lines(&["1", "127.0.0.1", "5000"]);
        node.expect("Joined the network");
    }
    // 797 -> 88 -> 631 -> 797.
    let wait_for = |node: &mut MenuNode, text: &str| {
        for _ in 0..100 {
            node.type_lines(&["6"]);
            if node.expect("My ID: ").contains(text) {
                return;
            }
            std::thread::sleep(std::time::Duration::from_millis(100));
        }
        panic!("never {text}");
    };
    wait_for(&mut nodes[0], "My ID: 797 Predecessor: 631 Successor: 88");
    wait_for(&mut nodes[1], "My ID: 88 Predecessor: 797 Successor: 631");
    wait_for(&mut nodes[2], "My ID: 631 Predecessor: 88 Successor: 797");

    home.file("lecture.txt", b"Chord is simple");
    nodes[1].type_lines(&["3", "lecture.txt"]);
    nodes[1].expect("File uploaded");
    // The current folder has it already.
    nodes[2].type_lines(&["4", "lecture.txt"]);
    nodes[2].expect("exists already");
    std::fs::remove_file(home.path("lecture.txt")).unwrap();
    nodes[2].type_lines(&["4", "lecture.txt"]);
    nodes[2].expect("File downloaded");
    assert_eq!(
        std::fs::read(home.path("lecture.txt")).unwrap(),
        b"Chord is simple"
    );

    nodes[0].type_lines(&["5"]);
    nodes[0].expect("KeyID: 798 Value (88, ('127.0.0.1', 5001))");
    nodes[0].expect("KeyID: 285 Value (631, ('127.0.0.1', 5002))");

    nodes[1].type_lines(&["2"]);
    nodes[1].expect("has left the network");
    nodes[1].type_lines(&["6"]);
    nodes[1].expect("My ID: 88 Predecessor: 88 Successor: 88");
    wait_for(&mut nodes[0], "My ID: 797 Predecessor: 631 Successor: 631");
    nodes[2].type_lines(&["8", "lecture.txt"]);
    nodes[2].expect("has it");
    for mut node in nodes {
        node.type_lines(&["q"]);
        assert_eq!(node.wait(), 0);
    }
}

#[test]
fn a_ring_of_few_bits_shows_small_numbers_and_a_full_finger_table() {
    let home = Home::new();
    let node = Node::start(home.command(&[
        "node",
        "127.0.0.1",
        "0",
        "--no-menu",
        "--classic",
        "--bits",
        "6",
    ]));
    let status = node.ok(&home, &["status", "--json"]).json();
    let key = status["node"]["tokens"][0]["key"].as_str().unwrap();
    assert!(key.parse::<u32>().unwrap() < 64, "{key}");
    let fingers = node.ok(&home, &["fingers", "--json"]).json();
    assert_eq!(fingers[key].as_array().unwrap().len(), 6);
}
