use std::fs;

use super::*;

fn args(paths: &[&Path], recursive: bool) -> PutArgs {
    PutArgs {
        paths: paths.iter().map(|path| path.to_path_buf()).collect(),
        name: None,
        receipt: None,
        recursive,
        quiet: false,
        only: OnlyArgs::default(),
    }
}

fn names_of(args: &PutArgs) -> Vec<String> {
    wanted(args)
        .unwrap()
        .wanted
        .into_iter()
        .map(|w| w.name)
        .collect()
}

#[test]
fn a_folder_is_stored_under_its_own_name() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("photos");
    fs::create_dir_all(folder.join("b")).unwrap();
    for name in ["z.txt", "b/a.txt"] {
        fs::write(folder.join(name), "x").unwrap();
    }
    assert_eq!(
        names_of(&args(&[&folder], true)),
        ["photos/b/a.txt", "photos/z.txt"]
    );
    assert_eq!(
        names_of(&args(&[&folder, Path::new("pics:2024")], true)),
        ["pics:2024/photos/b/a.txt", "pics:2024/photos/z.txt"]
    );
    assert!(wanted(&args(&[&folder], false)).is_err());
}

#[cfg(unix)]
#[test]
fn a_link_in_a_circle_does_not_make_a_folder_endless() {
    let home = tempfile::tempdir().unwrap();
    fs::write(home.path().join("a"), "x").unwrap();
    std::os::unix::fs::symlink(home.path(), home.path().join("circle")).unwrap();
    std::os::unix::fs::symlink(home.path().join("a"), home.path().join("link")).unwrap();
    let found = folder::below(home.path()).unwrap();
    assert_eq!(found.files.len(), 2);
    assert_eq!(found.left_out, [home.path().join("circle")], "it is said");
}

#[test]
fn a_file_whose_name_looks_like_a_space_keeps_its_name() {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("abc:def");
    fs::write(&file, "x").unwrap();
    assert_eq!(names_of(&args(&[&file], false)), ["main:abc:def"]);
}

#[test]
fn standard_input_needs_a_name() {
    let trouble = wanted(&args(&[Path::new("-")], false)).unwrap_err();
    assert!(trouble.paragraph().contains("--as"), "{trouble:?}");
}

#[test]
fn what_can_be_pasted_is_quoted_only_where_needed() {
    assert_eq!(quoted("a/b.txt"), "a/b.txt");
    assert_eq!(quoted("a b"), "'a b'");
    assert_eq!(quoted("it's"), "'it'\\''s'");
}

#[test]
fn bytes_that_changed_on_the_way_are_noticed() {
    let stored = api::Stored {
        name: "a".into(),
        size: 1,
        hash: blake3::hash(b"x").to_hex().to_string(),
        version: "1".into(),
        copies: api::Copies {
            durable: 1,
            wanted: 1,
        },
    };
    assert!(checked(stored.clone(), Some(blake3::hash(b"x"))).is_ok());
    assert!(checked(stored.clone(), Some(blake3::hash(b"y"))).is_err());
    assert!(checked(stored, None).is_err());
}

#[test]
fn a_receipt_that_too_few_signed_is_no_success() {
    let copies = |record, chunks: &[usize]| Copies {
        wanted: 3,
        record,
        chunks: chunks.to_vec(),
    };
    let ended = |copies: &Copies| shown(copies, "1-1-00000000", "chordal verify r");
    assert!(ended(&copies(2, &[3, 2])).is_ok());
    for few in [copies(3, &[3, 1]), copies(1, &[]), copies(0, &[0, 0])] {
        let trouble = ended(&few).unwrap_err();
        assert_eq!(trouble.exit(), Exit::TooFewCopies);
        let text = trouble.paragraph();
        assert!(
            text.contains("is stored, as version 1-1-00000000"),
            "{text}"
        );
    }
}

#[test]
fn two_files_are_not_stored_under_one_name() {
    let home = tempfile::tempdir().unwrap();
    let [one, other] = ["a", "b"].map(|folder| home.path().join(folder).join("x"));
    for file in [&one, &other] {
        fs::create_dir(file.parent().unwrap()).unwrap();
        fs::write(file, "x").unwrap();
    }
    assert!(wanted(&args(&[&one, &other], false)).is_err());
    assert_eq!(names_of(&args(&[&one], false)), ["x"]);
}

#[cfg(unix)]
#[test]
fn what_is_no_ordinary_file_is_refused_and_not_waited_for() {
    let home = tempfile::tempdir().unwrap();
    let socket = home.path().join("socket");
    drop(std::os::unix::net::UnixListener::bind(&socket).unwrap());
    assert!(wanted(&args(&[&socket], false)).is_err());
}

#[tokio::test]
async fn a_small_file_is_read_as_long_as_it_was_and_one_without_a_length_to_its_end() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("a");
    fs::write(&path, "grown meanwhile").unwrap();
    let file = || File::open(&path).unwrap();
    let (bytes, rest) = read_small(file(), 5).await.unwrap();
    assert!(bytes.as_ref() == b"grown" && rest.is_none());
    assert!(read_small(file(), 100).await.is_err(), "it became shorter");
    let (bytes, rest) = read_small(file(), 0).await.unwrap();
    assert!(bytes.as_ref() == b"grown meanwhile" && rest.is_none());
    let long = vec![7; usize::try_from(SMALL_BYTES).unwrap() + 9];
    fs::write(&path, &long).unwrap();
    let (bytes, rest) = read_small(file(), 0).await.unwrap();
    let mut whole = bytes.to_vec();
    rest.unwrap().read_to_end(&mut whole).unwrap();
    assert_eq!(whole, long, "nothing is cut off");
}
