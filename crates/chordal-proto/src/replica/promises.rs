//! Promises: a holder that answered somebody who means to write under a condition takes no lower
//! version of that name from anybody until it has taken that one (the first phase of Rystsov's
//! `CASPaxos`, with versions for ballots).
//!
//! They are kept in memory, and forgotten when the view of any arc changes: a write under a promise
//! counts only where that promise is still the last one given, so that a holder which forgot it
//! takes no part.

use std::collections::BTreeMap;

use chordal_object::{Name, Version};
use serde::{Deserialize, Serialize};

use crate::limits::PROMISED_NAMES_MAX;

/// The last promise of each name.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Promises(BTreeMap<Name, Version>);

/// What a promise means for a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Allowed {
    /// It may be taken, and counts.
    Yes,
    /// It may be taken, and does not count: the promise it was made under is not known.
    Uncounted,
    /// A higher version was promised.
    No(Version),
}

impl Promises {
    /// Promises a version; the error is a higher one that was promised already.
    pub(crate) fn give(&mut self, name: &Name, version: Version) -> Result<(), Version> {
        if let Some(&given) = self.0.get(name).filter(|given| **given > version) {
            return Err(given);
        }
        if self.0.len() >= PROMISED_NAMES_MAX && !self.0.contains_key(name) {
            self.0.pop_first();
        }
        self.0.insert(name.clone(), version);
        Ok(())
    }

    /// Whether a version may be taken that is written under this promise, or under none.
    pub(crate) fn allow(&self, name: &Name, version: Version, under: Option<Version>) -> Allowed {
        let given = self.0.get(name).copied();
        match (given, under) {
            (Some(given), _) if given > under.unwrap_or(version) => Allowed::No(given),
            (Some(given), Some(under)) if given == under => Allowed::Yes,
            (_, Some(_)) => Allowed::Uncounted,
            (_, None) => Allowed::Yes,
        }
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }
}

#[cfg(test)]
mod tests;
