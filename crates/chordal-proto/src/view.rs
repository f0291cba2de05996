//! Views: which nodes hold a key, as one node believes.

use chordal_object::NodeId;
use serde::{Deserialize, Serialize};

/// A short name for a set of holders. A request is answered only by a holder of the same view.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct View(pub u64);

impl View {
    /// The view in which exactly these nodes hold a key; their order does not matter.
    pub fn of(holders: &[NodeId]) -> Self {
        let mut sorted: Vec<&NodeId> = holders.iter().collect();
        sorted.sort_unstable();
        let mut hasher = blake3::Hasher::new_derive_key("chordal 2026 view");
        for node in sorted {
            hasher.update(node.as_bytes());
        }
        let hash = hasher.finalize();
        let mut head = [0; 8];
        head.copy_from_slice(&hash.as_bytes()[..8]);
        Self(u64::from_be_bytes(head))
    }
}
