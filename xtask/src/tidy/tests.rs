use super::*;

#[test]
fn the_house_is_tidy() {
    let found = check(&house::root()).unwrap();
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn one_finding_of_every_kind_comes_through() {
    let tree = tempfile::tempdir().unwrap();
    for (path, text) in [
        ("crates/a/Cargo.toml", ""),
        ("crates/a/src/util.rs", "use std::fmt::*;\n"),
        ("docs/a.md", "[b](b.md)\n"),
        ("proto/peer.proto", "message Ping {}\n"),
    ] {
        let path = tree.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    let found = check(tree.path()).unwrap().join("\n");
    for expected in [
        "README.md",
        "names nothing",
        "opens with",
        "everything",
        "nowhere",
        "protocol",
    ] {
        assert!(found.contains(expected), "{expected} is not in:\n{found}");
    }
}
