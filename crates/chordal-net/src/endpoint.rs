//! The endpoint: one listening port, and all connections of one node.
//!
//! Every task it starts is tracked: [`Endpoint::close`] returns when the last one has ended, and
//! dropping the last [`Endpoint`] ends them all at once.

mod accept;

use std::fmt;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::admission::Admission;
use crate::bulk::{self, Pools, Response};
use crate::control;
use crate::counters::{Counters, Meters};
use crate::error::{BindError, RequestError};
use crate::event::{EventQueue, Events};
use crate::identity::{NodeKey, PeerId, random};
use crate::janitor;
use crate::limits::Limits;
use crate::stream::{Dialler, Listener};
use crate::table::Table;
use crate::tls::Tls;

/// What an endpoint needs to start.
#[derive(Debug)]
pub struct Config {
    /// Where to listen; port 0 takes a free one. Also what is advertised to peers.
    pub listen: SocketAddr,
    /// Who we are.
    pub key: NodeKey,
    /// Whom we admit.
    pub admission: Arc<Admission>,
    /// How much of everything.
    pub limits: Limits,
}

/// Whom to reach, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Target {
    /// Where it listens.
    pub addr: SocketAddr,
    /// Who must be there. `None` only to find out who is, when joining by address.
    pub expect: Option<PeerId>,
}

/// A peer with an open control connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PeerInfo {
    /// Who.
    pub id: PeerId,
    /// Where it listens.
    pub addr: SocketAddr,
    /// Since when it is a member by its certificate, in Unix seconds by the issuer's clock.
    pub since: u64,
}

/// A node's presence on the network. Cheap to clone; all clones are the same endpoint.
#[derive(Clone)]
pub struct Endpoint {
    handle: Arc<Handle>,
}

impl Endpoint {
    /// Listens on `config.listen` and starts to serve. Needs a tokio runtime with I/O and time.
    pub async fn bind(config: Config) -> Result<(Self, Events), BindError> {
        let listen = config.listen;
        let failed = |error| BindError::from_io(listen, error);
        let listener = TcpListener::bind(listen).await.map_err(failed)?;
        let addr = listener.local_addr().map_err(failed)?;
        Self::start(config, addr, Listener::Tcp(listener), Dialler::Tcp)
    }

    pub(crate) fn start(
        config: Config,
        addr: SocketAddr,
        listener: Listener,
        dialler: Dialler,
    ) -> Result<(Self, Events), BindError> {
        let id = config.key.peer_id();
        let admission = config.admission;
        admission
            .certificate()
            .verify(&admission.authority(), &id)?;
        let limits = config.limits.coherent();
        let meters = Arc::new(Meters::new());
        let events = Arc::new(EventQueue::new(&limits, Arc::clone(&meters)));
        let shared = Arc::new(Shared {
            id,
            addr,
            instance: u64::from_be_bytes(random()),
            tls: Tls::new(&config.key),
            admission,
            dialler,
            table: Mutex::new(Table::new(id)),
            pools: Pools::default(),
            inbound_room: Semaphore::new(limits.inbound_bytes_max),
            limits,
            events: Arc::clone(&events),
            meters,
            started: Instant::now(),
            tracker: TaskTracker::new(),
            closing: CancellationToken::new(),
            kill: CancellationToken::new(),
        });
        let tracker = &shared.tracker;
        tracker.spawn(accept::accept(Arc::clone(&shared), listener));
        tracker.spawn(janitor::sweep(Arc::clone(&shared)));
        let handle = Arc::new(Handle(shared));
        Ok((Self { handle }, Events::new(events)))
    }

    /// Who we are.
    pub fn local_id(&self) -> PeerId {
        self.handle.0.id
    }

    /// Where we listen.
    pub fn local_addr(&self) -> SocketAddr {
        self.handle.0.addr
    }

