use proptest::prelude::*;

use super::{Holding, RecordCopy, Subject};
use crate::{ChunkId, Name, NodeId, Version};

fn holding() -> Holding {
    Holding {
        authority: [1; 32],
        node: NodeId::new([2; 32]),
        nonce: [3; 32],
        subject: [4; 32],
        at: 0x0102_0304_0506_0708,
        read: true,
        record: RecordCopy::Newer,
        held: 0x0a0b_0c0d,
        held_digest: [5; 32],
    }
}

#[test]
fn the_bytes_of_a_holding_are_what_the_description_says() {
    let expected = [
        &[1][..],
        &[1; 32],
        &[2; 32],
        &[3; 32],
        &[4; 32],
        &[1, 2, 3, 4, 5, 6, 7, 8],
        &[1, 4],
        &[10, 11, 12, 13],
        &[5; 32],
    ]
    .concat();
    assert_eq!(holding().encode(), expected);
    assert_eq!(expected.len(), Holding::BYTES);
}

#[test]
fn a_holding_reads_back_as_it_was_written_and_nothing_else_does() {
    let bytes = holding().encode();
    assert_eq!(Holding::decode(&bytes), Some(holding()));
    for length in 0..bytes.len() {
        assert_eq!(Holding::decode(&bytes[..length]), None, "{length}");
    }
    assert_eq!(Holding::decode(&[&bytes[..], &[0]].concat()), None);
    for (at, value) in [(0, 2), (137, 2), (138, 6)] {
        let mut bad = bytes.clone();
        bad[at] = value;
        assert_eq!(Holding::decode(&bad), None, "byte {at}");
    }
    for code in 0..6 {
        let copy = RecordCopy::of_code(code).unwrap();
        assert_eq!(copy.code(), code);
    }
}

#[test]
fn every_part_of_a_subject_counts_in_its_digest() {
    let (name, other_name) = (Name::in_main("a").unwrap(), Name::in_main("b").unwrap());
    let elsewhere = Name::new("photos", "a").unwrap();
    let [one, two] = [ChunkId::of(b"1"), ChunkId::of(b"2")];
    let version = |counter, incarnation, node| Version {
        counter,
        incarnation,
        node: NodeId::new([node; 32]),
    };
    let subject = Subject {
        name: &name,
        version: version(1, 2, 3),
        size: 4,
        hash: [5; 32],
        chunk_bytes: 6,
        chunks: &[one, two],
        lists: &[],
    };
    let others = [
        Subject {
            name: &other_name,
            ..subject
        },
        Subject {
            name: &elsewhere,
            ..subject
        },
        Subject {
            version: version(9, 2, 3),
            ..subject
        },
        Subject {
            version: version(1, 9, 3),
            ..subject
        },
        Subject {
            version: version(1, 2, 9),
            ..subject
        },
        Subject { size: 9, ..subject },
        Subject {
            hash: [9; 32],
            ..subject
        },
        Subject {
            chunk_bytes: 9,
            ..subject
        },
        Subject {
            chunks: &[two, one],
            ..subject
        },
        Subject {
            chunks: &[one],
            ..subject
        },
        Subject {
            chunks: &[one],
            lists: &[two],
            ..subject
        },
    ];
    let mut digests = vec![subject.digest()];
    digests.extend(others.iter().map(Subject::digest));
    let count = digests.len();
    digests.sort_unstable();
    digests.dedup();
    assert_eq!(digests.len(), count);
}

#[test]
fn a_subject_is_told_by_what_a_record_says_and_a_digest_of_the_chunks() {
    let name = Name::in_main("a").unwrap();
    let chunks = [ChunkId::of(b"1")];
    let subject = Subject {
        name: &name,
        version: Version::NONE,
        size: 4,
        hash: [5; 32],
        chunk_bytes: 6,
        chunks: &chunks,
        lists: &[],
    };
    let content = subject.content();
    let written = (&name, Version::NONE, 4, [5; 32]);
    assert_eq!(Subject::digest_of(written, &content), subject.digest());
    let other = (&name, Version::NONE, 4, [6; 32]);
    assert_ne!(Subject::digest_of(other, &content), subject.digest());
    assert_ne!(Subject::digest_of(written, &[0; 32]), subject.digest());
}

proptest! {
    #[test]
    fn no_bytes_break_the_decoder(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        if let Some(holding) = Holding::decode(&bytes) {
            prop_assert_eq!(holding.encode(), bytes);
        }
    }
}
