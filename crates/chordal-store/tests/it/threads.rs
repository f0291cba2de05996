//! Many threads at once.

use std::sync::Barrier;
use std::thread;

use chordal_object::{Chunk, Record};
use chordal_store::{Change, MemDisk, Outcome, RealDisk, Store};

use crate::world::{check, chunk, chunk_key, key_of, one, open, path_of, put, record, version};

#[test]
fn two_threads_that_stage_the_same_chunk_write_it_once() {
    for _ in 0..50 {
        let disk = MemDisk::new();
        let store = open(&disk);
        let before = disk.syncs();
        let (chunk, start) = (chunk(1, 100_000), Barrier::new(2));
        let staged: Vec<_> = thread::scope(|scope| {
            let stage = || {
                start.wait();
                store.stage_chunk(chunk_key(&chunk), &chunk).unwrap()
            };
            let threads = [scope.spawn(stage), scope.spawn(stage)];
            threads
                .into_iter()
                .map(|thread| thread.join().unwrap())
                .collect()
        });
        assert_eq!(
            disk.syncs() - before,
            2,
            "one of the file and one of its folder"
        );
        let mut staged = staged.into_iter();
        drop(staged.next());
        assert!(
            disk.paths().contains(&path_of(&chunk)),
            "the other one still counts on it"
        );
        one(&store, Change::Chunk(staged.next().unwrap()));
        assert_eq!(store.read_chunk(chunk.id()).unwrap(), Some(chunk));
    }
}

#[test]
fn writers_that_commit_together_are_all_durable() {
    let folder = tempfile::tempdir().unwrap();
    let at = || Box::new(RealDisk::new(folder.path()));
    let path = |writer: usize, n: usize| format!("writer {writer} file {n}");
    {
        let store = Store::open(at()).unwrap();
        thread::scope(|scope| {
            for writer in 0..8 {
                let store = &store;
                scope.spawn(move || {
                    for n in 0..20 {
                        assert_eq!(
                            put(store, &record(&path(writer, n), 1, "x")),
                            Outcome::Stored
                        );
                        let seen = store.usage().records;
                        assert!(seen > n as u64, "a writer sees its own commit at once");
                    }
                });
            }
        });
    }
    let store = Store::open(at()).unwrap();
    assert_eq!(store.usage().records, 160);
}

#[test]
fn writers_of_one_name_agree_on_the_newest() {
    let store = open(&MemDisk::new());
    thread::scope(|scope| {
        for writer in 0..4_u64 {
            let store = &store;
            scope.spawn(move || {
                for n in 0..25 {
                    put(store, &record("f", 1 + writer + 4 * n, "x"));
                }
            });
        }
    });
    let newest: Record = record("f", 100, "x");
    assert_eq!(
        store.record(key_of(&newest), &newest.name).unwrap(),
        Some(newest)
    );
    assert_eq!(
        store.list("main", "", None, 9).unwrap()[0].version,
        version(100)
    );
}

#[test]
fn a_put_and_a_removal_of_the_same_chunk_never_leave_an_entry_without_its_file() {
    let disk = MemDisk::new();
    let store = open(&disk);
    let chunk: Chunk = chunk(1, 2000);
    let put = || {
        for _ in 0..300 {
            let staged = store.stage_chunk(chunk_key(&chunk), &chunk).unwrap();
            assert_eq!(one(&store, Change::Chunk(staged)), Outcome::Stored);
        }
    };
    let remove = || {
        for _ in 0..300 {
            one(
                &store,
                Change::RemoveChunk {
                    key: chunk_key(&chunk),
                    id: chunk.id(),
                },
            );
        }
    };
    let read = || {
        for _ in 0..600 {
            let found = store
                .read_chunk(chunk.id())
                .expect("never an entry without its file");
            assert!(found.is_none_or(|found| found == chunk));
        }
    };
    let stage_and_drop = || {
        for _ in 0..300 {
            drop(store.stage_chunk(chunk_key(&chunk), &chunk).unwrap());
        }
    };
    let sweep = || {
        for _ in 0..300 {
            store.sweep(chunk.id().as_bytes()[0]).unwrap();
        }
    };
    thread::scope(|scope| {
        scope.spawn(put);
        scope.spawn(remove);
        scope.spawn(read);
        scope.spawn(stage_and_drop);
        scope.spawn(sweep);
    });
    check(&store, &disk);
}
