//! How fast missing copies become fewer, from looks at how many there are.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use crate::limits::{PACE_LOOKS_MAX, PACE_WINDOW};

/// How repair gets on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Progress {
    /// The most copies that were missing since none was missing last.
    pub most_missing: u64,
    /// Copies made in a second, of late; nothing where they do not become fewer.
    pub per_second: Option<f64>,
    /// How many seconds the rest takes at that pace.
    pub left_s: Option<u64>,
}

/// What was seen of late.
#[derive(Debug, Default)]
pub(crate) struct Pace {
    looks: VecDeque<(Instant, u64)>,
    most: u64,
}

impl Pace {
    /// Takes one more look into account.
    pub(crate) fn see(&mut self, now: Instant, missing: u64) -> Progress {
        if missing == 0 {
            *self = Self::default();
            return Progress::default();
        }
        self.most = self.most.max(missing);
        // More are missing than before: what was seen until now tells nothing of the rest.
        if self
            .looks
            .back()
            .is_some_and(|&(_, before)| before < missing)
        {
            self.looks.clear();
        }
        let old = |look: &(Instant, u64)| now.duration_since(look.0) > PACE_WINDOW;
        while self.looks.len() >= PACE_LOOKS_MAX || self.looks.front().is_some_and(old) {
            self.looks.pop_front();
        }
        self.looks.push_back((now, missing));
        let per_second = self.per_second();
        Progress {
            most_missing: self.most,
            per_second,
            left_s: per_second.and_then(|pace| seconds(missing, pace)),
        }
    }

    fn per_second(&self) -> Option<f64> {
        let (&(begin, before), &(end, after)) = (self.looks.front()?, self.looks.back()?);
        let made = u32::try_from(before.saturating_sub(after)).unwrap_or(u32::MAX);
        let took = end.duration_since(begin);
        let pace = f64::from(made) / took.max(Duration::from_millis(1)).as_secs_f64();
        // Two digits: what differs less is no news.
        (made > 0).then(|| (pace * 100.0).round() / 100.0)
    }
}

/// How long so many copies take, in whole seconds.
fn seconds(missing: u64, per_second: f64) -> Option<u64> {
    let missing = u32::try_from(missing).unwrap_or(u32::MAX);
    let time = Duration::try_from_secs_f64(f64::from(missing) / per_second).ok()?;
    Some(time.as_secs().max(1))
}

#[cfg(test)]
mod tests;
