use chordal_object::NodeId;

use super::*;

fn version(counter: u64) -> Version {
    Version {
        counter,
        incarnation: 1,
        node: NodeId::new([1; 32]),
    }
}

fn name() -> Name {
    "a".parse().unwrap()
}

#[test]
fn nothing_below_a_promise_is_taken() {
    let mut promises = Promises::default();
    promises.give(&name(), version(5)).unwrap();
    assert_eq!(promises.give(&name(), version(4)), Err(version(5)));
    let allowed = promises.allow(&name(), version(4), None);
    assert_eq!(allowed, Allowed::No(version(5)));
    assert_eq!(promises.allow(&name(), version(6), None), Allowed::Yes);
}

#[test]
fn a_write_under_a_promise_counts_while_it_is_the_last_one() {
    let mut promises = Promises::default();
    let taken = |promises: &Promises| promises.allow(&name(), version(5), Some(version(5)));
    assert_eq!(taken(&promises), Allowed::Uncounted);
    promises.give(&name(), version(5)).unwrap();
    assert_eq!(taken(&promises), Allowed::Yes);
    promises.give(&name(), version(7)).unwrap();
    assert_eq!(taken(&promises), Allowed::No(version(7)));
    promises.clear();
    assert_eq!(taken(&promises), Allowed::Uncounted);
}

#[test]
fn an_older_record_may_be_brought_to_a_majority_under_a_newer_promise() {
    let mut promises = Promises::default();
    promises.give(&name(), version(7)).unwrap();
    let allowed = promises.allow(&name(), version(3), Some(version(7)));
    assert_eq!(allowed, Allowed::Yes);
}

#[test]
fn promises_are_bounded() {
    let mut promises = Promises::default();
    for number in 0..=PROMISED_NAMES_MAX {
        let name = format!("file {number}").parse().unwrap();
        promises.give(&name, version(1)).unwrap();
    }
    assert_eq!(promises.0.len(), PROMISED_NAMES_MAX);
}
