//! What a run takes of the machine: time, and memory where the system says so. Neither takes part
//! in any decision.
#![expect(
    clippy::disallowed_types,
    reason = "the time that a run takes is reported, never acted on"
)]

use std::fs;
use std::time::{Duration, Instant};

/// Time since it was made.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stopwatch(Instant);

impl Stopwatch {
    pub(super) fn start() -> Self {
        Self(Instant::now())
    }

    pub(super) fn elapsed(self) -> Duration {
        self.0.elapsed()
    }
}

/// Resident memory in bytes; zeros where it cannot be known.
#[derive(Clone, Copy, Debug)]
pub(super) struct Memory {
    pub(super) resident: u64,
    /// The most there ever was.
    pub(super) peak: u64,
}

impl Memory {
    pub(super) fn now() -> Self {
        let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
        let field = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name));
            let kib = line.and_then(|rest| rest.trim().strip_suffix("kB"));
            let kib = kib.and_then(|number| number.trim().parse::<u64>().ok());
            kib.unwrap_or(0) * 1024
        };
        Self {
            resident: field("VmRSS:"),
            peak: field("VmHWM:"),
        }
    }
}
