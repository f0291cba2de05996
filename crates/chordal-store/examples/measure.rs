//! The figures that the store's choices stand on, for anyone to repeat.
//!
//! `cargo run --release -p chordal-store --example measure -- FOLDER [records=100000]`
//!
//! Puts small records and chunks from 32 threads, ends the process without a goodbye in the middle,
//! and times what the next one needs to open. The folder should be on the disk in question.

#![expect(clippy::print_stdout, reason = "a program that reports figures")]
#![expect(clippy::disallowed_types, reason = "measuring takes a clock")]

use std::collections::BTreeMap;
use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Instant;

use bytes::Bytes;
use chordal_object::{Arc, Bits, Chunk, Content, File, Name, NodeId, Record, Version};
use chordal_store::{Change, RealDisk, Store};

const SUBMITTERS: u64 = 32;
const CHUNKS: u64 = 1024;
const CHUNK_BYTES: usize = 1 << 20;

fn main() {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        [folder] => measure(Path::new(folder), 100_000),
        [folder, "fill", first, count, batch, bytes] => {
            let store = open(Path::new(folder));
            fill(
                &store,
                number(first),
                number(count),
                number(batch),
                number(bytes),
            );
            die();
        }
        [folder, "put", first, count, bytes] => {
            let store = open(Path::new(folder));
            let seconds = timed(|| put(&store, number(first), number(count), number(bytes)));
            report("durable puts of records", number(count), seconds);
            die();
        }
        [folder, "open"] => reopen(Path::new(folder)),
        [folder, "chunks"] => chunks(Path::new(folder)),
        [folder, records] => measure(Path::new(folder), number(records)),
        _ => println!("usage: measure FOLDER [RECORDS]"),
    }
}

/// Every part runs in a process of its own that ends without closing the store.
fn measure(folder: &Path, records: u64) {
    let store: PathBuf = folder.join("measured");
    std::fs::create_dir_all(folder).expect("the folder can be made");
    let part = |arguments: &[&str]| {
        let program = env::current_exe().expect("this program has a path");
        let mut command = Command::new(program);
        command.arg(&store).args(arguments);
        // The parts end by aborting, so their status says nothing.
        command.status().expect("this program can be run");
    };
    for bytes in ["200", "4096"] {
        drop(std::fs::remove_dir_all(&store));
        println!("\nrecords with {bytes} bytes inline");
        part(&["put", "0", "20000", bytes]);
        part(&["fill", "20000", &records.to_string(), "4000", bytes]);
        part(&["put", "900000000", "20000", bytes]);
        part(&["open"]);
        part(&["put", "910000000", "100", bytes]);
        part(&["open"]);
    }
    drop(std::fs::remove_dir_all(&store));
    println!("\nchunks of 1 MiB");
    part(&["chunks"]);
    drop(std::fs::remove_dir_all(&store));
}

fn open(folder: &Path) -> Store {
    Store::open(Box::new(RealDisk::new(folder))).expect("the store opens")
}

/// Ends the process as `kill -9` does: nothing is closed, nothing is flushed.
fn die() -> ! {
    std::process::abort()
}

/// Records from 32 threads, one a commit: they share syncs only because they come together.
fn put(store: &Store, first: u64, count: u64, bytes: u64) {
    let next = AtomicU64::new(first);
    thread::scope(|scope| {
        for _ in 0..SUBMITTERS {
            scope.spawn(|| {
                loop {
                    let place = next.fetch_add(1, Ordering::Relaxed);
                    if place >= first + count {
                        return;
                    }
                    store
                        .commit(vec![change(place, bytes)])
                        .expect("the commit succeeds");
                }
            });
        }
    });
}

/// Records in large commits, to make a large store soon.
fn fill(store: &Store, first: u64, count: u64, batch: u64, bytes: u64) {
    let mut place = first;
    while place < first + count {
        let end = (place + batch).min(first + count);
        let changes = (place..end).map(|place| change(place, bytes)).collect();
        store.commit(changes).expect("the commit succeeds");
        place = end;
    }
}

