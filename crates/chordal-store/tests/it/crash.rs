//! The power goes during every sync of a sequence, and every kind of fate meets what was unsynced.

use chordal_object::{Chunk, Record};
use chordal_store::{Change, MemDisk, OpenError, Outcome, Store, StoreError};

use crate::world::{
    check, chunk, chunk_key, fate, key_of, name, open, put, put_chunk, record, tombstone, version,
};

/// Mixtures of fates tried at every crash point, beside losing, keeping and tearing all.
const FATES: u64 = 12;

/// One acknowledged step after the other.
#[derive(Clone, Debug)]
enum Step {
    Put(Record),
    PutChunk(Chunk),
    /// A record and a chunk in one commit.
    Both(Record, Chunk),
    Forget(Record),
    RemoveChunk(Chunk),
}

fn sequence() -> Vec<Step> {
    let long = "x".repeat(9000);
    vec![
        Step::Put(record("a", 1, "first")),
        Step::PutChunk(chunk(1, 3000)),
        Step::Put(record("a", 2, &long)),
        Step::Both(record("b", 1, "b"), chunk(2, 700)),
        Step::Put(tombstone("a", 3)),
        Step::RemoveChunk(chunk(1, 3000)),
        Step::Forget(tombstone("a", 3)),
        Step::PutChunk(chunk(1, 3000)),
        Step::Put(record("a", 4, "back")),
    ]
}

fn run(store: &Store, step: &Step) -> Result<(), StoreError> {
    let stage = |chunk: &Chunk| {
        store
            .stage_chunk(chunk_key(chunk), chunk)
            .map(Change::Chunk)
    };
    let put = |record: &Record| Change::Record {
        key: key_of(record),
        record: record.clone(),
    };
    let changes = match step {
        Step::Put(record) => vec![put(record)],
        Step::PutChunk(chunk) => vec![stage(chunk)?],
        Step::Both(record, chunk) => vec![stage(chunk)?, put(record)],
        Step::Forget(Record { name, version, .. }) => {
            let key = chordal_object::Bits::MAX.name_key(name);
            vec![Change::RemoveRecord {
                key,
                name: name.clone(),
                if_version: *version,
            }]
        }
        Step::RemoveChunk(chunk) => {
            vec![Change::RemoveChunk {
                key: chunk_key(chunk),
                id: chunk.id(),
            }]
        }
    };
    store.commit(changes).map(drop)
}

/// What is there after the first steps: the records of `a` and `b`, and chunks 1 and 2.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Seen {
    records: [Option<Record>; 2],
    chunks: [bool; 2],
}

fn expected(steps: &[Step]) -> Seen {
    let mut seen = Seen {
        records: [None, None],
        chunks: [false, false],
    };
    let place = |record: &Record| usize::from(record.name == name("b"));
    let which = |held: &Chunk| usize::from(*held == chunk(2, 700));
    for step in steps {
        match step {
            Step::Put(record) => seen.records[place(record)] = Some(record.clone()),
            Step::PutChunk(chunk) => seen.chunks[which(chunk)] = true,
            Step::Both(record, chunk) => {
                seen.records[place(record)] = Some(record.clone());
                seen.chunks[which(chunk)] = true;
            }
            Step::Forget(record) => seen.records[place(record)] = None,
            Step::RemoveChunk(chunk) => seen.chunks[which(chunk)] = false,
        }
    }
    seen
}

fn seen(store: &Store) -> Seen {
    let record = |path| {
        store
            .record(key_of(&record(path, 1, "")), &name(path))
            .expect("the record reads well")
    };
    let has = |chunk: Chunk| store.read_chunk(chunk.id()) == Ok(Some(chunk));
    Seen {
        records: [record("a"), record("b")],
        chunks: [has(chunk(1, 3000)), has(chunk(2, 700))],
    }
}

/// The store holds what was acknowledged, and of the step under way all or nothing.
fn check_after(disk: &MemDisk, steps: &[Step], acknowledged: usize, context: &str) {
    let store = open(disk);
    let before = expected(&steps[..acknowledged]);
    let after = expected(&steps[..steps.len().min(acknowledged + 1)]);
    let found = seen(&store);
    assert!(
        found == before || found == after,
        "{context}: {found:?} is not {before:?}"
    );
    check(&store, disk);
    let fresh = record("fresh", 1, "works");
    assert_eq!(put(&store, &fresh), Outcome::Stored, "{context}");
}

