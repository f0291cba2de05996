//! `chordal expel` and `chordal members`: real processes, each machine with a home of its own.

use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::support::{Ended, Home, Node, PATIENCE, alive, bytes};

const GRACE: [&str; 2] = ["--grace", "1h"];

/// A node that another machine's invitation let in.
fn invited(founder: &Node, at: &Home, there: &Home) -> Node {
    let code = founder.ok(at, &["invite", "--json"]).json()["code"]
        .as_str()
        .unwrap()
        .to_owned();
    there.node(&[GRACE[0], GRACE[1], "--join", &code])
}

/// What `members` says of a node.
fn membership(node: &Node, home: &Home, id: &str) -> Value {
    let members = node.ok(home, &["members", "--json"]).json();
    let all = members["members"].as_array().unwrap();
    let found = all.iter().find(|one| one["id"] == id);
    found.cloned().unwrap_or(Value::Null)
}

/// Waits until a node says that this one is expelled; returns how long it took.
fn until_expelled(node: &Node, home: &Home, id: &str) -> Duration {
    let begun = Instant::now();
    while membership(node, home, id)["state"] != "expelled" {
        assert!(
            begun.elapsed() < PATIENCE,
            "{} never hears of it",
            node.ring
        );
        std::thread::sleep(Duration::from_millis(20));
    }
    begun.elapsed()
}

