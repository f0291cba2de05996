//! Starts that must fail with one line, and leave everything as it was.

use std::fs;
use std::net::TcpListener;
use std::time::Duration;

use chordal_node::{Node, StartError};

use crate::cluster::{Cluster, nobody};

#[tokio::test]
async fn a_taken_port_and_a_foreign_address_touch_nothing() {
    let cluster = Cluster::new();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut config = cluster.config(0);
    config.listen = taken.local_addr().unwrap();
    let error = Node::start(config).await.unwrap_err();
    assert!(matches!(error, StartError::PortInUse(_)), "{error}");
    let mut config = cluster.config(0);
    config.listen = "192.0.2.1:2000".parse().unwrap();
    let error = Node::start(config).await.unwrap_err();
    assert!(matches!(error, StartError::NotOurs(_)), "{error}");
    assert_eq!(fs::read_dir(cluster.folder.path()).unwrap().count(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_folder_in_use_is_refused_and_its_node_goes_on() {
    let cluster = Cluster::of(1).await;
    let error = Node::start(cluster.config(0)).await.unwrap_err();
    assert!(matches!(error, StartError::Locked { .. }), "{error}");
    assert!(!error.to_string().contains('\n'));
    cluster.nodes[0].status().await.unwrap();
    cluster.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_folder_of_a_newer_program_is_refused_and_left_alone() {
    let cluster = Cluster::new();
    let node = Node::start(cluster.config(0)).await.unwrap();
    node.shutdown(Duration::ZERO).await;
    let format = cluster.data(0).join("store/FORMAT");
    fs::write(&format, "chordal store 99\n").unwrap();
    let incarnation = fs::read(cluster.data(0).join("incarnation")).unwrap();
    let error = Node::start(cluster.config(0)).await.unwrap_err();
    assert!(matches!(error, StartError::Newer { .. }), "{error}");
    assert_eq!(fs::read_to_string(format).unwrap(), "chordal store 99\n");
    let after = fs::read(cluster.data(0).join("incarnation")).unwrap();
    assert_eq!(after, incarnation);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_ring_of_other_settings_is_not_mistaken_for_the_old_one() {
    let cluster = Cluster::new();
    let mut config = cluster.config(0);
    config.classic = true;
    let node = Node::start(config).await.unwrap();
    assert_eq!(node.settings().bits.get(), 10);
    node.shutdown(Duration::ZERO).await;
    let mut other = cluster.config(0);
    other.bits = Some(128);
    let error = Node::start(other).await.unwrap_err();
    assert!(matches!(error, StartError::Settings(_)), "{error}");
    // Without a word it is what it was.
    let node = Node::start(cluster.config(0)).await.unwrap();
    assert_eq!(node.settings().bits.get(), 10);
    node.shutdown(Duration::ZERO).await;
    let mut wrong = cluster.config(1);
    wrong.bits = Some(2);
    let error = Node::start(wrong).await.unwrap_err();
    assert!(matches!(error, StartError::Settings(_)), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_first_join_in_vain_leaves_no_node_running() {
    let cluster = Cluster::of(1).await;
    let mut config = cluster.config(1);
    config.join = vec![nobody()];
    let error = Node::start(config.clone()).await.unwrap_err();
    assert!(matches!(error, StartError::Join(_)), "{error}");
    assert!(!error.to_string().contains('\n'));
    // The folder is free again.
    config.join.clear();
    let node = Node::start(config).await.unwrap();
    node.shutdown(Duration::ZERO).await;
    cluster.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_running_node_is_found_in_its_home() {
    let cluster = Cluster::of(1).await;
    let node = &cluster.nodes[0];
    let http = "127.0.0.1:7".parse().unwrap();
    let announced = node.announce(Some(http)).unwrap();
    let found = cluster.home().find(node.listening()).unwrap().unwrap();
    assert_eq!(found.http, Some(http));
    assert_eq!(found.control_token().unwrap(), node.control_token());
    drop(announced);
    assert_eq!(cluster.home().find(node.listening()).unwrap(), None);
    cluster.stop().await;
}
