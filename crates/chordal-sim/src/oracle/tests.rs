use chordal_object::{Name, NodeId, Version};

use chordal_proto::input::Condition;

use super::{Duty, Oracle};

const ONE: [u8; 32] = [1; 32];
const TWO: [u8; 32] = [2; 32];

fn name() -> Name {
    Name::in_main("a").expect("a name")
}

fn version(counter: u64) -> Version {
    Version {
        counter,
        incarnation: 1,
        node: NodeId::new([7; 32]),
    }
}

/// An oracle that has seen this content acknowledged as version 1.
fn with_one() -> Oracle {
    let mut oracle = Oracle::default();
    let write = oracle.begin_write(&name(), Some(ONE), None);
    oracle.written(&write, version(1)).expect("the first write");
    oracle
}

#[test]
fn a_read_may_give_what_was_acknowledged() {
    let mut oracle = with_one();
    let read = oracle.begin_read(&name());
    oracle
        .found(&read, version(1), ONE)
        .expect("it was acknowledged");
    assert_eq!(oracle.duty(&name()), Duty::Present(version(1)));
}

#[test]
fn an_acknowledged_file_must_not_be_absent() {
    let mut oracle = with_one();
    let read = oracle.begin_read(&name());
    oracle.found_nothing(&read).expect_err("nobody deleted it");
}

#[test]
fn a_read_must_not_give_an_older_version_than_acknowledged() {
    let mut oracle = with_one();
    let write = oracle.begin_write(&name(), Some(TWO), None);
    oracle
        .written(&write, version(2))
        .expect("the second write");
    let read = oracle.begin_read(&name());
    oracle
        .found(&read, version(1), ONE)
        .expect_err("it was overwritten");
}

#[test]
fn a_read_beside_a_write_may_give_either() {
    let mut oracle = with_one();
    let write = oracle.begin_write(&name(), Some(TWO), None);
    let (early, late) = (oracle.begin_read(&name()), oracle.begin_read(&name()));
    oracle.found(&early, version(1), ONE).expect("the old one");
    oracle.found(&late, version(2), TWO).expect("the new one");
    oracle.written(&write, version(2)).expect("the write");
}

#[test]
fn what_one_read_gave_a_later_one_must_not_take_back() {
    let mut oracle = with_one();
    let _unknown = oracle.begin_write(&name(), Some(TWO), None);
    let first = oracle.begin_read(&name());
    oracle
        .found(&first, version(2), TWO)
        .expect("an unknown write may be seen");
    let second = oracle.begin_read(&name());
    oracle
        .found(&second, version(1), ONE)
        .expect_err("it was seen already");
}

#[test]
fn an_unknown_delete_may_be_seen_but_not_taken_back() {
    let mut oracle = with_one();
    let _unknown = oracle.begin_write(&name(), None, None);
    assert_eq!(oracle.duty(&name()), Duty::Anything);
    let first = oracle.begin_read(&name());
    oracle
        .found_nothing(&first)
        .expect("the delete may have happened");
    let second = oracle.begin_read(&name());
    oracle
        .found(&second, version(1), ONE)
        .expect_err("it was seen to be deleted");
}

#[test]
fn a_deleted_file_stays_away() {
    let mut oracle = with_one();
    let delete = oracle.begin_write(&name(), None, None);
    oracle.written(&delete, version(2)).expect("the delete");
    assert_eq!(oracle.duty(&name()), Duty::Absent);
    let read = oracle.begin_read(&name());
    oracle.found_nothing(&read).expect("it was deleted");
    let read = oracle.begin_read(&name());
    oracle
        .found(&read, version(1), ONE)
        .expect_err("it was deleted");
}

#[test]
fn a_torn_put_must_never_be_seen() {
    let mut oracle = with_one();
    oracle.never_written(&name(), TWO);
    let read = oracle.begin_read(&name());
    oracle
        .found(&read, version(2), TWO)
        .expect_err("its record was never sent");
}

#[test]
fn a_version_has_one_content() {
    let mut oracle = with_one();
    let write = oracle.begin_write(&name(), Some(TWO), None);
    oracle
        .written(&write, version(1))
        .expect_err("version 1 is another file");
}

#[test]
fn a_later_write_has_a_higher_version() {
    let mut oracle = Oracle::default();
    let write = oracle.begin_write(&name(), Some(ONE), None);
    oracle.written(&write, version(5)).expect("the first write");
    let write = oracle.begin_write(&name(), Some(TWO), None);
    oracle
        .written(&write, version(4))
        .expect_err("5 was acknowledged before");
}

#[test]
fn a_content_that_nobody_wrote_is_an_error() {
    let mut oracle = with_one();
    let read = oracle.begin_read(&name());
    oracle
        .found(&read, version(2), TWO)
        .expect_err("nobody wrote it");
}

#[test]
fn nothing_may_come_between_a_condition_and_its_write() {
    let mut oracle = Oracle::default();
    let first = oracle.begin_write(&name(), Some(ONE), None);
    oracle.written(&first, version(1)).unwrap();
    let racing = oracle.begin_write(&name(), Some(TWO), None);
    let condition = Some(Condition::Version(version(1)));
    let conditional = oracle.begin_write(&name(), Some(ONE), condition);
    oracle.written(&conditional, version(3)).unwrap();
    let broken = oracle.written(&racing, version(2)).unwrap_err();
    assert!(broken.contains("was written under"), "{broken}");
}

#[test]
fn a_refused_write_is_never_seen() {
    let mut oracle = Oracle::default();
    let first = oracle.begin_write(&name(), Some(ONE), None);
    oracle.written(&first, version(1)).unwrap();
    let refused = oracle.begin_write(&name(), Some(TWO), Some(Condition::Absent));
    oracle.refused(&refused, Some(version(1))).unwrap();
    let read = oracle.begin_read(&name());
    assert!(oracle.found(&read, version(2), TWO).is_err());
    let kept = oracle.begin_write(&name(), Some(TWO), Some(Condition::Version(version(1))));
    assert!(oracle.refused(&kept, Some(version(1))).is_err());
}
