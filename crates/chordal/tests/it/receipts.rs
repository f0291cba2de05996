//! Receipts: `put --receipt` and `verify`.

use std::path::Path;
use std::time::Instant;

use serde_json::Value;

use crate::support::{Ended, Home, Node, PATIENCE, alive, bytes};

/// Stores a file and returns where its receipt is.
fn stored(home: &Home, node: &Node, name: &str, content: &[u8]) -> String {
    let file = home.file(name, content);
    let receipt = home.path(&format!("{name}.receipt"));
    let receipt = receipt.to_str().unwrap().to_owned();
    let file = file.to_str().unwrap();
    node.ok(home, &["put", file, "--as", name, "--receipt", &receipt]);
    receipt
}

/// Verifies again and again until it ends so.
fn until(what: &str, verify: impl Fn() -> Ended, is_so: impl Fn(&Ended) -> bool) -> Ended {
    let begun = Instant::now();
    loop {
        let ended = verify();
        if is_so(&ended) {
            return ended;
        }
        assert!(begun.elapsed() < PATIENCE, "not in time: {what}: {ended:?}");
        // The pace of looking, not of the thing looked at.
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
}

fn changed(path: &str, change: impl Fn(&mut Value)) {
    let mut receipt: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    change(&mut receipt);
    std::fs::write(path, receipt.to_string()).unwrap();
}

#[test]
fn a_receipt_is_good_without_a_ring_and_says_so_when_the_ring_is_down() {
    let home = Home::new();
    let [first, second, third] = home.ring_of_three(&[]);
    let content = bytes(1, 2_500_000);
    let receipt = stored(&home, &first, "a", &content);
    let file = home.path("a");
    let verify = |more: &[&str]| home.run(&[&["verify", receipt.as_str()], more].concat());

    let ended = verify(&["--json"]);
    assert_eq!(ended.code, 0, "{ended:?}");
    let told = ended.json();
    assert_eq!(
        (&told["verdict"], &told["name"]),
        (&"held".into(), &"a".into())
    );
    assert_eq!(
        (&told["wanted"], &told["enough"], &told["record"]),
        (&3.into(), &2.into(), &3.into())
    );
    assert_eq!(told["chunks"], serde_json::json!([3, 3, 3]));
    assert_eq!(told["signed"]["record"], 3);
    assert_eq!(told["signed"]["chunks"], serde_json::json!([3, 3, 3]));
    assert_eq!(told["holders"].as_array().unwrap().len(), 3);
    assert_eq!(told["hash"], blake3::hash(&content).to_hex().as_str());
    let deep = verify(&["--deep", "--bytes", file.to_str().unwrap()]);
    assert_eq!(deep.code, 0, "{deep:?}");
    assert!(
        deep.out.contains("it is that file") && deep.out.contains("3 of 3"),
        "{deep:?}"
    );

    let other = home.file("other", &content[..2_000_000]);
    let ended = verify(&["--bytes", other.to_str().unwrap(), "--json"]);
    assert_eq!(
        (ended.code, &ended.error()["code"]),
        (1, &"other_bytes".into())
    );

    drop((first, second, third));
    assert_eq!(verify(&["--offline"]).code, 0);
    assert_eq!(verify(&["--offline", "--json"]).json()["verdict"], "signed");
    let down = verify(&["--json"]);
    assert_eq!((down.code, &down.error()["code"]), (1, &"no_node".into()));
    assert!(down.err.contains("signatures are good"), "{down:?}");
}

#[test]
fn changed_cut_and_foreign_receipts_prove_nothing() {
    let home = Home::new();
    let node = home.node(&[]);
    let receipt = stored(&home, &node, "a", b"hello");
    let text = std::fs::read_to_string(&receipt).unwrap();
    let verify = || home.run(&["verify", &receipt, "--json"]);
    assert_eq!(verify().code, 0);
    let refused = |code: i32, name: &str| {
        let ended = verify();
        assert_eq!(
            (ended.code, &ended.error()["code"]),
            (code, &name.into()),
            "{ended:?}"
        );
    };

    changed(&receipt, |it| it["size"] = 6.into());
    refused(1, "no_receipt");
    std::fs::write(&receipt, text.get(..text.len() / 2).unwrap()).unwrap();
    refused(1, "no_receipt");
    std::fs::write(&receipt, &text).unwrap();
    changed(&receipt, |it| it["holders"] = Vec::<Value>::new().into());
    refused(1, "no_receipt");
    std::fs::write(&receipt, &text).unwrap();
    assert_eq!(verify().code, 0);

    let elsewhere = Home::new();
    let _other = elsewhere.node(&[]);
    let ended = elsewhere.run(&["verify", &receipt, "--json"]);
    assert_eq!(
        (ended.code, &ended.error()["code"]),
        (5, &"other_ring".into())
    );
    // Nobody's home knows whose it is, unless it is told.
    let nowhere = Home::new();
    let ended = nowhere.run(&["verify", &receipt, "--offline", "--json"]);
    assert_eq!(
        (ended.code, &ended.error()["code"]),
        (5, &"other_ring".into())
    );
    let authority: Value = serde_json::from_str(&text).unwrap();
    let authority = authority["authority"].as_str().unwrap();
    nowhere.ok(&["verify", &receipt, "--offline", "--authority", authority]);
    let ended = nowhere.run(&["verify", &receipt, "--offline", "--authority", "x"]);
    assert_eq!(ended.code, 2);
}

#[test]
fn a_receipt_is_refused_before_anything_is_stored_where_it_cannot_be_written() {
    let home = Home::new();
    let node = home.node(&[]);
    let (one, two) = (home.file("one", b"1"), home.file("two", b"2"));
    let there = home.file("there", b"mine");
    let (one, two, there) = (
        one.to_str().unwrap(),
        two.to_str().unwrap(),
        there.to_str().unwrap(),
    );
    let ended = node.run(&home, &["put", one, "--receipt", there, "--json"]);
    assert_eq!((ended.code, &ended.error()["code"]), (1, &"exists".into()));
    let ended = node.run(&home, &["put", one, two, "--receipt", "r"]);
    assert_eq!(ended.code, 2, "{ended:?}");
    assert_eq!(std::fs::read(there).unwrap(), b"mine");
    assert_eq!(node.ok(&home, &["ls", "--json"]).out, "");
}

#[test]
fn a_newer_version_and_a_deletion_are_no_loss() {
    let home = Home::new();
    let [node, _second, _third] = home.ring_of_three(&[]);
    let receipt = stored(&home, &node, "a", b"one");
    let verify = || home.run(&["verify", &receipt, "--json"]);
    home.file("a", b"two");
    node.ok(
        &home,
        &["put", home.path("a").to_str().unwrap(), "--as", "a"],
    );
    let replaced = verify();
    assert_eq!(
        (replaced.code, &replaced.error()["code"]),
        (3, &"replaced".into()),
        "{replaced:?}"
    );
    assert_eq!(replaced.json()["verdict"], "replaced");
    node.ok(&home, &["rm", "a"]);
    let deleted = verify();
    assert_eq!(
        (deleted.code, &deleted.error()["code"]),
        (3, &"deleted".into()),
        "{deleted:?}"
    );
}

#[test]
fn others_answer_for_an_expelled_holder_and_too_few_are_named() {
    let home = Home::new();
    let mut nodes = Vec::from(home.ring_of_three(&["--grace", "1h"]));
    let first = nodes[0].ring.clone();
    nodes.push(home.node(&["--grace", "1h", "--join", &first]));
    nodes[0].until(&home, "four nodes", |status| {
        alive(status) == 4 && status["repair"]["state"] == "idle"
    });
    let receipt = stored(&home, &nodes[0], "a", &bytes(2, 6_500_000));
    let verify = || home.run(&["verify", &receipt, "--json", "--node", &first]);
    let gone = nodes.pop().unwrap();
    nodes[0].ok(&home, &["expel", &gone.id, "--force"]);
    let (whose, reason) = (gone.id.clone(), Value::from("expelled"));
    let ended = until("others have its copies", verify, |ended| {
        let told = ended.json();
        let counts = told["chunks"].as_array().unwrap();
        ended.code == 0 && counts.iter().all(|count| *count == 3)
    });
    let told = ended.json();
    let holders = told["holders"].as_array().unwrap();
    let expelled = holders
        .iter()
        .find(|it| it["node"] == whose.as_str())
        .unwrap();
    assert_eq!(
        (&expelled["why"], &expelled["chunks"]),
        (&reason, &0.into())
    );

    let alone = home.run(&["verify", &receipt, "--offline", "--json"]);
    let signed = &alone.json()["signed"];
    assert_eq!(signed["expelled"], serde_json::json!([whose]), "{alone:?}");
    let fewest = signed["chunks"].as_array().unwrap().iter();
    let fewest = fewest.filter_map(Value::as_u64).min().unwrap();
    assert!(fewest <= 2, "one of three counts no more: {alone:?}");
    let is_enough = fewest >= 2 && signed["record"].as_u64() >= Some(2);
    assert_eq!(alone.code, if is_enough { 0 } else { 4 }, "{alone:?}");

    let silent: Vec<Node> = nodes.drain(1..).collect();
    let ids: Vec<String> = silent.iter().map(|node| node.id.clone()).collect();
    drop(silent);
    let ended = until("two of three are silent", verify, |ended| ended.code == 4);
    let missing = ended.error()["missing"].clone();
    let missing = missing.as_array().unwrap();
    for id in ids {
        assert!(
            missing.iter().any(|it| it["node"] == id.as_str()),
            "{ended:?}"
        );
    }
    assert_eq!(ended.json()["verdict"], "too_few_copies");
}

#[test]
fn what_was_damaged_under_a_holder_is_found_by_reading_again() {
    let home = Home::new();
    let [first, _second, third] = home.ring_of_three(&[]);
    let receipt = stored(&home, &first, "a", &bytes(3, 2_500_000));
    let text: Value = serde_json::from_slice(&std::fs::read(&receipt).unwrap()).unwrap();
    let id = text["chunks"][0].as_str().unwrap();
    let (_, port) = third.ring.rsplit_once(':').unwrap();
    let chunks = home
        .root()
        .join("home/nodes")
        .join(port)
        .join("store/chunks");
    let path = chunks.join(Path::new(id.get(..2).unwrap())).join(id);
    std::fs::remove_file(&path).unwrap();
    let counts = |more: &[&str]| {
        let args = [&["verify", receipt.as_str(), "--json"], more].concat();
        home.ok(&args).json()["chunks"].clone()
    };
    assert_eq!(
        counts(&[]),
        serde_json::json!([3, 3, 3]),
        "the index knows nothing of it"
    );
    assert_eq!(counts(&["--deep"])[0], 2);
    until(
        "the ring has replaced it",
        || home.run(&["verify", &receipt, "--deep", "--json"]),
        |ended| ended.json()["chunks"][0] == 3,
    );
    assert!(path.exists());
}
