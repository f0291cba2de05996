//! Messages to other nodes: the network queues them, and tells later of those it could not deliver.

use bytes::Bytes;
use chordal_net::{Endpoint, PeerId, Target};
use chordal_object::NodeId;
use chordal_proto::effect::Destination;

/// Sends a message, without waiting.
pub(crate) fn send(endpoint: &Endpoint, to: Destination, bytes: Bytes) {
    endpoint.send(target(to), bytes);
}

/// The network's word for a destination.
pub(crate) fn target(to: Destination) -> Target {
    Target {
        addr: to.addr,
        expect: to.node.map(peer),
    }
}

/// The network's word for a node.
pub(crate) fn peer(node: NodeId) -> PeerId {
    PeerId(*node.as_bytes())
}

/// The core's word for a peer.
pub(crate) fn node(peer: PeerId) -> NodeId {
    NodeId::new(peer.0)
}
