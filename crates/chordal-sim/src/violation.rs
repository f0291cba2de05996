//! How a run fails.

use std::fmt;

use chordal_proto::Time;

/// A promise that was broken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// Which promise: the name of an invariant.
    pub promise: &'static str,
    /// When it was seen to be broken.
    pub at: Time,
    /// The machine concerned, if it is one.
    pub node: Option<usize>,
    /// What was seen.
    pub seen: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} broken at {:?}", self.promise, self.at)?;
        if let Some(node) = self.node {
            write!(out, " on node {node}")?;
        }
        write!(out, ": {}", self.seen)
    }
}
