use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use chordal_object::{Arc as RingArc, Bits, Chunk, Content, File, Name, NodeId, Record, Version};
use chordal_proto::Input;
use chordal_proto::effect::DiskOp;
use chordal_proto::input::{Completion, Damaged, DiskAnswer, DiskError, EffectId, OperationId};
use chordal_proto::message::Kind;
use tempfile::TempDir;
use tokio_util::task::TaskTracker;

use super::{Disk, DiskResult, Keeper, ScrubStep};
use crate::acquaintances::Acquaintances;
use crate::counters::{Counters, Counting};
use crate::held::Held;
use crate::inbox::{Duty, Inbox};

fn acquaintances(folder: &Path) -> Acquaintances {
    Acquaintances::new(folder, Arc::default())
}

/// A disk in a folder of its own, with the core's side of it.
struct Bench {
    disk: Disk,
    inbox: Arc<Inbox>,
    held: Arc<Held>,
    counting: Arc<Counting>,
    tasks: TaskTracker,
    folder: TempDir,
}

impl Bench {
    fn new(offer_bytes: Option<u64>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let counting = Arc::new(Counting::default());
        let tasks = TaskTracker::new();
        let inbox = Arc::<Inbox>::default();
        let alarm = Arc::clone(&inbox);
        let keeper =
            Keeper::open(folder.path(), offer_bytes, Arc::clone(&counting), alarm).unwrap();
        Self {
            disk: Disk::new(keeper, acquaintances(folder.path()), &tasks),
            inbox,
            held: Arc::default(),
            counting,
            tasks,
            folder,
        }
    }

    /// Gives all orders at once, and waits for all answers, in the order of the orders.
    async fn orders(&self, orders: Vec<DiskOp>) -> Vec<DiskResult> {
        let mut answers: Vec<Option<DiskResult>> = orders.iter().map(|_| None).collect();
        for (effect, op) in (0..).map(EffectId).zip(orders) {
            let duty = Duty::disk(Arc::clone(&self.inbox), effect);
            self.disk.order(op, Bits::MAX, &self.held, duty);
        }
        while answers.iter().any(Option::is_none) {
            self.inbox.filled().await;
            for input in self.inbox.take(Vec::new()) {
                let Input::Completion { effect, completion } = input else {
                    panic!("{input:?}");
                };
                let Completion::Disk(answer) = completion else {
                    panic!("{completion:?}");
                };
                let place = &mut answers[usize::try_from(effect.0).unwrap()];
                assert!(place.replace(answer).is_none(), "an order ends once");
            }
        }
        answers.into_iter().flatten().collect()
    }

    async fn order(&self, op: DiskOp) -> DiskResult {
        self.orders(vec![op]).await.pop().unwrap()
    }

    fn counters(&self) -> Counters {
        self.counting.snapshot(chordal_net::Counters::default())
    }

    async fn store(&self, chunk: &Chunk) {
        let kept = self.disk.keep(chunk.id(), chunk.bytes().clone(), Bits::MAX);
        assert!(matches!(kept.await, Ok(DiskAnswer::Done)));
    }
}

fn version(counter: u64) -> Version {
    Version {
        counter,
        incarnation: 1,
        node: NodeId::new([1; 32]),
    }
}

fn record(path: &str, counter: u64, bytes: usize) -> Record {
    Record {
        name: Name::in_main(path).unwrap(),
        version: version(counter),
        modified_ms: 5,
        file: Some(File {
            size: bytes as u64,
            hash: [0; 32],
            content_type: String::new(),
            metadata: std::collections::BTreeMap::new(),
            content: Content::Inline(Bytes::from(vec![0; bytes])),
        }),
        original: None,
        promised: None,
        replaced: None,
    }
}

fn write(record: Record) -> DiskOp {
    DiskOp::WriteRecord {
        key: Bits::MAX.name_key(&record.name),
        record,
        heeds_promise: true,
    }
}

fn read(path: &str) -> DiskOp {
    let name = Name::in_main(path).unwrap();
    DiskOp::ReadRecord {
        key: Bits::MAX.name_key(&name),
        name,
    }
}

fn chunk(seed: u8) -> Chunk {
    Chunk::new(Bytes::from(vec![seed; 10_000]))
}

/// The file of a stored chunk.
fn file_of(folder: &Path, chunk: &Chunk) -> PathBuf {
    let name = chunk.id().to_string();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.file_name().is_some_and(|file| *file == *name) {
                return path;
            }
        }
    }
    panic!("chunk {name} has no file");
}

