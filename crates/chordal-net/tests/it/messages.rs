use chordal_net::{ConnectError, Event, Limits, NodeKey, PeerInfo, Target};

use super::{Bytes, Ring, loopback, nobody, pattern, until};

#[tokio::test]
async fn two_endpoints_exchange_messages_both_ways() {
    let ring = Ring::new();
    let (mut a, mut b) = (ring.node().await, ring.node().await);
    a.send(&b, "from a");
    let (from, addr, bytes) = b.message().await;
    assert_eq!((from, addr), (a.id(), a.endpoint.local_addr()));
    assert_eq!(bytes, "from a");
    b.send(&a, "from b");
    let (from, addr, bytes) = a.message().await;
    assert_eq!((from, addr), (b.id(), b.endpoint.local_addr()));
    assert_eq!(bytes, "from b");
    assert_eq!(
        a.endpoint.counters().open_connections,
        1,
        "one connection serves both"
    );
    assert_eq!(b.endpoint.counters().messages_in, 1);
    let addr = b.endpoint.local_addr();
    assert_eq!(
        a.endpoint.peers(),
        [PeerInfo {
            id: b.id(),
            addr,
            since: 0
        }]
    );
}

#[tokio::test]
async fn messages_of_all_sizes_arrive_whole_and_in_order() {
    let ring = Ring::new();
    let (a, mut b) = (ring.node().await, ring.node().await);
    let longest = Limits::default().message_bytes_max;
    let sizes = [
        0, 1, 3, 4, 4092, 4096, 16_383, 16_384, 16_385, 32_764, 32_769, 65_536, longest, 2, 0,
    ];
    for size in sizes {
        a.endpoint.send(b.target(), pattern(size));
    }
    for size in sizes {
        let (_, _, bytes) = b.message().await;
        assert!(bytes == pattern(size), "{size}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_messages_arrive_in_order() {
    let ring = Ring::new();
    let (a, mut b) = (ring.node().await, ring.node().await);
    for number in 0..5000_u32 {
        let length = usize::try_from(number % 97).unwrap();
        let message = [number.to_be_bytes().as_slice(), &vec![1; length]].concat();
        a.endpoint.send(b.target(), message.into());
    }
    for number in 0..5000_u32 {
        let (_, _, bytes) = b.message().await;
        assert_eq!(bytes[..4], number.to_be_bytes());
        assert_eq!(bytes.len(), 4 + usize::try_from(number % 97).unwrap());
    }
}

#[tokio::test]
async fn a_peer_known_by_address_alone_is_learnt() {
    let ring = Ring::new();
    let (mut a, mut b) = (ring.node().await, ring.node().await);
    let addr = b.endpoint.local_addr();
    let expect = None;
    a.endpoint
        .send(Target { addr, expect }, Bytes::from_static(b"who?"));
    assert!(matches!(a.event().await, Event::Connected { peer, .. } if peer == b.id()));
    assert_eq!(b.text().await, "who?");
    a.endpoint
        .send(Target { addr, expect }, Bytes::from_static(b"again"));
    a.send(&b, "by name");
    assert_eq!(b.text().await, "again");
    assert_eq!(b.text().await, "by name");
    assert_eq!(a.endpoint.counters().open_connections, 1);
}

#[tokio::test]
async fn an_unspecified_address_is_completed_from_the_socket() {
    let ring = Ring::new();
    let everywhere = "0.0.0.0:0".parse().unwrap();
    let mut a = ring.node_at(NodeKey::generate(), everywhere).await;
    let mut b = ring.node().await;
    let port = a.endpoint.local_addr().port();
    a.send(&b, "hello");
    let (from, addr, _) = b.message().await;
    assert_eq!(addr, loopback(port));
    let expect = Some(from);
    b.endpoint
        .send(Target { addr, expect }, Bytes::from_static(b"hi"));
    assert_eq!(a.text().await, "hi");
}

#[tokio::test]
async fn two_nodes_that_dial_at_once_lose_no_message() {
    let ring = Ring::new();
    for _ in 0..20 {
        let (mut a, mut b) = (ring.node().await, ring.node().await);
        a.send(&b, "a1");
        b.send(&a, "b1");
        assert_eq!(b.text().await, "a1");
        assert_eq!(a.text().await, "b1");
        a.send(&b, "a2");
        b.send(&a, "b2");
        assert_eq!(b.text().await, "a2");
        assert_eq!(a.text().await, "b2");
        assert_eq!(a.endpoint.peers().len(), 1);
    }
}

#[tokio::test]
async fn a_dropped_peer_is_reported_at_once() {
    let ring = Ring::new();
    let (mut a, mut b) = (ring.node().await, ring.node().await);
    a.reaches(&mut b).await;
    let id = b.id();
    assert!(matches!(a.event().await, Event::Connected { peer, .. } if peer == id));
    drop(b);
    assert!(matches!(a.event().await, Event::Disconnected { peer, .. } if peer == id));
    assert_eq!(a.endpoint.peers(), []);
    until(|| a.endpoint.counters().open_connections == 0).await;
}

#[tokio::test]
async fn a_restarted_peer_is_reconnected() {
    let ring = Ring::new();
    let mut a = ring.node().await;
    let key = NodeKey::generate();
    let mut b = ring.node_at(key.clone(), loopback(0)).await;
    a.reaches(&mut b).await;
    let addr = b.endpoint.local_addr();
    b.endpoint.close(std::time::Duration::ZERO).await;
    drop(b);
    let mut b = ring.node_at(key, addr).await;
    assert!(matches!(a.event().await, Event::Connected { .. }));
    assert!(matches!(a.event().await, Event::Disconnected { .. }));
    a.reaches(&mut b).await;
    assert!(matches!(a.event().await, Event::Connected { .. }));
}

#[tokio::test]
async fn a_message_to_nobody_is_reported_and_so_is_the_next_one() {
    let ring = Ring::new();
    let mut a = ring.node().await;
    let target = Target {
        addr: nobody(),
        expect: Some(NodeKey::generate().peer_id()),
    };
    for _ in 0..2 {
        a.endpoint.send(target, Bytes::from_static(b"hello?"));
        let Event::Unreachable { target: to, error } = a.event().await else {
            panic!("not reported");
        };
        assert_eq!((to, error), (target, ConnectError::NobodyThere));
    }
    assert_eq!(a.endpoint.counters().messages_dropped, 0);
}

#[tokio::test]
async fn what_overflows_a_queue_is_reported_and_the_rest_arrives() {
    let ring = Ring::with(Limits {
        queue_messages_max: 4,
        ..Limits::default()
    });
    let (mut a, mut b) = (ring.node().await, ring.node().await);
    // No await between them: the connection cannot be made before all are queued.
    for number in 0..6 {
        a.send(&b, &number.to_string());
    }
    for _ in 0..2 {
        let Event::Undelivered { target } = a.event().await else {
            panic!("not reported");
        };
        assert_eq!(target, b.target());
    }
    for number in 0..4 {
        assert_eq!(b.text().await, number.to_string(), "the newest are dropped");
    }
    assert_eq!(a.endpoint.counters().messages_dropped, 2);
}

#[tokio::test]
async fn a_queue_is_bounded_in_bytes_too() {
    let ring = Ring::with(Limits {
        queue_bytes_max: 100,
        ..Limits::default()
    });
    let (mut a, mut b) = (ring.node().await, ring.node().await);
    a.endpoint.send(b.target(), pattern(60));
    a.endpoint.send(b.target(), pattern(41));
    a.endpoint.send(b.target(), pattern(40));
    assert!(matches!(a.event().await, Event::Undelivered { .. }));
    assert_eq!(b.message().await.2.len(), 60);
    assert_eq!(b.message().await.2.len(), 40);
}

#[tokio::test]
async fn a_message_beyond_the_limit_is_not_sent() {
    let ring = Ring::new();
    let (mut a, mut b) = (ring.node().await, ring.node().await);
    let longest = ring.limits.message_bytes_max;
    a.endpoint.send(b.target(), pattern(longest + 1));
    assert!(matches!(a.event().await, Event::Undelivered { .. }));
    a.reaches(&mut b).await;
}

#[tokio::test]
async fn a_reader_that_lags_slows_its_senders_without_loss() {
    let ring = Ring::with(Limits {
        event_bytes_max: 1,
        message_bytes_max: 1 << 16,
        queue_bytes_max: 64 << 20,
        ..Limits::default()
    });
    let (a, mut b) = (ring.node().await, ring.node().await);
    let mut arrived = 0;
    for _ in 0..300 {
        a.endpoint.send(b.target(), pattern(1 << 16));
    }
    for _ in 0..300 {
        // One waits in the queue and one for room in it; the rest is not read from the socket.
        let read_ahead = b.endpoint.counters().messages_in;
        assert!(read_ahead <= arrived + 2, "{read_ahead} after {arrived}");
        arrived += 1;
        assert_eq!(b.message().await.2.len(), 1 << 16);
    }
}
