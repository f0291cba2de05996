//! The pace itself: when the next copy may be moved. Knows no clock; times are since the node began.

use std::time::Duration;

use super::waits::{Judgement, Learnt, Waits};
use super::{Flow, Work};

/// How often the pace is thought over.
const LOOK_EVERY: Duration = Duration::from_millis(250);

/// After so long without a copy the disk counts as left alone.
const REST: Duration = Duration::from_secs(2);

/// The least part of the budget.
const FLOOR: f64 = 1.0 / 8.0;

/// What remains of the pace when clients wait longer than usual.
const LESS: f64 = 0.7;

/// What is added to it, in parts of the budget, when they do not.
const MORE: f64 = 1.0 / 16.0;

/// Time that may be caught up on, after a pause or a copy smaller than was thought. A copy waits for the
/// turns of two nodes and for two disks: with less, what one of them waited for the other is lost.
const SLACK: Duration = Duration::from_millis(500);

/// What a copy is thought to weigh before any was moved, in bytes.
const FIRST_GUESS: u64 = 1 << 20;

/// When the next copy may be moved, by what was moved and by how long clients waited.
#[derive(Debug)]
pub(super) struct Pace {
    budget: f64,
    rate: f64,
    /// When each flow's next copy may be moved.
    taken: Duration,
    given: Duration,
    /// What a copy weighs, by those that were moved lately.
    usual_bytes: u64,
    last_copy: Option<Duration>,
    looked: Duration,
    reads: Waits,
    keeps: Waits,
    records: Waits,
}

impl Pace {
    pub(super) fn new(bytes_per_second_max: u64) -> Self {
        let budget = float(bytes_per_second_max.max(1));
        Self {
            budget,
            rate: budget,
            taken: Duration::ZERO,
            given: Duration::ZERO,
            usual_bytes: FIRST_GUESS,
            last_copy: None,
            looked: Duration::ZERO,
            reads: Waits::default(),
            keeps: Waits::default(),
            records: Waits::default(),
        }
    }

    /// Books the next copy: how long it is thought to last, and when it may be moved.
    pub(super) fn book(&mut self, now: Duration, flow: Flow) -> (Duration, Duration) {
        self.look(now);
        let lasts = self.lasts(self.usual_bytes);
        let next = self.next(flow);
        let at = (*next).max(now.saturating_sub(SLACK));
        *next = at + lasts;
        let at = at.max(now);
        self.last_copy = Some(at);
        (lasts, at)
    }

    /// Takes note of what a copy came to for which so long was booked.
    pub(super) fn settle(&mut self, flow: Flow, booked: Duration, bytes: u64) {
        let lasted = self.lasts(bytes);
        let next = self.next(flow);
        *next = (*next + lasted).saturating_sub(booked);
        if bytes > 0 {
            self.usual_bytes = (self.usual_bytes * 7 + bytes).div_ceil(8);
        }
    }

    /// Takes note of how long a client waited.
    pub(super) fn waited(&mut self, now: Duration, work: Work, waited: Duration) {
        self.look(now);
        match work {
            Work::ReadChunk => self.reads.note(waited),
            Work::KeepChunk => self.keeps.note(waited),
            Work::WriteRecord => self.records.note(waited),
        }
    }

    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a positive rate below the budget, which was a whole number"
    )]
    pub(super) fn bytes_per_second(&self) -> u64 {
        self.rate as u64
    }

    /// Thinks the pace over, now and then.
    fn look(&mut self, now: Duration) {
        if now < self.looked + LOOK_EVERY {
            return;
        }
        self.looked = now;
        let floor = self.budget * FLOOR;
        let is_left_alone = self.last_copy.is_none_or(|last| now > last + REST);
        let learnt = if is_left_alone {
            Learnt::Well
        } else if self.rate <= floor {
            // If that helps nobody, it is not the copies that clients wait for.
            Learnt::Slowly
        } else {
            Learnt::IfShorter
        };
        let judged =
            [&mut self.reads, &mut self.keeps, &mut self.records].map(|waits| waits.judge(learnt));
        self.rate = if judged.contains(&Judgement::Longer) {
            (self.rate * LESS).max(floor)
        } else {
            (self.rate + self.budget * MORE).min(self.budget)
        };
    }

    fn lasts(&self, bytes: u64) -> Duration {
        Duration::from_secs_f64(float(bytes) / self.rate)
    }

    const fn next(&mut self, flow: Flow) -> &mut Duration {
        match flow {
            Flow::Taken => &mut self.taken,
            Flow::Given => &mut self.given,
        }
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "a pace need not be exact to the byte"
)]
const fn float(bytes: u64) -> f64 {
    bytes as f64
}

#[cfg(test)]
mod tests;
