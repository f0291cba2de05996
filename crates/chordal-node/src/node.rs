//! The handle of a running node: everything that an edge may ask of it.
//!
//! A [`Node`] is cheap to clone. It takes no decision: a wish becomes a command to the core, and
//! the core's answer comes back.

use std::fmt::Display;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use bytes::Bytes;
use chordal_object::{Name, NodeId};
use chordal_proto::effect::{Notice, RingStatus, TokenFingers, Whereabouts};
use chordal_proto::{Settings, Timing};
use futures_util::Stream;
use tokio::sync::broadcast;

use crate::counters::Counters;
use crate::error::NodeError;
use crate::files::{
    ByteRange, Download, FileBody, FileInfo, ListPage, PutRequest, PutResult, Removed,
};
use crate::home::{Announcement, Home, HomeError};
use crate::start::StartError;

/// What a node is told when it starts.
#[derive(Clone, Debug)]
pub struct NodeConfig {
    /// The folder of this user's nodes.
    pub home: Home,
    /// Where to listen for the ring; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Where others reach this node; nothing to take `listen`, or where that is all addresses of
    /// the machine, the one that a packet to the outside would leave by.
    pub advertise: Option<SocketAddr>,
    /// The node's folder; nothing for its place in the home.
    pub data: Option<PathBuf>,
    /// Bytes offered to the ring; nothing for what the disk has free. With 0 the node keeps
    /// nothing and only reads and writes.
    pub offer: Option<u64>,
    /// Addresses of nodes whose ring to join; none to found a ring, or to return to the old one.
    pub join: Vec<SocketAddr>,
    /// Whether a newly founded ring is of the classic profile: SHA-1, 10 bits, one token a node.
    pub classic: bool,
    /// Bits of a newly founded ring's keys, 3 to 128; nothing for the profile's own.
    pub bits: Option<u8>,
    /// The name of a newly founded ring; nothing for `chordal`.
    pub ring_name: Option<String>,
    /// How the node paces its work.
    pub timing: Timing,
}

impl NodeConfig {
    /// A node of this home that listens there; everything else as it comes.
    pub fn new(home: Home, listen: SocketAddr) -> Self {
        Self {
            home,
            listen,
            advertise: None,
            data: None,
            offer: None,
            join: Vec::new(),
            classic: false,
            bits: None,
            ring_name: None,
            timing: Timing::default(),
        }
    }
}

/// Where a node is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// It works.
    Running,
    /// It handed everything over and belongs to the ring no more; the program may stop it.
    Left,
    /// It takes no new work and ends.
    Stopping,
    /// It has ended.
    Stopped,
}

/// A running node.
#[derive(Clone, Debug)]
pub struct Node {}

impl Node {
    /// Starts a node and, where it is told to join, joins. When this fails nothing stays running.
    pub async fn start(config: NodeConfig) -> Result<Self, StartError> {
        drop(config);
        Err(StartError::Settings("nothing to start yet".to_owned()))
    }

    /// Who this node is.
    pub fn id(&self) -> NodeId {
        NodeId::new([0; 32])
    }

    /// Where it listens for the ring.
    pub fn listening(&self) -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], 0))
    }

    /// Where others reach it.
    pub fn addr(&self) -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], 0))
    }

    /// What the ring is set to.
    pub fn settings(&self) -> Settings {
        Settings::default()
    }

    /// The secret that a client of the control API must show.
    pub fn control_token(&self) -> &str {
        ""
    }

    /// Leaves word in the home that this node runs, so that the command line finds it. The word
    /// goes with the returned value.
    pub fn announce(&self, http: Option<SocketAddr>) -> Result<Announcement, HomeError> {
        let _ = http;
        unreachable!()
    }

    /// What it did since it started.
    pub fn counters(&self) -> Counters {
        Counters::default()
    }

    /// What happens in the ring, as it happens. A slow listener misses the oldest.
    pub fn notices(&self) -> broadcast::Receiver<Notice> {
        broadcast::channel(1).1
    }

    /// Where it is in its life.
    pub fn phase(&self) -> Phase {
        Phase::Running
    }

    /// Returns once the node has left the ring or has stopped, and says which.
    pub async fn wait_left(&self) -> Phase {
        Phase::Stopped
    }

    /// Stores a file, whatever its size, in constant memory. Acknowledged means durable on a
    /// majority of the holders; on any error nothing is visible. Dropping the future gives up.
    pub async fn put<S, E>(&self, request: PutRequest, body: S) -> Result<PutResult, NodeError>
    where
        S: Stream<Item = Result<Bytes, E>> + Send,
        E: Display,
    {
        request.check()?;
        drop(body);
        Err(NodeError::Stopping)
    }

    /// Begins to read a file, or a range of it.
    pub async fn get(&self, name: &Name, range: Option<ByteRange>) -> Result<Download, NodeError> {
        drop((name, range, FileBody::new(futures_util::stream::empty())));
        Err(NodeError::Stopping)
    }

    /// What is known of a file.
    pub async fn stat(&self, _name: &Name) -> Result<FileInfo, NodeError> {
        Err(NodeError::Stopping)
    }

    /// Deletes a name. One that is not there is an error.
    pub async fn remove(&self, _name: &Name) -> Result<Removed, NodeError> {
        Err(NodeError::Stopping)
    }

    /// A page of the names in a space that begin with `prefix` and come after `after`, at most
    /// `limit` and at most 1,000.
    pub async fn list(
        &self,
        _space: &str,
        _prefix: &str,
        _after: Option<&str>,
        _limit: u32,
    ) -> Result<ListPage, NodeError> {
        Err(NodeError::Stopping)
    }

    /// The way to a name, and who holds it.
    pub async fn whereis(&self, _name: &Name) -> Result<Whereabouts, NodeError> {
        Err(NodeError::Stopping)
    }

    /// How the whole ring is.
    pub async fn status(&self) -> Result<RingStatus, NodeError> {
        Err(NodeError::Stopping)
    }

    /// This node's finger tables, one a token.
    pub async fn fingers(&self) -> Result<Vec<TokenFingers>, NodeError> {
        Err(NodeError::Stopping)
    }

    /// Joins the ring of whoever answers at one of these addresses; returns how many nodes it
    /// knows there, itself included. When it fails the node stays as it was.
    pub async fn join(&self, _addresses: Vec<SocketAddr>) -> Result<usize, NodeError> {
        Err(NodeError::Stopping)
    }

    /// Hands everything over and leaves the ring for good. Unless `force` it is refused while
    /// copies would be lost.
    pub async fn leave(&self, force: Force) -> Result<(), NodeError> {
        let _ = force;
        Err(NodeError::Stopping)
    }

    /// Stops in order: takes no new work, lets work in flight end within `grace`, says farewell to
    /// the neighbours, closes connections and the store. Takes at most 10 seconds; after it all of
    /// the node's tasks have ended. Its copies stay on its disk. A second call waits for the first.
    pub async fn shutdown(&self, _grace: Duration) {}
}

/// Whether a leave may lose copies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Force {
    /// It may.
    Yes,
    /// It is refused then.
    No,
}
