//! Things to store, and where.

use std::collections::BTreeMap;

use bytes::Bytes;
use chordal_object::{Bits, Chunk, Content, File, Key, Name, NodeId, Record, Version};
use chordal_store::{Change, MemDisk, Outcome, Store};

pub(crate) const LAST: Key = Bits::MAX.last_key();

pub(crate) fn open(disk: &MemDisk) -> Store {
    Store::open(Box::new(disk.clone())).expect("the store opens")
}

pub(crate) fn name(path: &str) -> Name {
    Name::new("main", path).expect("tests use good names")
}

pub(crate) fn version(counter: u64) -> Version {
    Version {
        counter,
        incarnation: 1,
        node: NodeId::new([7; 32]),
    }
}

/// A small file that says `text`.
pub(crate) fn record(path: &str, counter: u64, text: &str) -> Record {
    let content = Bytes::copy_from_slice(text.as_bytes());
    Record {
        name: name(path),
        version: version(counter),
        modified_ms: 1_700_000_000_000 + i64::try_from(counter).expect("tests count low"),
        file: Some(File {
            size: content.len() as u64,
            hash: *blake3::hash(&content).as_bytes(),
            content_type: "text/plain".to_owned(),
            metadata: BTreeMap::from([("colour".to_owned(), "green".to_owned())]),
            content: Content::Inline(content),
        }),
    }
}

pub(crate) fn tombstone(path: &str, counter: u64) -> Record {
    Record {
        file: None,
        ..record(path, counter, "")
    }
}

pub(crate) fn key_of(record: &Record) -> Key {
    Bits::MAX.name_key(&record.name)
}

pub(crate) fn put(store: &Store, record: &Record) -> Outcome {
    put_at(store, key_of(record), record)
}

pub(crate) fn put_at(store: &Store, key: Key, record: &Record) -> Outcome {
    one(
        store,
        Change::Record {
            key,
            record: record.clone(),
        },
    )
}

pub(crate) fn one(store: &Store, change: Change) -> Outcome {
    let outcomes = store.commit(vec![change]).expect("the commit succeeds");
    assert_eq!(outcomes.len(), 1);
    outcomes[0]
}

/// A chunk of this many bytes, told from others by its seed.
pub(crate) fn chunk(seed: u8, bytes: usize) -> Chunk {
    let mut content = vec![seed; bytes];
    for (place, byte) in content.iter_mut().enumerate() {
        *byte ^= u8::try_from(place % 251).expect("below 251");
    }
    Chunk::new(Bytes::from(content))
}

pub(crate) fn chunk_key(chunk: &Chunk) -> Key {
    Bits::MAX.chunk_key(chunk.id())
}

pub(crate) fn put_chunk(store: &Store, chunk: &Chunk) {
    let staged = store
        .stage_chunk(chunk_key(chunk), chunk)
        .expect("the chunk is staged");
    assert_eq!(one(store, Change::Chunk(staged)), Outcome::Stored);
}

pub(crate) fn path_of(chunk: &Chunk) -> String {
    format!("chunks/{:02x}/{}", chunk.id().as_bytes()[0], chunk.id())
}
