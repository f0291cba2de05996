//! Whom the ring's authority has expelled: one statement a line, in hexadecimal digits.
//!
//! The file `expelled` of the home. All its nodes write it, under a lock, and nothing is ever taken
//! out of it.

use std::collections::{BTreeMap, BTreeSet};

use chordal_net::{AuthorityId, Expulsion, PeerId};
use chordal_object::NodeId;
use data_encoding::HEXLOWER;

use super::folder::{make, read, replace};
use super::{Home, HomeError, lock};

impl Home {
    /// Everybody who is known here to be expelled. Whether it is the authority's word is not looked at.
    pub(crate) fn expelled(&self) -> Result<Vec<Expulsion>, HomeError> {
        let path = self.path().join("expelled");
        let text = read(&path)?.unwrap_or_default();
        let statements = text.lines().map(|line| {
            let bytes = HEXLOWER.decode(line.as_bytes()).ok()?;
            Expulsion::decode(&bytes).ok()
        });
        let statements: Option<Vec<Expulsion>> = statements.collect();
        statements.ok_or(HomeError::Damaged {
            path,
            what: "not a list of expulsions",
        })
    }

    /// Who is known here to be expelled by this authority. What others say does not count.
    pub fn expelled_from(&self, authority: &AuthorityId) -> Result<BTreeSet<NodeId>, HomeError> {
        let all = self.expelled()?.into_iter();
        let by_it = all.filter(|expulsion| expulsion.verify(authority).is_ok());
        Ok(by_it
            .map(|expulsion| NodeId::new(expulsion.node().0))
            .collect())
    }

    /// Keeps these, and what is kept already.
    pub(crate) fn keep_expelled(&self, expelled: &[Expulsion]) -> Result<(), HomeError> {
        make(self.path())?;
        lock::locked(&self.path().join("expelled.lock"), || {
            let kept = self.expelled()?;
            let count = kept.len();
            let all = kept.iter().chain(expelled);
            let all: BTreeMap<PeerId, &Expulsion> =
                all.map(|expulsion| (expulsion.node(), expulsion)).collect();
            if all.len() == count {
                return Ok(());
            }
            let lines = all.values().map(|expulsion| {
                let mut line = HEXLOWER.encode(&expulsion.encode());
                line.push('\n');
                line
            });
            let text: String = lines.collect();
            replace(&self.path().join("expelled"), text.as_bytes())
        })
    }
}

#[cfg(test)]
mod tests;
