use proptest::prelude::*;

use super::*;
use crate::chunk::ChunkId;

fn version() -> Version {
    Version {
        counter: 7,
        incarnation: 2,
        node: NodeId::new([9; 32]),
    }
}

fn inline(content: &'static [u8]) -> Record {
    Record {
        name: Name::new("photos", "cat.jpg").unwrap(),
        version: version(),
        modified_ms: 1_700_000_000_000,
        file: Some(File {
            size: content.len() as u64,
            hash: *blake3::hash(content).as_bytes(),
            content_type: "image/jpeg".into(),
            metadata: BTreeMap::from([("by".into(), "me".into())]),
            content: Content::Inline(Bytes::from_static(content)),
        }),
        original: None,
        promised: None,
        replaced: None,
    }
}

fn chunked() -> Record {
    let mut record = inline(b"");
    let file = record.file.as_mut().unwrap();
    file.size = 5;
    file.content = Content::Chunks(ChunkList {
        chunk_bytes: 4,
        depth: 0,
        ids: vec![ChunkId::of(b"abcd"), ChunkId::of(b"e")],
    });
    record
}

#[test]
fn records_read_back_as_written() {
    let tombstone = Record {
        file: None,
        ..inline(b"")
    };
    for record in [inline(b"hello"), inline(b""), chunked(), tombstone] {
        assert_eq!(Record::decode(record.encode()).unwrap(), record);
    }
}

/// The golden bytes of format 1: they must stay readable for ever.
#[test]
fn format_1_reads_as_it_always_did() {
    let golden = include_bytes!("../../tests/golden/record-v1.bin");
    assert_eq!(
        Record::decode(Bytes::from_static(golden)).unwrap(),
        inline(b"hello")
    );
    assert_eq!(inline(b"hello").encode().as_ref(), golden.as_slice());
}

#[test]
fn a_file_that_contradicts_itself_is_refused() {
    let mut long = inline(b"hello").to_wire();
    long.file.as_mut().unwrap().size = 6;
    assert!(matches!(
        Record::from_wire(long),
        Err(DecodeError::Field(_))
    ));

    let mut missing = chunked().to_wire();
    missing.file.as_mut().unwrap().size = 9;
    assert!(matches!(
        Record::from_wire(missing),
        Err(DecodeError::Field(_))
    ));
}

#[test]
fn bounds_hold() {
    let mut fat = inline(b"").to_wire();
    fat.file
        .as_mut()
        .unwrap()
        .metadata
        .insert("k".into(), "v".repeat(METADATA_BYTES_MAX));
    assert!(Record::from_wire(fat).is_err());

    let mut nameless = inline(b"").to_wire();
    nameless.path = String::new();
    assert!(Record::from_wire(nameless).is_err());

    assert_eq!(
        Record::decode(Bytes::from_static(&[9, 0])),
        Err(DecodeError::Format(9))
    );
}

#[test]
fn digests_tell_names_versions_and_promises_apart() {
    let name = Name::new("abc", "d").unwrap();
    let other = Name::new("abcd", "e").unwrap();
    let later = Version {
        counter: 8,
        ..version()
    };
    let reborn = Version {
        incarnation: 3,
        ..version()
    };
    let digests = [
        Record::digest(&name, &version(), None),
        Record::digest(&other, &version(), None),
        Record::digest(&name, &later, None),
        Record::digest(&name, &reborn, None),
        Record::digest(&name, &version(), Some(&later)),
        Record::digest(&name, &version(), Some(&reborn)),
    ];
    for (at, digest) in digests.iter().enumerate() {
        assert!(!digests[..at].contains(digest), "the one at {at}");
    }
}

#[test]
fn copies_join_to_the_newest_version_and_the_highest_promise_in_any_order() {
    let version_of = |counter| Version {
        counter,
        ..version()
    };
    let copy = |counter, promised: Option<u64>| Record {
        version: version_of(counter),
        promised: promised.map(version_of),
        ..inline(b"hello")
    };
    let copies = [copy(3, Some(7)), copy(5, None), copy(4, Some(6))];
    for order in [[0, 1, 2], [2, 1, 0], [1, 0, 2], [0, 2, 1]] {
        let [one, two, three] = order.map(|at: usize| copies[at].clone());
        let joined = one.join(two).join(three);
        assert_eq!(joined.version, version_of(5));
        assert_eq!(joined.promised, Some(version_of(7)));
    }
}

#[test]
fn content_agreed_upon_again_keeps_the_version_that_clients_know() {
    let again = inline(b"hello").again(Version {
        counter: 9,
        ..version()
    });
    assert_eq!(again.client_version(), inline(b"hello").version);
    let twice = again.clone().again(Version {
        counter: 12,
        ..version()
    });
    assert_eq!(twice.client_version(), inline(b"hello").version);
    assert_eq!(Record::decode(twice.encode()).unwrap(), twice);
    assert!(Record::blank(again.name, None).is_blank());
}

proptest! {
    #[test]
    fn no_bytes_make_decoding_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let mut framed = vec![1];
        framed.extend_from_slice(&bytes);
        for input in [bytes, framed] {
            if let Ok(record) = Record::decode(Bytes::from(input)) {
                prop_assert_eq!(Record::decode(record.encode()).unwrap(), record);
            }
        }
    }
}
