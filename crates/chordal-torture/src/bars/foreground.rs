//! Clients that read and write small files and parts of big ones, and measure how long they wait.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::content;
use crate::fleet::Door;
use crate::limits::BAR_PATIENCE;

/// How long a client rests between two wishes.
const REST: Duration = Duration::from_millis(20);

/// Bytes of a small file: too many for its record.
const SMALL_BYTES: usize = 64 << 10;

/// Small files that are written over and over.
pub(super) const NAMES: u64 = 100;

/// Files that are read over and over.
const READ: u64 = 8;

/// Where a small file is.
pub(super) fn target(number: u64) -> String {
    format!("/v1/files?name=bars:small/{number}")
}

/// One client that reads, and one that writes.
#[derive(Debug)]
pub(super) struct Foreground {
    stop: Arc<AtomicBool>,
    reader: JoinHandle<(Vec<Duration>, u64)>,
    writer: JoinHandle<(Vec<Duration>, u64)>,
}

/// How clients fared.
#[derive(Clone, Debug)]
pub(super) struct Fared {
    reads: Vec<Duration>,
    writes: Vec<Duration>,
    /// Wishes that were not granted, or wrongly.
    pub(super) wrong: u64,
}

impl Foreground {
    /// Starts them; all ask through this node.
    pub(super) fn start(door: &Door, files: u64) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let (ends, at) = (Arc::clone(&stop), door.clone());
        let reader = std::thread::spawn(move || {
            let wanted: Vec<Vec<u8>> = (0..READ.min(files)).map(content).collect();
            repeat(&ends, |number| {
                let file = number % READ.min(files);
                let wanted = &wanted[usize::try_from(file).expect("few files")];
                let target = super::target(file);
                let answer = at.api().ask("GET", &target, b"", BAR_PATIENCE);
                answer.is_ok_and(|answer| answer.status == 200 && answer.body == *wanted)
            })
        });
        let (ends, at) = (Arc::clone(&stop), door.clone());
        let writer = std::thread::spawn(move || {
            repeat(&ends, |number| {
                let bytes = &content(u64::MAX - number)[..SMALL_BYTES];
                let target = target(number % NAMES);
                let answer = at.api().ask("PUT", &target, bytes, BAR_PATIENCE);
                answer.is_ok_and(|answer| answer.status < 300)
            })
        });
        Self {
            stop,
            reader,
            writer,
        }
    }

    /// Ends them.
    pub(super) fn stop(self) -> Fared {
        self.stop.store(true, Ordering::Relaxed);
        let (reads, no_reads) = self.reader.join().expect("a reader does not panic");
        let (writes, no_writes) = self.writer.join().expect("a writer does not panic");
        Fared {
            reads,
            writes,
            wrong: no_reads + no_writes,
        }
    }
}

/// Does a thing again and again: how long it took each time, and how often it went wrong.
fn repeat(ends: &AtomicBool, mut what: impl FnMut(u64) -> bool) -> (Vec<Duration>, u64) {
    let (mut took, mut wrong) = (Vec::new(), 0);
    for number in 0.. {
        if ends.load(Ordering::Relaxed) {
            break;
        }
        let began = Instant::now();
        if !what(number) {
            wrong += 1;
        }
        took.push(began.elapsed());
        std::thread::sleep(REST);
    }
    (took, wrong)
}

impl fmt::Display for Fared {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, took) in [
            ("reads of 32 MiB", &self.reads),
            ("writes of 64 KiB", &self.writes),
        ] {
            let mut took = took.clone();
            took.sort_unstable();
            let at = |percent: usize| took.get(took.len() * percent / 100).copied();
            write!(
                out,
                "{} {name}: p50 {:.1?}, p99 {:.1?}; ",
                took.len(),
                at(50).unwrap_or_default(),
                at(99).unwrap_or_default()
            )?;
        }
        write!(out, "{} went wrong", self.wrong)
    }
}
