//! Storing, reading, removing, listing.

use std::collections::BTreeSet;

use bytes::Bytes;
use chordal_object::{Arc, Bits, Key, Record};
use chordal_store::{Change, MemDisk, Outcome, RealDisk, Store, StoreError};

use crate::world::{
    LAST, chunk, chunk_key, key_of, name, one, open, path_of, put, put_at, put_chunk, record,
    tombstone, version,
};

#[test]
fn what_was_stored_is_read_back_and_survives_reopening() {
    let folder = tempfile::tempdir().unwrap();
    let at = || Box::new(RealDisk::new(folder.path().join("data")));
    let (small, big) = (record("a/b.txt", 1, "hello"), chunk(3, 1 << 20));
    let check = |store: &Store| {
        assert_eq!(
            store.record(key_of(&small), &small.name).unwrap(),
            Some(small.clone())
        );
        assert_eq!(store.read_chunk(big.id()).unwrap(), Some(big.clone()));
        assert_eq!(
            store.meta("ring").unwrap(),
            Some(Bytes::from_static(b"home"))
        );
    };
    {
        let store = Store::open(at()).unwrap();
        assert_eq!(put(&store, &small), Outcome::Stored);
        put_chunk(&store, &big);
        let value = Some(Bytes::from_static(b"home"));
        one(
            &store,
            Change::Meta {
                name: "ring".to_owned(),
                value,
            },
        );
        check(&store);
    }
    check(&Store::open(at()).unwrap());
}

#[test]
fn the_newest_version_wins_and_the_same_one_is_kept() {
    let store = open(&MemDisk::new());
    let (old, new) = (record("f", 1, "old"), record("f", 2, "new"));
    assert_eq!(put(&store, &new), Outcome::Stored);
    assert_eq!(
        put(&store, &old),
        Outcome::Kept {
            current: version(2),
            promised: None,
        }
    );
    assert_eq!(
        put(&store, &new),
        Outcome::Kept {
            current: version(2),
            promised: None,
        }
    );
    assert_eq!(store.record(key_of(&new), &new.name).unwrap(), Some(new));
    let gone = tombstone("f", 3);
    assert_eq!(put(&store, &gone), Outcome::Stored);
    assert_eq!(store.record(key_of(&gone), &gone.name).unwrap(), Some(gone));
    assert_eq!(store.usage().records, 1);
}

#[test]
fn changes_of_one_commit_are_applied_in_order() {
    let store = open(&MemDisk::new());
    let key = Key::new(5);
    let change = |record: Record| Change::Record { key, record };
    let remove = || Change::RemoveRecord {
        key,
        name: name("f"),
        if_version: version(2),
    };
    let changes = vec![
        change(record("f", 2, "two")),
        change(record("f", 1, "one")),
        remove(),
        remove(),
        change(record("f", 1, "one again")),
    ];
    let outcomes = store.commit(changes).unwrap();
    let kept = Outcome::Kept {
        current: version(2),
        promised: None,
    };
    assert_eq!(
        outcomes,
        [
            Outcome::Stored,
            kept,
            Outcome::Removed,
            Outcome::NotRemoved,
            Outcome::Stored
        ]
    );
    assert_eq!(
        store.record(key, &name("f")).unwrap(),
        Some(record("f", 1, "one again"))
    );
}

#[test]
fn a_record_that_changed_since_is_not_removed() {
    let store = open(&MemDisk::new());
    let kept = record("f", 2, "kept");
    put(&store, &kept);
    let key = key_of(&kept);
    let remove = |if_version| Change::RemoveRecord {
        key,
        name: name("f"),
        if_version,
    };
    assert_eq!(one(&store, remove(version(1))), Outcome::NotRemoved);
    assert_eq!(store.record(key, &kept.name).unwrap(), Some(kept));
    assert_eq!(one(&store, remove(version(2))), Outcome::Removed);
    assert_eq!(store.record(key, &name("f")).unwrap(), None);
    assert_eq!(store.usage().bytes, 0);
}

#[test]
fn names_that_share_a_key_stay_different_files() {
    let store = open(&MemDisk::new());
    let key = Key::new(797);
    let all: Vec<Record> = ["a", "b", "b\0c"]
        .iter()
        .map(|path| record(path, 1, path))
        .collect();
    for record in &all {
        assert_eq!(put_at(&store, key, record), Outcome::Stored);
    }
    for record in &all {
        assert_eq!(
            store.record(key, &record.name).unwrap(),
            Some(record.clone())
        );
    }
    let arc = Arc::new(Key::new(796), key);
    let entries = store.records_in(arc, Bits::CLASSIC.last_key()).unwrap();
    let digests: BTreeSet<[u8; 32]> = entries.iter().map(|entry| entry.digest).collect();
    let expected = all.iter().map(Record::copy_digest);
    assert_eq!(digests, expected.collect());
}

