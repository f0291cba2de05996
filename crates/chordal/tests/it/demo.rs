//! The demo and the measurements: whole rings in one command.

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

#[test]
fn after_the_demo_nodes_are_killed_and_started_by_name_until_q() {
    use std::io::Write as _;

    let temporary = tempfile::tempdir().unwrap();
    let mine = temporary.path().join("mine.txt");
    std::fs::write(&mine, b"mine").unwrap();
    let folder = temporary.path().join("demo");
    std::fs::create_dir(&folder).unwrap();
    let mut demo = program()
        .args(["demo", "--size", "1MiB", "--stay"])
        .env("TMPDIR", &folder)
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let typed = format!(
        "start A\nkill A\nput {}\nwhere mine.txt\nstart a\nkill Z\nring\nq\n",
        mine.display()
    );
    let mut input = demo.stdin.take().unwrap();
    input.write_all(typed.as_bytes()).unwrap();
    let output = demo.wait_with_output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{text}");
    for expected in [
        "/#",
        "A runs already",
        "A was killed",
        "stored mine.txt",
        "copies: ",
        "A is back",
        "'Z' is no node",
        "A  alive",
        "everything is removed",
    ] {
        assert!(text.contains(expected), "no '{expected}' in {text}");
    }
    assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 0);
}

#[test]
fn the_measurements_name_their_figures_and_their_limits() {
    let temporary = tempfile::tempdir().unwrap();
    let output = program()
        .args([
            "bench", "--quick", "--big", "2MiB", "--count", "20", "--json",
        ])
        .env("TMPDIR", temporary.path())
        .output()
        .unwrap();
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let figures = report["figures"].as_array().unwrap();
    let works: Vec<&str> = figures
        .iter()
        .map(|f| f["work"].as_str().unwrap())
        .collect();
    assert_eq!(
        works,
        [
            "put big",
            "get big",
            "get big, no holder",
            "put small",
            "get small",
            "get small, no holder"
        ]
    );
    for figure in figures {
        assert!(
            figure["operations_per_s"].as_f64().unwrap() > 0.0,
            "{figure}"
        );
        assert!(figure["p99_ms"].as_f64().unwrap() > 0.0, "{figure}");
    }
    assert_eq!(report["copies"], 3);
    assert!(report["limits"]["durable_write_mb_s"].as_f64().unwrap() > 0.0);
    assert_eq!(report["join_ms"].as_array().unwrap().len(), 3);
    assert_eq!(std::fs::read_dir(temporary.path()).unwrap().count(), 0);
}
