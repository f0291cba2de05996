//! Members that send what is no message.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use chordal_net::{Admission, Authority, Config, Endpoint, Event, Events, Limits, NodeKey, Target};
use chordal_node::Node;
use tokio::time::timeout;

use crate::cluster::Cluster;

/// A member of the home's ring that speaks no protocol.
async fn member(cluster: &Cluster) -> (Endpoint, Events) {
    let authority = cluster.home().path().join("authority.key");
    let authority = Authority::load_or_create(&authority).unwrap();
    let key = NodeKey::generate();
    let certificate = authority.issue(key.peer_id(), 0);
    let config = Config {
        listen: "127.0.0.1:0".parse().unwrap(),
        admission: Arc::new(Admission::new(authority.id(), certificate)),
        key,
        limits: Limits::default(),
    };
    Endpoint::bind(config).await.unwrap()
}

fn target(node: &Node) -> Target {
    Target {
        addr: node.addr(),
        expect: Some(chordal_net::PeerId(*node.id().as_bytes())),
    }
}

/// Waits until the node ends its connection.
async fn hung_up_on(events: &mut Events) -> bool {
    let ended = async {
        while let Some(event) = events.next().await {
            if matches!(event, Event::Disconnected { .. }) {
                return true;
            }
        }
        false
    };
    timeout(Duration::from_secs(30), ended)
        .await
        .unwrap_or(false)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_sends_what_is_no_message_is_hung_up_on_and_counted() {
    let cluster = Cluster::of(1).await;
    let (stranger, mut events) = member(&cluster).await;
    let node = &cluster.nodes[0];
    stranger.send(target(node), Bytes::from_static(b"\xff\xff no protobuf"));
    assert!(hung_up_on(&mut events).await);
    assert_eq!(node.counters().malformed, 1);
    // The node is none the worse, and the member may come back.
    stranger.send(target(node), Bytes::from_static(b"\xff\xff again"));
    assert!(hung_up_on(&mut events).await);
    assert_eq!(node.counters().malformed, 2);
    stranger.close(Duration::ZERO).await;
    cluster.stop().await;
}