#[test]
fn arcs_are_read_in_key_order_from_their_first_key_even_when_they_wrap() {
    let store = open(&MemDisk::new());
    let last = Bits::CLASSIC.last_key();
    for position in [0, 3, 500, 1000, 1023] {
        put_at(
            &store,
            Key::new(position),
            &record(&position.to_string(), 1, "x"),
        );
    }
    let positions = |after, upto| -> Vec<u128> {
        let arc = Arc::new(Key::new(after), Key::new(upto));
        let entries = store.records_in(arc, last).unwrap();
        assert_eq!(
            store.count_in(arc, last).unwrap().records,
            entries.len() as u64
        );
        entries.iter().map(|entry| entry.key.position()).collect()
    };
    assert_eq!(positions(0, 500), [3, 500]);
    assert_eq!(positions(500, 3), [1000, 1023, 0, 3]);
    assert_eq!(positions(1023, 0), [0]);
    assert_eq!(positions(1000, 1023), [1023]);
    assert_eq!(positions(3, 3), [500, 1000, 1023, 0, 3]);
    assert_eq!(positions(1023, 1023), [0, 3, 500, 1000, 1023]);
}

#[test]
fn the_greatest_key_of_the_widest_ring_is_in_its_arc() {
    let store = open(&MemDisk::new());
    put_at(&store, LAST, &record("end", 1, "x"));
    let arc = Arc::new(Key::new(1), LAST);
    assert_eq!(store.records_in(arc, LAST).unwrap().len(), 1);
    assert_eq!(store.records_in(Arc::FULL, LAST).unwrap().len(), 1);
    assert_eq!(
        store
            .records_in(Arc::new(LAST, Key::new(1)), LAST)
            .unwrap()
            .len(),
        0
    );
}

#[test]
fn chunks_are_found_by_name_and_by_arc() {
    let store = open(&MemDisk::new());
    let chunks: Vec<_> = (0..20)
        .map(|seed| chunk(seed, 100 + usize::from(seed)))
        .collect();
    for chunk in &chunks {
        put_chunk(&store, chunk);
        put_chunk(&store, chunk);
    }
    let entries = store.chunks_in(Arc::FULL, LAST).unwrap();
    assert_eq!(entries.len(), 20);
    assert!(entries.is_sorted_by_key(|entry| (entry.key, entry.id)));
    let counts = store.count_in(Arc::FULL, LAST).unwrap();
    let bytes: u64 = chunks.iter().map(|chunk| chunk.bytes().len() as u64).sum();
    assert_eq!((counts.chunks, counts.bytes), (20, bytes));
    assert_eq!((store.usage().chunks, store.usage().bytes), (20, bytes));

    let mut walked = Vec::new();
    while let page = store.chunks_after(walked.last().copied(), 7).unwrap()
        && !page.is_empty()
    {
        walked.extend(page.iter().map(|entry| entry.id));
    }
    assert_eq!(walked.len(), 20);
}

#[test]
fn a_staged_chunk_is_invisible_until_committed_and_leaves_nothing_when_dropped() {
    let disk = MemDisk::new();
    let store = open(&disk);
    let chunk = chunk(1, 5000);
    let staged = store.stage_chunk(chunk_key(&chunk), &chunk).unwrap();
    assert!(!store.has_chunk(chunk.id()).unwrap());
    assert_eq!(store.read_chunk(chunk.id()).unwrap(), None);
    assert!(disk.paths().contains(&path_of(&chunk)));
    drop(staged);
    assert!(!disk.paths().contains(&path_of(&chunk)));
}

#[test]
fn bytes_that_are_already_stored_cost_no_write() {
    let disk = MemDisk::new();
    let store = open(&disk);
    let chunk = chunk(1, 5000);
    put_chunk(&store, &chunk);
    let syncs = disk.syncs();
    put_chunk(&store, &chunk);
    assert_eq!(disk.syncs(), syncs);
}

#[test]
fn a_chunk_that_someone_is_storing_is_not_removed() {
    let disk = MemDisk::new();
    let store = open(&disk);
    let chunk = chunk(1, 5000);
    let key = chunk_key(&chunk);
    let remove = || Change::RemoveChunk {
        key,
        id: chunk.id(),
    };
    put_chunk(&store, &chunk);
    let staged = store.stage_chunk(key, &chunk).unwrap();
    assert_eq!(one(&store, remove()), Outcome::NotRemoved);
    one(&store, Change::Chunk(staged));
    assert_eq!(store.read_chunk(chunk.id()).unwrap(), Some(chunk.clone()));
    assert_eq!(one(&store, remove()), Outcome::Removed);
    assert_eq!(one(&store, remove()), Outcome::NotRemoved);
    assert_eq!(store.read_chunk(chunk.id()).unwrap(), None);
    assert!(!disk.paths().contains(&path_of(&chunk)));
    assert_eq!(store.usage().bytes, 0);
}

