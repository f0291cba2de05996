use super::*;

fn wanted(names: &[&str]) -> Vec<Wanted> {
    let file = |name: &&str| Wanted {
        path: "x".into(),
        name: (*name).to_owned(),
        size: None,
    };
    names.iter().map(file).collect()
}

fn prefix_of(names: &[&str]) -> Option<(String, String)> {
    common(&wanted(names)).map(|prefix| (prefix.space, prefix.path))
}

#[test]
fn what_names_have_in_common_is_listed_and_no_letter_is_cut() {
    let of = |space: &str, path: &str| Some((space.to_owned(), path.to_owned()));
    assert_eq!(prefix_of(&["a/b1", "a/b2", "a/bc/d"]), of("main", "a/b"));
    assert_eq!(prefix_of(&["photos:ä1", "photos:äß"]), of("photos", "ä"));
    // Two letters whose first bytes are the same.
    assert_eq!(prefix_of(&["xä", "xö"]), of("main", "x"));
    assert_eq!(prefix_of(&["a", "b"]), of("main", ""));
    assert_eq!(prefix_of(&["photos:a", "a"]), None);
    assert_eq!(prefix_of(&[]), None);
}

#[tokio::test]
async fn a_file_is_the_same_by_its_content_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x");
    std::fs::write(&path, "words").unwrap();
    let hash = blake3::hash(b"words").to_hex().to_string();
    assert!(is_same(&path, &hash).await);
    std::fs::write(&path, "other").unwrap();
    assert!(!is_same(&path, &hash).await);
    assert!(!is_same(&folder.path().join("none"), &hash).await);
}

#[tokio::test]
async fn what_this_machine_cannot_read_is_told_in_the_end_and_holds_up_no_other() {
    use clap::Parser;
    let cli = crate::cli::Cli::parse_from(["chordal", "put", "x"]);
    let crate::cli::Command::Put(args) = cli.command else {
        panic!("it was a put")
    };
    let client = Client::new(([127, 0, 0, 1], 1).into(), "token").unwrap();
    let mut tally = Tally::default();
    let context = Context {
        out: crate::out::Out::new(true),
        common: cli.common,
    };
    for file in wanted(&["a", "b"]) {
        let gone = Wanted {
            path: format!("/nowhere/{}", file.name).into(),
            ..file
        };
        let end = one(&client, &args, &gone, None, &Progress::none()).await;
        tally.count(&context, end.unwrap()).unwrap();
    }
    let trouble = tally.all_read(5).unwrap_err();
    assert_eq!(trouble.code, "io");
    assert!(
        trouble.message.contains("/nowhere/a was not stored"),
        "{trouble:?}"
    );
    assert!(
        trouble.message.starts_with("2 files could not be read"),
        "{trouble:?}"
    );
    tally.unread.clear();
    assert!(tally.all_read(5).is_ok());
}