#[tokio::test]
async fn many_writes_share_few_commits() {
    let bench = Bench::new(None);
    let orders = (0..500).map(|at| write(record(&format!("file {at}"), 1, 10)));
    for answer in bench.orders(orders.collect()).await {
        assert!(
            matches!(answer, Ok(DiskAnswer::RecordStored { newest: stored, .. }) if stored == version(1))
        );
    }
    let counters = bench.counters();
    assert_eq!(counters.changes, 500);
    assert!(counters.commits <= 20, "{}", counters.commits);
    let DiskAnswer::Record(Some(read)) = bench.order(read("file 77")).await.unwrap() else {
        panic!("it is there");
    };
    assert_eq!(read, record("file 77", 1, 10));
}

#[tokio::test]
async fn a_newer_version_stays_and_is_told() {
    let bench = Bench::new(None);
    bench.order(write(record("file", 7, 10))).await.unwrap();
    let older = bench.order(write(record("file", 3, 10))).await;
    assert!(
        matches!(older, Ok(DiskAnswer::RecordStored { newest: kept, .. }) if kept == version(7))
    );
}

#[tokio::test]
async fn chunks_kept_for_an_operation_are_stored_and_read_back() {
    let bench = Bench::new(None);
    let chunks: Vec<_> = (0..40).map(chunk).collect();
    let mut orders = Vec::new();
    for (operation, chunk) in (0..).map(OperationId).zip(&chunks) {
        bench.held.keep(operation, chunk.clone());
        orders.push(DiskOp::StoreChunk {
            operation,
            chunk: chunk.id(),
            key: Bits::MAX.chunk_key(chunk.id()),
        });
    }
    for answer in bench.orders(orders).await {
        assert!(matches!(answer, Ok(DiskAnswer::Done)));
    }
    assert!(bench.counters().commits < 40);
    let operation = OperationId(100);
    bench.held.want(operation);
    let wanted = chunks[7].id();
    let answer = bench.order(DiskOp::ReadChunk {
        operation,
        chunk: wanted,
    });
    assert!(matches!(answer.await, Ok(DiskAnswer::Done)));
    assert_eq!(bench.held.take(operation), Some(chunks[7].clone()));
    let have = bench.order(DiskOp::HaveChunks(vec![wanted, chunk(99).id()]));
    assert!(matches!(&have.await, Ok(DiskAnswer::Have(have)) if *have == [true, false]));
}

#[tokio::test]
async fn a_store_whose_operation_is_gone_ends_as_a_failure() {
    let bench = Bench::new(None);
    let answer = bench.order(DiskOp::StoreChunk {
        operation: OperationId(1),
        chunk: chunk(1).id(),
        key: Bits::MAX.chunk_key(chunk(1).id()),
    });
    assert!(matches!(answer.await, Err(DiskError::Failed)));
}

#[tokio::test]
async fn a_damaged_copy_is_not_there_and_a_good_one_takes_its_place() {
    let bench = Bench::new(None);
    bench.store(&chunk(1)).await;
    fs::write(file_of(bench.folder.path(), &chunk(1)), b"rot").unwrap();
    assert_eq!(bench.disk.read(chunk(1).id()).await, Ok(None));
    assert_eq!(bench.counters().quarantined, 1);
    bench.store(&chunk(1)).await;
    assert_eq!(bench.disk.read(chunk(1).id()).await, Ok(Some(chunk(1))));
}

#[tokio::test]
async fn bytes_that_are_not_what_they_claim_are_not_stored() {
    let bench = Bench::new(None);
    let lie = bench
        .disk
        .keep(chunk(1).id(), Bytes::from_static(b"lie"), Bits::MAX);
    assert!(matches!(lie.await, Ok(DiskAnswer::NoChunk)));
    assert_eq!(bench.disk.read(chunk(1).id()).await, Ok(None));
}

#[tokio::test]
async fn copies_are_removed_only_while_they_are_what_was_confirmed() {
    let bench = Bench::new(None);
    let (stays, goes) = (record("stays", 2, 10), record("goes", 1, 10));
    bench
        .orders(vec![write(stays.clone()), write(goes.clone())])
        .await;
    bench.store(&chunk(1)).await;
    bench.store(&chunk(2)).await;
    let key = |record: &Record| Bits::MAX.name_key(&record.name);
    let digest = |record: &Record| record.copy_digest();
    let removed = bench.order(DiskOp::Remove {
        records: vec![
            (key(&goes), digest(&goes)),
            (key(&stays), digest(&record("stays", 1, 10))),
        ],
        chunks: vec![(Bits::MAX.chunk_key(chunk(1).id()), chunk(1).id())],
    });
    assert!(matches!(removed.await, Ok(DiskAnswer::Done)));
    let here = bench.order(read("stays")).await;
    assert!(matches!(here, Ok(DiskAnswer::Record(Some(_)))));
    let gone = bench.order(read("goes")).await;
    assert!(matches!(gone, Ok(DiskAnswer::Record(None))));
    assert_eq!(bench.disk.read(chunk(1).id()).await, Ok(None));
    assert_eq!(bench.disk.read(chunk(2).id()).await, Ok(Some(chunk(2))));
}