#[test]
fn listings_are_in_path_order_by_prefix_and_page() {
    let store = open(&MemDisk::new());
    let paths = ["a", "a/1", "a/2", "a/2/x", "a0", "b", "\u{e9}t\u{e9}"];
    for path in paths.iter().rev() {
        put(&store, &record(path, 1, path));
    }
    put(&store, &tombstone("a/2", 2));
    let other = Record {
        name: chordal_object::Name::new("other", "a/9").unwrap(),
        ..record("x", 1, "")
    };
    put(&store, &other);

    let list = |prefix: &str, after: Option<&str>, limit| -> Vec<String> {
        let page = store.list("main", prefix, after, limit).unwrap();
        page.iter()
            .map(|line| line.name.path().to_owned())
            .collect()
    };
    assert_eq!(list("", None, 100), paths);
    assert_eq!(list("a/", None, 100), ["a/1", "a/2", "a/2/x"]);
    assert_eq!(list("", Some("a/1"), 2), ["a/2", "a/2/x"]);
    assert_eq!(list("a/", Some("a/2"), 100), ["a/2/x"]);
    assert_eq!(list("b", Some("a"), 100), ["b"]);
    assert_eq!(list("a", Some("b"), 100), [""; 0]);
    assert_eq!(list("", None, 0), [""; 0]);
    let lines = store.list("main", "a/2", None, 1).unwrap();
    assert_eq!((lines[0].file, lines[0].version), (None, version(2)));
    let lines = store.list("main", "b", None, 1).unwrap();
    assert_eq!(lines[0].file, Some((1, *blake3::hash(b"b").as_bytes())));
    assert_eq!(store.list("ma", "", None, 10).unwrap(), []);
    assert_eq!(store.spaces().unwrap(), ["main", "other"]);
}

#[test]
fn records_are_fetched_by_their_digests() {
    let store = open(&MemDisk::new());
    let all: Vec<Record> = (0..50).map(|n| record(&format!("f{n}"), 1, "x")).collect();
    for record in &all {
        put(&store, record);
    }
    let wanted = &all[7];
    let digests = BTreeSet::from([wanted.copy_digest(), [0; 32]]);
    assert_eq!(
        store.records_by_digest(Arc::FULL, LAST, &digests).unwrap(),
        std::slice::from_ref(wanted)
    );
    let elsewhere = Arc::new(key_of(wanted), Key::new(key_of(wanted).position() - 1));
    assert_eq!(
        store.records_by_digest(elsewhere, LAST, &digests).unwrap(),
        []
    );
}

#[test]
fn what_is_over_a_limit_is_refused_and_nothing_of_its_commit_stays() {
    let store = open(&MemDisk::new());
    let huge = chunk(1, chordal_store::limits::CHUNK_BYTES_MAX + 1);
    let refused = store.stage_chunk(chunk_key(&huge), &huge).unwrap_err();
    assert!(
        matches!(refused, StoreError::TooLarge { what: "chunk", .. }),
        "{refused}"
    );
    let value = Some(Bytes::from(vec![
        0;
        chordal_store::limits::META_VALUE_BYTES_MAX
            + 1
    ]));
    let fine = record("f", 1, "x");
    let changes = vec![
        Change::Record {
            key: key_of(&fine),
            record: fine.clone(),
        },
        Change::Meta {
            name: "m".to_owned(),
            value,
        },
    ];
    let refused = store.commit(changes).unwrap_err();
    assert!(
        matches!(refused, StoreError::TooLarge { what: "value", .. }),
        "{refused}"
    );
    assert_eq!(store.record(key_of(&fine), &fine.name).unwrap(), None);
}

#[test]
fn a_small_value_can_be_replaced_and_cleared() {
    let store = open(&MemDisk::new());
    let set = |value: Option<&'static [u8]>| Change::Meta {
        name: "peers".to_owned(),
        value: value.map(Bytes::from_static),
    };
    one(&store, set(Some(b"one")));
    one(&store, set(Some(b"two")));
    assert_eq!(
        store.meta("peers").unwrap(),
        Some(Bytes::from_static(b"two"))
    );
    one(&store, set(None));
    assert_eq!(store.meta("peers").unwrap(), None);
}

#[test]
fn a_name_told_with_another_key_moves_there() {
    let store = open(&MemDisk::new());
    put_at(&store, Key::new(1), &record("f", 1, "x"));
    assert_eq!(
        put_at(&store, Key::new(2), &record("f", 1, "x")),
        Outcome::Kept {
            current: version(1),
            promised: None,
        }
    );
    assert_eq!(store.record(Key::new(1), &name("f")).unwrap(), None);
    assert_eq!(
        store.record(Key::new(2), &name("f")).unwrap(),
        Some(record("f", 1, "x"))
    );
    assert_eq!(store.records_in(Arc::FULL, LAST).unwrap().len(), 1);
    assert_eq!(store.usage().records, 1);
}
