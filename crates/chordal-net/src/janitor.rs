//! The one task that looks after what nobody else would: idle pools, old pauses, expelled peers.

use std::sync::Arc;

use tokio::time::{MissedTickBehavior, interval};

use crate::endpoint::Shared;
use crate::limits::SWEEP_EVERY;

/// Sweeps until the endpoint closes.
pub(crate) async fn sweep(shared: Arc<Shared>) {
    let mut changes = shared.admission.changes();
    let mut ticks = interval(SWEEP_EVERY.min(shared.limits.bulk_idle));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            biased;
            () = shared.closing.cancelled() => break,
            () = shared.kill.cancelled() => break,
            _ = ticks.tick() => {
                shared.pools.sweep(shared.limits.bulk_idle);
                shared.table().sweep_pauses(&shared.limits);
            }
            // The sender lives in `shared.admission`: this cannot fail while we run.
            _ = changes.changed() => end_expelled(&shared),
        }
    }
    shared.pools.clear();
}

fn end_expelled(shared: &Shared) {
    let linked = shared.table().peers();
    for peer in linked {
        if shared.admission.is_refused(&peer.id) {
            shared.table().end_links(peer.id);
        }
    }
    shared.pools.forget_refused(&shared.admission);
}
