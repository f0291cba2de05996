use std::time::Duration;

use chordal_net::{ConnectError, Endpoint, Event, Limits, NodeKey, RequestError, Target};

use super::{Bytes, MIB, Node, Ring, loopback, nobody, pattern, until};

fn target(endpoint: &Endpoint) -> Target {
    Target {
        addr: endpoint.local_addr(),
        expect: Some(endpoint.local_id()),
    }
}

/// Waits for a request and answers nothing yet.
async fn request_at(node: &mut Node) -> chordal_net::BulkRequest {
    loop {
        if let Event::Request(request) = node.event().await {
            return request;
        }
    }
}

#[tokio::test]
async fn bodies_of_all_sizes_go_there_and_back() {
    let ring = Ring::new();
    let (a, b) = (ring.node().await, ring.node().await.echo());
    let limits = Limits::default();
    for size in [0, 1, 16_384, MIB - 1, MIB, limits.body_bytes_max] {
        for header in [0, 1, limits.header_bytes_max] {
            let (header, body) = (pattern(header), pattern(size));
            let sent = a
                .endpoint
                .request(target(&b), header.clone(), Some(body.clone()));
            let answer = sent.await.unwrap();
            assert!(answer.header == header && answer.body == body, "{size}");
        }
    }
    assert_eq!(
        a.endpoint.counters().open_connections,
        1,
        "one connection is reused"
    );
    assert_eq!(a.endpoint.counters().requests_out, 18);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn eight_and_more_requests_at_once_share_four_connections() {
    let ring = Ring::new();
    let (a, b) = (ring.node().await, ring.node().await.echo());
    let tasks = (0..40).map(|number: usize| {
        let (endpoint, to) = (a.endpoint.clone(), target(&b));
        tokio::spawn(async move {
            let body = pattern(MIB + number);
            let answer = endpoint.request(to, Bytes::new(), Some(body.clone())).await;
            assert!(answer.unwrap().body == body, "{number}");
        })
    });
    for task in tasks.collect::<Vec<_>>() {
        task.await.unwrap();
    }
    let open = a.endpoint.counters().open_connections;
    assert!((1..=4).contains(&open), "{open}");
}

#[tokio::test]
async fn a_server_holds_many_requests_open_at_once() {
    let ring = Ring::with(Limits {
        bulk_connections_max: 8,
        ..Limits::default()
    });
    let (a, mut b) = (ring.node().await, ring.node().await);
    let asked: Vec<_> = (0..8_u8)
        .map(|number| {
            let (endpoint, to) = (a.endpoint.clone(), b.target());
            let header = Bytes::copy_from_slice(&[number]);
            tokio::spawn(async move { endpoint.request(to, header, None).await })
        })
        .collect();
    let mut held = Vec::new();
    for _ in 0..8 {
        held.push(request_at(&mut b).await);
    }
    // Answered in another order than asked, each gets its own.
    while let Some(request) = held.pop() {
        assert_eq!(request.from, a.id());
        let header = request.header.clone();
        request.respond(header, None);
    }
    for (number, asked) in (0..8_u8).zip(asked) {
        assert_eq!(asked.await.unwrap().unwrap().header[..], [number]);
    }
}

#[tokio::test]
async fn a_request_that_is_dropped_fails_at_once_and_costs_no_connection() {
    let ring = Ring::new();
    let (a, mut b) = (ring.node().await, ring.node().await);
    for _ in 0..3 {
        let asked = a.endpoint.request(b.target(), Bytes::new(), None);
        let dropped = async { drop(request_at(&mut b).await) };
        let (answer, ()) = tokio::join!(asked, dropped);
        assert_eq!(answer, Err(RequestError::Dropped));
    }
    assert_eq!(a.endpoint.counters().open_connections, 1);
}

#[tokio::test]
async fn an_answer_beyond_the_limits_counts_as_dropped() {
    let ring = Ring::new();
    let (a, mut b) = (ring.node().await, ring.node().await);
    let asked = a.endpoint.request(b.target(), Bytes::new(), None);
    let body = pattern(ring.limits.body_bytes_max + 1);
    let answered = async { request_at(&mut b).await.respond(Bytes::new(), Some(body)) };
    let (answer, ()) = tokio::join!(asked, answered);
    assert_eq!(answer, Err(RequestError::Dropped));
}

#[tokio::test]
async fn a_request_beyond_the_limits_is_not_sent() {
    let ring = Ring::new();
    let (a, b) = (ring.node().await, ring.node().await.echo());
    let long = pattern(ring.limits.header_bytes_max + 1);
    let answer = a.endpoint.request(target(&b), long, None).await;
    assert!(matches!(
        answer,
        Err(RequestError::TooLarge { part: "header", .. })
    ));
    let long = pattern(ring.limits.body_bytes_max + 1);
    let answer = a
        .endpoint
        .request(target(&b), Bytes::new(), Some(long))
        .await;
    assert!(matches!(
        answer,
        Err(RequestError::TooLarge { part: "body", .. })
    ));
    assert_eq!(a.endpoint.counters().open_connections, 0);
}

#[tokio::test]
async fn a_request_given_up_by_its_caller_disturbs_no_other() {
    let ring = Ring::new();
    let (a, mut b) = (ring.node().await, ring.node().await);
    let asked = a
        .endpoint
        .request(b.target(), Bytes::from_static(b"first"), None);
    let abandoned = tokio::select! {
        _ = asked => panic!("nobody answered"),
        request = request_at(&mut b) => request,
    };
    abandoned.respond(Bytes::from_static(b"for nobody"), None);
    let asked = a
        .endpoint
        .request(b.target(), Bytes::from_static(b"second"), None);
    let answered = async {
        let request = request_at(&mut b).await;
        let header = request.header.clone();
        request.respond(header, None);
    };
    let (answer, ()) = tokio::join!(asked, answered);
    assert_eq!(answer.unwrap().header, "second");
}

#[tokio::test]
async fn too_many_waiting_requests_are_refused() {
    let ring = Ring::with(Limits {
        bulk_connections_max: 1,
        bulk_waiting_max: 1,
        ..Limits::default()
    });
    let (a, mut b) = (ring.node().await, ring.node().await);
    let ask = || {
        let (endpoint, to) = (a.endpoint.clone(), b.target());
        tokio::spawn(async move { endpoint.request(to, Bytes::new(), None).await })
    };
    let asked = [ask(), ask(), ask()];
    let first = request_at(&mut b).await;
    first.respond(Bytes::new(), None);
    request_at(&mut b).await.respond(Bytes::new(), None);
    let mut busy = 0;
    for asked in asked {
        busy += usize::from(asked.await.unwrap() == Err(RequestError::Busy));
    }
    assert_eq!(busy, 1);
}

#[tokio::test]
async fn bodies_in_memory_are_bounded_over_all_connections() {
    let ring = Ring::with(Limits {
        inbound_bytes_max: 2 * MIB,
        body_bytes_max: MIB,
        ..Limits::default()
    });
    let (a, mut b) = (ring.node().await, ring.node().await);
    let asked: Vec<_> = (0..4)
        .map(|_| {
            let (endpoint, to) = (a.endpoint.clone(), b.target());
            let body = Some(pattern(MIB));
            tokio::spawn(async move { endpoint.request(to, Bytes::new(), body).await })
        })
        .collect();
    let held = [request_at(&mut b).await, request_at(&mut b).await];
    until(|| b.endpoint.counters().requests_in == 4).await;
    let third = tokio::time::timeout(Duration::from_millis(50), request_at(&mut b)).await;
    assert!(third.is_err(), "no third body is read");
    for request in held {
        request.respond(Bytes::new(), None);
    }
    for _ in 0..2 {
        request_at(&mut b).await.respond(Bytes::new(), None);
    }
    for asked in asked {
        asked.await.unwrap().unwrap();
    }
}

#[tokio::test]
async fn a_request_to_nobody_fails_with_the_reason() {
    let ring = Ring::new();
    let a = ring.node().await;
    let addr = nobody();
    let expect = Some(NodeKey::generate().peer_id());
    let to = Target { addr, expect };
    for _ in 0..2 {
        let answer = a.endpoint.request(to, Bytes::new(), None).await;
        let expected = RequestError::Connect(ConnectError::NobodyThere);
        assert_eq!(answer, Err(expected));
    }
}

#[tokio::test]
async fn a_pooled_connection_to_a_restarted_peer_is_not_used_again() {
    let ring = Ring::new();
    let a = ring.node().await;
    let key = NodeKey::generate();
    let b = ring.node_at(key.clone(), loopback(0)).await.echo();
    let (to, addr) = (target(&b), b.local_addr());
    a.endpoint.request(to, Bytes::new(), None).await.unwrap();
    b.close(Duration::ZERO).await;
    drop(b);
    let _b = ring.node_at(key, addr).await.echo();
    // The end of the old connection was sent before the new endpoint listened; on loopback it has
    // arrived by now, but the runtime must have had its turn to see it.
    tokio::task::yield_now().await;
    a.endpoint.request(to, Bytes::new(), None).await.unwrap();
}

#[tokio::test]
async fn a_peer_that_dies_under_a_request_breaks_it() {
    let ring = Ring::new();
    let (a, mut b) = (ring.node().await, ring.node().await);
    let (endpoint, to) = (a.endpoint.clone(), b.target());
    let asked = tokio::spawn(async move { endpoint.request(to, Bytes::new(), None).await });
    let request = request_at(&mut b).await;
    drop(b);
    let answer = asked.await.unwrap();
    assert!(matches!(
        answer,
        Err(RequestError::Broken(_) | RequestError::Malformed(_))
    ));
    drop(request);
}
