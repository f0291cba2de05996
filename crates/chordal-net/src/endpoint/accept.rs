//! Accepting connections: bounded in number, each handshake and each connection in its own task.

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::sleep;

use super::Shared;
use crate::control;
use crate::counters::count;
use crate::handshake::welcome;
use crate::hello::Purpose;
use crate::limits::ACCEPT_PAUSE;
use crate::serve;
use crate::stream::{Listener, Raw};

/// Accepts until the endpoint closes.
pub(super) async fn accept(shared: Arc<Shared>, mut listener: Listener) {
    let connections = Arc::new(Semaphore::new(shared.limits.inbound_connections_max));
    let handshakes = Arc::new(Semaphore::new(shared.limits.handshakes_max));
    let accepting = async {
        // The semaphore is never closed; if it were, there would be nothing left to accept.
        while let Ok(handshake) = Arc::clone(&handshakes).acquire_owned().await {
            match listener.accept().await {
                Ok((raw, from)) => {
                    if let Ok(connection) = Arc::clone(&connections).try_acquire_owned() {
                        let serving =
                            receive(Arc::clone(&shared), raw, from, handshake, connection);
                        shared.tracker.spawn(serving);
                    } else {
                        count(&shared.meters.turned_away);
                        shared.complain(from, None, "too many connections", &"turned away");
                    }
                }
                Err(error) => {
                    tracing::warn!(%error, "cannot accept connections");
                    sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    };
    tokio::select! {
        biased;
        () = shared.closing.cancelled() => {}
        () = accepting => {}
    }
}

/// One inbound connection from its first byte to its last.
async fn receive(
    shared: Arc<Shared>,
    raw: Raw,
    from: SocketAddr,
    handshake: OwnedSemaphorePermit,
    _connection: OwnedSemaphorePermit,
) {
    let welcomed = tokio::select! {
        biased;
        () = shared.closing.cancelled() => None,
        welcomed = welcome(&shared, raw, from) => welcomed,
    };
    drop(handshake);
    match welcomed {
        Some(admitted) if admitted.purpose == Purpose::Control => {
            control::carry(&shared, admitted, None).await;
        }
        Some(admitted) => serve::serve(&shared, admitted).await,
        None => {}
    }
}
