//! Files in and out: folders, pipes, odd names, odd sizes, existing files, interrupted transfers.

use std::fs;
use std::io::Write;
use std::process::Stdio;

use crate::support::{Home, Node, bytes};

fn one() -> (Home, Node) {
    let home = Home::new();
    let node = home.node(&[]);
    (home, node)
}

#[test]
fn files_of_every_size_come_back_as_they_went() {
    let (home, node) = one();
    for length in [
        0,
        1,
        16 << 10,
        (16 << 10) + 1,
        1 << 20,
        (1 << 20) + 1,
        3_000_001,
    ] {
        let content = bytes(length as u64, length);
        let file = home.file("in", &content);
        node.ok(&home, &["put", file.to_str().unwrap(), "--as", "a"]);
        node.ok(&home, &["get", "a", "out", "--force"]);
        assert_eq!(fs::read(home.path("out")).unwrap(), content, "{length}");
    }
}

#[test]
fn a_name_is_only_a_name() {
    let (home, node) = one();
    let odd = [
        "..",
        "../../etc/passwd",
        "a b\nc",
        "ä/日本",
        "%2F",
        "a+b&c=d",
        "/",
        "-x",
    ];
    let file = home.file("in", b"x");
    for name in odd {
        node.ok(
            &home,
            &["put", file.to_str().unwrap(), &format!("--as={name}")],
        );
        let got = node.ok(&home, &["cat", "--", name]);
        assert_eq!(got.bytes, b"x", "{name:?}");
    }
    let listed = node.ok(&home, &["ls", "--json"]);
    let mut names: Vec<String> = listed
        .out
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap())
        .map(|row| row["name"].as_str().unwrap().to_owned())
        .collect();
    names.sort();
    let mut wanted: Vec<String> = odd.iter().map(ToString::to_string).collect();
    wanted.sort();
    assert_eq!(names, wanted);
    // Such a name does not become a path, and a listing does not move the cursor.
    let ended = node.run(&home, &["get", ".."]);
    assert_eq!(ended.code, 2, "{ended:?}");
    assert!(!node.ok(&home, &["ls"]).out.contains("a b\nc"));
    let longest = "x".repeat(1024);
    node.ok(&home, &["put", file.to_str().unwrap(), "--as", &longest]);
    let ended = node.run(
        &home,
        &[
            "put",
            file.to_str().unwrap(),
            "--as",
            &format!("{longest}x"),
        ],
    );
    assert_eq!(ended.code, 2);
    assert_eq!(
        node.run(&home, &["put", file.to_str().unwrap(), "--as", ""])
            .code,
        2
    );
}

#[test]
fn a_pipe_goes_in_and_comes_out() {
    let (home, node) = one();
    let content = bytes(9, 2_500_000);
    let args = ["--node", &node.ring, "put", "-", "--as", "piped", "--json"];
    let put = home.feed(&args, &content);
    assert_eq!(put.code, 0, "{put:?}");
    assert_eq!(put.json()["size"], 2_500_000);
    let got = node.ok(&home, &["get", "piped", "-"]);
    assert_eq!(got.bytes, content);
    assert_eq!(home.feed(&["--node", &node.ring, "put", "-"], b"x").code, 2);
}

#[test]
fn an_upload_whose_client_dies_leaves_nothing_visible() {
    let (home, node) = one();
    let mut child = home
        .command(&["--node", &node.ring, "put", "-", "--as", "torn"])
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(&bytes(1, 5_000_000)).unwrap();
    stdin.flush().unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(node.run(&home, &["stat", "torn"]).code, 3);
}

#[test]
fn an_existing_local_file_is_kept_unless_forced() {
    let (home, node) = one();
    let file = home.file("a", b"new");
    node.ok(&home, &["put", file.to_str().unwrap()]);
    fs::write(&file, "old").unwrap();
    let ended = node.run(&home, &["get", "a", "--json"]);
    assert_eq!((ended.code, &ended.error()["code"]), (1, &"exists".into()));
    assert_eq!(fs::read(&file).unwrap(), b"old");
    node.ok(&home, &["get", "a", "--force"]);
    assert_eq!(fs::read(&file).unwrap(), b"new");
    assert_eq!(fs::read_dir(home.files()).unwrap().count(), 1);
}

