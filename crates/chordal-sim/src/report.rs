//! What became of a run.

use std::fmt;
use std::time::Duration;

use crate::options::Options;
use crate::violation::Violation;

/// The result and size of a run.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    /// What was asked for.
    pub options: Options,
    /// Nodes that founded the ring.
    pub nodes: usize,
    /// Events.
    pub events: u64,
    /// Messages handed to the network.
    pub messages: u64,
    /// Bytes of these.
    pub message_bytes: u64,
    /// Chunks handed to the network.
    pub chunks: u64,
    /// Writes and deletes acknowledged.
    pub written: u64,
    /// Files that came, whole.
    pub got: u64,
    /// Operations that failed.
    pub failed: u64,
    /// How long it lasted for those within.
    pub virtual_time: Duration,
    /// How long the ring took to heal; nothing when it did not come so far.
    pub healed_after: Option<Duration>,
    /// A hash of everything that happened: equal for equal runs.
    pub trace: [u8; 32],
    /// Which promise was broken, if one was.
    pub outcome: Result<(), Violation>,
}

impl fmt::Display for Report {
    /// One line; for a broken promise a second one that repeats the run.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hash = u64::from_be_bytes(self.trace[..8].try_into().expect("eight of 32 bytes"));
        write!(
            out,
            "seed {}: {} nodes, {} events, {} messages, {} KiB, {} chunks, {} written, {} read, \
             {} failed, {} s, trace {hash:016x}: ",
            self.options.seed,
            self.nodes,
            self.events,
            self.messages,
            self.message_bytes / 1024,
            self.chunks,
            self.written,
            self.got,
            self.failed,
            self.virtual_time.as_secs(),
        )?;
        match (&self.outcome, self.healed_after) {
            (Ok(()), Some(after)) => write!(out, "passed, healed in {} s", after.as_secs()),
            (Ok(()), None) => write!(out, "passed"),
            (Err(violation), _) => {
                write!(
                    out,
                    "FAILED: {violation}\n  repeat with: chordal sim files {}",
                    self.options
                )
            }
        }
    }
}
