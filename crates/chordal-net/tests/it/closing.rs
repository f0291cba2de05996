use std::time::Duration;

use chordal_net::{BindError, Endpoint, Event, NodeKey, RequestError, Target};
use tokio::time::timeout;

use super::{Bytes, PATIENCE, Ring, loopback, nobody, pattern, until};

const GRACE: Duration = Duration::from_secs(20);

#[tokio::test]
async fn a_port_in_use_is_told_in_one_line() {
    let ring = Ring::new();
    let first = ring.node().await;
    let taken = first.endpoint.local_addr();
    let error = Endpoint::bind(ring.config(NodeKey::generate(), taken))
        .await
        .unwrap_err();
    assert!(matches!(error, BindError::InUse { addr } if addr == taken));
    let text = error.to_string();
    assert!(text.contains(&taken.port().to_string()) && text.contains("choose another port"));
    assert!(!text.contains('\n'));
}

#[tokio::test]
async fn an_address_of_another_machine_is_told_in_one_line() {
    let ring = Ring::new();
    let foreign = "192.0.2.1:0".parse().unwrap();
    let error = Endpoint::bind(ring.config(NodeKey::generate(), foreign))
        .await
        .unwrap_err();
    assert!(matches!(error, BindError::NotOurs { .. }), "{error}");
}

#[tokio::test]
async fn closing_writes_what_is_queued_and_ends_every_task() {
    let ring = Ring::new();
    let (a, mut b) = (ring.node().await, ring.node().await);
    // Nothing is connected yet: closing lets the dial and the writes happen.
    for _ in 0..100 {
        a.endpoint.send(b.target(), pattern(50_000));
    }
    let received = async {
        for _ in 0..100 {
            assert_eq!(b.message().await.2.len(), 50_000);
        }
        assert!(matches!(b.event().await, Event::Disconnected { .. }));
    };
    let closed = timeout(GRACE / 2, a.endpoint.close(GRACE));
    let (closed, ()) = tokio::join!(closed, received);
    closed.expect("well within the grace");
    assert_eq!(a.endpoint.tasks(), 0);
    assert_eq!(a.endpoint.counters().open_connections, 0);
    assert_eq!(a.endpoint.counters().messages_dropped, 0);
}

#[tokio::test]
async fn closing_lets_a_request_under_way_end() {
    let ring = Ring::new();
    let (a, mut b) = (ring.node().await, ring.node().await);
    let (endpoint, to) = (a.endpoint.clone(), b.target());
    let asked = tokio::spawn(async move { endpoint.request(to, Bytes::new(), None).await });
    let Event::Request(request) = b.event().await else {
        panic!("no request");
    };
    // Both sides close while the answer is still being made.
    let (asking, answering) = (a.endpoint.clone(), b.endpoint.clone());
    let asking = tokio::spawn(async move { asking.close(GRACE).await });
    let answering = tokio::spawn(async move { answering.close(GRACE).await });
    tokio::task::yield_now().await;
    request.respond(Bytes::from_static(b"late"), None);
    assert_eq!(asked.await.unwrap().unwrap().header, "late");
    timeout(GRACE / 2, asking).await.unwrap().unwrap();
    timeout(GRACE / 2, answering).await.unwrap().unwrap();
    assert_eq!((a.endpoint.tasks(), b.endpoint.tasks()), (0, 0));
}

#[tokio::test]
async fn closing_does_not_wait_for_what_never_ends() {
    let ring = Ring::new();
    let (a, mut b) = (ring.node().await, ring.node().await);
    let (endpoint, to) = (a.endpoint.clone(), b.target());
    let asked = tokio::spawn(async move { endpoint.request(to, Bytes::new(), None).await });
    let Event::Request(stuck) = b.event().await else {
        panic!("no request");
    };
    b.endpoint.close(Duration::from_millis(20)).await;
    assert_eq!(b.endpoint.tasks(), 0);
    asked.await.unwrap().unwrap_err();
    drop(stuck);
}

#[tokio::test]
async fn closing_ends_a_request_that_is_not_answered() {
    let ring = Ring::new();
    let (a, mut b) = (ring.node().await, ring.node().await);
    let (endpoint, to) = (a.endpoint.clone(), b.target());
    let asked = tokio::spawn(async move { endpoint.request(to, Bytes::new(), None).await });
    let Event::Request(_stuck) = b.event().await else {
        panic!("no request");
    };
    a.endpoint.close(Duration::from_millis(20)).await;
    assert_eq!(a.endpoint.tasks(), 0);
    assert_eq!(asked.await.unwrap(), Err(RequestError::Closing));
}

#[tokio::test]
async fn a_closed_endpoint_does_nothing_any_more() {
    let ring = Ring::new();
    let (a, mut b) = (ring.node().await, ring.node().await);
    a.reaches(&mut b).await;
    a.endpoint.close(GRACE).await;
    a.endpoint.close(GRACE).await;
    let answer = a.endpoint.request(b.target(), Bytes::new(), None).await;
    assert_eq!(answer, Err(RequestError::Closing));
    a.endpoint.send(b.target(), Bytes::new());
    assert_eq!(a.endpoint.counters().messages_dropped, 1);
    assert_eq!(a.endpoint.tasks(), 0);
}

#[tokio::test]
async fn the_events_end_after_closing() {
    let ring = Ring::new();
    let (a, mut b) = (ring.node().await, ring.node().await);
    a.reaches(&mut b).await;
    b.endpoint.close(GRACE).await;
    assert!(matches!(b.event().await, Event::Disconnected { .. }));
    let end = timeout(PATIENCE, b.events.next()).await.unwrap();
    assert!(end.is_none());
}

#[tokio::test]
async fn closing_with_an_unreachable_peer_ends_within_the_grace() {
    let ring = Ring::new();
    let mut a = ring.node().await;
    let addr = nobody();
    a.endpoint.send(Target { addr, expect: None }, Bytes::new());
    timeout(GRACE / 2, a.endpoint.close(GRACE)).await.unwrap();
    assert!(matches!(a.event().await, Event::Unreachable { .. }));
    assert_eq!(a.endpoint.tasks(), 0);
}

#[tokio::test]
async fn the_port_is_free_again_after_closing_and_after_dropping() {
    let ring = Ring::new();
    let key = NodeKey::generate();
    let node = ring.node_at(key.clone(), loopback(0)).await;
    let addr = node.endpoint.local_addr();
    node.endpoint.close(GRACE).await;
    drop(node);
    let node = ring.node_at(key.clone(), addr).await;
    drop(node);
    until(|| std::net::TcpListener::bind(addr).is_ok()).await;
}
