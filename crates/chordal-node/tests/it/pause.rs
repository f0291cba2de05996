//! Stopping and starting again: what a node keeps between two lives.

use std::time::{Duration, Instant};

use bytes::Bytes;
use chordal_node::model::Bits;
use chordal_node::{Node, NodeError, Phase, PutRequest};
use futures_util::stream;
use tokio::sync::oneshot;

use crate::cluster::{Cluster, content, get, name, put, until};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_comes_back_as_itself_with_its_files_and_its_ring() {
    let mut cluster = Cluster::new();
    for number in 0..2 {
        let mut config = cluster.config(number);
        config.bits = Some(64);
        // The second one takes the name of the ring that it joins.
        config.ring_name = (number == 0).then(|| "attic".to_owned());
        config.join = cluster.nodes.iter().map(Node::addr).collect();
        cluster.nodes.push(Node::start(config).await.unwrap());
    }
    cluster.settle(2).await;
    let file = content(1, 3 << 20);
    put(&cluster.nodes[0], "file", &file).await.unwrap();
    let returner = cluster.nodes.pop().unwrap();
    let (id, addr, token) = (
        returner.id(),
        returner.addr(),
        returner.control_token().to_owned(),
    );
    returner.shutdown(Duration::from_secs(5)).await;
    drop(returner);
    // Without a word of where to join, and at the same place.
    let mut config = cluster.config(1);
    config.listen = addr;
    let back = Node::start(config).await.unwrap();
    assert_eq!((back.id(), back.addr()), (id, addr));
    assert_eq!(back.control_token(), token);
    assert_eq!(back.settings().bits, Bits::new(64).unwrap());
    assert_eq!(back.settings().ring_name, "attic");
    cluster.nodes.push(back);
    cluster.settle(2).await;
    for node in &cluster.nodes {
        assert_eq!(get(node, "file").await.unwrap(), file);
    }
    cluster.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_acknowledged_survives_the_end_of_all_nodes_at_once() {
    let mut cluster = Cluster::of(3).await;
    let file = content(1, 2 << 20);
    put(&cluster.nodes[0], "file", &file).await.unwrap();
    put(&cluster.nodes[1], "small", &content(2, 100))
        .await
        .unwrap();
    let addrs: Vec<_> = cluster.nodes.iter().map(Node::addr).collect();
    // No farewell, no order: as when the power goes off for the processes.
    cluster.nodes.clear();
    for (number, addr) in addrs.into_iter().enumerate() {
        let mut config = cluster.config(number);
        config.listen = addr;
        let mut node = None;
        // The old life needs a moment until its last thread has let go of the store.
        until("the node starts again", async || {
            node = Node::start(config.clone()).await.ok();
            node.is_some()
        })
        .await;
        cluster.nodes.extend(node);
    }
    cluster.settle(3).await;
    for node in &cluster.nodes {
        assert_eq!(get(node, "file").await.unwrap(), file);
        assert_eq!(get(node, "small").await.unwrap(), content(2, 100));
    }
    cluster.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stopping_lets_work_under_way_end_and_refuses_new_work() {
    let cluster = Cluster::of(1).await;
    let node = &cluster.nodes[0];
    let (go_on, gone_on) = oneshot::channel::<()>();
    let rest = stream::once(async move {
        gone_on.await.unwrap();
        Ok::<_, std::io::Error>(Bytes::from_static(b"end"))
    });
    let request = PutRequest::new(name("slow"));
    let slow = {
        let node = node.clone();
        tokio::spawn(async move { node.put(request, Box::pin(rest)).await })
    };
    until("the put has begun", async || {
        node.counters().files_open == 1
    })
    .await;
    let stopping = {
        let node = node.clone();
        tokio::spawn(async move { node.shutdown(Duration::from_secs(5)).await })
    };
    until("it is stopping", async || node.phase() == Phase::Stopping).await;
    let refused = put(node, "new", &content(1, 1)).await;
    assert_eq!(refused, Err(NodeError::Stopping));
    go_on.send(()).unwrap();
    assert_eq!(slow.await.unwrap().unwrap().size, 3);
    stopping.await.unwrap();
    assert_eq!(node.phase(), Phase::Stopped);
    // The store is closed: another life may have it at once.
    let back = Node::start(cluster.config(0)).await.unwrap();
    assert_eq!(get(&back, "slow").await.unwrap(), "end");
    back.shutdown(Duration::ZERO).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn work_that_does_not_end_is_broken_off_after_the_grace() {
    let cluster = Cluster::of(1).await;
    let node = cluster.nodes[0].clone();
    let request = PutRequest::new(name("endless"));
    let endless = stream::pending::<Result<Bytes, std::io::Error>>();
    let put = tokio::spawn(async move { node.put(request, endless).await });
    let node = &cluster.nodes[0];
    until("the put has begun", async || {
        node.counters().files_open == 1
    })
    .await;
    let begun = Instant::now();
    node.shutdown(Duration::from_millis(50)).await;
    assert!(begun.elapsed() < Duration::from_secs(10));
    put.abort();
    assert!(put.await.unwrap_err().is_cancelled());
}
