//! The folder of one user's nodes on one machine: `CHORDAL_HOME`.
//!
//! ```text
//! authority.key          the ring authority's secret, shared by all nodes of this home
//! nodes/PORT/            a node's folder, unless it was given another one
//!     node.key           its identity
//!     acquaintances      its ring and the nodes it knows, for the case that its index is lost
//!     control.token      64 hexadecimal digits: whoever reads this may command the node
//!     incarnation        how often it was started
//!     lock               held while it runs
//!     store/             its chunks and records
//! running/ADDRESS        where a running node listens; locked while it runs
//! ```
//!
//! Folders are for their owner alone. What is not understood is never overwritten.

mod folder;
mod running;

use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use chordal_net::{Authority, KeyFileError};

pub(crate) use folder::NodeFolder;
pub use running::{Announcement, RunningNode};

/// One user's folder on this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Home {
    path: PathBuf,
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

    /// The ring authority of this home, made at the first use.
    pub(crate) fn authority(&self) -> Result<Authority, HomeError> {
        folder::make(&self.path)?;
        Ok(Authority::load_or_create(&self.path.join("authority.key"))?)
    }

    pub(crate) fn running_folder(&self) -> PathBuf {
        self.path.join("running")
    }
}

#[cfg(test)]
mod tests;
