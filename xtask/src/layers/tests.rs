use serde_json::json;

use super::*;
use crate::house;

/// A workspace of two members, of which the first has one dependency.
fn offending_edge(from: &str, to: &str, kind: &Value) -> Vec<String> {
    let metadata = json!({ "packages": [
        { "name": from, "dependencies": [{ "name": to, "kind": kind }] },
        { "name": "chordal-object", "dependencies": [] },
        { "name": "chordal-net", "dependencies": [] },
    ]});
    offending(&metadata).unwrap()
}

#[test]
fn arrows_between_crates_point_down() {
    let found = check(&house::root()).unwrap();
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn an_arrow_that_is_not_in_the_table_is_named() {
    let found = offending_edge("chordal-proto", "chordal-net", &Value::Null);
    assert_eq!(
        found,
        ["chordal-proto -> chordal-net: this arrow points the wrong way"]
    );
}

#[test]
fn a_foreign_crate_that_a_pure_crate_may_not_use_is_named() {
    let found = offending_edge("chordal-proto", "tokio", &Value::Null);
    assert_eq!(
        found,
        ["chordal-proto -> tokio: not among the crates it may use"]
    );
}

#[test]
fn the_simulator_may_use_much_but_no_runtime() {
    assert!(offending_edge("chordal-sim", "clap", &Value::Null).is_empty());
    assert_eq!(
        offending_edge("chordal-sim", "tokio", &Value::Null).len(),
        1
    );
}

#[test]
fn a_build_dependency_counts_and_a_development_dependency_does_not() {
    assert_eq!(
        offending_edge("chordal-proto", "tokio", &json!("build")).len(),
        1
    );
    assert!(offending_edge("chordal-proto", "tokio", &json!("dev")).is_empty());
}

#[test]
fn an_allowed_arrow_is_not_reported() {
    assert!(offending_edge("chordal-proto", "chordal-object", &Value::Null).is_empty());
}

#[test]
fn a_member_without_a_row_is_reported() {
    let found = offending_edge("chordal-new", "bytes", &Value::Null);
    assert_eq!(found, ["chordal-new: has no row in the table of layers"]);
}
