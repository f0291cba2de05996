//! How fast this node fetches its own copies: bytes that came, and the time in which any was under way.
//!
//! It is for estimates only. Time in which nothing was fetched does not count, so that a node at rest
//! is not taken for a slow one.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How much was fetched, and in what time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Fetched {
    /// Bytes of copies that came.
    pub bytes: u64,
    /// For how long copies were under way.
    pub time: Duration,
}

/// The running measurement.
#[derive(Debug, Default)]
pub(crate) struct Meter(Mutex<Reading>);

#[derive(Debug, Default)]
struct Reading {
    done: Fetched,
    under_way: usize,
    since: Option<Instant>,
}

/// A copy under way; it ends when this is dropped.
#[derive(Debug)]
pub(crate) struct UnderWay<'a> {
    meter: &'a Meter,
    bytes: u64,
}

impl Meter {
    /// A copy begins to come.
    pub(crate) fn begin(&self) -> UnderWay<'_> {
        self.with(|reading| {
            reading.under_way += 1;
            let _ = reading.since.get_or_insert_with(Instant::now);
        });
        UnderWay {
            meter: self,
            bytes: 0,
        }
    }

    /// What was measured so far.
    pub(crate) fn read(&self) -> Fetched {
        self.with(|reading| reading.done)
    }

    fn with<T>(&self, look: impl FnOnce(&mut Reading) -> T) -> T {
        look(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl UnderWay<'_> {
    /// It came, and has so many bytes.
    pub(crate) const fn came(&mut self, bytes: u64) {
        self.bytes = bytes;
    }
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.meter.with(|reading| {
            let done = &mut reading.done;
            done.bytes = done.bytes.saturating_add(self.bytes);
            reading.under_way -= 1;
            if reading.under_way == 0
                && let Some(since) = reading.since.take()
            {
                done.time += since.elapsed();
            }
        });
    }
}

#[cfg(test)]
mod tests;
