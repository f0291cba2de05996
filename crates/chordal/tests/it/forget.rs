//! `chordal forget`: a node that will not come back.

use crate::support::{Home, alive, bytes};

#[test]
fn the_copies_of_a_forgotten_node_are_made_again_long_before_its_grace_time() {
    let home = Home::new();
    let mut nodes = Vec::from(home.ring_of_three(&["--grace", "1h"]));
    let first = nodes[0].ring.clone();
    nodes.push(home.node(&["--grace", "1h", "--join", &first]));
    nodes[0].until(&home, "four nodes", |status| {
        alive(status) == 4 && status["repair"]["state"] == "idle"
    });
    // So many chunks that the node that dies has some of them.
    let content = bytes(3, 12_500_000);
    let file = home.file("a", &content);
    nodes[1].ok(&home, &["put", file.to_str().unwrap(), "--as", "a"]);

    let (dead, at) = (nodes[3].id.clone(), nodes[3].ring.clone());
    let refused = nodes[0].run(&home, &["forget", &at, "--force", "--json"]);
    assert_eq!(
        (refused.code, &refused.error()["code"]),
        (5, &"refused".into()),
        "it answers: {refused:?}"
    );
    let unknown = nodes[0].run(&home, &["forget", "127.0.0.1:1", "--json"]);
    assert_eq!(
        (unknown.code, &unknown.error()["code"]),
        (3, &"unknown_node".into())
    );
    assert_eq!(nodes[0].run(&home, &["forget", "that one"]).code, 2);

    nodes[3].kill();
    nodes[0].until(&home, "its silence is known", |status| {
        status["repair"]["state"] == "waiting"
    });
    // The others learn of the silence within seconds, each by itself.
    let begun = std::time::Instant::now();
    let forgotten = loop {
        let ended = nodes[2].run(&home, &["forget", dead.get(..8).unwrap(), "--json"]);
        if ended.code == 0 {
            break ended.json();
        }
        assert!(begun.elapsed() < crate::support::PATIENCE, "{ended:?}");
    };
    assert_eq!(forgotten["forgotten"], true);
    assert_eq!(
        (&forgotten["node"], &forgotten["addr"]),
        (&dead.into(), &at.into())
    );
    for node in &nodes[..3] {
        node.until(&home, "healed", |status| {
            alive(status) == 3 && status["repair"]["state"] == "idle"
        });
    }
    let found = nodes[0].ok(&home, &["where", "a", "--json"]).json();
    let holders = found["holders"].as_array().unwrap();
    assert_eq!(holders.len(), 3, "{found}");
    assert!(holders.iter().all(|h| h["copy"] == "durable"), "{found}");
    assert_eq!(nodes[2].ok(&home, &["cat", "a"]).bytes, content);
}

#[test]
fn what_would_be_at_risk_is_told_and_force_goes_ahead() {
    let home = Home::new();
    let [first, mut second, mut third] = home.ring_of_three(&["--grace", "1h"]);
    second.kill();
    third.kill();
    first.until(&home, "both are silent", |status| alive(status) == 1);
    let refused = first.run(&home, &["forget", &third.ring, "--json"]);
    assert!(
        [4, 5].contains(&refused.code),
        "a minority, or not silent for long: {refused:?}"
    );
    for dead in [&second, &third] {
        let begun = std::time::Instant::now();
        while first.run(&home, &["forget", &dead.ring, "--force"]).code != 0 {
            assert!(begun.elapsed() < crate::support::PATIENCE, "not forgotten");
        }
    }
    let file = home.file("a", b"alone");
    let begun = std::time::Instant::now();
    while first
        .run(&home, &["put", file.to_str().unwrap(), "--as", "a"])
        .code
        != 0
    {
        assert!(begun.elapsed() < crate::support::PATIENCE, "no writes");
    }
    assert_eq!(first.ok(&home, &["cat", "a"]).bytes, b"alone");
}
