//! Files in and out of a ring.

use std::io;

use bytes::Bytes;
use chordal_node::model::{Copies, CopyState, Failure};
use chordal_node::{ByteRange, NodeError, PutRequest};
use futures_util::stream;

use crate::cluster::{Cluster, content, get, get_range, name, put};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_alone_keeps_files_of_every_size_and_says_how_many_copies_there_are() {
    let cluster = Cluster::of(1).await;
    let node = &cluster.nodes[0];
    for length in [0, 1, 16 << 10, (16 << 10) + 1, 1 << 20, 5_000_000] {
        let content = content(length as u64, length);
        let put = put(node, "file", &content).await.unwrap();
        assert_eq!(put.size, length as u64);
        assert_eq!(put.hash, *blake3::hash(&content).as_bytes());
        let one = Copies {
            durable: 1,
            wanted: 1,
        };
        assert_eq!(put.copies, one);
        assert_eq!(get(node, "file").await.unwrap(), content);
    }
    assert_eq!(node.stat(&name("file")).await.unwrap().chunks, 5);
    cluster.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_goes_in_at_one_node_comes_out_at_any_other() {
    let cluster = Cluster::of(5).await;
    let content = content(1, 20 << 20);
    let put = put(&cluster.nodes[0], "big", &content).await.unwrap();
    assert_eq!(put.copies.wanted, 3);
    assert!(put.copies.durable >= 2, "{:?}", put.copies);
    for node in &cluster.nodes {
        assert_eq!(get(node, "big").await.unwrap(), content);
    }
    let middle = ByteRange::FromTo(1_000_000, 9_999_999);
    let part = get_range(&cluster.nodes[3], "big", middle).await.unwrap();
    assert_eq!(part, content[1_000_000..10_000_000]);
    let found = cluster.nodes[4].whereis(&name("big")).await.unwrap();
    let durable = |holder: &&chordal_node::model::Holder| holder.copy == CopyState::Durable;
    assert_eq!(found.holders.len(), 3);
    assert!(found.holders.iter().filter(durable).count() >= 2);
    cluster.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_name_is_listed_replaced_and_removed() {
    let cluster = Cluster::of(3).await;
    let [first, second, third] = &cluster.nodes[..] else {
        panic!("three nodes");
    };
    for at in 0..20 {
        let path = format!("folder/{at:02}");
        put(first, &path, &content(at, 100)).await.unwrap();
    }
    let page = second.list("main", "folder/", None, 15).await.unwrap();
    assert_eq!((page.rows.len(), page.more), (15, true));
    assert_eq!(page.missing, []);
    let last = page.last.unwrap();
    let rest = third
        .list("main", "folder/", Some(&last), 15)
        .await
        .unwrap();
    assert_eq!((rest.rows.len(), rest.more), (5, false));
    assert_eq!(rest.rows[4].name, name("folder/19"));

    let newer = put(second, "folder/07", &content(99, 200_000))
        .await
        .unwrap();
    assert!(newer.version > page.rows[7].version);
    assert_eq!(get(third, "folder/07").await.unwrap(), content(99, 200_000));

    third.remove(&name("folder/07"), None).await.unwrap();
    let not_found = Err(NodeError::Failed(Failure::NotFound));
    assert_eq!(get(first, "folder/07").await, not_found);
    let again = third.remove(&name("folder/07"), None).await;
    assert_eq!(again, Err(NodeError::Failed(Failure::NotFound)));
    cluster.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_upload_that_breaks_off_leaves_nothing_visible() {
    let cluster = Cluster::of(1).await;
    let node = &cluster.nodes[0];
    let pieces = stream::iter([Ok(content(1, 3 << 20)), Err(io::Error::other("gone"))]);
    let broken = node.put(PutRequest::new(name("torn")), pieces).await;
    assert_eq!(broken, Err(NodeError::Interrupted("gone".to_owned())));
    assert_eq!(
        get(node, "torn").await,
        Err(NodeError::Failed(Failure::NotFound))
    );
    let mut request = PutRequest::new(name("short"));
    request.size = Some(10);
    let short = stream::iter([Ok::<_, io::Error>(Bytes::from_static(b"short"))]);
    let broken = node.put(request, short).await;
    assert!(matches!(broken, Err(NodeError::Interrupted(_))));
    cluster.stop().await;
}