/// Starts a node again at its old place, and waits for it to end.
fn end_of_start(home: &Home, ring: &str, flags: &[&str]) -> Ended {
    let (ip, port) = ring.rsplit_once(':').unwrap();
    let args = [&["node", ip, port, "--no-menu"], flags].concat();
    let mut command = home.command(&args);
    let mut child: Child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let begun = Instant::now();
    while child.try_wait().unwrap().is_none() {
        if begun.elapsed() > PATIENCE {
            child.kill().unwrap();
            panic!("an expelled node runs");
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    Ended::of(child.wait_with_output().unwrap())
}

fn start_again(home: &Home, ring: &str) -> Node {
    let (ip, port) = ring.rsplit_once(':').unwrap();
    let args = ["node", ip, port, "--no-menu", GRACE[0], GRACE[1]];
    Node::start(home.command(&args))
}

fn four_whole(node: &Node, home: &Home) {
    node.until(home, "four nodes", |status| {
        alive(status) == 4 && status["ring"]["whole"] == true && status["repair"]["state"] == "idle"
    });
}

#[test]
fn an_expelled_node_is_refused_by_everybody_for_good_and_its_copies_are_made_again() {
    let homes: [Home; 4] = std::array::from_fn(|_| Home::new());
    let [founder_at, second_at, third_at, away_at] = &homes;
    let founder = founder_at.node(&GRACE);
    let second = invited(&founder, founder_at, second_at);
    let third = invited(&founder, founder_at, third_at);
    let mut away = invited(&founder, founder_at, away_at);
    four_whole(&founder, founder_at);
    let content = bytes(3, 9_000_000);
    let file = founder_at.file("a", &content);
    second.ok(second_at, &["put", file.to_str().unwrap(), "--as", "a"]);

    // One is away, and another one is to go: its copies may be the last, so this takes --force.
    away.kill();
    founder.until(founder_at, "its silence is known", |status| {
        alive(status) == 3
    });
    let careful = founder.run(founder_at, &["expel", &third.ring, "--json"]);
    assert_eq!(careful.code, 5, "{careful:?}");
    assert_eq!(
        alive(&founder.ok(founder_at, &["status", "--json"]).json()),
        3
    );

    let (third_id, third_ring) = (third.id.clone(), third.ring.clone());
    let expelled = founder.ok(founder_at, &["expel", &third_id, "--force", "--json"]);
    assert_eq!(expelled.json()["node"], third_id.as_str());
    let took = until_expelled(&second, second_at, &third_id);
    assert!(took < Duration::from_secs(5), "seconds, not {took:?}");
    // It hears why, and ends by itself.
    assert_eq!(third.wait().0, 5);

    // Who was away meanwhile learns of it from the first one it meets.
    let away = start_again(away_at, &away.ring);
    let took = until_expelled(&away, away_at, &third_id);
    assert!(took < Duration::from_secs(10), "seconds, not {took:?}");

    // It starts again: told why, and not let in by anybody.
    let again = end_of_start(third_at, &third_ring, &[]);
    assert_eq!(again.code, 5, "{again:?}");
    assert!(again.err.contains("expelled"), "{again:?}");
    // Also where it forgot that it was expelled, and only the one that was away is there.
    std::fs::remove_file(third_at.root().join("home/expelled")).unwrap();
    let founder_ring = founder.ring.clone();
    founder.signal("-STOP");
    second.signal("-STOP");
    let again = end_of_start(third_at, &third_ring, &["--join", &away.ring]);
    assert_eq!(again.code, 5, "{again:?}");
    founder.signal("-CONT");
    second.signal("-CONT");

    // Three are left, and hold everything three times.
    for (node, home) in [
        (&founder, founder_at),
        (&second, second_at),
        (&away, away_at),
    ] {
        node.until(home, "healed", |status| {
            alive(status) == 3 && status["repair"]["state"] == "idle"
        });
    }
    let found = founder.ok(founder_at, &["where", "a", "--json"]).json();
    let holders = found["holders"].as_array().unwrap();
    assert_eq!(holders.len(), 3, "{found}");
    assert!(holders.iter().all(|h| h["copy"] == "durable"), "{found}");
    assert_eq!(away.ok(away_at, &["cat", "a"]).bytes, content);

    for node in [founder, second, away] {
        node.signal("-TERM");
        assert_eq!(node.wait().0, 0);
    }
    still_known(&homes, &founder_ring, (&third_id, &third_ring));
}

/// The founder starts again and knows of the expelled node, which only comes back as another one.
fn still_known(homes: &[Home; 4], founder_ring: &str, (third_id, third_ring): (&str, &str)) {
    let [founder_at, _, third_at, _] = homes;
    let founder = start_again(founder_at, founder_ring);
    std::fs::remove_file(third_at.root().join("home/expelled")).unwrap();
    let again = end_of_start(third_at, third_ring, &["--join", &founder.ring]);
    assert_eq!(again.code, 5, "{again:?}");
    assert_eq!(
        membership(&founder, founder_at, third_id)["state"],
        "expelled"
    );

    // With a good code it is another node, and welcome.
    let anew = third_at.path("anew");
    let code = founder.ok(founder_at, &["invite", "--json"]).json()["code"].clone();
    let code = code.as_str().unwrap();
    let flags = ["--data", anew.to_str().unwrap(), "--join", code];
    let newcomer = third_at.node(&flags);
    assert_ne!(newcomer.id, third_id);
    let told = membership(&founder, founder_at, &newcomer.id);
    assert_eq!(told["by"], "invitation", "{told}");
}

#[test]
fn everybody_may_look_who_is_a_member_and_only_the_founder_expels() {
    let homes: [Home; 3] = std::array::from_fn(|_| Home::new());
    let [founder_at, second_at, third_at] = &homes;
    let founder = founder_at.node(&GRACE);
    let second = invited(&founder, founder_at, second_at);
    let third = invited(&founder, founder_at, third_at);
    for (node, home) in [(&founder, founder_at), (&second, second_at)] {
        node.until(home, "three nodes", |status| alive(status) == 3);
    }
    let told = membership(&founder, founder_at, &third.id);
    assert_eq!(
        (&told["state"], &told["by"]),
        (&"alive".into(), &"invitation".into())
    );
    assert!(
        told["since"].is_string() && told["invitation"].is_string(),
        "{told}"
    );
    let own = membership(&founder, founder_at, &founder.id);
    assert_eq!(own["by"], "own");
    let seen = membership(&second, second_at, &third.id);
    assert_eq!(
        (&seen["state"], &seen["by"]),
        (&"alive".into(), &Value::Null)
    );

    // Not everybody may.
    let refused = second.run(second_at, &["expel", &third.id, "--json"]);
    assert_eq!(
        (refused.code, &refused.error()["code"]),
        (5, &"refused".into())
    );
    let place = refused.error()["to_do"].as_str().unwrap().to_owned();
    assert!(
        place.contains(&founder.ring),
        "where it can be done: {place}"
    );
    let itself = founder.run(founder_at, &["expel", &founder.id]);
    assert_eq!(itself.code, 5, "{itself:?}");
    let unknown = founder.run(founder_at, &["expel", "127.0.0.1:1"]);
    assert_eq!(unknown.code, 3, "{unknown:?}");
}

#[test]
fn a_node_of_the_founder_s_own_machine_is_expelled_like_any_other() {
    let home = Home::new();
    let [first, second, third] = home.ring_of_three(&GRACE);
    let (id, ring) = (third.id.clone(), third.ring.clone());
    first.until(&home, "all have caught up", |status| {
        status["repair"]["state"] == "idle"
    });
    first.ok(&home, &["expel", &id]);
    assert_eq!(third.wait().0, 5);
    second.until(&home, "two are left", |status| alive(status) == 2);
    let again = end_of_start(&home, &ring, &["--join", &first.ring]);
    assert_eq!(again.code, 5, "{again:?}");
    // Once more is no harm.
    first.ok(&home, &["expel", &id]);
    let listed = first.ok(&home, &["members"]);
    assert!(listed.out.contains("expelled"), "{listed:?}");
}
