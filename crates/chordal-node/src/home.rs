//! The folder of one user's nodes on one machine: `CHORDAL_HOME`.
//!
//! ```text
//! authority.key          the ring authority's secret, where the ring was founded here
//! invitations/           whom it may let in yet
//! admitted               whom it let in, for people to read
//! ring.authority         the authority's public half, where the ring was joined by invitation
//! ring.founder           where it was let in
//! ring.lock              held by whoever decides between the two
//! expelled               whom the ring's authority expelled
//! nodes/PORT/            a node's folder, unless it was given another one
//!     node.key           its identity
//!     acquaintances      its ring and the nodes it knows, for the case that its index is lost
//!     admission          the authority's certificate for it, where it was invited
//!     control.token      64 hexadecimal digits: whoever reads this may command the node
//!     incarnation        how often it was started
//!     lock               held while it runs
//!     store/             its chunks and records
//! running/ADDRESS        where a running node listens; locked while it runs
//! ```
//!
//! Folders are for their owner alone. What is not understood is never overwritten.

mod expelled;
mod folder;
mod invitations;
mod lock;
mod roster;
mod running;

use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use chordal_net::{Authority, AuthorityId, KeyFileError};

pub(crate) use folder::NodeFolder;
pub(crate) use invitations::{Invitations, now};
pub use roster::{Admitted, By};
pub use running::{Announcement, RunningNode};

/// One user's folder on this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Home {
    path: PathBuf,
}

/// Whose ring a home belongs to.
#[derive(Debug)]
pub(crate) enum RingAuthority {
    /// The authority's secret is here: nodes of this home certify themselves, and let others in.
    Own(Invitations),
    /// Nodes of this home are members by invitation.
    Other(AuthorityId),
}

impl RingAuthority {
    pub(crate) fn id(&self) -> AuthorityId {
        match self {
            Self::Own(invitations) => invitations.authority().id(),
            Self::Other(id) => *id,
        }
    }
}

/// Why a file of the home could not be used.
#[derive(Debug, thiserror::Error)]
pub enum HomeError {
    /// The system refused.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A key file that is not one.
    #[error(transparent)]
    Key(#[from] KeyFileError),
    /// Another program runs this node.
    #[error("{}: in use by a running node", path.display())]
    Locked {
        /// The node's folder.
        path: PathBuf,
    },
    /// A file does not hold what it should.
    #[error("{}: {what}; it was not touched", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        what: &'static str,
    },
}

impl HomeError {
    pub(crate) fn io(path: &Path, source: io::Error) -> Self {
        Self::Io {
            path: path.to_owned(),
            source,
        }
    }
}

impl Home {
    /// The home at this path. Nothing is touched before a node starts.
    pub fn at(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The folder that a node on this port has unless it was given another one.
    pub fn node_folder(&self, port: u16) -> PathBuf {
        self.path.join("nodes").join(port.to_string())
    }

    /// The nodes of this home that run now, in the order of their addresses. What dead nodes left
    /// behind is passed over.
    pub fn running(&self) -> Result<Vec<RunningNode>, HomeError> {
        running::list(&self.running_folder())
    }

    /// The running node of this home that listens at this ring or control address.
    pub fn find(&self, addr: SocketAddr) -> Result<Option<RunningNode>, HomeError> {
        let nodes = self.running()?;
        Ok(nodes
            .into_iter()
            .find(|node| node.ring == addr || node.http == Some(addr)))
    }

    /// The authority of the ring that the nodes of this home belong to, if they belong to one yet.
    pub fn ring_authority(&self) -> Result<Option<AuthorityId>, HomeError> {
        Ok(self.authority()?.map(|known| known.id()))
    }

    /// Whose ring the nodes of this home belong to, if they belong to one yet.
    pub(crate) fn authority(&self) -> Result<Option<RingAuthority>, HomeError> {
        let key = self.path.join("authority.key");
        // A file that cannot be looked at may be there: no other authority is made beside it.
        if key
            .try_exists()
            .map_err(|error| HomeError::io(&key, error))?
        {
            return self.own_authority().map(RingAuthority::Own).map(Some);
        }
        let path = self.path.join("ring.authority");
        let Some(text) = folder::read(&path)? else {
            return Ok(None);
        };
        match text.trim().parse() {
            Ok(authority) => Ok(Some(RingAuthority::Other(authority))),
            Err(_) => Err(HomeError::Damaged {
                path,
                what: "not a ring authority",
            }),
        }
    }

    /// The authority of a ring that is founded here, made at the first use. None where the home
    /// came to belong to another ring meanwhile.
    pub(crate) fn found(&self) -> Result<Option<Invitations>, HomeError> {
        folder::make(&self.path)?;
        lock::locked(&self.ring_lock(), || match self.authority()? {
            Some(RingAuthority::Other(_)) => Ok(None),
            Some(RingAuthority::Own(invitations)) => Ok(Some(invitations)),
            None => self.own_authority().map(Some),
        })
    }

    fn own_authority(&self) -> Result<Invitations, HomeError> {
        let authority = Authority::load_or_create(&self.path.join("authority.key"))?;
        Ok(Invitations::new(&self.path, authority))
    }

    /// The nodes of this home belong to that ring from now on. False where the home came to belong
    /// to another one meanwhile.
    pub(crate) fn keep_authority(&self, authority: AuthorityId) -> Result<bool, HomeError> {
        folder::make(&self.path)?;
        lock::locked(&self.ring_lock(), || {
            if let Some(known) = self.authority()? {
                return Ok(known.id() == authority);
            }
            let path = self.path.join("ring.authority");
            folder::replace(&path, format!("{authority}\n").as_bytes())?;
            Ok(true)
        })
    }

    /// Held by whoever decides whose ring this home belongs to.
    fn ring_lock(&self) -> PathBuf {
        self.path.join("ring.lock")
    }

    /// Keeps where the node listens that let this home in.
    pub(crate) fn keep_founder(&self, founder: SocketAddr) -> Result<(), HomeError> {
        let path = self.path.join("ring.founder");
        folder::replace(&path, format!("{founder}\n").as_bytes())
    }

    /// Forgets it: whoever left does not look for its former ring.
    pub(crate) fn forget_founder(&self) -> Result<(), HomeError> {
        let path = self.path.join("ring.founder");
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(HomeError::io(&path, error))
            }
            _ => Ok(()),
        }
    }

    /// Where the node listened that let this home in: there is the ring's authority.
    pub(crate) fn founder(&self) -> Option<SocketAddr> {
        let text = folder::read(&self.path.join("ring.founder")).ok()??;
        text.trim().parse().ok()
    }

    pub(crate) fn running_folder(&self) -> PathBuf {
        self.path.join("running")
    }
}

#[cfg(test)]
mod tests;
