use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};

use bytes::Bytes;
use chordal_object::{Content, File, Name, NodeId, Record, Version};
use proptest::prelude::*;

use super::{Damage, Decisions, Frames, Item, MAGIC, Step, Told, encode};
use crate::codec;
use crate::input::{Command, Completion, DiskAnswer, Draft, EffectId, Input, OperationId};
use crate::message::{Envelope, Message, RecordRead, WriteRecord};
use crate::time::Time;

const MARKER: &[u8] = b"nobody but the ring may know this";

fn file() -> File {
    File {
        size: MARKER.len() as u64,
        hash: *blake3::hash(MARKER).as_bytes(),
        content_type: "text/plain".to_owned(),
        metadata: BTreeMap::new(),
        content: Content::Inline(Bytes::from_static(MARKER)),
    }
}

fn name() -> Name {
    Name::in_main("a name that may be known").unwrap()
}

fn record() -> Record {
    Record {
        name: name(),
        version: Version {
            counter: 1,
            incarnation: 1,
            node: node(),
        },
        modified_ms: 0,
        file: Some(file()),
        original: None,
        promised: None,
        replaced: None,
    }
}

fn node() -> NodeId {
    NodeId::new([7; 32])
}

fn addr() -> SocketAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, 1))
}

fn message(message: Message) -> Input {
    let envelope = Envelope {
        request: 1,
        incarnation: 1,
        message,
    };
    Input::Message {
        from: node(),
        addr: addr(),
        bytes: codec::encode(&envelope),
    }
}

fn step(told: Told) -> Item {
    Item::Step(Step {
        at: Time::from_nanos(5),
        decided: Decisions::default(),
        told,
    })
}

fn segment(items: &[Item]) -> Vec<u8> {
    let frames = items.iter().flat_map(encode);
    MAGIC.iter().copied().chain(frames).collect()
}

/// Every way in which a small file's bytes reach a peer.
fn inputs_with_contents() -> Vec<Input> {
    let disk = |answer| Input::Completion {
        effect: EffectId(1),
        completion: Completion::Disk(Ok(answer)),
    };
    vec![
        message(Message::WriteRecord(WriteRecord {
            record: record(),
            view: None,
            exact: false,
        })),
        message(Message::RecordRead(RecordRead::Held {
            record: Some(record()),
            counts: true,
            promised: None,
        })),
        message(Message::Records(vec![record(), record()])),
        disk(DiskAnswer::Record(Some(record()))),
        disk(DiskAnswer::Records(vec![record()])),
        Input::Command {
            operation: OperationId(1),
            command: Command::WriteRecord(Draft {
                name: name(),
                modified_ms: 0,
                file: Some(file()),
                condition: None,
            }),
        },
        Input::Message {
            from: node(),
            addr: addr(),
            bytes: Bytes::from_static(MARKER),
        },
    ]
}

#[test]
fn no_recording_has_contents_of_files() {
    for input in inputs_with_contents() {
        let bytes = segment(&[step(Told::from(input.clone()))]);
        let found = bytes.windows(8).any(|bytes| bytes == &MARKER[..8]);
        assert!(!found, "{input:?} came into a recording with its contents");
    }
}

#[test]
fn a_record_keeps_everything_but_its_contents() {
    let told = Told::from(message(Message::Records(vec![record()])));
    let bytes = segment(&[step(told)]);
    let item = Frames::new(&bytes).unwrap().next().unwrap().unwrap();
    let Item::Step(Step {
        told: Told::Message { envelope, .. },
        ..
    }) = item
    else {
        panic!("{item:?}");
    };
    let zeros = Content::Inline(Bytes::from(vec![0; MARKER.len()]));
    let mut expected = record();
    expected.file.as_mut().unwrap().content = zeros;
    assert_eq!(envelope.message, Message::Records(vec![expected]));
}

#[test]
fn a_message_that_cannot_be_read_is_told_again_as_one() {
    let told = Told::from(Input::Message {
        from: node(),
        addr: addr(),
        bytes: Bytes::from_static(MARKER),
    });
    assert!(matches!(told, Told::Malformed { .. }), "{told:?}");
    let Input::Message { bytes, .. } = told.into() else {
        panic!("a message stays a message");
    };
    assert!(codec::decode(bytes).is_err());
}

#[test]
fn a_recording_that_breaks_off_is_read_up_to_there() {
    let items: Vec<Item> = inputs_with_contents()
        .into_iter()
        .map(|input| step(input.into()))
        .collect();
    let whole = segment(&items);
    let last = whole.len() - encode(items.last().unwrap()).len();
    for end in last + 1..whole.len() {
        let read: Vec<_> = Frames::new(&whole[..end]).unwrap().collect();
        assert_eq!(read.len(), items.len());
        assert!(read[..items.len() - 1].iter().all(Result::is_ok));
        assert_eq!(read[items.len() - 1].as_ref().err(), Some(&Damage::Cut));
    }
}

#[test]
fn something_else_is_no_recording() {
    assert_eq!(Frames::new(b"").err(), Some(Damage::NotARecording));
    assert_eq!(
        Frames::new(b"#!/bin/sh\n").err(),
        Some(Damage::NotARecording)
    );
}

proptest! {
    #[test]
    fn a_changed_bit_is_noticed(at in 0_usize..400, bit in 0_u8..8) {
        let items = [step(Told::Tick), step(Told::Disconnected(node())), step(Told::Tick)];
        let mut bytes = segment(&items);
        let at = at % bytes.len();
        bytes[at] ^= 1 << bit;
        let noticed = Frames::new(&bytes).map_or(true, |frames| {
            frames.into_iter().any(|item| item.is_err())
        });
        prop_assert!(noticed);
    }

    #[test]
    fn bytes_from_nowhere_do_no_harm(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let segment = [MAGIC.as_slice(), &bytes].concat();
        for item in Frames::new(&segment).unwrap() {
            drop(item);
        }
    }

    #[test]
    fn every_message_is_told_again_as_long_as_it_was(
        envelope in codec::tests::arbitrary::envelope()
    ) {
        let bytes = codec::encode(&envelope);
        let input = Input::Message { from: node(), addr: addr(), bytes: bytes.clone() };
        let written = segment(&[step(input.into())]);
        let item = Frames::new(&written).unwrap().next().unwrap().unwrap();
        let Item::Step(Step { told, .. }) = item else {
            panic!("{item:?}");
        };
        let Input::Message { bytes: again, .. } = told.into() else {
            panic!("a message stays a message");
        };
        prop_assert_eq!(again.len(), bytes.len());
    }
}