fn change(place: u64, bytes: u64) -> Change {
    let mut content = vec![0; usize::try_from(bytes).expect("records are small")];
    blake3::Hasher::new()
        .update(&place.to_be_bytes())
        .finalize_xof()
        .fill(&mut content);
    let content = Bytes::from(content);
    let name = Name::in_main(&format!("folder {:03}/file {place}", place % 997));
    let record = Record {
        name: name.expect("a good name"),
        version: Version {
            counter: 1,
            incarnation: 1,
            node: NodeId::new([1; 32]),
        },
        modified_ms: 0,
        file: Some(File {
            size: bytes,
            hash: *blake3::hash(&content).as_bytes(),
            content_type: String::new(),
            metadata: BTreeMap::new(),
            content: Content::Inline(content),
        }),
        original: None,
        promised: None,
        replaced: None,
    };
    Change::Record {
        key: Bits::MAX.name_key(&record.name),
        record,
    }
}

fn reopen(folder: &Path) {
    let started = Instant::now();
    let store = open(folder);
    let opened = started.elapsed().as_secs_f64();
    let usage = store.usage();
    let index = std::fs::metadata(folder.join("index.redb")).map_or(0, |file| file.len());
    println!(
        "open after a kill: {opened:.3} s with {} records, index of {} MiB, resident {} MiB",
        usage.records,
        index >> 20,
        resident_bytes() >> 20,
    );
    let arc_seconds = timed(|| {
        let last_key = Bits::MAX.last_key();
        let counts = store
            .count_in(Arc::FULL, last_key)
            .expect("the arc is read");
        assert_eq!(counts.records, usage.records, "no record was lost");
    });
    report("records seen by an arc scan", usage.records, arc_seconds);
    let mut listed = 0;
    let list_seconds = timed(|| {
        let page = store
            .list("main", "folder 5", None, 10_000)
            .expect("the space is listed");
        listed = page.len() as u64;
    });
    report("records listed", listed, list_seconds);
    println!("resident afterwards {} MiB", resident_bytes() >> 20);
    die();
}

fn chunks(folder: &Path) {
    let store = open(folder);
    println!(
        "an empty store, open: resident {} MiB",
        resident_bytes() >> 20
    );
    let all: Vec<Chunk> = (0..CHUNKS).map(make_chunk).collect();
    let next = AtomicU64::new(0);
    let each = |act: &(dyn Fn(&Chunk) + Sync)| {
        next.store(0, Ordering::Relaxed);
        thread::scope(|scope| {
            for _ in 0..SUBMITTERS {
                scope.spawn(|| {
                    while let Some(chunk) = usize::try_from(next.fetch_add(1, Ordering::Relaxed))
                        .ok()
                        .and_then(|place| all.get(place))
                    {
                        act(chunk);
                    }
                });
            }
        });
    };
    let seconds = timed(|| {
        each(&|chunk| {
            let key = Bits::MAX.chunk_key(chunk.id());
            let staged = store.stage_chunk(key, chunk).expect("the chunk is staged");
            store
                .commit(vec![Change::Chunk(staged)])
                .expect("the commit succeeds");
        });
    });
    report("durable puts of chunks (MiB)", CHUNKS, seconds);
    let seconds = timed(|| {
        each(&|chunk| {
            let key = Bits::MAX.chunk_key(chunk.id());
            let staged = store.stage_chunk(key, chunk).expect("the chunk is staged");
            store
                .commit(vec![Change::Chunk(staged)])
                .expect("the commit succeeds");
        });
    });
    report("puts of chunks that are there (MiB)", CHUNKS, seconds);
    let seconds = timed(|| {
        each(&|chunk| {
            let read = store.read_chunk(chunk.id()).expect("the chunk is read");
            assert!(read.is_some(), "no chunk was lost");
        });
    });
    report("verified warm reads of chunks (MiB)", CHUNKS, seconds);
    die();
}

fn make_chunk(place: u64) -> Chunk {
    let mut content = vec![0; CHUNK_BYTES];
    blake3::Hasher::new()
        .update(&place.to_be_bytes())
        .finalize_xof()
        .fill(&mut content);
    Chunk::new(Bytes::from(content))
}

fn timed(act: impl FnOnce()) -> f64 {
    let started = Instant::now();
    act();
    started.elapsed().as_secs_f64()
}

fn report(what: &str, count: u64, seconds: f64) {
    let count_shown = u32::try_from(count).map_or(f64::MAX, f64::from);
    println!(
        "{what}: {count} in {seconds:.2} s, {:.0} a second",
        count_shown / seconds
    );
}

fn number(text: &str) -> u64 {
    text.parse().expect("a number")
}

/// Memory of this process that is not a mapped file, where the system tells it.
fn resident_bytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("RssAnon:"));
    let kibibytes = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse::<u64>().ok());
    kibibytes.unwrap_or(0) << 10
}
