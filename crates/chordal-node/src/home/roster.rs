//! Who was let in where the ring's authority is: one line a node, with when and by what.
//!
//! It decides nothing: it is for people to read. The file `admitted` of the home.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use chordal_net::PeerId;

use super::folder::{make, read};
use super::{HomeError, lock};
use crate::limits::ROSTER_BYTES_MAX;

/// The list in a home.
#[derive(Clone, Debug)]
pub(crate) struct Roster {
    home: PathBuf,
}

/// A node that was let in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Admitted {
    /// Who.
    pub node: PeerId,
    /// When, in Unix seconds, by the clock of the machine that let it in.
    pub since: u64,
    /// By what.
    pub by: By,
}

/// What let a node in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum By {
    /// It was started where the ring's authority is.
    Own,
    /// The invitation of this label.
    Invitation(String),
}

impl Roster {
    /// The list of this home.
    pub(super) fn of(home: &Path) -> Self {
        Self {
            home: home.to_owned(),
        }
    }

    /// Adds a node that is not in it yet, durably.
    pub(crate) fn note(&self, admitted: Admitted) -> Result<(), HomeError> {
        make(&self.home)?;
        lock::locked(&self.home.join("admitted.lock"), || {
            let text = read(&self.path())?.unwrap_or_default();
            if text.len() >= ROSTER_BYTES_MAX {
                tracing::warn!("the list of those let in is full; it is for people only");
                return Ok(());
            }
            if parse(&text).any(|known| known.node == admitted.node) {
                return Ok(());
            }
            // A line that a crash cut short must not spoil this one.
            let gap = if text.is_empty() || text.ends_with('\n') {
                ""
            } else {
                "\n"
            };
            let line = format!("{gap}{}\n", admitted.text());
            let append = || {
                let mut options = OpenOptions::new();
                options.append(true).create(true);
                #[cfg(unix)]
                std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
                let mut file = options.open(self.path())?;
                file.write_all(line.as_bytes())?;
                file.sync_all()
            };
            append().map_err(|error| HomeError::io(&self.path(), error))
        })
    }

    /// Everybody in it, in the order of admission. Lines that are none are passed over.
    pub(crate) fn all(&self) -> Result<Vec<Admitted>, HomeError> {
        let text = read(&self.path())?.unwrap_or_default();
        Ok(parse(&text).collect())
    }

    fn path(&self) -> PathBuf {
        self.home.join("admitted")
    }
}

fn parse(text: &str) -> impl Iterator<Item = Admitted> {
    text.lines().filter_map(Admitted::parse)
}

impl Admitted {
    fn text(&self) -> String {
        let by = match &self.by {
            By::Own => "own",
            By::Invitation(label) => label,
        };
        format!("{} {} {by}", self.node, self.since)
    }

    fn parse(line: &str) -> Option<Self> {
        let mut words = line.split(' ');
        let (node, since, by) = (words.next()?, words.next()?, words.next()?);
        Some(Self {
            node: node.parse().ok()?,
            since: since.parse().ok()?,
            by: match by {
                "own" => By::Own,
                label => By::Invitation(label.to_owned()),
            },
        })
    }
}

#[cfg(test)]
mod tests;
