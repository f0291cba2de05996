//! Receipts of files, and asking their holders again.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::time::Duration;

use chordal_node::model::{Name, NodeId, RecordCopy};
use chordal_node::{
    AuthorityId, FalseReceipt, Inquiry, NodeError, Receipt, Refused, Statement, Why, nonce,
};

use crate::cluster::{Cluster, content, name, put, until};

/// Asks again what a receipt is about.
fn again(receipt: &Receipt, read: bool) -> Inquiry {
    let named = |statement: &Statement| (statement.holding.node, statement.held.clone());
    Inquiry {
        nonce: nonce(),
        subject: receipt.subject(),
        record: Some(receipt.record_asked()),
        chunks: receipt.all_chunks(),
        named: receipt.statements.iter().map(named).collect(),
        named_for_record: of_record(&receipt.statements).into_keys().collect(),
        read,
    }
}

/// Who says that it has each chunk.
fn holders(statements: &[Statement], chunks: usize) -> Vec<BTreeSet<NodeId>> {
    let mut holders = vec![BTreeSet::new(); chunks];
    for statement in statements {
        for &place in &statement.held {
            holders[usize::try_from(place).unwrap()].insert(statement.holding.node);
        }
    }
    holders
}

fn of_record(statements: &[Statement]) -> BTreeMap<NodeId, RecordCopy> {
    let asked = |it: &&Statement| it.holding.record != RecordCopy::NotAsked;
    let copies = statements.iter().filter(asked);
    copies
        .map(|it| (it.holding.node, it.holding.record))
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_receipt_names_three_signing_holders_of_everything_and_counts_without_the_ring() {
    let cluster = Cluster::of(5).await;
    let bytes = content(1, 10 << 20);
    let stored = put(&cluster.nodes[0], "file", &bytes).await.unwrap();
    let version = stored.version.to_string();
    let receipt = cluster.nodes[1]
        .receipt(&name("file"), Some(&version))
        .await
        .unwrap();
    let (authority, maker) = (receipt.authority, cluster.nodes[1].id());
    assert_eq!(
        (receipt.version, receipt.size, receipt.hash),
        (stored.version, stored.size, stored.hash)
    );
    assert_eq!((receipt.wanted, receipt.chunks.len()), (3, 10));
    assert_eq!(receipt.unheard, []);
    for holders in holders(&receipt.statements, 10) {
        assert_eq!(holders.len(), 3);
    }
    let record = of_record(&receipt.statements);
    assert_eq!(
        record
            .values()
            .filter(|copy| **copy == RecordCopy::Same)
            .count(),
        3
    );

    // An inline file has no chunks.
    put(&cluster.nodes[0], "small", &content(2, 100))
        .await
        .unwrap();
    let small = cluster.nodes[2]
        .receipt(&name("small"), None)
        .await
        .unwrap();
    assert_eq!((small.chunk_bytes, small.all_chunks().len()), (0, 0));
    assert_eq!(of_record(&small.statements).len(), 3);

    let other = cluster.nodes[0]
        .receipt(&name("file"), Some("1-1-00000000"))
        .await;
    assert!(matches!(other, Err(NodeError::Failed(_))), "{other:?}");
    let nothing = cluster.nodes[0].receipt(&name("nothing"), None).await;
    assert!(matches!(nothing, Err(NodeError::Failed(_))), "{nothing:?}");
    cluster.stop().await;

    assert_eq!(receipt.check(&authority), Ok(()));
    assert_eq!(small.check(&authority), Ok(()));
    assert_eq!(receipt.maker().0, *maker.as_bytes());
    let known = AuthorityId([7; 32]);
    let of = authority;
    assert_eq!(
        receipt.check(&known),
        Err(FalseReceipt::OtherRing { of, known })
    );
    let renamed = Receipt {
        name: Name::in_main("other").unwrap(),
        ..receipt
    };
    assert_eq!(renamed.check(&authority), Err(FalseReceipt::Changed));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn those_in_duty_answer_for_a_holder_that_is_gone_for_good() {
    let mut cluster = Cluster::of(4).await;
    put(&cluster.nodes[0], "file", &content(1, 12 << 20))
        .await
        .unwrap();
    let receipt = cluster.nodes[0].receipt(&name("file"), None).await.unwrap();
    let gone = cluster.nodes.remove(3);
    let id = gone.id();
    assert!(receipt.statements.iter().any(|it| it.holding.node == id));
    gone.shutdown(Duration::ZERO).await;
    drop(gone);
    let asked = again(&receipt, false);
    let node = &cluster.nodes[0];
    until("the ring forgets it", async || {
        node.forget(id, chordal_node::Force::Yes).await.is_ok()
    })
    .await;
    until("its copies are made again", async || {
        let attested = node.attest(&asked).await.unwrap();
        let holders = holders(&attested.statements, 12);
        assert!(holders.iter().all(|holders| !holders.contains(&id)));
        holders.iter().all(|holders| holders.len() == 3)
    })
    .await;
    let attested = node.attest(&asked).await.unwrap();
    let silent = attested.unheard.iter().find(|it| it.node == id).unwrap();
    assert_eq!(silent.why, Why::GivenUp);
    cluster.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn reading_again_finds_a_chunk_file_that_is_not_there_and_the_ring_replaces_it() {
    let cluster = Cluster::of(3).await;
    put(&cluster.nodes[0], "file", &content(1, 3 << 20))
        .await
        .unwrap();
    let receipt = cluster.nodes[0].receipt(&name("file"), None).await.unwrap();
    let id = receipt.chunks[1].to_string();
    let file = cluster
        .data(2)
        .join("store/chunks")
        .join(id.get(..2).unwrap())
        .join(&id);
    fs::remove_file(&file).unwrap();
    let (node, victim) = (&cluster.nodes[0], cluster.nodes[2].id());
    let have = async |read| {
        let attested = node.attest(&again(&receipt, read)).await.unwrap();
        assert!(attested.statements.iter().all(|it| it.holding.read == read));
        let holders = holders(&attested.statements, 3);
        holders
            .iter()
            .map(|holders| holders.contains(&victim))
            .collect::<Vec<_>>()
    };
    assert_eq!(
        have(false).await,
        [true, true, true],
        "the index knows nothing of it"
    );
    assert_eq!(have(true).await, [true, false, true]);
    until("it is there again", async || {
        have(true).await == [true, true, true]
    })
    .await;
    assert!(file.exists());
    cluster.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_newer_version_and_a_deletion_are_told_as_such() {
    let cluster = Cluster::of(3).await;
    let node = &cluster.nodes[0];
    put(node, "file", &content(1, 100)).await.unwrap();
    let receipt = node.receipt(&name("file"), None).await.unwrap();
    let told = async || {
        let attested = node.attest(&again(&receipt, false)).await.unwrap();
        of_record(&attested.statements)
            .into_values()
            .collect::<Vec<_>>()
    };
    assert_eq!(told().await, [RecordCopy::Same; 3]);
    put(node, "file", &content(2, 100)).await.unwrap();
    until("all have the newer one", async || {
        told().await == [RecordCopy::Newer; 3]
    })
    .await;
    node.remove(&name("file"), None).await.unwrap();
    until("all know of the deletion", async || {
        told().await == [RecordCopy::Deleted; 3]
    })
    .await;
    cluster.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_is_asked_about_more_chunks_than_a_receipt_may_have() {
    let cluster = Cluster::of(1).await;
    let many =
        vec![chordal_node::model::ChunkId::new([1; 32]); chordal_node::RECEIPT_CHUNKS_MAX + 1];
    let inquiry = Inquiry {
        nonce: nonce(),
        subject: [0; 32],
        record: None,
        chunks: many,
        named: BTreeMap::new(),
        named_for_record: BTreeSet::new(),
        read: false,
    };
    let refused = cluster.nodes[0].attest(&inquiry).await;
    assert!(
        matches!(refused, Err(NodeError::Refused(Refused::ManyChunks(_)))),
        "{refused:?}"
    );
    cluster.stop().await;
}
