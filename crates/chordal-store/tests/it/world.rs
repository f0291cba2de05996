//! Things to store, and where.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use chordal_object::{
    Arc, Bits, Chunk, ChunkId, ChunkList, Content, File, Key, LIST_HEAD, Name, NodeId, Record,
    Version,
};
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
        original: None,
        promised: None,
        replaced: None,
    }
}

/// A file of these chunks, or lists where it has a depth.
pub(crate) fn file(path: &str, counter: u64, ids: &[ChunkId], depth: u32) -> Record {
    let mut record = record(path, counter, "");
    if let Some(file) = record.file.as_mut() {
        file.size = ids.len() as u64 * 1000;
        file.content = Content::Chunks(ChunkList {
            chunk_bytes: 1000,
            depth,
            ids: ids.to_vec(),
        });
    }
    record
}

/// A list chunk.
pub(crate) fn list(ids: &[ChunkId]) -> Chunk {
    let ids = ids.iter().map(|id| &id.as_bytes()[..]);
    let parts: Vec<&[u8]> = std::iter::once(&LIST_HEAD[..]).chain(ids).collect();
    Chunk::new(Bytes::from(parts.concat()))
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

/// How the fate of unsynced changes is chosen: 0 loses all, 1 keeps all, 2 tears all; from there on
/// every number is another mixture.
pub(crate) fn fate(seed: u64) -> impl FnMut(u32) -> u32 {
    let mut state = seed;
    move |options| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        let random = u32::try_from(state >> 33).expect("31 bits") % options;
        match seed {
            0 => 0,
            1 => options - 1,
            // Of a torn write, every other sector.
            2 if options == 3 => 1,
            _ => random,
        }
    }
}

/// What must hold of any store, whatever happened to its disk: the totals are what the tables hold,
/// both orders of the records agree, every chunk reads well, and nothing temporary lies about.
pub(crate) fn check(store: &Store, disk: &MemDisk) {
    let counts = store.count_in(Arc::FULL, LAST).expect("the arc is read");
    let usage = store.usage();
    assert_eq!(
        (usage.records, usage.chunks, usage.bytes),
        (counts.records, counts.chunks, counts.bytes)
    );
    let listed: BTreeSet<[u8; 32]> = store
        .spaces()
        .expect("the spaces are read")
        .iter()
        .flat_map(|space| {
            store
                .list(space, "", None, usize::MAX)
                .expect("the space is listed")
        })
        .map(|line| Record::digest(&line.name, &line.version, None))
        .collect();
    let entries = store
        .records_in(Arc::FULL, LAST)
        .expect("the records are read");
    assert_eq!(listed, entries.iter().map(|entry| entry.digest).collect());
    assert_eq!(listed.len() as u64, counts.records);
    for entry in store
        .chunks_in(Arc::FULL, LAST)
        .expect("the chunks are read")
    {
        let chunk = store.read_chunk(entry.id).expect("the chunk reads well");
        assert_eq!(
            chunk.map(|chunk| chunk.bytes().len()),
            usize::try_from(entry.bytes).ok()
        );
    }
    assert!(
        !disk.paths().iter().any(|path| path.starts_with("tmp/")),
        "{:?}",
        disk.paths()
    );
}
