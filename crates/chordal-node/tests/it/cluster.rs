//! Nodes for the tests, and what tests do with them.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use chordal_node::model::{Name, Timing};
use chordal_node::{ByteRange, Download, Home, Node, NodeConfig, NodeError, PutRequest, PutResult};
use futures_util::{Stream, StreamExt as _, stream};
use tempfile::TempDir;

/// Some nodes of one home.
pub(crate) struct Cluster {
    pub(crate) nodes: Vec<Node>,
    pub(crate) folder: TempDir,
}

/// Times that make a test wait little, and still suspect nobody where the machine is busy.
pub(crate) fn timing() -> Timing {
    let ms = Duration::from_millis;
    Timing {
        stabilise_min: ms(20),
        stabilise_max: ms(200),
        ping: ms(300),
        suspect_after: ms(3000),
        grace: Duration::from_mins(1),
        emergency: ms(500),
        gossip: ms(100),
        reconcile: ms(500),
        protect: Duration::from_mins(3),
        sweep: Duration::from_hours(1),
        operation: Duration::from_secs(30),
        straggler: ms(500),
    }
}

impl Cluster {
    /// No node yet.
    pub(crate) fn new() -> Self {
        Self {
            nodes: Vec::new(),
            folder: tempfile::tempdir().unwrap(),
        }
    }

    /// So many nodes in one ring, each with an even part of it.
    pub(crate) async fn of(count: usize) -> Self {
        let mut cluster = Self::new();
        for _ in 0..count {
            cluster.add().await;
        }
        cluster.settle(count).await;
        cluster
    }

    pub(crate) fn home(&self) -> Home {
        Home::at(self.folder.path().join("home"))
    }

    pub(crate) fn data(&self, number: usize) -> PathBuf {
        self.folder.path().join(format!("node-{number}"))
    }

    /// What the node with this number is started with.
    pub(crate) fn config(&self, number: usize) -> NodeConfig {
        let mut config = NodeConfig::new(self.home(), ([127, 0, 0, 1], 0).into());
        config.data = Some(self.data(number));
        config.timing = timing();
        config
    }

    /// Starts one more node, which joins the first one.
    pub(crate) async fn add(&mut self) {
        let mut config = self.config(self.nodes.len());
        config.join = self.nodes.iter().map(Node::addr).take(1).collect();
        self.nodes.push(Node::start(config).await.unwrap());
    }

    /// Waits until every node sees one whole ring of so many nodes with nothing missing.
    pub(crate) async fn settle(&self, count: usize) {
        for node in &self.nodes {
            until("the ring is whole", async || is_settled(node, count).await).await;
        }
    }

    /// Stops all nodes in order.
    pub(crate) async fn stop(self) {
        for node in &self.nodes {
            node.shutdown(Duration::from_secs(1)).await;
        }
    }
}

async fn is_settled(node: &Node, count: usize) -> bool {
    let Ok(status) = node.status().await else {
        return false;
    };
    status.whole
        && status.copies_missing == 0
        && status.nodes.len() == count
        && status.nodes.iter().all(|report| {
            let waits = |own: &chordal_node::model::NodeStatus| own.arcs_incomplete > 0;
            report.status.as_ref().is_some_and(|own| !waits(own))
        })
}

/// Asks again and again until the answer is yes; fails after a good while.
pub(crate) async fn until(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let patience = Duration::from_secs(50);
    let asking = async {
        while !is_so().await {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(patience, asking)
        .await
        .unwrap_or_else(|_| panic!("in vain: {what}"));
}

pub(crate) fn name(path: &str) -> Name {
    Name::in_main(path).unwrap()
}

/// Bytes that differ from one place to the next and from one seed to the next.
pub(crate) fn content(seed: u64, length: usize) -> Bytes {
    let mut bytes = BytesMut::zeroed(length);
    let mut hasher = blake3::Hasher::new();
    hasher.update(&seed.to_be_bytes());
    hasher.finalize_xof().fill(&mut bytes);
    bytes.freeze()
}

/// A body in pieces, as a network brings it.
pub(crate) fn body(content: &Bytes) -> impl Stream<Item = Result<Bytes, Infallible>> + use<> {
    let content = content.clone();
    let pieces = (0..content.len()).step_by(PIECE_BYTES);
    stream::iter(pieces).map(move |at| Ok(content.slice(at..content.len().min(at + PIECE_BYTES))))
}

pub(crate) async fn put(node: &Node, path: &str, content: &Bytes) -> Result<PutResult, NodeError> {
    node.put(PutRequest::new(name(path)), body(content)).await
}

pub(crate) async fn get(node: &Node, path: &str) -> Result<Bytes, NodeError> {
    collect(node.get(&name(path), None).await?).await
}

pub(crate) async fn get_range(
    node: &Node,
    path: &str,
    range: ByteRange,
) -> Result<Bytes, NodeError> {
    collect(node.get(&name(path), Some(range)).await?).await
}

async fn collect(mut download: Download) -> Result<Bytes, NodeError> {
    let mut bytes = BytesMut::new();
    while let Some(piece) = download.body.next().await {
        bytes.extend_from_slice(&piece?);
    }
    Ok(bytes.freeze())
}

/// An address of this machine where nobody listens.
pub(crate) fn nobody() -> SocketAddr {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap()
}

const PIECE_BYTES: usize = 60_000;
