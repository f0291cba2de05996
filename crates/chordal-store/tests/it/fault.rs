//! Rot, full disks, failed syncs, second owners, newer formats.

use chordal_object::{Arc, Chunk, Key, Record};
use chordal_store::limits::RESERVE_BYTES;
use chordal_store::{Change, MemDisk, OpenError, Outcome, RealDisk, Store, StoreError};

use crate::world::{
    LAST, check, chunk, chunk_key, key_of, name, one, open, path_of, put, put_chunk, record,
    tombstone, version,
};

#[test]
fn a_rotten_chunk_is_found_put_aside_and_can_be_stored_again() {
    let disk = MemDisk::new();
    let store = open(&disk);
    let chunk = chunk(1, 5000);
    put_chunk(&store, &chunk);
    assert!(disk.rot(&path_of(&chunk), 12_345));

    assert_eq!(
        store.read_chunk(chunk.id()),
        Err(StoreError::Corrupt { id: chunk.id() })
    );
    assert!(!store.has_chunk(chunk.id()).unwrap());
    assert_eq!(store.read_chunk(chunk.id()).unwrap(), None);
    assert_eq!(store.usage().chunks, 0);
    assert!(disk.paths().contains(&format!("quarantine/{}", chunk.id())));
    drop(store);

    let store = open(&disk);
    assert!(!store.has_chunk(chunk.id()).unwrap());
    put_chunk(&store, &chunk);
    assert_eq!(store.read_chunk(chunk.id()).unwrap(), Some(chunk));
    check(&store, &disk);
}

#[test]
fn storing_the_bytes_again_heals_a_rotten_copy_that_nobody_read() {
    let disk = MemDisk::new();
    let store = open(&disk);
    let chunk = chunk(1, 5000);
    put_chunk(&store, &chunk);
    disk.rot(&path_of(&chunk), 0);
    put_chunk(&store, &chunk);
    assert_eq!(store.read_chunk(chunk.id()).unwrap(), Some(chunk));
}

#[test]
fn quarantine_is_bounded() {
    let disk = MemDisk::new();
    let store = open(&disk);
    let chunks: Vec<Chunk> = (0..80).map(|seed| chunk(seed, 600)).collect();
    for chunk in &chunks {
        put_chunk(&store, chunk);
        disk.rot(&path_of(chunk), 99);
        assert!(store.read_chunk(chunk.id()).is_err());
    }
    let kept = disk
        .paths()
        .iter()
        .filter(|path| path.starts_with("quarantine/"))
        .count();
    assert_eq!(kept, 64);
    assert_eq!(
        disk.paths()
            .iter()
            .filter(|path| path.starts_with("chunks/"))
            .count(),
        0
    );
}

#[test]
fn a_chunk_file_that_is_gone_or_grown_counts_as_damaged() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(Box::new(RealDisk::new(folder.path()))).unwrap();
    let (gone, grown) = (chunk(1, 3000), chunk(2, 3000));
    put_chunk(&store, &gone);
    put_chunk(&store, &grown);
    std::fs::remove_file(folder.path().join(path_of(&gone))).unwrap();
    std::fs::write(folder.path().join(path_of(&grown)), vec![0; 5 << 20]).unwrap();
    for chunk in [gone, grown] {
        assert_eq!(
            store.read_chunk(chunk.id()),
            Err(StoreError::Corrupt { id: chunk.id() })
        );
        assert_eq!(store.read_chunk(chunk.id()), Ok(None));
        put_chunk(&store, &chunk);
        assert_eq!(store.read_chunk(chunk.id()), Ok(Some(chunk)));
    }
}

/// Flips a bit in the middle of the only place of the index where these bytes stand.
fn rot_text(disk: &MemDisk, text: &[u8]) {
    let bytes = disk.index_bytes();
    let found: Vec<usize> = (0..bytes.len() - text.len())
        .filter(|&at| bytes[at..].starts_with(text))
        .collect();
    assert!(!found.is_empty(), "the text stands in the index");
    for at in found {
        assert!(disk.rot_index((at + text.len() / 2) as u64 * 8));
    }
}

