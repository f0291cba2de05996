//! What the answers mean: held, changed since, or on too few nodes.

use chordal_node::model::{RecordCopy, Version};
use chordal_node::{Receipt, Why};
use chordal_web::problem::Missing;

use super::{Found, Now};
use crate::out::count;
use crate::receipt::{Copies, enough};
use crate::trouble::{Exit, Trouble};

/// What the answers mean.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Everything is on enough nodes.
    Held,
    /// The name was deleted since.
    Deleted,
    /// The name has this newer version.
    Replaced(String),
    /// Something is on fewer nodes than a majority of those that should have it.
    TooFew(Lacking),
}

/// What is on too few nodes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Lacking {
    /// Whether the record is.
    pub(super) record: bool,
    /// Whether nobody knows of a newer write, and yet the ring does not have this one.
    pub(super) is_lost: bool,
    /// How many chunks are.
    pub(super) chunks: usize,
    /// How many of them nobody has who answered.
    pub(super) nowhere: usize,
}

/// How a receipt that is looked at alone ends.
pub(super) fn alone(copies: &Copies) -> Result<(), Trouble> {
    if copies.are_enough() {
        return Ok(());
    }
    let what = format!(
        "too few nodes signed for some of it: {} where {} are enough",
        copies.fewest(),
        enough(copies.wanted)
    );
    Err(Trouble::ending(Exit::TooFewCopies, "too_few_copies", what)
        .still("The receipt is good: what it says was so when it was made.")
        .advice("What is there now says chordal verify without --offline."))
}

impl Verdict {
    pub(super) fn of(receipt: &Receipt, found: &Found, now: &Now) -> Self {
        match now {
            Now::Other(version) if is_newer(version, receipt.version) => {
                return Self::Replaced(version.clone());
            }
            Now::Absent
                if found
                    .record
                    .values()
                    .any(|copy| *copy == RecordCopy::Deleted) =>
            {
                return Self::Deleted;
            }
            Now::Same | Now::Other(_) | Now::Absent | Now::Unknown(_) => {}
        }
        let enough = enough(found.wanted);
        let counts = || found.chunks.iter().map(Vec::len);
        let lacking = Lacking {
            record: found.record_copies() < enough,
            is_lost: matches!(now, Now::Other(_) | Now::Absent),
            chunks: counts().filter(|&count| count < enough).count(),
            nowhere: counts().filter(|&count| count == 0).count(),
        };
        if lacking == Lacking::default() {
            Self::Held
        } else {
            Self::TooFew(lacking)
        }
    }

    /// The word for it, for programs.
    pub(super) const fn name(&self) -> &'static str {
        match self {
            Self::Held => "held",
            Self::Deleted => "deleted",
            Self::Replaced(_) => "replaced",
            Self::TooFew(_) => "too_few_copies",
        }
    }

    /// How the command ends.
    pub(super) fn end(&self, found: &Found, now: &Now) -> Result<(), Trouble> {
        const SIGNED: &str = "The receipt is good: what it says was so when it was made.";
        match self {
            Self::Held => Ok(()),
            Self::Deleted => Err(Trouble::ending(
                Exit::NotFound,
                "deleted",
                "the file was deleted since, on purpose: nothing was lost",
            )
            .still(SIGNED)
            .advice("Where that was a mistake, store the file again.")),
            Self::Replaced(version) => Err(Trouble::ending(
                Exit::NotFound,
                "replaced",
                format!("the name has a newer version since, {version}: nothing was lost"),
            )
            .still(SIGNED)
            .advice("For a receipt of what is there now, store it again with --receipt.")),
            Self::TooFew(lacking) => {
                let missing = missing(found);
                let advice = if lacking.is_lost {
                    "If a node has been away for long, bring it back; else store the file again."
                } else if is_of_busy_nodes(found, &missing) {
                    "These nodes read for others, as fast as their scrub may (--scrub-rate), and did not come to this: verify again later, or without --deep."
                } else if missing.is_empty() {
                    "Wait until `chordal status` says that nothing is missing, then verify again; if it stays so, store the file again."
                } else {
                    "Bring these nodes back, or wait until `chordal status` says that nothing is missing; then verify again."
                };
                let trouble = Trouble::ending(
                    Exit::TooFewCopies,
                    "too_few_copies",
                    what_lacks(*lacking, enough(found.wanted), now),
                );
                Err(trouble.still(SIGNED).advice(advice).about(missing))
            }
        }
    }
}

fn what_lacks(lacking: Lacking, enough: usize, now: &Now) -> String {
    let mut parts = Vec::new();
    if lacking.is_lost {
        parts.push(match now {
            Now::Other(version) => format!("the ring knows only the older version {version}"),
            Now::Absent | Now::Same | Now::Unknown(_) => {
                "the ring has no such file, and nobody knows of a deletion".to_owned()
            }
        });
    } else if lacking.record {
        parts.push(format!(
            "its record is on fewer than {enough} nodes that answer"
        ));
    }
    if lacking.chunks > 0 {
        let chunks = count(lacking.chunks as u64, "chunk");
        let nowhere = match lacking.nowhere {
            0 => String::new(),
            some => format!(", {some} on none"),
        };
        let verb = if lacking.chunks == 1 { "is" } else { "are" };
        parts.push(format!(
            "{chunks} {verb} on fewer than {enough} nodes that answer{nowhere}"
        ));
    }
    if let Now::Unknown(trouble) = now {
        parts.push(format!(
            "which version there is now is not known: {}",
            trouble.message
        ));
    }
    parts.join("; ")
}

/// Nodes whose silence may be the reason.
fn missing(found: &Found) -> Vec<Missing> {
    let silent = |why| matches!(why, Why::Silent | Why::Failed | Why::Busy);
    let unheard = found.unheard.values().filter(|word| silent(word.why));
    unheard
        .map(|word| Missing {
            node: word.node.to_string(),
            addr: word
                .addr
                .map_or_else(|| "?".to_owned(), |addr| addr.to_string()),
        })
        .collect()
}

/// Whether all of them are there and have only no time.
fn is_of_busy_nodes(found: &Found, missing: &[Missing]) -> bool {
    let busy = found.unheard.values().filter(|word| word.why == Why::Busy);
    !missing.is_empty() && busy.count() == missing.len()
}

/// Whether a version, as it is shown, is newer than this one.
fn is_newer(text: &str, than: Version) -> bool {
    let ordered = |text: &str| {
        let mut parts = text.splitn(3, '-');
        let mut number = || parts.next()?.parse::<u64>().ok();
        let numbers = (number()?, number()?);
        Some((numbers, parts.next()?.to_owned()))
    };
    match (ordered(text), ordered(&than.to_string())) {
        (Some(one), Some(other)) => one > other,
        _ => false,
    }
}

#[cfg(test)]
mod tests;
