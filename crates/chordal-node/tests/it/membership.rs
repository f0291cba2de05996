//! Nodes that come, die and leave.

use std::time::Duration;

use chordal_node::model::{Failure, NodeState};
use chordal_node::{Force, Node, NodeError, Phase};

use crate::cluster::{Cluster, content, get, name, nobody, put, until};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_one_of_three_nodes_dead_files_can_be_read_and_written() {
    let mut cluster = Cluster::of(3).await;
    let before = content(1, 3 << 20);
    put(&cluster.nodes[0], "before", &before).await.unwrap();
    // Dropped without a farewell: as if its program had been killed.
    drop(cluster.nodes.remove(2));
    let [first, second] = &cluster.nodes[..] else {
        panic!("two nodes");
    };
    assert_eq!(get(first, "before").await.unwrap(), before);
    let after = content(2, 3 << 20);
    let put = put(second, "after", &after).await.unwrap();
    assert!(put.copies.durable >= 2);
    assert_eq!(get(first, "after").await.unwrap(), after);
    until("the dead node is suspect", async || {
        let status = first.status().await.unwrap();
        let suspect = |report: &chordal_node::model::NodeReport| report.state == NodeState::Suspect;
        status.nodes.iter().any(suspect)
    })
    .await;
    cluster.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_leaves_hands_its_copies_over_first() {
    let mut cluster = Cluster::of(4).await;
    for at in 0..10 {
        let content = content(at, 100_000);
        put(&cluster.nodes[0], &format!("file {at}"), &content)
            .await
            .unwrap();
    }
    let leaver = cluster.nodes.remove(1);
    leaver.leave(Force::No).await.unwrap();
    assert_eq!(leaver.phase(), Phase::Left);
    assert_eq!(leaver.wait_left().await, Phase::Left);
    leaver.shutdown(Duration::from_secs(1)).await;
    assert_eq!(leaver.phase(), Phase::Stopped);
    // Another one dies at once: what the leaver held must be elsewhere.
    drop(cluster.nodes.pop());
    for at in 0..10 {
        let got = get(&cluster.nodes[1], &format!("file {at}")).await.unwrap();
        assert_eq!(got, content(at, 100_000), "file {at}");
    }
    cluster.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_join_in_vain_is_told_and_changes_nothing() {
    let cluster = Cluster::of(1).await;
    let node = &cluster.nodes[0];
    put(node, "file", &content(1, 10)).await.unwrap();
    for target in [nobody(), node.addr()] {
        let error = node.join(vec![target]).await.unwrap_err();
        assert!(
            matches!(error, NodeError::Failed(Failure::Unjoinable(_))),
            "{error}"
        );
        assert_eq!(get(node, "file").await.unwrap(), content(1, 10));
    }
    cluster.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_started_alone_joins_later_and_brings_its_files() {
    let mut cluster = Cluster::new();
    for number in 0..2 {
        let config = cluster.config(number);
        let node = Node::start(config).await.unwrap();
        put(&node, &format!("of {number}"), &content(7, 50_000))
            .await
            .unwrap();
        cluster.nodes.push(node);
    }
    let nodes = cluster.nodes[1].join(vec![cluster.nodes[0].addr()]).await;
    assert_eq!(nodes.unwrap(), 2);
    cluster.settle(2).await;
    for path in ["of 0", "of 1"] {
        for node in &cluster.nodes {
            assert_eq!(get(node, path).await.unwrap(), content(7, 50_000));
        }
    }
    let found = cluster.nodes[0].whereis(&name("of 1")).await.unwrap();
    assert_eq!(found.holders.len(), 2);
    assert!(!cluster.nodes[0].fingers().await.unwrap().is_empty());
    cluster.stop().await;
}
