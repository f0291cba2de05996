use std::time::Duration;

use chordal_object::{Name, NodeId, Version};
use chordal_sim::oracle::Duty;

use super::{Broken, Judge, Way};

const CONTENT: [u8; 32] = [1; 32];

const WAY: Way = Way {
    machine: 3,
    took: Duration::from_millis(4),
};

fn name() -> Name {
    Name::in_main("a").unwrap()
}

fn version(counter: u64) -> Version {
    Version {
        counter,
        incarnation: 1,
        node: NodeId::new([7; 32]),
    }
}

/// A judge who has seen a file acknowledged.
fn with_one() -> Judge {
    let judge = Judge::new(Duration::from_secs(5));
    let write = judge.begin_write(&name(), Some(CONTENT));
    judge.written(&name(), &write, version(1), WAY);
    judge
}

fn broken(judge: &Judge) -> Vec<Broken> {
    judge.tally().broken.into_keys().collect()
}

#[test]
fn an_acknowledged_file_that_is_found_breaks_nothing() {
    let judge = with_one();
    let read = judge.begin_read(&name());
    judge.found(&name(), &read, version(1), CONTENT, WAY);
    assert_eq!(broken(&judge), []);
    assert_eq!(judge.duties(), [(name(), Duty::Present(version(1)))]);
}

#[test]
fn a_lost_file_is_a_miss() {
    let judge = with_one();
    let read = judge.begin_read(&name());
    judge.found_nothing(&name(), &read, WAY);
    assert_eq!(broken(&judge), [Broken::Miss]);
}

#[test]
fn bytes_that_nobody_wrote_are_wrong() {
    let judge = with_one();
    let read = judge.begin_read(&name());
    judge.found(&name(), &read, version(2), [9; 32], WAY);
    assert_eq!(broken(&judge), [Broken::WrongBytes]);
}

#[test]
fn a_deleted_file_that_is_back_is_stale() {
    let judge = with_one();
    let delete = judge.begin_write(&name(), None);
    judge.written(&name(), &delete, version(2), WAY);
    let read = judge.begin_read(&name());
    judge.found(&name(), &read, version(1), CONTENT, WAY);
    assert_eq!(broken(&judge), [Broken::Stale]);
    assert_eq!(judge.tally().deletes.len(), 1);
}

#[test]
fn a_long_refusal_is_a_broken_promise_and_a_short_one_is_not() {
    let judge = with_one();
    judge.waited(&name(), "get", Duration::from_secs(4));
    assert_eq!(broken(&judge), []);
    judge.waited(&name(), "get", Duration::from_secs(6));
    assert_eq!(broken(&judge), [Broken::Refusal]);
    assert_eq!(judge.tally().longest, Duration::from_secs(6));
}

#[test]
fn a_failure_tells_the_story_of_the_file_and_the_events() {
    let judge = with_one();
    judge.event("machine 4 was killed");
    let text = judge
        .lock()
        .failure(Duration::ZERO, Some(&name()), "it is lost");
    assert!(
        text.contains("put via 3 took 4.0ms: version 1-1-07070707"),
        "{text}"
    );
    assert!(text.contains("machine 4 was killed"), "{text}");
}
