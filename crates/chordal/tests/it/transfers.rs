//! Many files at once: what goes on after an interruption, and what is said where.

use std::fs;
use std::process::Stdio;

use crate::support::Home;

#[test]
fn many_files_that_are_stored_again_are_sent_only_where_they_differ() {
    let home = Home::new();
    let node = home.node(&[]);
    let at = ["--node", node.ring.as_str()];
    let folder = home.path("many");
    fs::create_dir_all(folder.join("below")).unwrap();
    for number in 0..40 {
        let path = folder.join(format!("below/{number}"));
        fs::write(path, format!("file {number}")).unwrap();
    }
    let put = ["put", "-r", "many", at[0], at[1]];
    let first = home.ok(&put).out;
    assert_eq!(
        first, "stored 40 files, 270 B\n",
        "nothing but results in a pipe"
    );
    assert_eq!(home.ok(&put).out, "there already 40 files\n");

    // Of the same length, and another.
    fs::write(folder.join("below/7"), "FILE 7").unwrap();
    fs::write(folder.join("new"), "x").unwrap();
    let third = home.ok(&put).out;
    assert_eq!(
        third,
        "stored many/below/7  6 B\nstored many/new  1 B\nthere already 39 files\n"
    );
    let seven = home.ok(&["cat", "many/below/7", at[0], at[1]]).out;
    assert_eq!(seven, "FILE 7");

    // Who asks for a line a file gets one; who asks for silence gets that.
    let json = home.ok(&[&put[..], &["--json"]].concat()).out;
    assert_eq!(json.lines().count(), 41);
    let quiet = home.ok(&[&put[..], &["--quiet"]].concat());
    assert_eq!((quiet.out.as_str(), quiet.err.as_str()), ("", ""));
    let only = home.run(&[&put[..], &["--if-absent"]].concat());
    assert_eq!(only.code, 5, "a condition is never passed over: {only:?}");
}

#[test]
fn many_files_that_are_fetched_again_come_only_where_they_are_not_here() {
    let home = Home::new();
    let node = home.node(&[]);
    let at = ["--node", node.ring.as_str()];
    let folder = home.path("many");
    fs::create_dir_all(&folder).unwrap();
    for number in 0..30 {
        fs::write(folder.join(number.to_string()), format!("file {number}")).unwrap();
    }
    home.ok(&["put", "-r", "-q", "many", at[0], at[1]]);
    let get = ["get", "-r", "many", "back", at[0], at[1]];
    let first = home.ok(&get).out;
    assert_eq!(first, "fetched 30 files, 200 B, into back\n");
    let back = home.path("back").join("many");
    fs::remove_file(back.join("3")).unwrap();
    let second = home.ok(&get).out;
    assert_eq!(
        second,
        "fetched 1 file, 6 B, into back, 29 files here already\n"
    );

    // One that differs is not replaced, whatever its length.
    for other in ["FILE 5", "something else"] {
        fs::write(back.join("5"), other).unwrap();
        let refused = home.run(&get);
        assert_eq!(refused.code, 1, "{refused:?}");
        assert!(refused.err.contains("exists"), "{refused:?}");
        assert_eq!(fs::read_to_string(back.join("5")).unwrap(), other);
    }
    let forced = home.ok(&[&get[..], &["--force"]].concat()).out;
    assert_eq!(
        forced,
        "fetched 1 file, 6 B, into back, 29 files here already\n"
    );
    assert_eq!(fs::read_to_string(back.join("5")).unwrap(), "file 5");
    let quiet = home.ok(&[&get[..], &["-q"]].concat());
    assert_eq!((quiet.out.as_str(), quiet.err.as_str()), ("", ""));
}

#[test]
fn a_list_in_a_pipe_is_names_alone() {
    let home = Home::new();
    let node = home.node(&[]);
    let at = ["--node", node.ring.as_str()];
    let file = home.file("one", b"x");
    home.ok(&["put", file.to_str().unwrap(), at[0], at[1]]);
    assert_eq!(home.ok(&["ls", at[0], at[1]]).out, "one\n");
    assert_eq!(home.ok(&["ls", "none", at[0], at[1]]).out, "");
    assert_eq!(home.ok(&["rm", "one", at[0], at[1]]).out, "deleted one\n");
}

