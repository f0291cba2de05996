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
fn digests_tell_names_and_versions_apart() {
    let name = Name::new("abc", "d").unwrap();
    let base = Record::digest(&name, &version());
    assert_ne!(
        base,
        Record::digest(&Name::new("abcd", "e").unwrap(), &version())
    );
    assert_ne!(
        base,
        Record::digest(
            &name,
            &Version {
                counter: 8,
                ..version()
            }
        )
    );
    assert_ne!(
        base,
        Record::digest(
            &name,
            &Version {
                incarnation: 3,
                ..version()
            }
        )
    );
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
