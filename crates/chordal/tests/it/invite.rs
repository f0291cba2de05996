//! Two machines, two commands: homes that share nothing but a code.

use crate::support::{Home, alive, bytes};

fn code_of(node: &crate::support::Node, home: &Home, flags: &[&str]) -> String {
    let mut args = vec!["invite", "--json"];
    args.extend(flags);
    let invited = node.ok(home, &args).json();
    invited["code"].as_str().unwrap().to_owned()
}

#[test]
fn a_file_put_on_one_machine_is_read_on_the_other() {
    let (here, there) = (Home::new(), Home::new());
    let first = here.node(&[]);
    let printed = first.ok(&here, &["invite"]).out;
    let line = printed.lines().next().unwrap();
    let code = line.strip_prefix("chordal join ").unwrap();
    let second = there.node(&["--join", code]);
    first.until(&here, "two nodes", |status| alive(status) == 2);
    let content = bytes(9, 300_000);
    let file = here.file("a", &content);
    let put = first.ok(
        &here,
        &["put", file.to_str().unwrap(), "--as", "a", "--json"],
    );
    assert_eq!(put.json()["copies"]["durable"], 2);
    assert_eq!(second.ok(&there, &["cat", "a"]).bytes, content);
    let refused = second.run(&there, &["invite"]);
    assert_eq!(refused.code, 5, "{refused:?}");
    assert!(refused.err.contains("where the ring was founded"));
}

#[test]
fn a_code_works_once_and_wrong_ones_say_why() {
    let (here, there) = (Home::new(), Home::new());
    let first = here.node(&[]);
    let code = code_of(&first, &here, &[]);
    let second = there.node(&["--join", &code]);
    let late = Home::new();
    let join = |code: &str| {
        let args = ["node", "127.0.0.1", "0", "--no-menu", "--join", code];
        late.run(&args)
    };
    let used = join(&code);
    assert_eq!(
        (used.code, used.err.contains("used already")),
        (5, true),
        "{used:?}"
    );
    let mistyped = join(&format!("{code}q"));
    assert_eq!(
        (mistyped.code, mistyped.err.contains("mistyped")),
        (2, true),
        "{mistyped:?}"
    );
    let stranger = Home::new();
    let other = stranger.node(&[]);
    let other_code = code_of(&other, &stranger, &["--for", "5m", "--uses", "3"]);
    let args = ["node", "127.0.0.1", "0", "--no-menu", "--join", &other_code];
    let moved = there.run(&args);
    assert_eq!(
        (moved.code, moved.err.contains("another ring")),
        (5, true),
        "{moved:?}"
    );
    // The node that was let in goes on.
    second.until(&there, "two nodes", |status| alive(status) == 2);
}

#[test]
fn a_code_comes_from_standard_input_and_is_the_only_one() {
    let (here, there) = (Home::new(), Home::new());
    let first = here.node(&[]);
    let code = code_of(&first, &here, &[]);
    let twice = [
        "node",
        "127.0.0.1",
        "0",
        "--no-menu",
        "--join",
        &code,
        "--join",
        &code,
    ];
    let refused = there.run(&twice);
    assert_eq!(
        (refused.code, refused.err.contains("two join codes")),
        (2, true),
        "{refused:?}"
    );
    let args = ["node", "127.0.0.1", "0", "--no-menu", "--join", "-"];
    let nothing = there.feed(&args, b"\n");
    assert_eq!(nothing.code, 2, "{nothing:?}");
    let mut command = there.command(&args);
    let typed = here.file("code", format!("chordal join {code}\n").as_bytes());
    command.stdin(std::fs::File::open(typed).unwrap());
    let _second = crate::support::Node::with_input(command);
    first.until(&here, "two nodes", |status| alive(status) == 2);
}

#[test]
fn a_code_of_the_loopback_alone_comes_with_a_warning() {
    let home = Home::new();
    let node = home.node(&[]);
    let invited = node.ok(&home, &["invite"]);
    assert!(invited.out.contains("Only this machine"), "{invited:?}");
}

#[cfg(unix)]
#[test]
fn whoever_waits_to_be_let_in_hears_a_signal() {
    use std::os::unix::process::ExitStatusExt as _;
    use std::process::Stdio;
    let (here, there) = (Home::new(), Home::new());
    let first = here.node(&[]);
    let code = code_of(&first, &here, &[]);
    // The member is there and says nothing.
    first.signal("-STOP");
    let args = ["node", "127.0.0.1", "0", "--no-menu", "--join", &code];
    let mut command = there.command(&args);
    command.stdout(Stdio::null()).stderr(Stdio::piped());
    let child = command.spawn().unwrap();
    let folder = there.root().join("home/nodes");
    let begun = std::time::Instant::now();
    // Its folder is there: from now on it asks.
    while !folder.exists() {
        assert!(
            begun.elapsed() < crate::support::PATIENCE,
            "it does not start"
        );
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    let asked = std::time::Instant::now();
    let pid = child.id().to_string();
    assert!(
        std::process::Command::new("kill")
            .args(["-INT", &pid])
            .status()
            .unwrap()
            .success()
    );
    let output = child.wait_with_output().unwrap();
    first.signal("-CONT");
    assert_eq!(
        (output.status.code(), output.status.signal()),
        (Some(1), None)
    );
    assert!(
        asked.elapsed() < std::time::Duration::from_secs(2),
        "{:?}",
        asked.elapsed()
    );
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("stopped before"), "{said}");
}

#[test]
fn an_invited_machine_keeps_its_identity_at_another_port() {
    let (here, there) = (Home::new(), Home::new());
    let first = here.node(&[]);
    let code = code_of(&first, &here, &[]);
    let second = there.node(&["--join", &code]);
    first.until(&here, "two nodes", |status| alive(status) == 2);
    let (id, port) = (
        second.id.clone(),
        second.ring.rsplit_once(':').unwrap().1.to_owned(),
    );
    second.signal("-TERM");
    assert_eq!(second.wait().0, 0);
    let folder = there.root().join("home/nodes").join(port);
    let second = there.node(&["--data", folder.to_str().unwrap()]);
    assert_eq!(second.id, id);
    let addr = second.ring.clone();
    first.until(&here, "it is back, elsewhere", |status| {
        let nodes = status["ring"]["nodes"].as_array().unwrap();
        let found = nodes.iter().find(|node| node["id"] == id.as_str()).unwrap();
        found["addr"] == addr.as_str() && alive(status) == 2
    });

    // A second node there has no invitation, and says so without leaving anything behind.
    let before = std::fs::read_dir(there.root().join("home/nodes"))
        .unwrap()
        .count();
    let refused = there.run(&["node", "127.0.0.1", "0", "--no-menu"]);
    assert_eq!(refused.code, 5, "{refused:?}");
    assert!(
        refused.err.contains(&first.ring),
        "where to go: {refused:?}"
    );
    let after = std::fs::read_dir(there.root().join("home/nodes"))
        .unwrap()
        .count();
    assert_eq!(before, after, "nothing was changed");
}
