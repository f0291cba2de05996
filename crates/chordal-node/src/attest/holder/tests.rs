use std::sync::{Arc, RwLock};
use std::time::Duration;

use bytes::Bytes;
use chordal_net::{Admission, Authority, NodeKey};
use chordal_object::{
    Bits, Chunk, ChunkId, Content, File, Name, NodeId, Record, RecordCopy, Version,
};
use chordal_proto::Settings;
use tempfile::TempDir;
use tokio_util::task::TaskTracker;

use super::{Attestor, Unsigned, compare, in_time};
use crate::acquaintances::Acquaintances;
use crate::attest::{Question, RecordAsked, Statement};
use crate::counters::Counting;
use crate::exec::{Disk, Keeper};
use crate::limits::{
    ATTEST_AT_ONCE, ATTEST_BUSY, ATTEST_IDS_MAX, ATTEST_READ_IDS_MAX, ATTEST_SLOW,
};
use crate::scrub::ScrubPace;

struct Bench {
    attestor: Attestor,
    disk: Disk,
    authority: Authority,
    folder: TempDir,
}

fn bench(bytes_per_second_max: u64) -> Bench {
    let folder = tempfile::tempdir().unwrap();
    let (authority, key) = (Authority::generate(), NodeKey::generate());
    let admission = Admission::new(authority.id(), authority.issue(key.peer_id(), 0));
    let counting = Arc::new(Counting::default());
    let keeper = Keeper::open(folder.path(), None, counting, Arc::default()).unwrap();
    let acquaintances = Acquaintances::new(folder.path(), Arc::default());
    let disk = Disk::new(keeper, acquaintances, &TaskTracker::new());
    let settings = Arc::new(RwLock::new(Settings::default()));
    let attestor = Attestor::new(
        (key, ([127, 0, 0, 1], 1).into(), Arc::new(admission)),
        &disk,
        &settings,
        ScrubPace {
            bytes_per_second_max,
            ..ScrubPace::default()
        },
    );
    Bench {
        attestor,
        disk,
        authority,
        folder,
    }
}

impl Bench {
    async fn store(&self, content: &'static [u8]) -> ChunkId {
        let chunk = Chunk::new(Bytes::from_static(content));
        let kept = self.disk.keep(chunk.id(), chunk.bytes().clone(), Bits::MAX);
        kept.await.unwrap();
        chunk.id()
    }

    fn is_good(&self, statement: &Statement, question: &Question, chunks: &[ChunkId]) -> bool {
        let about = (&question.nonce, &question.subject);
        statement.check(&self.authority.id(), about, chunks).is_ok()
    }
}

fn question(read: bool) -> Question {
    Question {
        nonce: [1; 32],
        subject: [2; 32],
        read,
        record: None,
    }
}

#[tokio::test]
async fn what_is_here_is_signed_and_nothing_else() {
    let bench = bench(1 << 30);
    let (one, two) = (bench.store(b"one").await, bench.store(b"two").await);
    let asked = [one, ChunkId::of(b"elsewhere"), two];
    for read in [false, true] {
        let question = question(read);
        let said = bench.attestor.attest(&question, &asked).await.unwrap();
        assert_eq!((said.held.as_slice(), said.holding.held), (&[0, 2][..], 2));
        assert_eq!(
            (said.holding.record, said.holding.read),
            (RecordCopy::NotAsked, read)
        );
        assert!(bench.is_good(&said, &question, &asked));
    }
}

#[tokio::test]
async fn a_copy_that_is_not_what_its_name_says_counts_only_until_it_is_read() {
    let bench = bench(1 << 30);
    let id = bench.store(b"one").await;
    let name = id.to_string();
    let path = bench
        .folder
        .path()
        .join("chunks")
        .join(name.get(..2).unwrap())
        .join(&name);
    std::fs::write(path, b"two").unwrap();
    let held = async |read| {
        bench
            .attestor
            .attest(&question(read), &[id])
            .await
            .unwrap()
            .held
    };
    assert_eq!(held(false).await, [0]);
    assert_eq!(held(true).await, [0; 0]);
    assert_eq!(held(false).await, [0; 0], "it was put aside");
}

#[tokio::test(start_paused = true)]
async fn no_more_is_read_for_others_than_the_rate_allows() {
    let bench = bench(4096);
    let id = bench.store(b"one").await;
    let read = async || bench.attestor.attest(&question(true), &[id]).await;
    read().await.unwrap();
    let Err(Unsigned::Busy(pause)) = read().await else {
        panic!("a byte over 4 KiB takes more than a second");
    };
    assert!(pause > Duration::from_millis(900), "{pause:?}");
    let looked_up = bench.attestor.attest(&question(false), &[id]).await;
    assert_eq!(
        looked_up.unwrap().held,
        [0],
        "asking the index is not held up"
    );
    tokio::time::advance(pause).await;
    assert_eq!(read().await.unwrap().held, [0]);
}

