use bytes::Bytes;
use chordal_object::Chunk;
use chordal_proto::input::OperationId;

use super::Held;

fn chunk() -> Chunk {
    Chunk::new(Bytes::from_static(b"bytes"))
}

#[test]
fn a_kept_chunk_can_be_read_often_and_taken_once() {
    let held = Held::default();
    held.keep(OperationId(1), chunk());
    assert_eq!(held.get(OperationId(1)), Some(chunk()));
    assert_eq!(held.take(OperationId(1)), Some(chunk()));
    assert_eq!(held.get(OperationId(1)), None);
    assert_eq!(held.take(OperationId(1)), None);
}

#[test]
fn bytes_for_a_client_that_is_gone_are_dropped() {
    let held = Held::default();
    held.want(OperationId(1));
    assert_eq!(held.get(OperationId(1)), None, "nothing came yet");
    assert_eq!(held.take(OperationId(1)), None, "the client goes");
    held.bring(OperationId(1), chunk());
    assert_eq!(held.get(OperationId(1)), None);
    assert!(held.slots().is_empty());
}

#[test]
fn bytes_come_to_whoever_wants_them() {
    let held = Held::default();
    held.want(OperationId(1));
    held.bring(OperationId(1), chunk());
    assert_eq!(held.take(OperationId(1)), Some(chunk()));
}
