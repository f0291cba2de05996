use std::time::Duration;

use chordal_net::{ConnectError, Event, Limits, MemoryNetwork, RequestError, Target};
use tokio::time::{Instant, advance, sleep};

use super::{Bytes, Node, Ring, loopback};

/// Two members on a network in memory. On a paused clock, time passes only when all tasks wait.
fn pair() -> (Node, Node) {
    let (ring, network) = (Ring::new(), MemoryNetwork::new());
    (ring.memory_node(&network), ring.memory_node(&network))
}

#[tokio::test(start_paused = true)]
async fn the_memory_network_carries_messages_and_requests() {
    let (a, mut b) = pair();
    a.reaches(&mut b).await;
    let to = b.target();
    let b = b.echo();
    let body = super::pattern(super::MIB);
    let answer = a
        .endpoint
        .request(to, Bytes::new(), Some(body.clone()))
        .await;
    assert!(answer.unwrap().body == body);
    a.endpoint.close(Duration::from_secs(5)).await;
    b.close(Duration::from_secs(5)).await;
    assert_eq!((a.endpoint.tasks(), b.tasks()), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn messages_longer_than_the_pipe_arrive_to_their_last_byte() {
    let (a, mut b) = pair();
    for length in (60_000..70_000).step_by(1000).chain([super::MIB]) {
        a.endpoint.send(b.target(), super::pattern(length));
        let (_, _, bytes) = b.message().await;
        assert!(bytes == super::pattern(length), "{length}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_control_connection_ends_after_five_quiet_minutes_and_comes_back() {
    let (mut a, mut b) = pair();
    a.reaches(&mut b).await;
    let start = Instant::now();
    assert!(matches!(a.event().await, Event::Connected { .. }));
    loop {
        if let Event::Disconnected { .. } = a.events.next().await.unwrap() {
            break;
        }
    }
    let idle = Limits::default().control_idle;
    assert!(
        start.elapsed() >= idle && start.elapsed() < idle * 2,
        "{:?}",
        start.elapsed()
    );
    a.reaches(&mut b).await;
}

#[tokio::test(start_paused = true)]
async fn traffic_in_one_direction_keeps_a_connection_open() {
    let (mut a, mut b) = pair();
    for _ in 0..10 {
        a.reaches(&mut b).await;
        sleep(Limits::default().control_idle / 2).await;
    }
    assert!(matches!(a.event().await, Event::Connected { .. }));
    assert_eq!(a.endpoint.peers().len(), 1);
    assert_eq!(a.endpoint.counters().open_connections, 1);
}

#[tokio::test(start_paused = true)]
async fn the_spare_of_two_connections_is_closed_without_a_word() {
    let (mut a, mut b) = pair();
    a.send(&b, "a");
    b.send(&a, "b");
    assert_eq!(b.text().await, "a");
    assert_eq!(a.text().await, "b");
    assert_eq!(a.endpoint.counters().open_connections, 2, "both dialled");
    for _ in 0..10 {
        sleep(Limits::default().spare_idle / 2).await;
        a.reaches(&mut b).await;
        b.reaches(&mut a).await;
    }
    assert_eq!(a.endpoint.counters().open_connections, 1);
    assert_eq!(a.endpoint.peers().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn an_idle_bulk_connection_is_closed() {
    let (a, b) = pair();
    let to = b.target();
    let b = b.echo();
    a.endpoint.request(to, Bytes::new(), None).await.unwrap();
    assert_eq!(b.counters().open_connections, 1);
    sleep(Limits::default().bulk_idle / 2).await;
    assert_eq!(b.counters().open_connections, 1);
    sleep(Limits::default().bulk_idle).await;
    assert_eq!(b.counters().open_connections, 0);
    assert_eq!(b.counters().malformed_frames, 0);
    a.endpoint.request(to, Bytes::new(), None).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_request_that_nobody_answers_stalls() {
    let (a, mut b) = pair();
    let start = Instant::now();
    let answer = a.endpoint.request(b.target(), Bytes::new(), None).await;
    assert_eq!(answer, Err(RequestError::Stalled));
    let stall = Limits::default().stall;
    assert!(start.elapsed() >= stall && start.elapsed() < stall * 2);
    assert!(matches!(b.event().await, Event::Request(_)));
}

#[tokio::test(start_paused = true)]
async fn failed_dials_pause_longer_and_longer() {
    let (mut a, _) = pair();
    let addr = loopback(9);
    let target = Target { addr, expect: None };
    let limits = Limits::default();
    let mut expected = limits.backoff_first;
    a.endpoint.send(target, Bytes::new());
    assert!(matches!(a.event().await, Event::Unreachable { .. }));
    let quiet = a.endpoint.tasks();
    for _ in 0..8 {
        let start = Instant::now();
        loop {
            a.endpoint.send(target, Bytes::new());
            if a.endpoint.tasks() > quiet {
                break;
            }
            // Within the pause: answered without a dial, from what is known.
            let Event::Unreachable { error, .. } = a.event().await else {
                panic!("not reported");
            };
            assert_eq!(error, ConnectError::NobodyThere);
            advance(Duration::from_millis(10)).await;
        }
        let pause = start.elapsed();
        assert!(
            pause >= expected && pause < expected + expected / 2,
            "{pause:?}"
        );
        expected = (expected * 2).min(limits.backoff_max);
        assert!(matches!(a.event().await, Event::Unreachable { .. }));
    }
}