#[test]
fn a_power_cut_at_any_sync_loses_nothing_acknowledged_and_tears_nothing() {
    let steps = sequence();
    for cut in 1.. {
        let disk = MemDisk::new();
        disk.cut_power_at_sync(cut);
        let mut acknowledged = 0;
        if let Ok(store) = Store::open(Box::new(disk.clone())) {
            for step in &steps {
                if run(&store, step).is_err() {
                    break;
                }
                acknowledged += 1;
            }
        }
        let is_over = !disk.is_dead();
        for seed in 0..FATES {
            let left = disk.crash(&mut fate(seed));
            check_after(
                &left,
                &steps,
                acknowledged,
                &format!("cut {cut}, fate {seed}"),
            );
        }
        if is_over {
            assert!(cut > 20, "the sequence has many syncs, not {cut}");
            return;
        }
    }
}

#[test]
fn a_power_cut_during_recovery_loses_nothing_either() {
    let steps = sequence();
    let acknowledged = steps.len();
    for seed in 0..FATES {
        let disk = MemDisk::new();
        let store = open(&disk);
        for step in &steps {
            run(&store, step).unwrap();
        }
        disk.cut_power_at_sync(1);
        assert!(
            store
                .commit(vec![Change::Record {
                    key: key_of(&record("c", 1, "")),
                    record: record("c", 1, "under way"),
                }])
                .is_err()
        );
        for cut in 1..8 {
            let left = disk.crash(&mut fate(seed));
            left.cut_power_at_sync(cut);
            let reopened = Store::open(Box::new(left.clone()));
            for second in 0..FATES {
                let context = format!("fate {seed}, then cut {cut} and fate {second}");
                check_after(
                    &left.crash(&mut fate(second)),
                    &steps,
                    acknowledged,
                    &context,
                );
            }
            drop(reopened);
        }
    }
}

#[test]
fn a_kill_loses_nothing_and_leaves_nothing_of_what_was_staged_but_stray_files() {
    let disk = MemDisk::new();
    let store = open(&disk);
    let kept = chunk(1, 3000);
    put_chunk(&store, &kept);
    let stray = chunk(2, 3000);
    let staged = store.stage_chunk(chunk_key(&stray), &stray).unwrap();
    let left = disk.kill();
    drop(staged);

    let store = open(&left);
    assert_eq!(store.read_chunk(kept.id()).unwrap(), Some(kept.clone()));
    assert_eq!(store.read_chunk(stray.id()).unwrap(), None);
    let swept: u64 = (0..=u8::MAX)
        .map(|shard| store.sweep(shard).unwrap().files)
        .sum();
    assert_eq!(swept, 1);
    assert_eq!(store.read_chunk(kept.id()).unwrap(), Some(kept));
    check(&store, &left);
}

#[test]
fn a_sweep_leaves_alone_what_is_being_staged_and_what_is_not_a_chunk() {
    let disk = MemDisk::new();
    let store = open(&disk);
    let chunk = chunk(1, 3000);
    let shard = chunk.id().as_bytes()[0];
    let staged = store.stage_chunk(chunk_key(&chunk), &chunk).unwrap();
    assert_eq!(store.sweep(shard).unwrap().files, 0);
    store.commit(vec![Change::Chunk(staged)]).unwrap();
    assert_eq!(store.sweep(shard).unwrap().files, 0);
    assert_eq!(store.read_chunk(chunk.id()).unwrap(), Some(chunk));
}

#[test]
fn leftovers_of_a_crash_are_removed_when_the_store_opens() {
    let disk = MemDisk::new();
    let store = open(&disk);
    put(&store, &record("f", 1, "x"));
    disk.cut_power_at_sync(1);
    assert!(
        store
            .stage_chunk(chunk_key(&chunk(1, 900)), &chunk(1, 900))
            .is_err()
    );
    let left = disk.kill();
    assert!(left.paths().iter().any(|path| path.starts_with("tmp/")));
    let store = open(&left);
    assert!(!left.paths().iter().any(|path| path.starts_with("tmp/")));
    assert_eq!(
        store
            .record(key_of(&record("f", 1, "")), &name("f"))
            .unwrap()
            .map(|r| r.version),
        Some(version(1))
    );
}

#[test]
fn an_index_that_is_gone_is_said_and_not_replaced_by_an_empty_one() {
    let folder = tempfile::tempdir().unwrap();
    let at = || Box::new(chordal_store::RealDisk::new(folder.path()));
    put(&Store::open(at()).unwrap(), &record("f", 1, "x"));
    std::fs::remove_file(folder.path().join("index.redb")).unwrap();
    let refused = Store::open(at()).unwrap_err();
    assert!(matches!(refused, OpenError::IndexLost(_)), "{refused}");
}
