//! The recorder: everything that the core is told, on its way to a file, for `chordal sim replay`.
//!
//! It never holds the core up. Inputs go through a bounded queue to a thread that writes; when
//! that is too slow, inputs are left out, and the recording goes on in a new segment, which begins
//! with the state of the core and says how many are missing. When the disk fails the recording is
//! over, and the node goes on without.

mod writer;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use chordal_object::NodeId;
use chordal_proto::input::{Command, Completion, DiskAnswer};
use chordal_proto::recording::{Begin, Decisions, FORMAT, Mark, Start};
use chordal_proto::{Config, Effect, Input, Peer, Time};
use tokio_util::task::TaskTracker;

use crate::limits::{RECORD_QUEUE_BYTES_MAX, RECORD_QUEUE_MAX};

pub(crate) use writer::Rotation;
use writer::Writer;

/// Pause between two marks of the state.
const MARK_EVERY: Duration = Duration::from_secs(5);

/// A mark may take at most this part of the time.
const MARK_SHARE: u32 = 100;

/// Records what one core is told.
#[derive(Debug)]
pub(crate) struct Recorder {
    jobs: SyncSender<Job>,
    queue: Arc<Queue>,
    /// What the next segment says of itself.
    next: Head,
    decided: Decisions,
    /// Inputs left out since the last segment.
    lost: u64,
    next_mark: Time,
    /// Whether the writer is gone.
    is_over: bool,
}

/// What all segments of a life say.
#[derive(Clone, Debug)]
struct Head {
    node: NodeId,
    addr: std::net::SocketAddr,
    life: u64,
    clock_began_ms: u64,
    segment: u64,
}

/// For the writing thread.
#[derive(Debug)]
#[expect(
    clippy::large_enum_variant,
    reason = "the large one is nearly every one"
)]
pub(crate) enum Job {
    /// A segment begins.
    Begin(Box<Begin>),
    /// The core is told something, after these decisions.
    Told(Time, Decisions, Input),
    /// The state reached.
    Mark(Mark),
    /// The state in the end.
    End(Mark),
}

/// What both sides of the queue see.
#[derive(Debug, Default)]
pub(crate) struct Queue {
    /// Bytes that wait to be written.
    bytes: AtomicUsize,
    /// Whether the segment is full, and another one should begin.
    is_full: AtomicBool,
}

impl Recorder {
    /// Opens the file and begins with the birth of a core of this configuration. What an earlier
    /// life left there is kept beside it, within the rotation's bounds.
    pub(crate) fn start(
        path: &Path,
        rotation: Rotation,
        config: Config,
        tasks: &TaskTracker,
    ) -> Result<Self, std::io::Error> {
        let since = SystemTime::now().duration_since(UNIX_EPOCH);
        let next = Head {
            node: config.node,
            addr: config.addr,
            life: config.seed,
            clock_began_ms: since.map_or(0, |since| {
                u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
            }),
            segment: 0,
        };
        let queue = Arc::new(Queue::default());
        let writer = Writer::open(path, rotation, Arc::clone(&queue))?;
        let (jobs, taken) = sync_channel(RECORD_QUEUE_MAX);
        tasks.spawn_blocking(move || writer.run(&taken));
        let mut recorder = Self {
            jobs,
            queue,
            next,
            decided: Decisions::default(),
            lost: 0,
            next_mark: Time::default() + MARK_EVERY,
            is_over: false,
        };
        recorder.begin(Time::default(), Start::Life(Box::new(config)));
        Ok(recorder)
    }

    /// The core is about to be told this. Between two inputs only: nothing that it wants done may
    /// be left untaken.
    pub(crate) fn tell(&mut self, now: Time, input: &Input, peer: &Peer) {
        if self.is_over {
            return;
        }
        // A snapshot is worth its time only when there is room for what follows.
        let has_room = self.queue.bytes.load(Ordering::Relaxed) < RECORD_QUEUE_BYTES_MAX / 2;
        if has_room {
            let is_full = self.queue.is_full.swap(false, Ordering::Relaxed);
            if is_full || self.lost > 0 {
                self.begin_here(now, peer, is_full);
            }
        }
        if self.lost > 0 {
            self.lost += 1;
            return;
        }
        if now >= self.next_mark {
            self.mark(now, peer);
        }
        let bytes = weight(input);
        if !self.send(Job::Told(now, self.decided, input.clone()), bytes) {
            self.lost += 1;
        }
    }

    /// The core decided this.
    pub(crate) fn decided(&mut self, effect: &Effect) {
        self.decided.note(effect);
    }

    /// The node stops: the recording says where it ended.
    pub(crate) fn end(mut self, now: Time, peer: &Peer) {
        if self.lost > 0 {
            self.begin_here(now, peer, false);
        }
        let mark = self.marked(now, peer);
        self.send(Job::End(mark), 0);
    }

