//! The scrub: copies that rot are found and replaced without anybody reading them.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::support::{Home, Node, alive, bytes};

/// A period that a test can wait for: two seconds.
const SOON: &str = "0.000023";

fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(files_below(&path));
        } else {
            files.push(path);
        }
    }
    files.sort();
    files
}

fn chunks_of(home: &Home, node: &Node) -> Vec<PathBuf> {
    let (_, port) = node.ring.rsplit_once(':').unwrap();
    files_below(
        &home
            .root()
            .join("home/nodes")
            .join(port)
            .join("store/chunks"),
    )
}

fn scrub_of<'a>(status: &'a Value, node: &Node) -> &'a Value {
    let nodes = status["ring"]["nodes"].as_array().unwrap();
    let own = nodes.iter().find(|it| it["id"] == node.id.as_str());
    &own.unwrap()["scrub"]
}

/// Whether the file is what its name says.
fn is_whole(path: &Path) -> bool {
    let name = path.file_name().unwrap().to_str().unwrap();
    std::fs::read(path).is_ok_and(|content| blake3::hash(&content).to_hex().as_str() == name)
}

#[test]
fn copies_that_rot_are_cut_short_or_vanish_are_whole_again_unread() {
    let home = Home::new();
    let nodes = home.ring_of_three(&["--scrub-days", SOON, "--scrub-rate", "1GiB"]);
    nodes[0].until(&home, "three nodes", |status| {
        alive(status) == 3 && status["repair"]["state"] == "idle"
    });
    let file = home.file("big", &bytes(5, 8_000_000));
    nodes[0].ok(&home, &["put", file.to_str().unwrap(), "--as", "big"]);
    let victim = &nodes[1];
    let chunks = chunks_of(&home, victim);
    assert!(chunks.len() >= 8, "{chunks:?}");
    nodes[0].until(&home, "a round in which all is well", |status| {
        scrub_of(status, victim)["round_ended"].is_string()
    });
    let before = nodes[0].ok(&home, &["status", "--json"]).json();
    assert_eq!(scrub_of(&before, victim)["found"], 0);

    let mut rotten = std::fs::read(&chunks[0]).unwrap();
    rotten[1000] ^= 1;
    std::fs::write(&chunks[0], rotten).unwrap();
    let cut = std::fs::OpenOptions::new()
        .write(true)
        .open(&chunks[1])
        .unwrap();
    cut.set_len(5_000).unwrap();
    std::fs::remove_file(&chunks[2]).unwrap();

    let status = nodes[0].until(&home, "all three are mended", |status| {
        let scrub = scrub_of(status, victim);
        (&scrub["found"], &scrub["mended"]) == (&3.into(), &3.into())
    });
    for chunk in &chunks {
        assert!(is_whole(chunk), "{}", chunk.display());
    }
    for other in [&nodes[0], &nodes[2]] {
        assert_eq!(scrub_of(&status, other)["found"], 0);
    }
    let told = nodes[2].ok(&home, &["status"]).out;
    assert!(
        told.contains("3 copies found bad so far, 3 mended"),
        "{told}"
    );
}