#[test]
fn an_interrupted_get_goes_on_where_it_stopped() {
    let (home, node) = one();
    let content = bytes(4, 6_000_000);
    let file = home.file("in", &content);
    node.ok(&home, &["put", file.to_str().unwrap(), "--as", "a"]);
    let hash = blake3::hash(&content).to_hex().to_string();
    let part = home.path(&format!(".out.{}.chordal-part", hash.get(..16).unwrap()));
    fs::write(&part, &content[..2_000_001]).unwrap();
    let got = node.ok(&home, &["get", "a", "out"]);
    assert!(got.out.contains("here already"), "{got:?}");
    assert_eq!(fs::read(home.path("out")).unwrap(), content);
    assert!(!part.exists());

    // What was here already is checked, not trusted.
    let mut wrong = content[..2_000_001].to_vec();
    wrong[5] ^= 1;
    let part = home.path(&format!(".out2.{}.chordal-part", hash.get(..16).unwrap()));
    fs::write(&part, wrong).unwrap();
    let ended = node.run(&home, &["get", "a", "out2", "--json"]);
    assert_eq!(ended.error()["code"], "corrupt");
    assert!(!home.path("out2").exists() && !part.exists());
    node.ok(&home, &["get", "a", "out2"]);
}

#[test]
fn folders_go_in_and_out_whole() {
    let (home, node) = one();
    fs::create_dir_all(home.path("photos/b")).unwrap();
    for (index, name) in ["photos/1", "photos/b/2", "photos/b/3"].iter().enumerate() {
        home.file(name, &bytes(index as u64, 50_000));
    }
    assert_eq!(node.run(&home, &["put", "photos"]).code, 2);
    node.ok(&home, &["put", "-r", "photos", "pics:2024"]);
    let listed = node.ok(&home, &["ls", "pics:"]).out;
    assert!(listed.contains("pics:2024/photos/b/3"), "{listed}");
    node.ok(&home, &["get", "-r", "pics:2024/photos/", "back"]);
    for (index, name) in ["back/1", "back/b/2", "back/b/3"].iter().enumerate() {
        assert_eq!(
            fs::read(home.path(name)).unwrap(),
            bytes(index as u64, 50_000)
        );
    }
    node.ok(&home, &["rm", "-r", "pics:2024/photos/b"]);
    let left = node.ok(&home, &["ls", "pics:", "--json"]).out;
    assert_eq!(left.lines().count(), 1, "{left}");
}

#[test]
fn a_listing_of_more_than_a_page_is_whole() {
    let (home, node) = one();
    fs::create_dir_all(home.path("many")).unwrap();
    for index in 0..1100 {
        home.file(&format!("many/{index:04}"), b"");
    }
    node.ok(&home, &["put", "-r", "many"]);
    let listed = node.ok(&home, &["ls", "many/", "--json"]).out;
    assert_eq!(listed.lines().count(), 1100);
}

#[test]
fn a_name_with_control_characters_is_shown_escaped_and_told_exactly_where_that_is_wanted() {
    let home = Home::new();
    let node = home.node(&[]);
    let name = "a\nb\u{1b}[31m";
    let file = home.file("x", b"x");
    node.ok(&home, &["put", file.to_str().unwrap(), "--as", name]);
    let lines = node.ok(&home, &["ls"]).out;
    assert!(lines.starts_with("a\\nb\\u{1b}[31m\n"), "{lines:?}");
    assert_eq!(node.ok(&home, &["ls", "-0"]).out, format!("{name}\0"));
    assert_eq!(node.ok(&home, &["ls", "--json"]).json()["name"], name);
}

#[test]
fn of_two_conditional_puts_one_is_refused_and_says_what_is_there() {
    let (home, node) = one();
    let file = home.file("in", b"first");
    let path = file.to_str().unwrap();
    node.ok(&home, &["put", path, "--as", "a", "--if-absent"]);
    let refused = node.run(&home, &["put", path, "--as", "a", "--if-absent", "--json"]);
    assert_eq!(refused.code, 5);
    assert_eq!(refused.error()["code"], "conflict");
    let version = node.ok(&home, &["stat", "a", "--json"]).json()["version"]
        .as_str()
        .unwrap()
        .to_owned();
    node.ok(&home, &["put", path, "--as", "a", "--if-version", &version]);
    let late = node.run(&home, &["rm", "a", "--if-version", &version]);
    assert_eq!(late.code, 5, "{}", late.err);
    assert_eq!(node.ok(&home, &["cat", "a"]).bytes, b"first");
}
