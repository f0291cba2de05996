use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Waker};

use bytes::Bytes;

use super::{Event, EventQueue, Events};
use crate::counters::Meters;
use crate::endpoint::Target;
use crate::identity::PeerId;
use crate::limits::{EVENT_OVERHEAD, Limits};

const PEER: PeerId = PeerId([1; 32]);

fn addr() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 1))
}

fn queue(messages: usize, reports_max: usize) -> (Arc<EventQueue>, Events) {
    let limits = Limits {
        event_bytes_max: messages * (10 + EVENT_OVERHEAD),
        reports_max,
        ..Limits::default()
    };
    let queue = Arc::new(EventQueue::new(&limits, Arc::new(Meters::new())));
    (Arc::clone(&queue), Events::new(queue))
}

fn message(number: u8) -> Event {
    Event::Message {
        from: PEER,
        addr: addr(),
        bytes: Bytes::copy_from_slice(&[number; 10]),
    }
}

fn undelivered() -> Event {
    let target = Target {
        addr: addr(),
        expect: None,
    };
    Event::Undelivered { target }
}

fn disconnected() -> Event {
    Event::Disconnected {
        peer: PEER,
        addr: addr(),
    }
}

#[tokio::test]
async fn messages_wait_for_room_and_keep_their_order() {
    let (queue, mut events) = queue(2, 10);
    queue.push(message(0), 10).await.unwrap();
    queue.push(message(1), 10).await.unwrap();
    let mut third = pin!(queue.push(message(2), 10));
    let mut cx = Context::from_waker(Waker::noop());
    assert!(third.as_mut().poll(&mut cx).is_pending());
    queue.report(disconnected());
    assert!(matches!(events.next().await, Some(Event::Message { bytes, .. }) if bytes[0] == 0));
    third.await.unwrap();
    assert!(matches!(events.next().await, Some(Event::Message { bytes, .. }) if bytes[0] == 1));
    assert!(matches!(
        events.next().await,
        Some(Event::Disconnected { .. })
    ));
    assert!(matches!(events.next().await, Some(Event::Message { bytes, .. }) if bytes[0] == 2));
}

#[tokio::test]
async fn reports_are_bounded_and_comings_and_goings_outlast_the_others() {
    let (queue, mut events) = queue(1, 2);
    for _ in 0..5 {
        queue.report(undelivered());
    }
    for _ in 0..10 {
        queue.report(disconnected());
    }
    queue.close();
    let (mut lesser, mut essential) = (0, 0);
    while let Some(event) = events.next().await {
        if matches!(event, Event::Undelivered { .. }) {
            lesser += 1;
        } else {
            essential += 1;
        }
    }
    assert_eq!((lesser, essential), (2, 6));
    assert_eq!(queue.meters.snapshot().reports_dropped, 7);
}

#[tokio::test]
async fn nothing_is_kept_for_a_reader_that_is_gone() {
    let (queue, events) = queue(1, 10);
    queue.push(message(0), 10).await.unwrap();
    let mut waiting = pin!(queue.push(message(1), 10));
    let mut cx = Context::from_waker(Waker::noop());
    assert!(waiting.as_mut().poll(&mut cx).is_pending());
    drop(events);
    assert!(waiting.await.is_err());
    assert!(queue.push(message(2), 10).await.is_err());
    queue.report(disconnected());
    assert_eq!(queue.lock().waiting.len(), 0);
}