    /// Sends a control message; connects when needed. Never waits. A message that cannot be queued
    /// or whose connection cannot be made is dropped and reported; one that was written may still
    /// be lost with its connection, without a report.
    pub fn send(&self, to: Target, message: Bytes) {
        control::send(&self.handle.0, to, message);
    }

    /// Sends a bulk request and waits for its answer. Fails when no byte moves for
    /// [`Limits::stall`]. May be dropped at any time; the peer may then still carry it out.
    pub async fn request(
        &self,
        to: Target,
        header: Bytes,
        body: Option<Bytes>,
    ) -> Result<Response, RequestError> {
        bulk::request(&self.handle.0, to, header, body.unwrap_or_default()).await
    }

    /// Closes the control connections with a peer that cannot be talked to sensibly. Messages that
    /// wait for it go over a new connection, and it may connect again.
    pub fn disconnect(&self, peer: PeerId) {
        self.handle.0.table().end_links(peer);
    }

    /// Stops accepting, writes the queued messages, lets requests under way end for up to `grace`,
    /// then closes everything. When it returns, all tasks of this endpoint have ended.
    pub async fn close(&self, grace: Duration) {
        let shared = &self.handle.0;
        shared.closing.cancel();
        shared.tracker.close();
        if timeout(grace, shared.tracker.wait()).await.is_err() {
            tracing::debug!(
                left = shared.tracker.len(),
                "grace is over, closing at once"
            );
            shared.kill.cancel();
            shared.tracker.wait().await;
        }
        shared.kill.cancel();
        shared.pools.clear();
        shared.events.close();
    }

    /// The peers with an open control connection.
    pub fn peers(&self) -> Vec<PeerInfo> {
        self.handle.0.table().peers()
    }

    /// What was done so far.
    pub fn counters(&self) -> Counters {
        self.handle.0.meters.snapshot()
    }

    /// Tasks of this endpoint that run at the moment, requests under way included.
    pub fn tasks(&self) -> usize {
        self.handle.0.tracker.len()
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Endpoint")
            .field("id", &self.local_id())
            .field("addr", &self.local_addr())
            .finish_non_exhaustive()
    }
}

/// What all clones of an endpoint share; its tasks do not hold it.
struct Handle(Arc<Shared>);

impl Drop for Handle {
    fn drop(&mut self) {
        self.0.closing.cancel();
        self.0.kill.cancel();
        self.0.tracker.close();
        self.0.pools.clear();
        self.0.events.close();
    }
}

/// The state that an endpoint's tasks work on.
pub(crate) struct Shared {
    pub(crate) id: PeerId,
    pub(crate) addr: SocketAddr,
    /// Drawn at start, see [`crate::Hello::instance`].
    pub(crate) instance: u64,
    pub(crate) tls: Tls,
    pub(crate) admission: Arc<Admission>,
    pub(crate) limits: Limits,
    pub(crate) dialler: Dialler,
    table: Mutex<Table>,
    pub(crate) pools: Pools,
    /// Bytes of request bodies that may still be read.
    pub(crate) inbound_room: Semaphore,
    pub(crate) events: Arc<EventQueue>,
    pub(crate) meters: Arc<Meters>,
    started: Instant,
    pub(crate) tracker: TaskTracker,
    /// End in good order.
    pub(crate) closing: CancellationToken,
    /// End at once.
    pub(crate) kill: CancellationToken,
}

impl Shared {
    pub(crate) fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Milliseconds since the endpoint started.
    pub(crate) fn millis(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// Logs what somebody did wrong: aloud now and then, quietly otherwise.
    pub(crate) fn complain(
        &self,
        from: SocketAddr,
        peer: Option<PeerId>,
        what: &str,
        why: &dyn fmt::Debug,
    ) {
        let peer = peer.map(|peer| peer.short());
        if self.meters.may_complain() {
            tracing::warn!(%from, peer, ?why, "{what}; further ones are only counted");
        } else {
            tracing::debug!(%from, peer, ?why, "{what}");
        }
    }
}

#[cfg(test)]
mod tests;
