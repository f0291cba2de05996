//! Accepting connections, and stopping in order.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use chordal_node::Node;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::guard::Token;
use crate::limits;
use crate::live::Live;
use crate::routes::{self, Shared};

/// The control API of a node, served.
#[derive(Debug)]
pub struct Server {
    addr: SocketAddr,
    stop: CancellationToken,
    tasks: TaskTracker,
}

impl Server {
    /// Listens at this address (port 0 takes a free one) and serves until [`Server::stop`]. An
    /// address that others can reach is served without TLS: the token crosses the network.
    pub async fn start(addr: SocketAddr, node: Node) -> io::Result<Self> {
        let listener = TcpListener::bind(addr).await?;
        let addr = listener.local_addr()?;
        if !addr.ip().is_loopback() {
            tracing::warn!(%addr, "the control API is not on a loopback address: its token crosses the network in clear");
        }
        let stop = CancellationToken::new();
        let tasks = TaskTracker::new();
        let live = Live::new(stop.clone());
        drop(tasks.spawn(live.clone().run(node.clone())));
        let router = routes::router(Shared {
            token: Token::new(node.control_token().to_owned()),
            node,
            sessions: Arc::default(),
            cookie_name: format!("chordal-{}", addr.port()).into(),
            live,
        });
        let accepting = accept_all(listener, router, stop.clone(), tasks.clone());
        drop(tasks.spawn(accepting));
        tasks.close();
        Ok(Self { addr, stop, tasks })
    }

    /// Where it listens.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Takes no new requests and lets those under way end, for a few seconds at most.
    pub async fn stop(self) {
        self.stop.cancel();
        if tokio::time::timeout(limits::STOP_PATIENCE, self.tasks.wait())
            .await
            .is_err()
        {
            tracing::info!("requests of the control API were cut off at the end");
        }
    }
}

async fn accept_all(
    listener: TcpListener,
    router: Router,
    stop: CancellationToken,
    tasks: TaskTracker,
) {
    let places = Arc::new(Semaphore::new(limits::CONNECTIONS_MAX));
    loop {
        let place = Arc::clone(&places).acquire_owned();
        let accepted = tokio::select! {
            () = stop.cancelled() => return,
            accepted = async { (place.await, listener.accept().await) } => accepted,
        };
        match accepted {
            (Ok(place), Ok((stream, _))) => {
                drop(tasks.spawn(serve(stream, router.clone(), stop.clone(), place)));
            }
            (Ok(_), Err(error)) => {
                tracing::debug!(%error, "a connection was not accepted");
                tokio::time::sleep(limits::ACCEPT_PAUSE).await;
            }
            (Err(_), _) => return,
        }
    }
}

async fn serve(
    stream: TcpStream,
    router: Router,
    stop: CancellationToken,
    _place: OwnedSemaphorePermit,
) {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "no TCP_NODELAY");
    }
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits::HEAD_PATIENCE)
        .max_buf_size(limits::BUFFER_BYTES_MAX)
        .max_headers(limits::HEADERS_MAX)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(router));
    let mut connection = std::pin::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = stop.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection of the control API broke off");
    }
}
