//! What a service manager is told of a node: the notification protocol of systemd.
//!
//! A manager that wants to know names a socket in `NOTIFY_SOCKET`; what it is told goes there, one
//! datagram a time. Everywhere else nothing is told. Whether a manager listens changes nothing about
//! the node: what does not arrive is logged and forgotten. There is no watchdog: a node that waits for
//! a slow disk is not one to be killed, and the ring itself notices one that stands still.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::net::SocketAddr;

use chordal_node::Node;
use chordal_node::model::{NodeId, NodeState, Notice};
use tokio::sync::broadcast::error::RecvError;

use crate::out::count;

mod socket;

use socket::Socket;

/// The variable that names the socket. Processes that this one starts are not what it is about.
pub(crate) const SOCKET: &str = "NOTIFY_SOCKET";

/// Who started this program, if it wants to be told.
#[derive(Debug)]
pub(crate) struct Manager {
    socket: Option<Socket>,
}

impl Manager {
    /// The one that the environment names.
    pub(crate) fn of_environment() -> Self {
        let name = std::env::var_os(SOCKET).filter(|name| !name.is_empty());
        let socket = name.and_then(|name| match Socket::to(&name) {
            Ok(socket) => Some(socket),
            Err(error) => {
                tracing::warn!(%error, socket = ?name, "the service manager cannot be told anything");
                None
            }
        });
        Self { socket }
    }

    /// The node has joined and serves. Tells from then on how many nodes there are, as long as it is
    /// polled.
    pub(crate) async fn inform(&self, node: &Node) -> Infallible {
        if self.socket.is_some() {
            let addr = node.addr();
            self.tell(&format!("READY=1\nSTATUS=this node is at {addr}"));
            self.count(node).await;
        }
        std::future::pending().await
    }

    async fn count(&self, node: &Node) {
        let mut notices = node.notices();
        let mut told = None;
        let mut census = Census::take(node).await;
        loop {
            let words = census.words(node.addr());
            if told.as_ref() != Some(&words) {
                self.tell(&format!("STATUS={words}"));
                told = Some(words);
            }
            match notices.recv().await {
                Ok(notice) => census.note(&notice),
                Err(RecvError::Lagged(_)) => census = Census::take(node).await,
                Err(RecvError::Closed) => return,
            }
        }
    }

    /// The node is about to end, for this reason.
    pub(crate) fn stopping(&self, why: &str) {
        self.tell(&format!("STOPPING=1\nSTATUS={why}"));
    }

    fn tell(&self, words: &str) {
        let Some(socket) = &self.socket else {
            return;
        };
        if let Err(error) = socket.send(words) {
            tracing::debug!(%error, "the service manager was not told");
        }
    }
}

/// The nodes that this one knows to be in the ring, and whether each is silent. It follows the node's
/// own notices, so that it costs the ring nothing.
#[derive(Debug, Default)]
struct Census {
    silent: BTreeMap<NodeId, bool>,
}

impl Census {
    /// Asks the node.
    async fn take(node: &Node) -> Self {
        let mut census = Self::default();
        match node.status().await {
            Ok(status) => {
                let nodes = status.nodes.into_iter();
                let present = nodes.filter(|report| !is_past(report.state));
                let entries = present.map(|report| (report.member.node, is_silent(report.state)));
                census.silent.extend(entries);
            }
            Err(error) => tracing::debug!(%error, "the ring's nodes could not be counted"),
        }
        census.silent.insert(node.id(), false);
        census
    }

    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "most notices are not about who is in the ring"
    )]
    fn note(&mut self, notice: &Notice) {
        let (node, silent) = match notice {
            Notice::Appeared(token) => (token.node, Some(false)),
            Notice::Suspected { node, .. } => (*node, Some(true)),
            Notice::Recovered(node) => (*node, Some(false)),
            Notice::Gone(node) | Notice::Left(node) => (*node, None),
            _ => return,
        };
        match silent {
            Some(silent) => self.silent.insert(node, silent),
            None => self.silent.remove(&node),
        };
    }

    fn words(&self, addr: SocketAddr) -> String {
        let silent = self.silent.values().filter(|silent| **silent).count();
        let nodes = count(self.silent.len() as u64, "node");
        match silent {
            0 => format!("{nodes} in the ring; this one is at {addr}"),
            silent => {
                format!("{nodes} in the ring, {silent} of them silent; this one is at {addr}")
            }
        }
    }
}

fn is_past(state: NodeState) -> bool {
    matches!(state, NodeState::Gone | NodeState::Left)
}

fn is_silent(state: NodeState) -> bool {
    state == NodeState::Suspect
}

#[cfg(test)]
mod tests;