#[test]
fn a_rotten_record_is_an_error_and_never_not_there_until_it_is_stored_again() {
    let disk = MemDisk::new();
    let text = "a text that stands nowhere else in this index";
    let (good, kept) = (record("f", 1, text), record("g", 1, "other"));
    {
        let store = open(&disk);
        put(&store, &good);
        put(&store, &kept);
    }
    rot_text(&disk, text.as_bytes());
    let store = open(&disk);
    let key = key_of(&good);
    let damaged = StoreError::CorruptRecord { name: name("f") };
    assert_eq!(store.records_in(Arc::FULL, LAST).unwrap().len(), 2);
    assert_eq!(store.record(key, &good.name), Err(damaged.clone()));
    assert_eq!(store.list("main", "", None, 10), Err(damaged.clone()));
    assert_eq!(store.record(key_of(&kept), &kept.name), Ok(Some(kept)));

    // Reconciliation misses it, so another holder sends it again.
    assert_eq!(store.records_in(Arc::FULL, LAST).unwrap().len(), 1);
    assert_eq!(store.record(key, &good.name), Err(damaged));
    let remove = Change::RemoveRecord {
        key,
        name: name("f"),
        if_version: version(1),
    };
    assert_eq!(one(&store, remove), Outcome::NotRemoved);
    assert_eq!(put(&store, &good), Outcome::Stored);
    assert_eq!(store.record(key, &good.name), Ok(Some(good)));
    assert_eq!(store.list("main", "", None, 10).unwrap().len(), 2);
    check(&store, &disk);
}

#[test]
fn a_promise_does_not_make_a_rotten_record_look_like_nothing() {
    for is_found in [false, true] {
        let disk = MemDisk::new();
        let text = "a text that stands nowhere else in this index";
        let good = record("f", 1, text);
        put(&open(&disk), &good);
        rot_text(&disk, text.as_bytes());
        let store = open(&disk);
        let key = key_of(&good);
        let damaged = StoreError::CorruptRecord { name: name("f") };
        if is_found {
            assert_eq!(store.record(key, &good.name), Err(damaged.clone()));
            assert_eq!(store.records_in(Arc::FULL, LAST).unwrap().len(), 0);
        }
        let blank = Record::blank(name("f"), Some(version(7)));
        for change in [
            Change::RecordUnlessPromised {
                key,
                record: blank.clone(),
            },
            Change::Record { key, record: blank },
        ] {
            one(&store, change);
            assert_eq!(store.record(key, &good.name), Err(damaged.clone()));
        }
        assert_eq!(put(&store, &good), Outcome::Stored);
        assert_eq!(store.record(key, &good.name), Ok(Some(good)));
    }
}

#[test]
fn a_second_owner_is_refused_until_the_first_has_gone() {
    let folder = tempfile::tempdir().unwrap();
    let disks: [&dyn Fn() -> Box<dyn chordal_store::Disk>; 2] = {
        let mem = MemDisk::new();
        let real = folder.path().to_owned();
        [
            Box::leak(Box::new(move || {
                Box::new(mem.clone()) as Box<dyn chordal_store::Disk>
            })),
            Box::leak(Box::new(move || {
                Box::new(RealDisk::new(&real)) as Box<dyn chordal_store::Disk>
            })),
        ]
    };
    for disk in disks {
        let first = Store::open(disk()).unwrap();
        assert_eq!(Store::open(disk()).unwrap_err(), OpenError::Locked);
        put(&first, &record("f", 1, "x"));
        drop(first);
        let second = Store::open(disk()).unwrap();
        assert_eq!(second.usage().records, 1);
    }
}

#[test]
fn a_newer_format_is_refused_and_nothing_is_touched() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("FORMAT"), "chordal store 3\n").unwrap();
    let refused = Store::open(Box::new(RealDisk::new(folder.path()))).unwrap_err();
    assert_eq!(refused, OpenError::NewerFormat { found: 3, known: 2 });
    let names: Vec<_> = std::fs::read_dir(folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert_eq!(names, ["FORMAT"]);
}

#[test]
fn an_unreadable_format_is_refused() {
    for words in [
        "",
        "chordal store \n",
        "chordal store 0\n",
        "something else\n",
        "\u{ff}\n",
    ] {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("FORMAT"), words).unwrap();
        let refused = Store::open(Box::new(RealDisk::new(folder.path()))).unwrap_err();
        assert!(
            matches!(refused, OpenError::Damaged(_)),
            "{words:?}: {refused}"
        );
    }
}

#[test]
fn a_folder_that_cannot_be_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "not a folder").unwrap();
    let refused = Store::open(Box::new(RealDisk::new(&file))).unwrap_err();
    assert!(matches!(refused, OpenError::Io { .. }), "{refused}");
}

