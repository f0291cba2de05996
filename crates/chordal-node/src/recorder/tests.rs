use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, sync_channel};
use std::time::Duration;

use bytes::Bytes;
use chordal_object::NodeId;
use chordal_proto::recording::{Begin, Decisions, Frames, Item, Start, Twin};
use chordal_proto::{Config, Input, Peer, Settings, Time, Timing};
use tempfile::TempDir;
use tokio_util::task::TaskTracker;

use super::{Head, Job, Queue, RECORD_QUEUE_BYTES_MAX, Recorder, Rotation};

const SMALL: Rotation = Rotation {
    segment_bytes: 2_000,
    segments_max: 3,
};

fn config() -> Config {
    Config {
        settings: Settings::default(),
        timing: Timing::default(),
        node: NodeId::new([1; 32]),
        addr: SocketAddr::from((Ipv4Addr::LOCALHOST, 5000)),
        incarnation: 1,
        offered_bytes: 1 << 30,
        tokens: 2,
        remembered: None,
        seed: 7,
        table_nodes: chordal_proto::limits::TABLE_MAX,
    }
}

/// A core that is told what its recorder records.
struct Core {
    peer: Peer,
    recorder: Recorder,
    now: Time,
}

impl Core {
    fn new(recorder: Recorder) -> Self {
        let mut core = Self {
            peer: Peer::new(config(), Time::default()),
            recorder,
            now: Time::default(),
        };
        core.decide();
        core
    }

    fn tell(&mut self, input: Input) {
        self.now = self.now + Duration::from_millis(700);
        self.recorder.tell(self.now, &input, &self.peer);
        self.peer.handle(self.now, input);
        self.decide();
    }

    fn decide(&mut self) {
        while let Some(effect) = self.peer.poll() {
            self.recorder.decided(&effect);
        }
    }
}

/// A recorder whose writer is this test.
fn unwritten(room: usize) -> (Recorder, Receiver<Job>) {
    let (jobs, taken) = sync_channel(room);
    let config = config();
    let recorder = Recorder {
        jobs,
        queue: std::sync::Arc::new(Queue::default()),
        next: Head {
            node: config.node,
            addr: config.addr,
            life: 7,
            clock_began_ms: 0,
            segment: 1,
        },
        decided: Decisions::default(),
        lost: 0,
        next_mark: Time::default() + Duration::from_hours(1),
        is_over: false,
    };
    (recorder, taken)
}

fn items(path: &Path) -> Vec<Item> {
    let bytes = fs::read(path).unwrap();
    let frames = Frames::new(&bytes).unwrap();
    frames.map(Result::unwrap).collect()
}

fn begin(items: &[Item]) -> &Begin {
    let Item::Begin(begin) = &items[0] else {
        panic!("{:?}", items[0]);
    };
    begin
}

/// Follows the items, and says how many marks and ends were met.
fn follow(items: Vec<Item>) -> usize {
    let (mut twin, _) = Twin::new(begin(&items)).unwrap();
    let mut met = 0;
    for item in items.into_iter().skip(1) {
        match item {
            Item::Begin(_) => panic!("a segment begins once"),
            Item::Step(step) => drop(twin.step(step).unwrap()),
            Item::Mark(mark) | Item::End(mark) => {
                twin.check(&mark).unwrap();
                met += 1;
            }
        }
    }
    met
}

/// Records a core that wakes so often, and waits until all of it is written.
async fn record(path: &Path, rotation: Rotation, wakes: u32) {
    let tasks = TaskTracker::new();
    let recorder = Recorder::start(path, rotation, config(), &tasks).unwrap();
    let mut core = Core::new(recorder);
    for _ in 0..wakes {
        core.tell(Input::Tick);
        // The writer's pace is not of this test.
        while core.recorder.queue.bytes.load(Ordering::Relaxed) > 0 {
            tokio::task::yield_now().await;
        }
    }
    core.recorder.end(core.now, &core.peer);
    tasks.close();
    tasks.wait().await;
}

