//! Much at once.

use futures_util::{StreamExt as _, stream};

use crate::cluster::{Cluster, content, get, put};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_small_files_at_once_share_commits() {
    let cluster = Cluster::of(3).await;
    let nodes = &cluster.nodes;
    stream::iter(0..300_u64)
        .for_each_concurrent(32, |at| async move {
            let node = &nodes[usize::try_from(at % 3).unwrap()];
            put(node, &format!("file {at}"), &content(at, 4096))
                .await
                .unwrap();
        })
        .await;
    stream::iter(0..300_u64)
        .for_each_concurrent(32, |at| async move {
            let node = &nodes[usize::try_from((at + 1) % 3).unwrap()];
            let got = get(node, &format!("file {at}")).await.unwrap();
            assert_eq!(got, content(at, 4096));
        })
        .await;
    for node in nodes {
        let counters = node.counters();
        assert!(counters.changes >= 300, "{counters:?}");
        assert!(counters.commits < counters.changes / 2, "{counters:?}");
    }
    cluster.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn big_files_at_once_do_not_block_each_other() {
    let cluster = Cluster::of(3).await;
    let nodes = &cluster.nodes;
    stream::iter(0..6_u64)
        .for_each_concurrent(6, |at| async move {
            let content = content(at, 12 << 20);
            let path = format!("big {at}");
            let node = |at: u64| &nodes[usize::try_from(at % 3).unwrap()];
            put(node(at), &path, &content).await.unwrap();
            assert_eq!(get(node(at + 1), &path).await.unwrap(), content);
        })
        .await;
    let open: u64 = nodes.iter().map(|node| node.counters().files_open).sum();
    assert_eq!(open, 0);
    cluster.stop().await;
}
