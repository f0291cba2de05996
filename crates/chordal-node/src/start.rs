//! Starting a node: folder, identity, admission, store, network, core, in this order.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

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
    #[error("cannot listen on {addr}: {source}; nothing was changed")]
    Listen {
        /// Where.
        addr: SocketAddr,
        /// What the system said.
        source: io::Error,
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
    #[error("{} was written by a newer chordal ({what}); it was not touched; update this program", path.display())]
    Newer {
        /// The folder.
        path: PathBuf,
        /// What is newer.
        what: String,
    },
    /// The store cannot be opened.
    #[error("the store in {} cannot be opened: {reason}; nothing was deleted", path.display())]
    Store {
        /// Its folder.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// A file of the home cannot be used.
    #[error("{0}; the node did not start")]
    Home(HomeError),
    /// What was asked for contradicts itself or what the folder holds.
    #[error("{0}; nothing was changed")]
    Settings(String),
    /// The ring could not be joined; the node did not stay.
    #[error("{0}; the node did not start; check the address and that a node runs there")]
    Join(NodeError),
}
