use super::*;

#[test]
fn this_very_file_belongs_to_the_house_and_build_output_does_not() {
    let files = files(&root()).unwrap();
    assert!(files.iter().any(|path| path == "xtask/src/house/tests.rs"));
    assert!(!files.iter().any(|path| path.starts_with("target/")));
}

#[test]
fn without_a_repository_everything_but_build_output_is_listed() {
    let tree = tempfile::tempdir().unwrap();
    for path in ["b.md", "a/c.rs", "a/target/d.rs", ".ci/run"] {
        let path = tree.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, "").unwrap();
    }
    assert_eq!(files(tree.path()).unwrap(), [".ci/run", "a/c.rs", "b.md"]);
}
