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
