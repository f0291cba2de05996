use super::*;

fn file(fate: &str, size: u64, left: usize) -> FileFate {
    FileFate {
        name: "main:x".into(),
        size,
        fate: fate.into(),
        copies: 3,
        left,
        parts: 4,
        parts_lost: u64::from(fate == "lost"),
        seen_whole: fate != "in_doubt",
    }
}

fn walk_over(names: u64, files: Vec<FileFate>, next: Option<&str>) -> Summary {
    let args = WhatIfArgs {
        nodes: Vec::new(),
        prefix: String::new(),
        names,
        all: false,
    };
    let (out, prefix) = (Out::new(true), Prefix::parse("").unwrap());
    let mut walk = Walk {
        out,
        args: &args,
        prefix: &prefix,
        after: None,
        ended: false,
        summary: Summary::default(),
        missing: Vec::new(),
    };
    for file in &files {
        walk.count(file);
    }
    walk.ended = next.is_none();
    let _ = walk.goes_on();
    walk.summary
}

#[test]
fn files_are_counted_by_their_fate_and_short_ones_by_the_copies_left() {
    let files = vec![
        file("lost", 5, 0),
        file("short", 7, 1),
        file("short", 11, 2),
        file("whole", 13, 3),
        file("in_doubt", 17, 0),
    ];
    let summary = walk_over(100, files, None);
    let tally = |files, bytes| Tally { files, bytes };
    assert_eq!((summary.names, summary.cut), (5, false));
    assert_eq!((summary.lost, summary.whole), (tally(1, 5), tally(1, 13)));
    assert_eq!(
        (summary.short, summary.in_doubt),
        (tally(2, 18), tally(1, 17))
    );
    assert_eq!(summary.short_by_left, BTreeMap::from([(1, 1), (2, 1)]));
}

#[test]
fn a_list_that_goes_on_is_said_to_be_cut_and_one_that_ends_is_not() {
    let two = || vec![file("whole", 1, 3), file("whole", 1, 3)];
    assert!(walk_over(2, two(), Some("x")).cut);
    assert!(!walk_over(2, two(), None).cut);
    assert!(!walk_over(3, two(), Some("x")).cut, "it is still walked");
}

#[test]
fn the_last_line_never_says_that_nothing_is_lost_where_something_is() {
    let mut summary = walk_over(9, vec![file("whole", 1, 3)], None);
    assert!(ending(&summary).starts_with("Nothing would be lost"));
    summary.shares.lost = 0.1;
    assert!(!ending(&summary).contains("Nothing would be lost"));
    let summary = walk_over(9, vec![file("lost", 1, 0)], None);
    assert!(ending(&summary).contains("safer"));
}
