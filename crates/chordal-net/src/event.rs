//! What an endpoint tells its user, in one bounded queue.
//!
//! Messages and requests wait for room, and so push back onto the sockets they came from. Reports
//! (connected, unreachable and the like) must never wait, since `send` makes some of them: they are
//! bounded by count, and the least important are dropped and counted. Order is kept throughout.

use std::collections::VecDeque;
use std::fmt;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use tokio::sync::{Notify, Semaphore, oneshot};

use crate::counters::{Meters, count};
use crate::endpoint::Target;
use crate::error::ConnectError;
use crate::identity::PeerId;
use crate::limits::{EVENT_OVERHEAD, Limits};

/// Something happened on the network.
#[derive(Debug)]
pub enum Event {
    /// A control message arrived.
    Message {
        /// Who sent it.
        from: PeerId,
        /// Where the sender listens: its advertised address, with the address of the socket when
        /// it advertised an unspecified one.
        addr: SocketAddr,
        /// The message.
        bytes: Bytes,
    },
    /// A bulk request arrived and waits for [`BulkRequest::respond`].
    Request(BulkRequest),
    /// The first control connection with a peer is open.
    Connected {
        /// Who.
        peer: PeerId,
        /// Where it listens.
        addr: SocketAddr,
    },
    /// The last control connection with a peer is gone. When its process dies, this comes at once.
    Disconnected {
        /// Who.
        peer: PeerId,
        /// Where it listened.
        addr: SocketAddr,
    },
    /// No connection could be made; the messages that waited for it are dropped. Sent once per
    /// attempt, and once per message during the pause after a failed attempt.
    Unreachable {
        /// Whom we tried.
        target: Target,
        /// Why it failed.
        error: ConnectError,
    },
    /// A message was dropped because too many wait for this target, it is too long, or the
    /// endpoint is closing.
    Undelivered {
        /// For whom it was.
        target: Target,
    },
}

/// A bulk request from a peer. Dropped without an answer, it fails at the peer at once.
pub struct BulkRequest {
    /// Who asks.
    pub from: PeerId,
    /// The request's header.
    pub header: Bytes,
    /// The request's body; empty when it has none.
    pub body: Bytes,
    pub(crate) answer: oneshot::Sender<(Bytes, Bytes)>,
}

impl BulkRequest {
    /// Answers. An answer beyond the limits, or to a peer that is gone, is dropped.
    pub fn respond(self, header: Bytes, body: Option<Bytes>) {
        // Failure means that the connection is gone, and with it whoever wanted the answer.
        drop(self.answer.send((header, body.unwrap_or_default())));
    }
}

impl fmt::Debug for BulkRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BulkRequest")
            .field("from", &self.from)
            .field("header_bytes", &self.header.len())
            .field("body_bytes", &self.body.len())
            .finish_non_exhaustive()
    }
}

/// The receiving end of an endpoint's events. When it is dropped, a connection ends with the next
/// message that arrives on it, and requests fail at their peers.
#[derive(Debug)]
pub struct Events {
    queue: Arc<EventQueue>,
}

impl Events {
    pub(crate) fn new(queue: Arc<EventQueue>) -> Self {
        Self { queue }
    }

    /// The next event; `None` once the endpoint is closed or dropped and all events are read.
    pub async fn next(&mut self) -> Option<Event> {
        loop {
            match self.queue.pop() {
                Popped::Event(event) => return Some(event),
                Popped::Closed => return None,
                Popped::Empty => self.queue.wake.notified().await,
            }
        }
    }
}

impl Drop for Events {
    fn drop(&mut self) {
        let mut state = self.queue.lock();
        state.unread = true;
        let waiting = std::mem::take(&mut state.waiting);
        drop(state);
        self.queue.room.close();
        // Outside the lock: dropped requests wake their connections.
        drop(waiting);
    }
}

/// The queue between the connections and [`Events`].
#[derive(Debug)]
pub(crate) struct EventQueue {
    state: Mutex<State>,
    wake: Notify,
    room: Semaphore,
    reports_max: usize,
    meters: Arc<Meters>,
}

#[derive(Debug, Default)]
struct State {
    waiting: VecDeque<Waiting>,
    reports: usize,
    closed: bool,
    unread: bool,
}

#[derive(Debug)]
struct Waiting {
    event: Event,
    /// Bytes of room to give back; zero for a report.
    room: usize,
}

enum Popped {
    Event(Event),
    Empty,
    Closed,
}

/// Nobody reads the events any more.
#[derive(Debug)]
pub(crate) struct Unread;

impl EventQueue {
    pub(crate) fn new(limits: &Limits, meters: Arc<Meters>) -> Self {
        Self {
            state: Mutex::default(),
            wake: Notify::new(),
            room: Semaphore::new(limits.event_bytes_max),
            reports_max: limits.reports_max,
            meters,
        }
    }

    /// Adds a message or request of `bytes`, when there is room for it.
    pub(crate) async fn push(&self, event: Event, bytes: usize) -> Result<(), Unread> {
        let room = bytes + EVENT_OVERHEAD;
        let wanted = u32::try_from(room).map_err(|_| Unread)?;
        match self.room.try_acquire_many(wanted) {
            Ok(permit) => permit.forget(),
            Err(_) => match self.room.acquire_many(wanted).await {
                Ok(permit) => permit.forget(),
                Err(_) => return Err(Unread),
            },
        }
        let mut state = self.lock();
        if state.unread {
            return Err(Unread);
        }
        state.waiting.push_back(Waiting { event, room });
        drop(state);
        self.wake.notify_one();
        Ok(())
    }

    /// Adds a report, without waiting. Comings and goings of peers are kept when others are not.
    pub(crate) fn report(&self, event: Event) {
        let essential = matches!(event, Event::Connected { .. } | Event::Disconnected { .. });
        let reports_max = if essential {
            self.reports_max.saturating_mul(4)
        } else {
            self.reports_max
        };
        let mut state = self.lock();
        if state.reports >= reports_max {
            count(&self.meters.reports_dropped);
            return;
        }
        if !state.unread {
            state.reports += 1;
            state.waiting.push_back(Waiting { event, room: 0 });
        }
        drop(state);
        self.wake.notify_one();
    }

    /// No further events come.
    pub(crate) fn close(&self) {
        self.lock().closed = true;
        self.wake.notify_one();
    }

    fn pop(&self) -> Popped {
        let mut state = self.lock();
        let Some(Waiting { event, room }) = state.waiting.pop_front() else {
            return if state.closed {
                Popped::Closed
            } else {
                Popped::Empty
            };
        };
        if room == 0 {
            state.reports -= 1;
        }
        drop(state);
        if room > 0 {
            self.room.add_permits(room);
        }
        Popped::Event(event)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
