//! A node whose index is lost.

use std::time::Duration;

use chordal_node::model::NodeState;
use chordal_node::{Node, StartError};

use crate::cluster::{Cluster, content, get, put, until};

async fn restart_without_index(cluster: &mut Cluster, number: usize) -> Result<(), StartError> {
    let old = cluster.nodes.remove(number);
    let listen = old.listening();
    old.shutdown(Duration::from_secs(1)).await;
    drop(old);
    let index = cluster.data(number).join("store/index.redb");
    std::fs::write(index, b"no index at all").unwrap();
    let mut config = cluster.config(number);
    config.listen = listen;
    cluster.nodes.insert(number, Node::start(config).await?);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_whose_index_is_lost_comes_up_again_and_is_whole() {
    let mut cluster = Cluster::of(4).await;
    let big = content(1, 24 << 20);
    put(&cluster.nodes[0], "big", &big).await.unwrap();
    for seed in 0..10 {
        let small = content(seed, 3000);
        let put = put(&cluster.nodes[0], &format!("small {seed}"), &small).await;
        put.unwrap();
    }
    let former = cluster.nodes[2].id();
    let fetched = |cluster: &Cluster| cluster.nodes[2].counters().chunks_fetched;

    restart_without_index(&mut cluster, 2).await.unwrap();
    let node = cluster.nodes[2].clone();
    assert_ne!(
        node.id(),
        former,
        "it promises nothing of what it had promised"
    );
    until(
        "the former self is forgotten, and all copies are there",
        async || {
            let status = cluster.nodes[0].status().await.unwrap();
            let of = |id| status.nodes.iter().find(|report| report.member.node == id);
            let is_forgotten = of(former).is_some_and(|report| report.state == NodeState::Gone);
            let is_back = of(node.id()).is_some_and(|report| {
                let own = report.status.as_ref();
                own.is_some_and(|own| own.arcs_incomplete == 0 && own.copies_wanted == 0)
            });
            is_forgotten && is_back && status.whole && status.copies_missing == 0
        },
    )
    .await;
    // Of 24 chunks it holds 18 or so. Its tokens are elsewhere now, so it lacks up to six, and for a
    // while, as long as its former self counts, others.
    let copied = fetched(&cluster);
    assert!(
        copied <= 14,
        "its chunk files count, and {copied} were fetched"
    );
    assert_eq!(get(&node, "big").await.unwrap(), big);
    for seed in 0..10 {
        let found = get(&node, &format!("small {seed}")).await.unwrap();
        assert_eq!(found, content(seed, 3000));
    }
    let aside = cluster.data(2).join("store/index.redb.lost-1");
    assert_eq!(std::fs::read(aside).unwrap(), b"no index at all");

    // And once more as an ordinary restart.
    let id = node.id();
    drop(node);
    let old = cluster.nodes.remove(2);
    let listen = old.listening();
    old.shutdown(Duration::from_secs(1)).await;
    drop(old);
    let mut config = cluster.config(2);
    config.listen = listen;
    cluster.nodes.insert(2, Node::start(config).await.unwrap());
    assert_eq!(cluster.nodes[2].id(), id);
    until("it reads", async || {
        get(&cluster.nodes[2], "big")
            .await
            .is_ok_and(|found| found == big)
    })
    .await;
    cluster.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_knows_nobody_who_has_its_records_is_left_as_it_is() {
    let mut cluster = Cluster::of(1).await;
    put(&cluster.nodes[0], "a", &content(1, 100)).await.unwrap();
    let refused = restart_without_index(&mut cluster, 0).await.unwrap_err();
    assert!(matches!(refused, StartError::Store { .. }), "{refused}");
    assert!(refused.to_string().contains("--join"), "{refused}");
    let index = cluster.data(0).join("store/index.redb");
    assert_eq!(std::fs::read(index).unwrap(), b"no index at all");
}
