//! Recordings of real nodes, replayed: what was decided is decided again.

use std::fs;
use std::path::PathBuf;

use crate::support::{Home, alive};

/// Stands in every file that is put, small and large.
const MARKER: &[u8] = b"these very words are what nobody else may read";

fn recording(home: &Home, name: &str) -> String {
    home.path(name).to_str().unwrap().to_owned()
}

/// Every file of a recording.
fn segments(home: &Home, name: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(home.files()).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    paths
        .filter(|path| {
            let file = path.file_name().unwrap().to_str().unwrap();
            file == name || file.starts_with(&format!("{name}."))
        })
        .collect()
}

#[test]
fn a_ring_of_three_is_replayed_through_a_crash() {
    let home = Home::new();
    let names = ["one.rec", "two.rec", "three.rec"];
    let paths = names.map(|name| recording(&home, name));
    let first = home.node(&["--grace", "2s", "--record", &paths[0]]);
    let join = ["--grace", "2s", "--join", &first.ring, "--record"];
    let second = home.node(&[&join[..], &[&paths[1]]].concat());
    let mut third = home.node(&[&join[..], &[&paths[2]]].concat());
    let nodes = [&first, &second, &third];
    for node in nodes {
        node.until(&home, "the ring is whole", |status| {
            status["ring"]["whole"] == true && alive(status) == 3
        });
    }
    let small = home.file("small", MARKER);
    let large = home.file("large", &MARKER.repeat(50_000));
    for (node, name) in nodes.iter().zip(["a", "b", "c"]) {
        for file in [&small, &large] {
            let name = format!("{name}{}", file.file_name().unwrap().to_str().unwrap());
            node.ok(&home, &["put", file.to_str().unwrap(), "--as", &name]);
        }
    }

    third.kill();
    for node in [&first, &second] {
        node.until(&home, "the ring has healed", |status| {
            let nodes = status["ring"]["nodes"].as_array().unwrap();
            let gone = nodes.iter().any(|node| node["state"] == "gone");
            gone && status["ring"]["whole"] == true
        });
        let got = node.ok(&home, &["cat", "csmall"]);
        assert_eq!(got.bytes, MARKER);
    }
    for node in [first, second] {
        node.signal("-TERM");
        assert_eq!(node.wait().0, 0);
    }

    let replayed = home.ok(&["sim", "replay", "--quiet", &paths[0], &paths[1], &paths[2]]);
    let of = |words: &str| -> Vec<&str> {
        let lines = replayed.out.lines();
        lines.filter(|line| line.contains(words)).collect()
    };
    assert_eq!(of("the same to the end").len(), 2, "{replayed:?}");
    let killed = of("the same up to the last entry");
    assert_eq!(killed.len(), 1, "{replayed:?}");
    assert!(killed[0].contains(&third.ring), "{replayed:?}");

    let steps = home.ok(&["sim", "replay", &paths[0], "--from", "0", "--to", "1e6"]);
    assert!(steps.out.contains("! Gone("), "the crash is in the steps");

    for path in names.iter().flat_map(|name| segments(&home, name)) {
        let bytes = fs::read(&path).unwrap();
        let found = bytes.windows(MARKER.len()).any(|bytes| bytes == MARKER);
        assert!(!found, "contents of a file are in {}", path.display());
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = fs::metadata(&path).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
    }
}
