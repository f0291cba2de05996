//! Bulk requests, the asking side: a small pool of connections per peer, one request at a time on
//! each.
//!
//! All I/O happens in the caller's own future: dropping it drops the connection, and nothing runs
//! on. A request is never repeated here, since it may have been carried out.

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::Bytes;
use tokio::io::{AsyncRead as _, ReadBuf};
use tokio::sync::Semaphore;
use tokio::time::Instant;

use crate::admission::Admission;
use crate::counters::count;
use crate::endpoint::{Shared, Target};
use crate::error::{ConnectError, RequestError};
use crate::frame::{BulkKind, FrameError, LEAD_BYTES, Lead, read_exactly, write_parts};
use crate::handshake::dial;
use crate::hello::Purpose;
use crate::limits::Limits;
use crate::table::LaneKey;
use crate::tls::Secured;

/// The answer to a bulk request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    /// Its header.
    pub header: Bytes,
    /// Its body; empty when it has none.
    pub body: Bytes,
}

/// Asks `target`, over a pooled or a new connection.
pub(crate) async fn request(
    shared: &Arc<Shared>,
    target: Target,
    header: Bytes,
    body: Bytes,
) -> Result<Response, RequestError> {
    let limits = &shared.limits;
    check_length("header", header.len(), limits.header_bytes_max)?;
    check_length("body", body.len(), limits.body_bytes_max)?;
    // Counts as a task of the endpoint: `close` waits for it. Taken before looking at `closing`.
    let _running = shared.tracker.token();
    if shared.closing.is_cancelled() {
        return Err(RequestError::Closing);
    }
    tokio::select! {
        biased;
        () = shared.kill.cancelled() => Err(RequestError::Closing),
        outcome = ask(shared, target, &header, &body) => outcome,
    }
}

async fn ask(
    shared: &Arc<Shared>,
    target: Target,
    header: &[u8],
    body: &[u8],
) -> Result<Response, RequestError> {
    let pool = shared.pools.pool(target.into(), &shared.limits);
    let limits = &shared.limits;
    let places = limits
        .bulk_waiting_max
        .saturating_add(limits.bulk_connections_max);
    let _place = Place::take(&pool, places)?;
    let permit = pool.connections.acquire().await;
    let _permit = permit.map_err(|_| RequestError::Closing)?;
    let mut stream = match pool.take() {
        Some(stream) => stream,
        None => connect(shared, target).await?,
    };
    count(&shared.meters.requests_out);
    let response = exchange(shared, &mut stream, header, body).await;
    match &response {
        Ok(_) | Err(RequestError::Dropped) if !shared.closing.is_cancelled() => pool.put(stream),
        Err(RequestError::Malformed(why)) => {
            count(&shared.meters.malformed_frames);
            shared.complain(target.addr, target.expect, "bulk connection closed", why);
        }
        _ => {}
    }
    response
}

async fn connect(shared: &Arc<Shared>, target: Target) -> Result<Secured, ConnectError> {
    let paused = shared.table().paused(&target);
    if let Some(error) = paused {
        return Err(error);
    }
    match dial(shared, target, Purpose::Bulk).await {
        Ok(admitted) => {
            shared.table().unpause(admitted.peer, target.addr);
            Ok(admitted.stream)
        }
        Err(error) => {
            let mut table = shared.table();
            table.pause(target, error.clone(), &shared.limits);
            Err(error)
        }
    }
}

async fn exchange(
    shared: &Shared,
    stream: &mut Secured,
    header: &[u8],
    body: &[u8],
) -> Result<Response, RequestError> {
    let limits = &shared.limits;
    let stall = limits.stall;
    let lead = Lead {
        kind: BulkKind::Request,
        header: header.len(),
        body: body.len(),
    };
    write_parts(stream, [&lead.encode(), header, body], stall).await?;
    let mut bytes = [0; LEAD_BYTES];
    let read = read_exactly(stream, LEAD_BYTES, stall).await?;
    bytes.copy_from_slice(&read);
    let lead = Lead::decode(bytes, limits.header_bytes_max, limits.body_bytes_max)?;
    match lead.kind {
        BulkKind::Answer => {}
        BulkKind::Dropped => return Err(RequestError::Dropped),
        BulkKind::Request => return Err(RequestError::Malformed("a request instead of an answer")),
    }
    Ok(Response {
        header: read_exactly(stream, lead.header, stall).await?,
        body: read_exactly(stream, lead.body, stall).await?,
    })
}

