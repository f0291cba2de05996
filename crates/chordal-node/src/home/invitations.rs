//! The invitations of a home that holds its ring's authority.
//!
//! One file an invitation: its secret, until when it is good, and how many it may still let in. All
//! nodes of the home answer to them; a lock keeps two from letting in one too many. An invitation
//! that is over is kept for a day, so that a late newcomer hears why it is refused. Whoever was let
//! in is in the roster. Without a secret nobody gets as far as the lock.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use std::{fs, io};

use chordal_net::{Authority, Certificate, InviteSecret, Inviter, PeerId, Proof, Refusal};
use data_encoding::HEXLOWER;

use super::folder::{make, read, replace};
use super::roster::{Admitted, By, Roster};
use super::{HomeError, lock};
use crate::limits::{INVITATIONS_KEPT_MAX, INVITATIONS_MAX};
use crate::node::InviteError;

/// How long an invitation that is over is remembered.
const REMEMBERED: Duration = Duration::from_hours(24);

/// The open invitations, and those that are over since not long ago.
#[derive(Debug)]
pub(crate) struct Invitations {
    folder: PathBuf,
    authority: Authority,
    roster: Roster,
}

/// One invitation.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Invitation {
    secret: InviteSecret,
    /// In seconds since the Unix epoch, by this machine's clock.
    until: u64,
    uses: u32,
    /// Whom it let in: an answer that was lost is given again.
    admitted: Vec<PeerId>,
}

impl Invitations {
    /// Those of the home in this folder.
    pub(super) fn new(home: &Path, authority: Authority) -> Self {
        Self {
            folder: home.join("invitations"),
            authority,
            roster: Roster::of(home),
        }
    }

    pub(crate) fn authority(&self) -> &Authority {
        &self.authority
    }

    /// Who was let in, and by what.
    pub(crate) fn roster(&self) -> &Roster {
        &self.roster
    }

    /// Opens an invitation for so many newcomers, durably.
    pub(crate) fn open(
        &self,
        secret: InviteSecret,
        uses: u32,
        lasts: Duration,
    ) -> Result<(), InviteError> {
        let now = now();
        let invitation = Invitation {
            secret,
            until: now.saturating_add(lasts.as_secs()),
            uses,
            admitted: Vec::new(),
        };
        self.locked(|| {
            let (mut over, open): (Vec<_>, Vec<_>) = self
                .all()?
                .into_iter()
                .partition(|(_, old)| old.is_over(now));
            if open.len() >= INVITATIONS_MAX {
                return Err(InviteError::TooMany(open.len()));
            }
            over.sort_by_key(|(_, old)| old.until);
            let room = INVITATIONS_KEPT_MAX.saturating_sub(open.len() + 1);
            let beyond = over.len().saturating_sub(room);
            for (index, (path, old)) in over.iter().enumerate() {
                let is_old = old.until.saturating_add(REMEMBERED.as_secs()) < now;
                if is_old || index < beyond {
                    fs::remove_file(path).map_err(|error| HomeError::io(path, error))?;
                }
            }
            Ok(replace(&self.path(&secret), invitation.text().as_bytes())?)
        })
    }

    /// Uses an invitation up by one, unless it was for this newcomer already.
    fn claim(&self, newcomer: PeerId, proof: &Proof) -> Result<Result<(), Refusal>, HomeError> {
        let is_meant = |invitation: &Invitation| proof.is_of(&invitation.secret);
        let mut all = self.all()?.into_iter();
        let Some((path, _)) = all.find(|(_, invitation)| is_meant(invitation)) else {
            return Ok(Err(Refusal::NotInvited));
        };
        self.locked(|| {
            let meant = read(&path)?.as_deref().and_then(Invitation::parse);
            let Some(mut invitation) = meant.filter(is_meant) else {
                return Ok(Err(Refusal::NotInvited));
            };
            if invitation.admitted.contains(&newcomer) {
                return Ok(Ok(()));
            }
            if invitation.uses == 0 {
                return Ok(Err(Refusal::InviteUsed));
            }
            if invitation.until <= now() {
                return Ok(Err(Refusal::InviteExpired));
            }
            invitation.uses -= 1;
            invitation.admitted.push(newcomer);
            replace(&path, invitation.text().as_bytes())?;
            self.roster.note(Admitted {
                node: newcomer,
                since: now(),
                by: By::Invitation(label(&invitation.secret)),
            })?;
            Ok(Ok(()))
        })
    }

    /// Nobody else changes anything here meanwhile.
    fn locked<T, E: From<HomeError>>(&self, work: impl FnOnce() -> Result<T, E>) -> Result<T, E> {
        make(&self.folder)?;
        lock::locked(&self.folder.join("lock"), work)
    }

    fn all(&self) -> Result<Vec<(PathBuf, Invitation)>, HomeError> {
        let failed = |error| HomeError::io(&self.folder, error);
        let mut all = Vec::new();
        let entries = match fs::read_dir(&self.folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(all),
            entries => entries.map_err(failed)?,
        };
        for entry in entries {
            let path = entry.map_err(failed)?.path();
            if path.extension().is_none_or(|kind| kind != ENDING) {
                continue;
            }
            let invitation = read(&path)?.as_deref().and_then(Invitation::parse);
            let Some(invitation) = invitation else {
                tracing::warn!(path = %path.display(), "not an invitation; passed over");
                continue;
            };
            all.push((path, invitation));
        }
        Ok(all)
    }

    fn path(&self, secret: &InviteSecret) -> PathBuf {
        self.folder.join(hash(secret, 16)).with_extension(ENDING)
    }
}

impl Inviter for Invitations {
    fn admit(&self, newcomer: PeerId, proof: &Proof) -> Result<Certificate, Refusal> {
        match self.claim(newcomer, proof) {
            Ok(claimed) => claimed.map(|()| self.authority.issue(newcomer, now())),
            Err(error) => {
                tracing::error!(%error, "an invitation could not be looked up");
                Err(Refusal::CannotInvite)
            }
        }
    }
}

impl Invitation {
    fn is_over(&self, now: u64) -> bool {
        self.uses == 0 || self.until <= now
    }

    fn text(&self) -> String {
        let secret = HEXLOWER.encode(&self.secret);
        let mut text = format!("{secret} {} {}", self.until, self.uses);
        for id in &self.admitted {
            text.push(' ');
            text.push_str(&id.to_string());
        }
        text.push('\n');
        text
    }

    fn parse(text: &str) -> Option<Self> {
        let mut words = text.split_whitespace();
        let (secret, until, uses) = (words.next()?, words.next()?, words.next()?);
        let admitted = words.map(|id| id.parse().ok());
        let admitted = admitted.collect::<Option<Vec<PeerId>>>()?;
        let secret = HEXLOWER.decode(secret.as_bytes()).ok()?;
        Some(Self {
            secret: secret.try_into().ok()?,
            until: until.parse().ok()?,
            uses: uses.parse().ok()?,
            admitted,
        })
    }
}

/// How people tell an invitation from others; says nothing of its secret.
pub(crate) fn label(secret: &InviteSecret) -> String {
    hash(secret, 6)
}

/// The first digits of the secret's hash.
fn hash(secret: &InviteSecret, digits: usize) -> String {
    let hash = blake3::hash(secret).to_hex();
    hash.chars().take(digits).collect()
}

/// The time in Unix seconds, by this machine's clock.
pub(crate) fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| since.as_secs())
}

const ENDING: &str = "invitation";

#[cfg(test)]
mod tests;