#[test]
fn a_full_disk_refuses_politely_and_takes_more_once_there_is_room() {
    let disk = MemDisk::new();
    let store = open(&disk);
    let (stored, refused) = (chunk(1, 1 << 20), chunk(2, 1 << 20));
    put_chunk(&store, &stored);
    let small = record("f", 1, "x");
    put(&store, &small);
    disk.set_capacity(RESERVE_BYTES + (1 << 20));

    let error = store
        .stage_chunk(chunk_key(&refused), &refused)
        .unwrap_err();
    assert!(
        matches!(error, StoreError::Full { needed, free } if needed > free),
        "{error}"
    );
    let next = record("f", 2, "y");
    let change = || Change::Record {
        key: key_of(&next),
        record: next.clone(),
    };
    assert!(matches!(
        store.commit(vec![change()]),
        Err(StoreError::Full { .. })
    ));
    assert_eq!(store.read_chunk(stored.id()).unwrap(), Some(stored.clone()));
    assert!(!store.is_poisoned());

    // Deleting works on a full disk: it is how there is room again.
    assert_eq!(put(&store, &tombstone("g", 1)), Outcome::Stored);
    let remove = Change::RemoveChunk {
        key: chunk_key(&stored),
        id: stored.id(),
    };
    assert_eq!(one(&store, remove), Outcome::Removed);
    disk.set_capacity(RESERVE_BYTES + (3 << 20));
    put_chunk(&store, &refused);
    one(&store, change());
    check(&store, &disk);
}

#[test]
fn a_disk_without_any_room_for_the_index_stops_writing_and_reads_on() {
    let disk = MemDisk::new();
    let store = open(&disk);
    let kept = record("kept", 1, "x");
    put(&store, &kept);
    disk.set_capacity(0);
    let change = |n: u64| {
        let record = tombstone(&format!("{n}{}", "p".repeat(900)), 1);
        Change::Record {
            key: Key::new(u128::from(n)),
            record,
        }
    };
    let error = store.commit((0..500).map(change).collect()).unwrap_err();
    assert!(matches!(error, StoreError::Full { .. }), "{error}");
    assert_eq!(store.commit(vec![change(1)]), Err(StoreError::Poisoned));
    assert_eq!(
        store.record(key_of(&kept), &kept.name).unwrap(),
        Some(kept.clone())
    );
    assert_eq!(store.usage().records, 1);
    drop(store);
    disk.set_capacity(1 << 40);
    let store = open(&disk);
    assert_eq!(store.usage().records, 1);
    put(&store, &record("more", 1, "x"));
    check(&store, &disk);
}

#[test]
fn after_a_failed_sync_of_the_index_writes_are_refused_and_reads_go_on() {
    let disk = MemDisk::new();
    let store = open(&disk);
    let (kept, lost) = (record("f", 1, "kept"), record("f", 2, "lost"));
    let (chunk, other) = (chunk(1, 3000), chunk(2, 3000));
    put(&store, &kept);
    put_chunk(&store, &chunk);
    let staged = store.stage_chunk(chunk_key(&other), &other).unwrap();

    disk.fail_sync(1);
    let change = || Change::Record {
        key: key_of(&lost),
        record: lost.clone(),
    };
    let error = store
        .commit(vec![change(), Change::Chunk(staged)])
        .unwrap_err();
    assert!(matches!(error, StoreError::Io { .. }), "{error}");
    assert!(store.is_poisoned());
    assert_eq!(store.commit(vec![change()]), Err(StoreError::Poisoned));
    assert!(matches!(
        store.stage_chunk(chunk_key(&other), &other),
        Err(StoreError::Poisoned)
    ));

    // What readers see is what was durable, not what was being written.
    assert_eq!(
        store.record(key_of(&kept), &kept.name).unwrap(),
        Some(kept.clone())
    );
    assert_eq!(store.records_in(Arc::FULL, LAST).unwrap().len(), 1);
    assert_eq!(store.read_chunk(chunk.id()).unwrap(), Some(chunk));
    assert_eq!(store.read_chunk(other.id()).unwrap(), None);
    assert_eq!(
        store.list("main", "", None, 10).unwrap()[0].version,
        version(1)
    );
    drop(store);

    let store = open(&disk);
    let found = store.record(key_of(&kept), &kept.name).unwrap();
    assert!(found == Some(kept) || found == Some(lost.clone()));
    assert_ne!(
        put(&store, &record("f", 3, "goes on")),
        Outcome::Kept {
            current: version(3),
            promised: None,
        }
    );
    check(&store, &disk);
}

#[test]
fn after_a_failed_sync_of_a_chunk_writes_are_refused_and_the_chunk_is_not_there() {
    for nth in [1, 2] {
        let disk = MemDisk::new();
        let store = open(&disk);
        let chunk = chunk(1, 3000);
        disk.fail_sync(nth);
        let error = store.stage_chunk(chunk_key(&chunk), &chunk).unwrap_err();
        assert!(matches!(error, StoreError::Io { .. }), "{error}");
        assert_eq!(store.commit(vec![]), Err(StoreError::Poisoned));
        assert_eq!(store.read_chunk(chunk.id()).unwrap(), None);
        drop(store);
        let store = open(&disk);
        put_chunk(&store, &chunk);
        check(&store, &disk);
    }
}
