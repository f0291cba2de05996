use super::*;

fn found_in(files: &[(&str, usize)]) -> Vec<String> {
    let tree = tempfile::tempdir().unwrap();
    let mut names = Vec::new();
    for (name, bytes) in files {
        let path = tree.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, vec![b' '; *bytes]).unwrap();
        names.push((*name).to_string());
    }
    check(tree.path(), &names).unwrap()
}

#[test]
fn a_crate_without_a_readme_is_found() {
    let found = found_in(&[
        ("Cargo.toml", 1),
        ("crates/a/Cargo.toml", 1),
        ("crates/a/README.md", 1),
        ("crates/b/Cargo.toml", 1),
    ]);
    assert_eq!(
        found,
        ["crates/b/README.md: missing; every crate says what it is"]
    );
}

#[test]
fn a_module_named_for_nothing_is_found_as_file_and_as_folder() {
    let found = found_in(&[
        ("crates/a/src/util.rs", 1),
        ("crates/a/src/helpers/retry.rs", 1),
        ("crates/a/src/utility_bill.rs", 1),
        ("docs/common/page.md", 1),
    ]);
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(
        found[0].starts_with("crates/a/src/util.rs: \"util\""),
        "{found:?}"
    );
    assert!(
        found[1].starts_with("crates/a/src/helpers/retry.rs: \"helpers\""),
        "{found:?}"
    );
}

#[test]
fn a_file_of_one_mebibyte_is_let_through_and_one_byte_more_is_not() {
    let found = found_in(&[("a.bin", 1 << 20), ("b.bin", (1 << 20) + 1)]);
    assert_eq!(found, ["b.bin: 1048577 bytes, more than 1048576"]);
}
