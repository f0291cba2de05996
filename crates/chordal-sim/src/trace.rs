//! What happened, as one hash of everything and, on demand, as lines to read.

use std::fmt;
use std::io::Write;

use chordal_proto::Time;

/// The record of a run.
pub(crate) struct Trace {
    hasher: blake3::Hasher,
    lines: Option<Box<dyn Write>>,
}

impl Trace {
    /// Only the hash.
    pub(crate) fn silent() -> Self {
        Self {
            hasher: blake3::Hasher::new(),
            lines: None,
        }
    }

    /// The hash, and a line for every event.
    pub(crate) fn to(lines: Box<dyn Write>) -> Self {
        Self {
            hasher: blake3::Hasher::new(),
            lines: Some(lines),
        }
    }

    /// Takes note of something that makes the run this one and no other.
    pub(crate) fn hash(&mut self, at: Time, place: usize, what: &[u8]) {
        self.hasher.update(&at.as_nanos().to_be_bytes());
        self.hasher.update(&(place as u64).to_be_bytes());
        self.hasher.update(&(what.len() as u64).to_be_bytes());
        self.hasher.update(what);
    }

    /// Writes a line, when anybody reads.
    pub(crate) fn line(&mut self, at: Time, line: impl FnOnce() -> String) {
        if let Some(lines) = &mut self.lines {
            let seconds = at.as_nanos() / 1_000_000_000;
            let micros = at.as_nanos() / 1_000 % 1_000_000;
            let mut line = line();
            if line.chars().count() > LINE_MAX {
                line = line.chars().take(LINE_MAX).chain(['…']).collect();
            }
            // A reader who has gone away does not stop the run.
            drop(writeln!(lines, "{seconds:6}.{micros:06} {line}"));
        }
    }

    /// The hash of everything so far.
    pub(crate) fn digest(&self) -> [u8; 32] {
        *self.hasher.finalize().as_bytes()
    }
}

impl fmt::Debug for Trace {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Trace")
    }
}

/// The most characters of a line: records and lists of nodes are long.
const LINE_MAX: usize = 280;
