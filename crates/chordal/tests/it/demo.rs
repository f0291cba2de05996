//! The demo, as a newcomer meets it.

use std::time::{Duration, Instant};

use crate::support::program;

#[test]
fn the_demo_kills_a_node_and_keeps_the_file_within_half_a_minute() {
    let temporary = tempfile::tempdir().unwrap();
    let begun = Instant::now();
    let output = program()
        .args(["demo", "--size", "2MiB"])
        .env("TMPDIR", temporary.path())
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success(),
        "{text}\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(text.contains("3 copies again, file intact"), "{text}");
    assert!(!text.contains('\x1b'), "colour without a terminal");
    assert!(begun.elapsed() < Duration::from_secs(30));
    let left = std::fs::read_dir(temporary.path()).unwrap().count();
    assert_eq!(left, 0, "the demo left something behind");
}