#[tokio::test]
async fn removing_nothing_is_done_at_once() {
    let bench = Bench::new(None);
    let removed = bench.order(DiskOp::Remove {
        records: vec![(Bits::MAX.reduce(0), [7; 32])],
        chunks: Vec::new(),
    });
    assert!(matches!(removed.await, Ok(DiskAnswer::Done)));
}

#[tokio::test]
async fn what_lies_in_an_arc_is_told_counted_and_given() {
    let bench = Bench::new(None);
    let one = record("one", 1, 10);
    bench.order(write(one.clone())).await.unwrap();
    bench.store(&chunk(1)).await;
    let digest = one.copy_digest();
    let items = |kind| DiskOp::ItemsIn {
        arc: RingArc::FULL,
        kind,
    };
    let records = bench.order(items(Kind::Records)).await.unwrap();
    let key = Bits::MAX.name_key(&one.name);
    assert!(matches!(records, DiskAnswer::Items(items) if items == [(key, digest)]));
    let chunks = bench.order(items(Kind::Chunks)).await.unwrap();
    let id = chunk(1).id();
    let expected = [(Bits::MAX.chunk_key(id), *id.as_bytes())];
    assert!(matches!(chunks, DiskAnswer::Items(items) if items == expected));
    let counts = bench.order(DiskOp::CountIn(vec![RingArc::FULL])).await;
    assert!(matches!(counts.unwrap(), DiskAnswer::Counts(counts) if counts == [2]));
    let given = bench.order(DiskOp::RecordsByDigest {
        arc: RingArc::FULL,
        digests: vec![digest, [1; 32]],
    });
    assert!(matches!(given.await.unwrap(), DiskAnswer::Records(given) if given == [one]));
}

#[tokio::test]
async fn a_listing_says_whether_there_is_more() {
    let bench = Bench::new(None);
    let orders = ["a", "b", "c"].map(|path| write(record(path, 1, 1)));
    bench.orders(orders.into()).await;
    for (limit, count, is_more) in [(2, 2, true), (3, 3, false), (0, 0, true)] {
        let page = bench.order(DiskOp::List {
            space: "main".to_owned(),
            prefix: String::new(),
            after: None,
            limit,
        });
        let DiskAnswer::Rows { rows, more } = page.await.unwrap() else {
            panic!("rows");
        };
        assert_eq!((rows.len(), more), (count, is_more));
    }
}

#[tokio::test]
async fn no_more_is_stored_than_was_offered_but_tombstones_always_are() {
    let bench = Bench::new(Some(15_000));
    bench.store(&chunk(1)).await;
    let full = bench
        .disk
        .keep(chunk(2).id(), chunk(2).into_bytes(), Bits::MAX);
    assert!(matches!(full.await, Err(DiskError::Full { free }) if free <= 5_000));
    let big = bench.order(write(record("big", 1, 6_000))).await;
    assert!(matches!(big, Err(DiskError::Full { .. })));
    let mut tombstone = record("big", 2, 0);
    tombstone.file = None;
    let usage = bench.orders(vec![write(tombstone), DiskOp::Usage]).await;
    assert!(matches!(usage[0], Ok(DiskAnswer::RecordStored { .. })));
    assert!(
        matches!(usage[1], Ok(DiskAnswer::Usage { used, free, .. }) if used >= 10_000 && free <= 5_000)
    );
    assert_eq!(bench.counters().disk_failures, 2);
}

