//! Why a node did not start.

use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use chordal_net::{BindError, ConnectError};
use chordal_store::OpenError;

use crate::error::NodeError;
use crate::home::HomeError;

/// Why a node did not start. The text is one line: what happened, what is still true, what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// Another program listens there.
    #[error("{0} is in use; nothing was changed; choose another port or stop the program there")]
    PortInUse(SocketAddr),
    /// The address is not one of this machine.
    #[error("{0} is not an address of this machine; nothing was changed; choose another one")]
    NotOurs(SocketAddr),
    /// The system would not let this program listen there.
    #[error("cannot listen on {addr}: {reason}; nothing was changed; choose another address")]
    Listen {
        /// Where.
        addr: SocketAddr,
        /// What the system said.
        reason: String,
    },
    /// Another program uses the node's folder.
    #[error(
        "{} is in use by a running node; it goes on undisturbed; choose another port or --data",
        path.display()
    )]
    Locked {
        /// The folder.
        path: PathBuf,
    },
    /// The folder was written by a newer program.
    #[error(
        "{} was written by a newer chordal ({what}); it was not touched; update this program",
        path.display()
    )]
    Newer {
        /// The folder.
        path: PathBuf,
        /// What is newer.
        what: String,
    },
    /// The store cannot be opened.
    #[error("the store in {} cannot be opened: {reason}; nothing was deleted", path.display())]
    Store {
        /// The node's folder.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// A file of the home cannot be used.
    #[error("{0}; the node did not start")]
    Home(HomeError),
    /// The recording cannot be written.
    #[error("cannot record to {}: {reason}; the node did not start", path.display())]
    Record {
        /// Where it was to be.
        path: PathBuf,
        /// Why not.
        reason: String,
    },
    /// What was asked for contradicts itself or what the folder holds.
    #[error("{0}; nothing was changed")]
    Settings(String),
    /// The home belongs to another ring than the join code.
    #[error(
        "{} belongs to another ring than this code; nothing was changed; join from another --home, \
         or, where that ring was founded by mistake and nothing was stored in it, remove that folder and join again",
        home.display()
    )]
    OtherRing {
        /// The home.
        home: PathBuf,
    },
    /// The home belongs to no ring, and was told addresses of one without a code.
    #[error(
        "{} belongs to no ring yet, and an address alone lets nobody in; nothing was changed; run `chordal invite` \
         where the ring was founded, and start this node with --join CODE",
        home.display()
    )]
    NoMember {
        /// The home.
        home: PathBuf,
    },
    /// The home is a member's, and this node of it was never invited.
    #[error(
        "{} joined its ring by invitation, and this node has none; nothing was changed; run `chordal \
         invite` {}, and start this node with --join CODE",
        home.display(),
        founded(*founder)
    )]
    NotAdmitted {
        /// The home.
        home: PathBuf,
        /// Where the ring's authority was when the home was let in.
        founder: Option<SocketAddr>,
    },
    /// This node was expelled from its ring.
    #[error(
        "this node was expelled from its ring by the ring's authority; {} was not touched; as another \
         node it may enter with a new code, from another --data folder",
        folder.display()
    )]
    Expelled {
        /// The node's folder.
        folder: PathBuf,
        /// Since when, in Unix seconds.
        since: u64,
    },
    /// The index of an invited node is lost, so that it must become another node, and nobody invited
    /// that one.
    #[error(
        "the index in {} is lost; it can be made anew from the chunk files, but only as another node, \
         which needs an invitation; nothing was changed; run `chordal invite` {}, and start this node \
         with --join CODE",
        path.display(),
        founded(*founder)
    )]
    Another {
        /// The node's folder.
        path: PathBuf,
        /// Where the ring's authority was when the home was let in.
        founder: Option<SocketAddr>,
    },
    /// The ring did not let this node in.
    #[error(
        "not let in: {reason}; no copy was touched, and {} keeps this node's identity for the next try",
        folder.display()
    )]
    Enrol {
        /// Why not.
        reason: ConnectError,
        /// The node's folder.
        folder: PathBuf,
    },
    /// The ring could not be joined.
    #[error("{0}; the node did not start; check the address and that a node runs there")]
    Join(NodeError),
    /// The program is about to end.
    #[error("the program is stopping; the node did not start")]
    Interrupted,
}

/// Where to run what only the ring's authority may do.
fn founded(founder: Option<SocketAddr>) -> String {
    match founder {
        Some(addr) => {
            format!("on the machine that let this one in (its node was at {addr})")
        }
        None => "where the ring was founded".to_owned(),
    }
}

impl StartError {
    pub(super) fn of_listen(addr: SocketAddr, error: io::Error) -> Self {
        #[expect(
            clippy::wildcard_enum_match_arm,
            reason = "the kinds of I/O errors are an open set"
        )]
        match error.kind() {
            io::ErrorKind::AddrInUse => Self::PortInUse(addr),
            io::ErrorKind::AddrNotAvailable => Self::NotOurs(addr),
            _ => Self::Listen {
                addr,
                reason: error.to_string(),
            },
        }
    }

    pub(super) fn of_store(path: &Path, error: OpenError) -> Self {
        let path = path.to_owned();
        match error {
            OpenError::Locked => Self::Locked { path },
            OpenError::NewerFormat { .. } => Self::Newer {
                path,
                what: error.to_string(),
            },
            OpenError::IndexLost(_) | OpenError::Damaged(_) | OpenError::Io { .. } => Self::Store {
                path,
                reason: error.to_string(),
            },
        }
    }
}

impl From<HomeError> for StartError {
    fn from(error: HomeError) -> Self {
        match error {
            HomeError::Locked { path } => Self::Locked { path },
            other @ (HomeError::Io { .. } | HomeError::Key(_) | HomeError::Damaged { .. }) => {
                Self::Home(other)
            }
        }
    }
}

impl From<BindError> for StartError {
    fn from(error: BindError) -> Self {
        match error {
            BindError::InUse { addr } => Self::PortInUse(addr),
            BindError::NotOurs { addr } => Self::NotOurs(addr),
            BindError::Denied { addr } | BindError::Other { addr, .. } => Self::Listen {
                addr,
                reason: error.to_string(),
            },
            BindError::Certificate(error) => Self::Settings(error.to_string()),
        }
    }
}