#[test]
fn a_name_that_cannot_be_a_file_here_keeps_no_other_from_coming() {
    let home = Home::new();
    let node = home.node(&[]);
    let at = ["--node", node.ring.as_str()];
    fs::write(home.path("file"), "x").unwrap();
    for name in ["fine", "../up", "a", "a/below", "trail/"] {
        home.ok(&["put", "file", "--as", name, at[0], at[1]]);
    }
    let ended = home.run(&["get", "-r", "", "back", "--json", at[0], at[1]]);
    assert_eq!(
        (ended.code, &ended.error()["code"]),
        (1, &"unfit_names".into()),
        "{ended:?}"
    );
    let back = home.path("back");
    for name in ["fine", "a/below"] {
        assert_eq!(fs::read(back.join(name)).unwrap(), b"x");
    }
    assert!(!home.path("up").exists());
    let said = ended.error()["message"].as_str().unwrap().to_owned();
    for name in ["../up", "'a'", "trail/"] {
        assert!(said.contains(name), "{said}");
    }
}

#[test]
fn of_many_names_that_are_deleted_a_missing_one_holds_up_no_other() {
    let home = Home::new();
    let node = home.node(&[]);
    let at = ["--node", node.ring.as_str()];
    for name in ["a", "c", "d", "dd/e"] {
        let file = home.file("in", name.as_bytes());
        home.ok(&["put", file.to_str().unwrap(), "--as", name, at[0], at[1]]);
    }
    let ended = home.run(&["rm", "a", "b", "c", "a", at[0], at[1]]);
    assert_eq!(ended.code, 3, "{ended:?}");
    assert!(ended.err.contains("'b'"), "{ended:?}");
    assert!(ended.err.contains("2 of 3 names are deleted"), "{ended:?}");
    // A folder is what lies below it, and not what begins alike.
    home.ok(&["rm", "-r", "d", at[0], at[1]]);
    assert_eq!(home.ok(&["ls", at[0], at[1]]).out, "dd/e\n");
    let nothing = home.run(&["rm", "-r", "d", at[0], at[1]]);
    assert_eq!(nothing.code, 3, "{nothing:?}");
    assert!(nothing.err.contains("1 name begins with it"), "{nothing:?}");
}

#[test]
fn a_reader_that_goes_away_neither_ends_the_work_nor_hides_how_it_ended() {
    let home = Home::new();
    let node = home.node(&[]);
    let at = ["--node", node.ring.as_str()];
    let folder = home.path("many");
    fs::create_dir_all(&folder).unwrap();
    for number in 0..200 {
        fs::write(folder.join(number.to_string()), format!("file {number}")).unwrap();
    }
    let mut command = home.command(&["put", "-r", "many", "--json", at[0], at[1]]);
    let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    assert_eq!(child.wait().unwrap().code(), Some(0));
    assert_eq!(home.ok(&["ls", at[0], at[1]]).out.lines().count(), 200);

    let mut command = home.command(&["rm", "many/0", "nothing", at[0], at[1]]);
    let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    assert_eq!(
        child.wait().unwrap().code(),
        Some(3),
        "it failed all the same"
    );
}

#[test]
fn what_a_download_has_not_finished_is_no_file() {
    let home = Home::new();
    let node = home.node(&[]);
    let at = ["--node", node.ring.as_str()];
    let folder = home.path("some");
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("a"), "x").unwrap();
    fs::write(folder.join(".a.0123456789abcdef.chordal-part"), "y").unwrap();
    let put = home.ok(&["put", "-r", "some", at[0], at[1]]);
    assert!(put.err.contains("chordal-part"), "it is said: {put:?}");
    assert_eq!(home.ok(&["ls", at[0], at[1]]).out, "some/a\n");
    // Another client may have stored one: it must not get into the way of the file.
    let part = folder.join(".a.0123456789abcdef.chordal-part");
    let name = "--as=some/.a.0123456789abcdef.chordal-part";
    home.ok(&["put", part.to_str().unwrap(), name, at[0], at[1]]);
    let got = home.run(&["get", "-r", "some", "back", at[0], at[1]]);
    assert_eq!(got.code, 1, "{got:?}");
    assert!(got.err.contains("chordal-part"), "{got:?}");
    assert_eq!(fs::read(home.path("back/some/a")).unwrap(), b"x");
}