#[tokio::test]
async fn what_is_kept_for_the_next_life_is_there_when_the_store_is_opened_again() {
    let bench = Bench::new(None);
    let members = Bytes::from_static(b"members");
    let saved = bench.order(DiskOp::SaveMembers(members.clone())).await;
    assert!(matches!(saved, Ok(DiskAnswer::Done)));
    let kept = bench
        .disk
        .keep_value(super::SETTINGS, Bytes::from_static(b"set"));
    assert!(matches!(kept.await, Ok(DiskAnswer::Done)));
    let Bench {
        disk,
        folder,
        counting,
        tasks,
        ..
    } = bench;
    drop(disk);
    tasks.close();
    tasks.wait().await;
    let keeper = Keeper::open(folder.path(), None, counting, Arc::default()).unwrap();
    assert_eq!(keeper.value(super::MEMBERS).unwrap(), Some(members));
    let settings = keeper.value(super::SETTINGS).unwrap();
    assert_eq!(settings, Some(Bytes::from_static(b"set")));
}

/// Scrubs until a round has ended; how many steps it took.
async fn round(disk: &Disk) -> usize {
    for steps in 1.. {
        match disk.scrub().await {
            ScrubStep::Further(_) => {}
            ScrubStep::Round(_) => return steps,
            ScrubStep::Failed => panic!("the disk is good"),
        }
    }
    unreachable!("a round has an end")
}

#[tokio::test]
async fn a_round_of_the_scrub_finds_what_has_rotted_was_cut_short_or_is_gone() {
    let bench = Bench::new(None);
    for seed in 0..6 {
        bench.store(&chunk(seed)).await;
    }
    let path = |seed| file_of(bench.folder.path(), &chunk(seed));
    fs::write(path(2), b"rot").unwrap();
    let cut = fs::OpenOptions::new().write(true).open(path(3)).unwrap();
    cut.set_len(100).unwrap();
    fs::remove_file(path(4)).unwrap();

    round(&bench.disk).await;
    let counters = bench.counters();
    assert_eq!((counters.scrubbed, counters.quarantined), (3, 3));
    let told: Vec<Input> = bench.inbox.take(Vec::new());
    for bad in [2, 3, 4] {
        let id = chunk(bad).id();
        assert_eq!(bench.disk.read(id).await, Ok(None));
        let is_told =
            |input: &Input| matches!(input, Input::Damaged(Damaged::Chunk(it)) if *it == id);
        assert!(told.iter().any(is_told), "the core fetches it again");
    }
    assert_eq!(bench.disk.read(chunk(5).id()).await, Ok(Some(chunk(5))));

    bench.store(&chunk(3)).await;
    bench.store(&chunk(7)).await;
    let usage = bench.order(DiskOp::Usage).await;
    let Ok(DiskAnswer::Usage { care, .. }) = usage else {
        panic!("{usage:?}")
    };
    assert_eq!((care.found, care.mended), (3, 1));
    assert!(care.round_ended_s > 0);
    round(&bench.disk).await;
    assert_eq!(bench.counters().quarantined, 3, "nothing is found twice");
}

#[tokio::test]
async fn a_sweep_removes_what_a_crash_left() {
    let bench = Bench::new(None);
    bench.store(&chunk(1)).await;
    // A file without an entry in the index: a crash came between the two.
    let other = Bench::new(None);
    other.store(&chunk(9)).await;
    let found = file_of(other.folder.path(), &chunk(9));
    let stray = bench
        .folder
        .path()
        .join(found.strip_prefix(other.folder.path()).unwrap());
    fs::create_dir_all(stray.parent().unwrap()).unwrap();
    fs::copy(found, &stray).unwrap();
    for folder in 0..=u8::MAX {
        assert!(bench.disk.sweep(folder).await);
    }
    assert_eq!(bench.counters().swept, 1);
    assert!(!stray.exists());
    assert_eq!(bench.disk.read(chunk(1).id()).await, Ok(Some(chunk(1))));
}

#[tokio::test]
async fn the_next_life_goes_on_where_the_scrub_was_and_counts_on() {
    let bench = Bench::new(None);
    for seed in 0..200 {
        bench.store(&chunk(seed)).await;
    }
    fs::remove_file(file_of(bench.folder.path(), &chunk(1))).unwrap();
    let whole = round(&bench.disk).await;
    bench.disk.scrub().await;
    bench.disk.scrub().await;
    bench.disk.keep_care().await;
    let Bench {
        disk,
        folder,
        tasks,
        ..
    } = bench;
    tasks.close();
    tasks.wait().await;
    drop(disk);
    let counting = Arc::new(Counting::default());
    let keeper = Keeper::open(folder.path(), None, counting, Arc::default()).unwrap();
    assert_eq!(keeper.care().care.found, 1);
    let disk = Disk::new(keeper, acquaintances(folder.path()), &TaskTracker::new());
    assert_eq!(round(&disk).await, whole - 2);
}
