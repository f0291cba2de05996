//! What the facts of a ring mean for its files, in one place for every screen: what would be lost if
//! nodes died now, and what to do.

use chordal_node::model::is_minority;
use serde::{Deserialize, Serialize};

use crate::api::{NodeHealth, Repair};

/// The most copies that a file has.
const COPIES_MAX: u64 = 3;

/// How safe the files of a ring are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Safety {
    /// `safe`, `one_copy`, `waiting`, `working`, `missing` or `minority`.
    pub state: String,
    /// In words: what is true and, where there is something, what to do.
    pub words: String,
    /// So many nodes may be switched off at once, whichever they are, and every file can still be read and
    /// written. More may die without a loss, but not without a wait.
    pub unplug: u64,
    /// How many copies each file has or is to have.
    pub copies: u64,
}

impl Safety {
    /// Judges by the nodes of a ring and by what repair is doing.
    pub fn of<'a>(nodes: impl IntoIterator<Item = &'a NodeHealth>, repair: &Repair) -> Self {
        let keeping = |node: &&NodeHealth| is_member(node) && node.offered_bytes > 0;
        let keepers: Vec<&NodeHealth> = nodes.into_iter().filter(keeping).collect();
        let copies = (keepers.len() as u64).min(COPIES_MAX);
        let answering = keepers
            .iter()
            .filter(|node| node.state != "suspect")
            .count();
        let missing = repair.copies_missing;
        let is_minority = is_minority(answering, keepers.len());
        let (state, words) = match (repair.state.as_str(), missing) {
            _ if is_minority => (
                "minority",
                format!(
                    "Only {answering} of {} nodes can be reached: unless others return within seconds, nothing is written and few \
                     files are read. Bring them back; those that will never return: chordal forget NODE --force",
                    keepers.len()
                ),
            ),
            ("waiting", _) => (
                "waiting",
                format!(
                    "{} out of reach: their nodes are waited for before copies are made again. `chordal where NAME` explains a file.",
                    count(missing)
                ),
            ),
            ("working", 1..) if (answering as u64) < copies => (
                "working",
                format!(
                    "{} missing, and no node left to hold them: the silent one brings its own back, another one gets them made (chordal invite).",
                    count(missing)
                ),
            ),
            ("working", 0) => (
                "working",
                "No copy is known to be missing; nodes still compare theirs. Nothing to do.".to_owned(),
            ),
            ("working", _) => (
                "working",
                format!(
                    "{} missing; the ring is making them. Nothing to do.",
                    count(missing)
                ),
            ),
            _ if missing > 0 => ("missing", format!("{} missing.", count(missing))),
            _ if copies <= 1 => (
                "one_copy",
                "One copy of everything: a second node makes it safe. To let one in, on the machine that founded the ring: chordal invite"
                    .to_owned(),
            ),
            _ => {
                let dead = match copies {
                    2 => "either node dies",
                    _ => "any two nodes die, and all goes on when one does",
                };
                (
                    "safe",
                    format!("Every file has its {copies} copies: nothing is lost when {dead}."),
                )
            }
        };
        Self {
            // A majority of any file's holders has to remain; of two holders one is believed.
            unplug: u64::from(state == "safe" && answering == keepers.len()),
            state: state.to_owned(),
            words,
            copies,
        }
    }
}

/// Whether a node belongs to its ring, whether it answers or not.
pub fn is_member(node: &NodeHealth) -> bool {
    ["alive", "suspect", "leaving"].contains(&node.state.as_str())
}

fn count(copies: u64) -> String {
    match copies {
        1 => "1 copy".to_owned(),
        copies => format!("{copies} copies"),
    }
}

#[cfg(test)]
mod tests;
