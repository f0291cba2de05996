//! A deleted file gives its space back on every disk.

use std::fs;
use std::path::Path;
use std::time::Duration;

use chordal_node::Node;

use crate::cluster::{Cluster, content, get, name, put, until};

/// Chunk files on a node's disk.
fn chunk_files(data: &Path) -> usize {
    let Ok(folders) = fs::read_dir(data.join("store/chunks")) else {
        return 0;
    };
    let files = folders.map(|folder| fs::read_dir(folder.unwrap().path()).unwrap().count());
    files.sum()
}

async fn bytes_used(node: &Node) -> Vec<u64> {
    let status = node.status().await.unwrap();
    let used = status
        .nodes
        .iter()
        .filter_map(|report| report.status.as_ref());
    used.map(|status| status.used_bytes).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deleted_file_gives_its_space_back_on_every_node() {
    let mut cluster = Cluster::new();
    for number in 0..3 {
        let mut config = cluster.config(number);
        config.join = cluster.nodes.iter().map(Node::addr).take(1).collect();
        config.timing.protect = Duration::from_secs(6);
        config.timing.sweep = Duration::from_secs(6);
        cluster.nodes.push(Node::start(config).await.unwrap());
    }
    cluster.settle(3).await;
    let [one, two, _] = &cluster.nodes[..] else {
        panic!("there are three")
    };
    let (gone, stays) = (content(1, 5 << 20), content(2, 3 << 20));
    put(one, "gone", &gone).await.unwrap();
    put(two, "stays", &stays).await.unwrap();
    let files = || (0..3).map(|number| chunk_files(&cluster.data(number)));
    assert!(files().eq([8, 8, 8]), "all have everything");
    two.remove(&name("gone"), None).await.unwrap();
    until("the space is back", async || files().eq([3, 3, 3])).await;
    for used in bytes_used(one).await {
        assert!((3 << 20..4 << 20).contains(&used), "{used} bytes are used");
    }
    assert_eq!(get(two, "stays").await.unwrap(), stays);
    cluster.stop().await;
}