impl From<FrameError> for RequestError {
    fn from(error: FrameError) -> Self {
        match error {
            FrameError::Io(error) => Self::Broken(error.kind()),
            FrameError::Stalled => Self::Stalled,
            FrameError::Malformed(why) => Self::Malformed(why),
        }
    }
}

fn check_length(part: &'static str, bytes: usize, bytes_max: usize) -> Result<(), RequestError> {
    if bytes > bytes_max {
        Err(RequestError::TooLarge {
            part,
            bytes,
            bytes_max,
        })
    } else {
        Ok(())
    }
}

/// All pools of an endpoint.
#[derive(Debug, Default)]
pub(crate) struct Pools {
    pools: Mutex<HashMap<LaneKey, Arc<Pool>>>,
}

impl Pools {
    fn pool(&self, key: LaneKey, limits: &Limits) -> Arc<Pool> {
        let mut pools = self.pools.lock().unwrap_or_else(PoisonError::into_inner);
        let pool = pools.entry(key).or_insert_with(|| {
            Arc::new(Pool {
                connections: Semaphore::new(limits.bulk_connections_max),
                requests: AtomicUsize::new(0),
                idle: Mutex::default(),
            })
        });
        Arc::clone(pool)
    }

    /// Closes connections that were idle for too long, and forgets pools without any.
    pub(crate) fn sweep(&self, idle: Duration) {
        let mut closed = Vec::new();
        let mut pools = self.pools.lock().unwrap_or_else(PoisonError::into_inner);
        pools.retain(|_, pool| {
            closed.extend(pool.expire(idle));
            Arc::strong_count(pool) > 1 || !pool.is_empty()
        });
        drop(pools);
        // Sockets are closed outside the lock.
        drop(closed);
    }

    /// Closes the idle connections of peers that are refused.
    pub(crate) fn forget_refused(&self, admission: &Admission) {
        let mut forgotten = Vec::new();
        let mut pools = self.pools.lock().unwrap_or_else(PoisonError::into_inner);
        pools.retain(|key, pool| {
            let refused = matches!(key, LaneKey::Peer(peer) if admission.is_refused(peer));
            if refused {
                forgotten.push(Arc::clone(pool));
            }
            !refused
        });
        drop(pools);
        drop(forgotten);
    }

    /// Closes all idle connections.
    pub(crate) fn clear(&self) {
        self.sweep(Duration::ZERO);
    }
}

#[derive(Debug)]
struct Pool {
    /// Fair: who waits longest is served first.
    connections: Semaphore,
    requests: AtomicUsize,
    idle: Mutex<Vec<Idle>>,
}

#[derive(Debug)]
struct Idle {
    stream: Secured,
    since: Instant,
}

impl Pool {
    /// An idle connection on which nothing happened since its last answer.
    fn take(&self) -> Option<Secured> {
        loop {
            let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
            let mut stream = idle.pop()?.stream;
            drop(idle);
            if is_quiet(&mut stream) {
                return Some(stream);
            }
        }
    }

    fn put(&self, stream: Secured) {
        let since = Instant::now();
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.push(Idle { stream, since });
    }

    fn expire(&self, after: Duration) -> Vec<Idle> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let all = std::mem::take(&mut *idle);
        let (old, fresh) = all
            .into_iter()
            .partition(|idle| idle.since.elapsed() >= after);
        *idle = fresh;
        old
    }

    fn is_empty(&self) -> bool {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.is_empty()
    }
}

/// The peer has neither ended nor broken the connection, as far as has arrived here. Without this
/// look, the first requests after a peer's restart would all fail.
fn is_quiet(stream: &mut Secured) -> bool {
    let mut byte = [0];
    let mut cx = Context::from_waker(Waker::noop());
    let polled = Pin::new(stream).poll_read(&mut cx, &mut ReadBuf::new(&mut byte));
    matches!(polled, Poll::Pending)
}

/// One place among the requests to a peer, served or waiting, given back when dropped.
struct Place<'a>(&'a Pool);

impl<'a> Place<'a> {
    fn take(pool: &'a Pool, places: usize) -> Result<Self, RequestError> {
        let place = Self(pool);
        if pool.requests.fetch_add(1, Relaxed) >= places {
            Err(RequestError::Busy)
        } else {
            Ok(place)
        }
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.requests.fetch_sub(1, Relaxed);
    }
}
