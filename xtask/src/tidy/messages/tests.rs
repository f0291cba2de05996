use std::fs;

use super::*;

const SCHEMA: &str = "syntax = \"proto3\";\n// A message of words.\nmessage Ping {\n  message Inner {}\n}\nmessage Pong{}\n";

fn found_in(files: &[(&str, &str)]) -> Vec<String> {
    let tree = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = tree.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    let names: Vec<String> = files.iter().map(|(name, _)| (*name).to_string()).collect();
    check(tree.path(), &names).unwrap()
}

#[test]
fn a_message_that_its_page_does_not_mention_is_found() {
    let page = "# Messages\n\n`Ping` asks (see Inner); PongPong is something else.\n";
    let found = found_in(&[("proto/peer.proto", SCHEMA), ("docs/protocol.md", page)]);
    assert_eq!(
        found,
        ["docs/protocol.md: does not mention message Pong of proto/peer.proto"]
    );
}

#[test]
fn a_page_that_mentions_them_all_is_complete() {
    let page = "Ping, `Inner` and **Pong**.\n";
    assert!(found_in(&[("proto/peer.proto", SCHEMA), ("docs/protocol.md", page)]).is_empty());
}

#[test]
fn a_missing_page_is_found() {
    let found = found_in(&[("proto/peer.proto", SCHEMA)]);
    assert_eq!(
        found,
        ["docs/protocol.md: missing; it should explain proto/peer.proto"]
    );
}

#[test]
fn a_schema_nobody_explains_is_found() {
    let found = found_in(&[("proto/new.proto", SCHEMA)]);
    assert_eq!(found, ["proto/new.proto: no page is said to explain it"]);
}
