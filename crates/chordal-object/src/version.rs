//! Versions of a name: counters from a majority read, never clocks.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::node_id::NodeId;

/// Which of two writes of a name is the newer one: the greater version.
///
/// The writer takes one more than the highest counter a majority of holders knew. Two writers
/// that chose the same counter are told apart by their node ids, and two lives of one writer by
/// the incarnation, so a version names one content only.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Version {
    /// Position in the name's history, from 1; 0 only in [`Version::NONE`].
    pub counter: u64,
    /// The writing node's incarnation.
    pub incarnation: u64,
    /// The writing node.
    pub node: NodeId,
}

impl Version {
    /// Older than every version that was ever written.
    pub const NONE: Self = Self {
        counter: 0,
        incarnation: 0,
        node: NodeId::new([0; 32]),
    };
}

impl fmt::Display for Version {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            out,
            "{}-{}-{}",
            self.counter,
            self.incarnation,
            self.node.short()
        )
    }
}
