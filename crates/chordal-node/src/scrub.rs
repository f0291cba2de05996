//! The scrub: a slow walk over everything on the disk, round and round.
//!
//! It re-reads chunks, so that a copy that has rotted is put aside while others still have good
//! ones; the core then finds it missing and fetches it again. And it removes what a crash left
//! between a file and the index. It never hurries: it rests longer than it works.

use std::time::Duration;

use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use crate::exec::{Disk, ScrubCursor, ScrubStep};
use crate::limits::{SCRUB_PAUSE, SCRUB_REST, SCRUB_REST_PER_WORK};

/// Walks until the node stops.
pub(crate) async fn run(disk: Disk, stop: CancellationToken) {
    let mut cursor = ScrubCursor::default();
    loop {
        let begun = Instant::now();
        let step;
        (cursor, step) = disk.scrub(cursor).await;
        let pause = pause_after(step, begun.elapsed());
        if step == ScrubStep::Round {
            tracing::debug!("the scrub has been through everything");
        }
        tokio::select! {
            biased;
            () = stop.cancelled() => return,
            () = sleep(pause) => {}
        }
    }
}

fn pause_after(step: ScrubStep, worked: Duration) -> Duration {
    match step {
        ScrubStep::Further => SCRUB_PAUSE.max(worked * SCRUB_REST_PER_WORK),
        // When the disk fails there is nothing to find; it is looked at again later.
        ScrubStep::Round | ScrubStep::Failed => SCRUB_REST,
    }
}

#[cfg(test)]
mod tests;
