//! How fast this node takes part in making copies again: those that it makes, and those that it gives
//! to other nodes which make some.
//!
//! Each of the two is held to a budget of bytes a second, and to a part of it while clients wait longer
//! for this node's disk than they do when it is left alone. No node knows of another's clients, nor
//! needs to: whoever makes a copy goes at the pace of the slower of the two disks. The pace never
//! falls to nothing, since copies that are missing are a danger and a slow answer is not.

mod pace;
mod waits;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use pace::Pace;

/// How fast copies are made again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RepairPace {
    /// Bytes of chunks that this node takes a second at most to make copies, and that it gives at most
    /// to nodes which make some. What clients write and read is not counted.
    pub bytes_per_second_max: u64,
}

impl Default for RepairPace {
    /// 64 MiB a second, half of what a network of one gigabit carries: a terabyte that ten nodes make
    /// anew takes half an hour.
    fn default() -> Self {
        Self {
            bytes_per_second_max: 64 << 20,
        }
    }
}

/// What is paced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flow {
    /// Copies that this node makes.
    Taken,
    /// Copies that others make of what lies here.
    Given,
}

/// Work of this node's disk that a client waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Work {
    ReadChunk,
    KeepChunk,
    WriteRecord,
}

/// The pace of this node's repair, and what it follows.
#[derive(Debug)]
pub(crate) struct Repair {
    pace: Mutex<Pace>,
    began: Instant,
}

impl Repair {
    pub(crate) fn new(pace: RepairPace) -> Arc<Self> {
        Arc::new(Self {
            pace: Mutex::new(Pace::new(pace.bytes_per_second_max)),
            began: Instant::now(),
        })
    }

    /// Returns when the next copy may be moved.
    pub(crate) async fn turn(&self, flow: Flow) -> Turn<'_> {
        let (booked, at) = self.pace().book(self.now(), flow);
        let turn = Turn {
            repair: self,
            flow,
            booked,
            moved: 0,
        };
        sleep_until(self.began + at).await;
        turn
    }

    /// Measures how long a client waits for a piece of work: until it is dropped.
    pub(crate) fn stopwatch(self: &Arc<Self>, work: Work) -> Stopwatch {
        Stopwatch {
            repair: Arc::clone(self),
            work,
            begun: Instant::now(),
        }
    }

    /// Bytes a second at the moment, in each of the two directions.
    pub(crate) fn bytes_per_second(&self) -> u64 {
        self.pace().bytes_per_second()
    }

    fn now(&self) -> Duration {
        self.began.elapsed()
    }

    fn pace(&self) -> MutexGuard<'_, Pace> {
        self.pace.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The right to move one copy. Given back unused, it costs nothing.
#[derive(Debug)]
pub(crate) struct Turn<'a> {
    repair: &'a Repair,
    flow: Flow,
    booked: Duration,
    moved: u64,
}

impl Turn<'_> {
    /// Says how many bytes it came to.
    pub(crate) fn moved(mut self, bytes: usize) {
        self.moved = u64::try_from(bytes).unwrap_or(u64::MAX);
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let Self {
            flow,
            booked,
            moved,
            ..
        } = *self;
        self.repair.pace().settle(flow, booked, moved);
    }
}

/// Runs while a client waits.
#[derive(Debug)]
pub(crate) struct Stopwatch {
    repair: Arc<Repair>,
    work: Work,
    begun: Instant,
}

impl Drop for Stopwatch {
    fn drop(&mut self) {
        let now = self.repair.now();
        let waited = self.begun.elapsed();
        self.repair.pace().waited(now, self.work, waited);
    }
}
