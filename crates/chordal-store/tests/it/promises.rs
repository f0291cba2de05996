//! Promises: what a copy keeps beside its version.

use chordal_object::{Record, Version};
use chordal_store::{Change, MemDisk, Outcome, Store};

use crate::world::{key_of, name, one, open, put, record, tombstone, version};

/// A promise of a version of "f", asked for by a client.
fn promise(store: &Store, counter: u64) -> Outcome {
    let blank = Record::blank(name("f"), Some(version(counter)));
    offer(store, blank)
}

fn offer(store: &Store, record: Record) -> Outcome {
    let key = key_of(&record);
    one(store, Change::RecordUnlessPromised { key, record })
}

fn found(store: &Store) -> Record {
    let blank = Record::blank(name("f"), None);
    let found = store.record(key_of(&blank), &name("f"));
    found.expect("it is read").expect("something is there")
}

fn kept(current: Version, promised: u64) -> Outcome {
    Outcome::Kept {
        current,
        promised: Some(version(promised)),
    }
}

#[test]
fn a_promise_keeps_lower_versions_out_and_lets_higher_ones_in() {
    let store = open(&MemDisk::new());
    put(&store, &record("f", 3, "three"));
    assert_eq!(promise(&store, 7), kept(version(3), 7));
    assert_eq!(found(&store).version, version(3));
    assert_eq!(promise(&store, 6), kept(version(3), 7));
    assert_eq!(offer(&store, record("f", 6, "six")), kept(version(3), 7));
    assert_eq!(found(&store).version, version(3));
    assert_eq!(offer(&store, record("f", 8, "eight")), Outcome::Stored);
    let eight = found(&store);
    assert_eq!(eight.version, version(8));
    assert_eq!(eight.promised, Some(version(7)), "it is remembered");
    assert_eq!(offer(&store, record("f", 6, "six")), kept(version(8), 7));
    assert_eq!(store.usage().records, 1);
}

#[test]
fn what_another_holder_has_comes_in_below_a_promise_and_leaves_it() {
    let store = open(&MemDisk::new());
    promise(&store, 7);
    assert!(found(&store).is_blank());
    assert_eq!(put(&store, &record("f", 5, "five")), Outcome::Stored);
    let five = found(&store);
    assert_eq!(
        (five.version, five.promised),
        (version(5), Some(version(7)))
    );
    let mut told = tombstone("f", 4);
    told.promised = Some(version(9));
    assert_eq!(put(&store, &told), kept(version(5), 9));
    assert_eq!(found(&store).promised, Some(version(9)));
    assert_eq!(found(&store).version, version(5));
}

#[test]
fn a_promise_outlives_a_restart_and_is_part_of_what_is_compared() {
    let disk = MemDisk::new();
    let store = open(&disk);
    put(&store, &record("f", 3, "three"));
    let before = store.records_in(chordal_object::Arc::FULL, crate::world::LAST);
    promise(&store, 7);
    drop(store);
    let store = open(&disk);
    assert_eq!(promise(&store, 6), kept(version(3), 7));
    let after = store.records_in(chordal_object::Arc::FULL, crate::world::LAST);
    assert_ne!(before.unwrap()[0].digest, after.unwrap()[0].digest);
    assert_eq!(
        store
            .records_in(chordal_object::Arc::FULL, crate::world::LAST)
            .unwrap()[0]
            .digest,
        found(&store).copy_digest()
    );
}
