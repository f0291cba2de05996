//! Stopping a node in order. Stopping is only a pause: nothing is handed over.

use std::time::Duration;

use chordal_proto::input::Command;
use tokio::time::timeout;

use crate::limits::{CLOSE_MAX, FAREWELL_MAX, GRACE_MAX, SHUTDOWN_MAX};
use crate::node::{Phase, Shared};

/// Stops the node; see [`crate::Node::shutdown`].
pub(crate) async fn stop(shared: &Shared, grace: Duration) {
    if timeout(SHUTDOWN_MAX, in_order(shared, grace))
        .await
        .is_err()
    {
        tracing::warn!(
            left = shared.tasks.len(),
            "stopping takes too long; the rest is left to the end of the program"
        );
        shared.stop.cancel();
    }
    shared.phase.send_replace(Phase::Stopped);
}

async fn in_order(shared: &Shared, grace: Duration) {
    shared.phase.send_replace(Phase::Stopping);
    let work = &shared.client.work;
    work.close();
    if timeout(grace.min(GRACE_MAX), work.wait()).await.is_err() {
        tracing::info!(left = work.len(), "clients' work is broken off");
    }
    match timeout(FAREWELL_MAX, shared.client.ask(Command::Pause)).await {
        Ok(Ok(_)) => {}
        Ok(Err(error)) => tracing::debug!(%error, "no farewell"),
        Err(_) => tracing::debug!("the farewell took too long"),
    }
    shared.endpoint.close(CLOSE_MAX).await;
    // The driver owns the store: with it and the threads at work, the store closes.
    shared.stop.cancel();
    shared.tasks.close();
    shared.tasks.wait().await;
    tracing::info!("stopped");
}
