//! The scrub: a slow walk over everything on the disk, round and round.
//!
//! It reads every copy again within a period, so that one that has rotted, was cut short or is not
//! there at all is put aside while others still have good ones; the core is told and fetches it
//! again. And it removes what a crash left between a file and the index. Its pace follows from the
//! period and from what there is to read; it never reads faster than it may, and rests longer than it
//! works, so that a busy disk is left alone.

use std::time::Duration;

use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use crate::exec::{Disk, Progress, ScrubStep};
use crate::limits::{
    SCRUB_KEEP_EVERY, SCRUB_REST, SCRUB_REST_PER_WORK, SCRUB_WAIT_MAX, SWEEP_PAUSE, SWEEP_REST,
};

/// How the scrub goes about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ScrubPace {
    /// Within which every copy is read again, if the rate allows it.
    pub period: Duration,
    /// Bytes read a second at most.
    pub bytes_per_second_max: u64,
}

impl Default for ScrubPace {
    /// Two weeks, at 20 MiB a second at most: 24 TiB.
    fn default() -> Self {
        Self {
            period: Duration::from_hours(14 * 24),
            bytes_per_second_max: 20 << 20,
        }
    }
}

impl ScrubPace {
    /// How long to wait after a step, so that what is left is done in time.
    fn pause_after(&self, step: ScrubStep, worked: Duration) -> Duration {
        let (ScrubStep::Further(progress) | ScrubStep::Round(progress)) = step else {
            // When the disk fails there is nothing to find; it is looked at again later.
            return SCRUB_REST.min(self.period);
        };
        let Progress {
            done_bytes,
            left_bytes,
            age,
        } = progress;
        let least = Duration::from_secs(1).mul_f64(part(done_bytes, self.bytes_per_second_max));
        let rest = worked * SCRUB_REST_PER_WORK;
        // A tenth of the time is for what comes in between.
        let time = self.period.mul_f64(0.9).saturating_sub(age);
        let fair = match step {
            // A round that was done early is followed by the next one when its time is over.
            ScrubStep::Round(_) | ScrubStep::Failed => time,
            ScrubStep::Further(_) => time.mul_f64(part(done_bytes, left_bytes).min(1.0)),
        };
        fair.max(least).max(rest)
    }
}

/// What part one number is of another.
#[expect(
    clippy::cast_precision_loss,
    reason = "a pace need not be exact to the byte"
)]
fn part(some: u64, all: u64) -> f64 {
    some as f64 / all.max(1) as f64
}

/// Walks until the node stops.
pub(crate) async fn run(disk: Disk, pace: ScrubPace, stop: CancellationToken) {
    let reading = async {
        let mut kept = Instant::now();
        loop {
            if !walk_on(&disk, pace).await {
                tracing::debug!("the scrub has been through everything");
            }
            if kept.elapsed() >= SCRUB_KEEP_EVERY {
                disk.keep_care().await;
                kept = Instant::now();
            }
        }
    };
    // What a crash left was left before this life; what could not be removed since is tried again.
    let sweeping = async {
        loop {
            sweep(&disk).await;
            sleep(pace.period.max(SWEEP_REST)).await;
        }
    };
    tokio::select! {
        biased;
        () = stop.cancelled() => disk.keep_care().await,
        () = reading => {}
        () = sweeping => {}
    }
}

/// Does one step and waits as long as is due after it; whether there is more to do in this round.
async fn walk_on(disk: &Disk, pace: ScrubPace) -> bool {
    let begun = Instant::now();
    let mut step = disk.scrub().await;
    let ended = Instant::now();
    let worked = ended - begun;
    loop {
        let wait = pace.pause_after(step, worked);
        let left = wait.saturating_sub(ended.elapsed());
        if left.is_zero() {
            return !matches!(step, ScrubStep::Round(_));
        }
        // In parts, since there may be more to do by then.
        sleep(left.min(SCRUB_WAIT_MAX)).await;
        if let ScrubStep::Further(progress) = &mut step {
            *progress = disk.scrub_progress(progress.done_bytes);
        }
    }
}

/// Looks through the folders of chunks for files that belong to nobody.
async fn sweep(disk: &Disk) {
    for folder in 0..=u8::MAX {
        let begun = Instant::now();
        if !disk.sweep(folder).await {
            return;
        }
        sleep(SWEEP_PAUSE.max(begun.elapsed() * SCRUB_REST_PER_WORK)).await;
    }
}

#[cfg(test)]
mod tests;