fn numbered(path: &Path, number: u32) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{number}"));
    PathBuf::from(name)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_recorded_is_decided_again() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("a");
    record(&path, Rotation::default(), 60).await;
    let items = items(&path);
    assert!(matches!(begin(&items).start, Start::Life(_)));
    assert!(matches!(items.last(), Some(Item::End(_))));
    assert!(follow(items) > 3, "the state was marked now and then");
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_newest_segments_are_kept_and_each_can_be_replayed() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("a");
    record(&path, SMALL, 400).await;
    let count = fs::read_dir(folder.path()).unwrap().count();
    assert_eq!(count, SMALL.segments_max);
    let mut numbers = Vec::new();
    for path in [path.clone(), numbered(&path, 1), numbered(&path, 2)] {
        let items = items(&path);
        numbers.push(begin(&items).segment);
        assert!(matches!(begin(&items).start, Start::State(_, _)));
        follow(items);
    }
    assert_eq!(numbers, [numbers[0], numbers[0] - 1, numbers[0] - 2]);
    assert!(numbers[2] > 0, "earlier ones were there and are gone");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_earlier_life_s_recording_is_kept() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("a");
    record(&path, Rotation::default(), 5).await;
    let earlier = fs::read(&path).unwrap();
    record(&path, Rotation::default(), 9).await;
    assert_eq!(fs::read(numbered(&path, 1)).unwrap(), earlier);
    follow(items(&path));
}

#[tokio::test]
async fn what_is_no_recording_is_not_touched() {
    let folder = TempDir::new().unwrap();
    for other in ["a", "a.1"] {
        fs::write(folder.path().join(other), "a letter").unwrap();
        let path = folder.path().join("a");
        let tasks = TaskTracker::new();
        let refused = Recorder::start(&path, Rotation::default(), config(), &tasks);
        let words = refused.unwrap_err().to_string();
        assert!(words.contains("is no recording"), "{words}");
        let kept = fs::read_to_string(folder.path().join(other)).unwrap();
        assert_eq!(kept, "a letter");
        fs::remove_file(folder.path().join(other)).unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_nodes_do_not_record_to_one_file() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("a");
    let tasks = TaskTracker::new();
    let first = Recorder::start(&path, SMALL, config(), &tasks).unwrap();
    let refused = Recorder::start(&path, SMALL, config(), &tasks);
    let words = refused.unwrap_err().to_string();
    assert!(words.contains("another node"), "{words}");
    assert!(!numbered(&path, 1).exists(), "nothing was moved");
    drop(first);
    tasks.close();
    tasks.wait().await;
    record(&path, SMALL, 5).await;
}

#[test]
fn a_slow_disk_costs_the_recording_inputs_and_the_core_nothing() {
    let (recorder, jobs) = unwritten(4);
    let mut core = Core::new(recorder);
    for _ in 0..10 {
        core.tell(Input::Tick);
    }
    let told = jobs.try_iter().count();
    assert_eq!(told, 4, "as many as there was room for");
    let waiting = core.recorder.queue.bytes.swap(0, Ordering::Relaxed);
    assert!(waiting <= RECORD_QUEUE_BYTES_MAX);

    core.tell(Input::Tick);
    let Ok(Job::Begin(begin)) = jobs.try_recv() else {
        panic!("a new segment begins");
    };
    assert_eq!(begin.lost, 6);
    let (mut twin, _) = Twin::new(&begin).unwrap();
    let Ok(Job::Told(at, decided, input)) = jobs.try_recv() else {
        panic!("and goes on");
    };
    let step = chordal_proto::recording::Step {
        at,
        decided,
        told: input.into(),
    };
    twin.step(step).unwrap();
    assert_eq!(twin.peer().fingerprint(), core.peer.fingerprint());
}

#[test]
fn too_many_bytes_are_left_out_too() {
    let (recorder, jobs) = unwritten(1_000);
    let mut core = Core::new(recorder);
    let message = || Input::Message {
        from: NodeId::new([2; 32]),
        addr: SocketAddr::from((Ipv4Addr::LOCALHOST, 5001)),
        bytes: Bytes::from(vec![0xff; 1 << 20]),
    };
    for _ in 0..100 {
        core.tell(message());
    }
    assert!(core.recorder.lost > 0);
    let waiting = core.recorder.queue.bytes.load(Ordering::Relaxed);
    assert!(waiting <= RECORD_QUEUE_BYTES_MAX, "{waiting}");
    drop(jobs);
}

#[test]
fn a_core_goes_on_without_its_writer() {
    let (recorder, jobs) = unwritten(4);
    let mut core = Core::new(recorder);
    drop(jobs);
    for _ in 0..10 {
        core.tell(Input::Tick);
    }
    assert!(core.recorder.is_over);
}
