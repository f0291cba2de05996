//! The invitations of a home that holds its ring's authority.
//!
//! One file an invitation: its secret, until when it is good, and how many it may still let in. All
//! nodes of the home answer to them; a lock keeps two from letting in one too many. An invitation
//! that is over is kept for a day, so that a late newcomer hears why it is refused.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use chordal_net::{Authority, Certificate, InviteSecret, Inviter, PeerId, Proof, Refusal};
use data_encoding::HEXLOWER;

use super::HomeError;
use super::folder::{make, private_file, read, replace};

/// How long an invitation that is over is remembered.
const REMEMBERED: Duration = Duration::from_hours(24);

/// The open invitations, and those that are over since not long ago.
#[derive(Debug)]
pub(crate) struct Invitations {
    folder: PathBuf,
    authority: Authority,
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
    pub(super) fn new(folder: PathBuf, authority: Authority) -> Self {
        Self { folder, authority }
    }

    pub(crate) fn authority(&self) -> &Authority {
        &self.authority
    }

    /// Opens an invitation for so many newcomers, durably.
    pub(crate) fn open(
        &self,
        secret: InviteSecret,
        uses: u32,
        lasts: Duration,
    ) -> Result<(), HomeError> {
        let now = now();
        let invitation = Invitation {
            secret,
            until: now.saturating_add(lasts.as_secs()),
            uses,
            admitted: Vec::new(),
        };
        self.locked(|| {
            for (path, old) in self.all()? {
                if old.until.saturating_add(REMEMBERED.as_secs()) < now {
                    fs::remove_file(&path).map_err(|error| HomeError::io(&path, error))?;
                }
            }
            replace(&self.path(&secret), invitation.text().as_bytes())
        })
    }

    /// Uses an invitation up by one, unless it was for this newcomer already.
    fn claim(&self, newcomer: PeerId, proof: &Proof) -> Result<Result<(), Refusal>, HomeError> {
        self.locked(|| {
            let meant = self
                .all()?
                .into_iter()
                .find(|(_, invitation)| proof.is_of(&invitation.secret));
            let Some((path, mut invitation)) = meant else {
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
            Ok(Ok(()))
        })
    }

    /// Nobody else changes anything here meanwhile.
    fn locked<T>(&self, work: impl FnOnce() -> Result<T, HomeError>) -> Result<T, HomeError> {
        make(&self.folder)?;
        let path = self.folder.join("lock");
        let locked = private_file(&path).and_then(|lock| lock.lock().map(|()| lock));
        let lock = locked.map_err(|error| HomeError::io(&path, error))?;
        let done = work();
        drop(lock);
        done
    }

    fn all(&self) -> Result<Vec<(PathBuf, Invitation)>, HomeError> {
        let failed = |error| HomeError::io(&self.folder, error);
        let mut all = Vec::new();
        for entry in fs::read_dir(&self.folder).map_err(failed)? {
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
        let hash = blake3::hash(secret).to_hex();
        let name: String = hash.chars().take(16).collect();
        self.folder.join(name).with_extension(ENDING)
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

/// Where a home keeps them.
pub(super) fn folder(home: &Path) -> PathBuf {
    home.join("invitations")
}

fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| since.as_secs())
}

const ENDING: &str = "invitation";

#[cfg(test)]
mod tests;
