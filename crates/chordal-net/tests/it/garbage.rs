use std::time::Duration;

use chordal_net::{ConnectError, Event, Limits, Target};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

use super::{Bytes, Node, PATIENCE, Ring, pattern, until};

/// Sends bytes to the node's port and waits for it to hang up.
async fn throw(at: &Node, bytes: &[u8]) {
    let mut socket = TcpStream::connect(at.endpoint.local_addr()).await.unwrap();
    // The node may hang up while we still write or with bytes of ours unread: that is its right.
    drop(socket.write_all(bytes).await);
    drop(socket.shutdown().await);
    let mut answer = Vec::new();
    let ended = timeout(PATIENCE, socket.read_to_end(&mut answer)).await;
    drop(ended.expect("the node hangs up"));
}

#[tokio::test]
async fn garbage_is_hung_up_on_counted_and_harms_nobody() {
    let ring = Ring::new();
    let (a, mut b) = (ring.node().await, ring.node().await);
    let noise: Vec<u8> = pattern(100_000)
        .iter()
        .map(|byte| byte.wrapping_mul(83))
        .collect();
    let client_hello_cut_short = [0x16, 0x03, 0x01, 0x02, 0x00, 0x01, 0x00];
    let oversized_record = [0x16, 0x03, 0x01, 0xff, 0xff, 0x01, 0xff, 0xff, 0xff];
    let thrown: [&[u8]; 7] = [
        b"",
        b"\0",
        b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"\x00\x00\x00\x05hello",
        &client_hello_cut_short,
        &oversized_record,
        &noise,
    ];
    for (before, bytes) in (0_u64..).zip(thrown) {
        throw(&b, bytes).await;
        until(|| b.endpoint.counters().failed_handshakes == before + 1).await;
    }
    a.reaches(&mut b).await;
    until(|| b.endpoint.counters().open_connections == 1).await;
}

#[tokio::test]
async fn a_silent_stranger_is_hung_up_on() {
    let ring = Ring::with(Limits {
        handshake_timeout: Duration::from_millis(50),
        ..Limits::default()
    });
    let node = ring.node().await;
    let mut socket = TcpStream::connect(node.endpoint.local_addr())
        .await
        .unwrap();
    let ended = timeout(PATIENCE, socket.read(&mut [0])).await.unwrap();
    assert!(!matches!(ended, Ok(read) if read > 0));
    until(|| node.endpoint.counters().failed_handshakes == 1).await;
}

#[tokio::test]
async fn strangers_cannot_take_all_places_for_long() {
    let mut ring = Ring::new();
    let a = ring.node().await;
    ring.limits = Limits {
        handshakes_max: 2,
        handshake_timeout: Duration::from_secs(1),
        ..Limits::default()
    };
    let mut b = ring.node().await;
    let mut strangers = Vec::new();
    for _ in 0..4 {
        strangers.push(TcpStream::connect(b.endpoint.local_addr()).await.unwrap());
    }
    a.reaches(&mut b).await;
    assert_eq!(b.endpoint.counters().failed_handshakes, 4);
}

#[tokio::test]
async fn more_connections_than_allowed_are_turned_away() {
    let ring = Ring::with(Limits {
        inbound_connections_max: 1,
        ..Limits::default()
    });
    let (a, mut b) = (ring.node().await, ring.node().await);
    a.reaches(&mut b).await;
    let mut c = ring.node().await;
    c.send(&b, "me too");
    assert!(matches!(c.event().await, Event::Unreachable { .. }));
    assert_eq!(b.endpoint.counters().turned_away, 1);
    a.reaches(&mut b).await;
}

#[tokio::test]
async fn a_server_of_another_protocol_is_told_from_a_silent_one() {
    let ring = Ring::with(Limits {
        handshake_timeout: Duration::from_millis(200),
        ..Limits::default()
    });
    let mut a = ring.node().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    a.endpoint.send(Target { addr, expect: None }, Bytes::new());
    let (mut socket, _) = listener.accept().await.unwrap();
    socket
        .write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        .await
        .unwrap();
    let Event::Unreachable { error, .. } = a.event().await else {
        panic!("not reported");
    };
    assert!(matches!(error, ConnectError::NotChordal(_)), "{error}");

    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = silent.local_addr().unwrap();
    a.endpoint.send(Target { addr, expect: None }, Bytes::new());
    let Event::Unreachable { error, .. } = a.event().await else {
        panic!("not reported");
    };
    assert_eq!(error, ConnectError::TimedOut);
}