#[tokio::test]
async fn a_question_about_too_much_is_not_answered() {
    let bench = bench(1 << 30);
    for (read, max) in [(false, ATTEST_IDS_MAX), (true, ATTEST_READ_IDS_MAX)] {
        let many = vec![ChunkId::of(b"x"); max + 1];
        let refused = bench.attestor.attest(&question(read), &many).await;
        assert_eq!(refused, Err(Unsigned::Misunderstood));
    }
}

fn version(counter: u64) -> Version {
    Version {
        counter,
        incarnation: 1,
        node: NodeId::new([1; 32]),
    }
}

fn record(counter: u64, content: Option<&'static [u8]>) -> Record {
    let name = Name::in_main("a").unwrap();
    Record {
        version: version(counter),
        file: content.map(|content| File {
            size: content.len() as u64,
            hash: *blake3::hash(b"good").as_bytes(),
            content_type: String::new(),
            metadata: std::collections::BTreeMap::new(),
            content: Content::Inline(Bytes::from_static(content)),
        }),
        ..Record::blank(name, None)
    }
}

fn asked() -> RecordAsked {
    RecordAsked {
        name: Name::in_main("a").unwrap(),
        version: version(5),
        size: 4,
        hash: *blake3::hash(b"good").as_bytes(),
        content: [7; 32],
    }
}

#[tokio::test]
async fn no_word_on_a_record_is_signed_for_another_file() {
    let bench = bench(1 << 30);
    let mut question = question(false);
    question.record = Some(asked());
    let refused = bench.attestor.attest(&question, &[]).await;
    assert_eq!(refused, Err(Unsigned::Misunderstood));

    question.subject = asked().subject();
    let said = bench.attestor.attest(&question, &[]).await.unwrap();
    assert_eq!(said.holding.record, RecordCopy::Missing);
    assert!(bench.is_good(&said, &question, &[]));

    let changes: [fn(&mut RecordAsked); 5] = [
        |it| it.name = Name::in_main("b").unwrap(),
        |it| it.version.counter += 1,
        |it| it.size += 1,
        |it| it.hash[0] ^= 1,
        |it| it.content[0] ^= 1,
    ];
    for change in changes {
        change(question.record.as_mut().unwrap());
        let refused = bench.attestor.attest(&question, &[]).await;
        assert_eq!(refused, Err(Unsigned::Misunderstood));
        question.record = Some(asked());
    }
}

#[tokio::test(start_paused = true)]
async fn who_has_enough_to_do_says_so_at_once() {
    let bench = bench(1 << 30);
    let all = u32::try_from(ATTEST_AT_ONCE).unwrap();
    let taken = bench.attestor.shared.places.try_acquire_many(all).unwrap();
    let question = question(false);
    let asking = bench.attestor.attest(&question, &[]);
    let said = tokio::time::timeout(Duration::ZERO, asking).await;
    assert_eq!(said.unwrap(), Err(Unsigned::Busy(ATTEST_BUSY)));
    drop(taken);
    assert!(bench.attestor.attest(&question, &[]).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_disk_that_takes_too_long_is_told_before_the_asker_gives_up() {
    let begun = tokio::time::Instant::now();
    let said = in_time(std::future::pending::<Result<(), Unsigned>>()).await;
    assert_eq!(said, Err(Unsigned::Busy(ATTEST_SLOW)));
    assert!(begun.elapsed() < chordal_net::Limits::default().stall);
}

#[test]
fn a_record_is_told_as_what_it_is_beside_the_one_asked_for() {
    let asked = asked();
    let told = |record: Record| compare(Some(&record), &asked);
    assert_eq!(compare(None, &asked), RecordCopy::Missing);
    let blank = Record::blank(asked.name.clone(), Some(version(9)));
    assert_eq!(told(blank), RecordCopy::Missing);
    assert_eq!(told(record(5, Some(b"good"))), RecordCopy::Same);
    assert_eq!(
        told(record(5, Some(b"good")).again(version(8))),
        RecordCopy::Same
    );
    assert_eq!(
        told(record(5, Some(b"goof"))),
        RecordCopy::Missing,
        "other bytes"
    );
    assert_eq!(
        told(record(5, Some(b"goods"))),
        RecordCopy::Missing,
        "another size"
    );
    assert_eq!(told(record(4, Some(b"good"))), RecordCopy::Older);
    assert_eq!(
        told(record(4, None)),
        RecordCopy::Older,
        "deleted before it was written"
    );
    for content in [None, Some(&b"good"[..])] {
        assert_eq!(
            told(record(4, content).again(version(8))),
            RecordCopy::Older,
            "agreed upon again after it, not written after it"
        );
    }
    assert_eq!(told(record(6, Some(b"good"))), RecordCopy::Newer);
    assert_eq!(told(record(6, None)), RecordCopy::Deleted);
}