    fn mark(&mut self, now: Time, peer: &Peer) {
        let began = Instant::now();
        let mark = self.marked(now, peer);
        let took = began.elapsed();
        self.next_mark = now + MARK_EVERY.max(took * MARK_SHARE);
        // A mark that does not fit is left out: the next one tells as much.
        self.send(Job::Mark(mark), 0);
    }

    fn marked(&self, at: Time, peer: &Peer) -> Mark {
        Mark {
            at,
            decided: self.decided,
            state: peer.fingerprint(),
        }
    }

    /// Begins a segment with the present state; where there is no room for it, and only the one
    /// before is full, that one goes on.
    fn begin_here(&mut self, now: Time, peer: &Peer, is_full: bool) {
        let state = Start::State(Bytes::from(peer.snapshot()), self.decided);
        if !self.begin(now, state) {
            self.queue.is_full.store(is_full, Ordering::Relaxed);
        }
    }

    fn begin(&mut self, at: Time, start: Start) -> bool {
        let bytes = match &start {
            Start::Life(_) => 0,
            Start::State(snapshot, _) => snapshot.len(),
        };
        let begin = Begin {
            format: FORMAT,
            program: env!("CARGO_PKG_VERSION").to_owned(),
            node: self.next.node,
            addr: self.next.addr,
            life: self.next.life,
            segment: self.next.segment,
            clock_began_ms: self.next.clock_began_ms,
            lost: self.lost,
            at,
            start,
        };
        let begun = self.send(Job::Begin(Box::new(begin)), bytes);
        if begun {
            self.next.segment += 1;
            self.lost = 0;
        }
        begun
    }

    /// Whether it fits into the queue.
    fn send(&mut self, job: Job, bytes: usize) -> bool {
        let waiting = self.queue.bytes.load(Ordering::Relaxed);
        if waiting > 0 && waiting + bytes > RECORD_QUEUE_BYTES_MAX {
            return false;
        }
        self.queue.bytes.fetch_add(bytes, Ordering::Relaxed);
        match self.jobs.try_send(job) {
            Ok(()) => true,
            Err(TrySendError::Disconnected(_)) => {
                self.is_over = true;
                true
            }
            Err(TrySendError::Full(_)) => {
                self.queue.bytes.fetch_sub(bytes, Ordering::Relaxed);
                false
            }
        }
    }
}

/// Roughly how many bytes an input keeps in memory.
fn weight(input: &Input) -> usize {
    // At least so much that the queue's bound in bytes is reached before that in inputs.
    const SMALL: usize = RECORD_QUEUE_BYTES_MAX / RECORD_QUEUE_MAX;
    const ITEM: usize = 48;
    const ROW: usize = 512;
    let record = |record: &chordal_object::Record| SMALL + record.encode().len();
    SMALL
        + match input {
            Input::Message { bytes, .. } => bytes.len(),
            Input::Command {
                command: Command::WriteRecord(draft),
                ..
            } => draft
                .file
                .as_ref()
                .map_or(0, |file| usize::try_from(file.size).unwrap_or(0))
                .min(ROW << 7),
            Input::Completion {
                completion: Completion::Disk(Ok(answer)),
                ..
            } => match answer {
                DiskAnswer::Record(found) => found.as_ref().map_or(0, record),
                DiskAnswer::Records(records) => records.iter().map(record).sum(),
                DiskAnswer::Items(items) => items.len() * ITEM,
                DiskAnswer::Rows { rows, .. } => rows.len() * ROW,
                DiskAnswer::Have(have) => have.len(),
                DiskAnswer::Listed(listed) => listed.len() * ITEM,
                DiskAnswer::Counts(counts) => counts.len() * 8,
                DiskAnswer::RecordStored { .. }
                | DiskAnswer::Done
                | DiskAnswer::NoChunk
                | DiskAnswer::Usage { .. } => 0,
            },
            Input::Command { .. }
            | Input::Completion { .. }
            | Input::Tick
            | Input::Disconnected(_)
            | Input::Damaged(_)
            | Input::Unreachable { .. }
            | Input::Cancel(_) => 0,
            Input::Expelled(nodes) => nodes.len() * ITEM,
        }
}

impl Job {
    /// What [`Recorder::send`] counted it for.
    fn bytes(&self) -> usize {
        match self {
            Self::Told(_, _, input) => weight(input),
            Self::Begin(begin) => match &begin.start {
                Start::Life(_) => 0,
                Start::State(snapshot, _) => snapshot.len(),
            },
            Self::Mark(_) | Self::End(_) => 0,
        }
    }
}

#[cfg(test)]
mod tests;
