//! The table of bad input: each gets its clear answer, and nothing else changes.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use crate::support::{Home, Node, bytes};

#[test]
fn a_port_in_use_is_one_line_and_nothing_is_touched() {
    let home = Home::new();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let ended = home.run(&["node", "127.0.0.1", &port, "--no-menu"]);
    assert_eq!((ended.code, ended.out.as_str()), (1, ""), "{ended:?}");
    let errors: Vec<&str> = ended.err.lines().filter(|l| l.contains("error:")).collect();
    assert_eq!(errors.len(), 1, "{ended:?}");
    let node_folder = home.root().join("home/nodes").join(port);
    assert!(!node_folder.exists());
}

#[test]
fn an_address_that_is_not_ours_is_one_line() {
    let home = Home::new();
    let ended = home.run(&["node", "192.0.2.1", "0", "--no-menu", "--json"]);
    assert_eq!(ended.code, 1, "{ended:?}");
    assert_eq!(ended.error()["code"], "not_our_address");
}

#[test]
fn a_folder_in_use_is_left_alone() {
    let home = Home::new();
    let data = home.path("data");
    let data = data.to_str().unwrap();
    let node = home.node(&["--data", data]);
    let ended = home.run(&[
        "node",
        "127.0.0.1",
        "0",
        "--no-menu",
        "--data",
        data,
        "--json",
    ]);
    assert_eq!((ended.code, &ended.error()["code"]), (1, &"locked".into()));
    node.ok(&home, &["status"]);
}

#[test]
fn a_control_port_in_use_stops_the_start() {
    let home = Home::new();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let http = taken.local_addr().unwrap().to_string();
    let ended = home.run(&[
        "node",
        "127.0.0.1",
        "0",
        "--no-menu",
        "--http",
        &http,
        "--json",
    ]);
    assert_eq!((ended.code, &ended.error()["code"]), (1, &"no_http".into()));
}

#[test]
fn without_a_node_every_command_says_what_to_do() {
    let home = Home::new();
    for args in [
        &["ls"][..],
        &["status"],
        &["get", "a"],
        &["leave"],
        &["--node", "127.0.0.1:1", "ls"],
    ] {
        let ended = home.run(args);
        assert_eq!((ended.code, ended.out.as_str()), (1, ""), "{ended:?}");
        assert!(ended.err.contains("chordal"), "{ended:?}");
    }
}

#[test]
fn mistakes_in_a_command_are_usage() {
    let home = Home::new();
    for args in [
        &[][..],
        &["nod"],
        &["node", "not-an-ip"],
        &["node", "127.0.0.1", "99999"],
        &["node", "--bits", "2"],
        &["node", "--offer", "much"],
        &["node", "--grace", "soon"],
        &["--node", "nowhere", "ls"],
        &["join", "nowhere"],
        &["get"],
        &["stat", ""],
    ] {
        let ended = home.run(args);
        assert_eq!(ended.code, 2, "{args:?}: {ended:?}");
    }
}

#[test]
fn garbage_on_any_port_does_not_disturb_the_node() {
    let home = Home::new();
    let node = home.node(&[]);
    let garbage: [Vec<u8>; 4] = [
        b"GET / HTTP/1.1\r\n\r\n".to_vec(),
        bytes(1, 100_000),
        vec![0; 10_000],
        b"PUT /v1/files?name=x HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 5\r\n\r\nab".to_vec(),
    ];
    for addr in [&node.ring, &node.http] {
        for garbage in &garbage {
            let mut stream = TcpStream::connect(addr).unwrap();
            stream
                .set_read_timeout(Some(Duration::from_secs(5)))
                .unwrap();
            // The node may close at any point.
            stream.write_all(garbage).ok();
            stream.shutdown(std::net::Shutdown::Write).ok();
            stream.read_to_end(&mut Vec::new()).ok();
        }
    }
    assert_eq!(node.run(&home, &["stat", "x"]).code, 3);
    node.ok(&home, &["status"]);
}

#[test]
fn a_missing_file_is_not_found_everywhere() {
    let home = Home::new();
    let node = home.node(&[]);
    for args in [
        &["get", "a"][..],
        &["cat", "a"],
        &["stat", "a"],
        &["rm", "a"],
        &["get", "-r", "a"],
        &["rm", "-r", "a"],
    ] {
        assert_eq!(node.run(&home, args).code, 3, "{args:?}");
    }
    let ended = node.run(&home, &["put", "no-such-file"]);
    assert_eq!(ended.code, 1, "{ended:?}");
    let file = home.file("b", b"x");
    node.ok(&home, &["put", file.to_str().unwrap()]);
    let ended = node.run(&home, &["get", "b", "no/such/folder/b", "--json"]);
    assert_eq!(ended.error()["code"], "no_folder");
}

#[test]
fn a_full_ring_refuses_and_says_how_much_room_is_left() {
    let home = Home::new();
    let node: Node = home.node(&["--offer", "4MiB"]);
    let file = home.file("big", &bytes(1, 20_000_000));
    let ended = node.run(&home, &["put", file.to_str().unwrap(), "--json"]);
    assert_eq!(ended.code, 1, "{ended:?}");
    assert_eq!(ended.error()["code"], "full");
    assert_eq!(node.run(&home, &["stat", "big"]).code, 3);
    node.ok(&home, &["status"]);
}

#[test]
fn a_node_alone_has_nobody_to_leave_its_files_to() {
    let home = Home::new();
    let node = home.node(&[]);
    let ended = node.run(&home, &["leave", "--json"]);
    assert_eq!((ended.code, &ended.error()["code"]), (5, &"refused".into()));
    node.ok(&home, &["status"]);
}

#[test]
fn leaving_while_others_are_down_is_refused_unless_forced() {
    let home = Home::new();
    let [first, second, mut third] = home.ring_of_three(&["--grace", "1h"]);
    let file = home.file("a", &bytes(1, 3_000_000));
    first.ok(&home, &["put", file.to_str().unwrap()]);
    third.kill();
    first.until(&home, "the dead node is noticed", |status| {
        crate::support::alive(status) == 2
    });
    let ended = first.run(&home, &["leave", "--json"]);
    assert_eq!((ended.code, &ended.error()["code"]), (5, &"refused".into()));
    first.ok(&home, &["status"]);
    first.ok(&home, &["leave", "--force"]);
    assert_eq!(first.wait().0, 0);
    drop(second);
}
