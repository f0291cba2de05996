//! Randomness: one named generator, in independent streams that all follow from the run's seed.
//!
//! Integers only, so that a seed replays the same run on every machine: no logarithm of some
//! platform's library takes part.

use std::fmt;
use std::time::Duration;

use rand_chacha::ChaCha8Rng;
use rand_core::{Rng, SeedableRng};

/// A stream of random choices.
pub struct Dice(ChaCha8Rng);

impl Dice {
    /// The stream of this name in the run of this seed. What one stream is asked does not change
    /// what another one says.
    pub fn new(seed: u64, stream: &str) -> Self {
        let mut hasher = blake3::Hasher::new_derive_key("chordal 2026 simulator dice");
        hasher.update(&seed.to_be_bytes());
        hasher.update(stream.as_bytes());
        Self(ChaCha8Rng::from_seed(*hasher.finalize().as_bytes()))
    }

    /// Any number.
    pub fn number(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// A number below `end`, which is not zero. The bias of the remainder is below one in 2^32.
    pub fn below(&mut self, end: usize) -> usize {
        assert!(end > 0, "nothing is below zero");
        usize::try_from(self.number() % end as u64).expect("it is below a usize")
    }

    /// A number from `first` up to and including `last`.
    pub fn between(&mut self, first: usize, last: usize) -> usize {
        first + self.below(last - first + 1)
    }

    /// True with this probability.
    pub fn chance(&mut self, probability: f64) -> bool {
        f64::from(self.0.next_u32()) < probability * 4_294_967_296.0
    }

    /// One of these; nothing when there are none.
    pub fn pick<'a, T>(&mut self, of: &'a [T]) -> Option<&'a T> {
        if of.is_empty() {
            None
        } else {
            Some(&of[self.below(of.len())])
        }
    }

    /// A length of time from `shortest` to `longest`, evenly.
    pub fn time(&mut self, shortest: Duration, longest: Duration) -> Duration {
        let span = nanos(longest.saturating_sub(shortest)).saturating_add(1);
        shortest + Duration::from_nanos(self.number() % span)
    }

    /// A length of time around `mean`, exponentially: many short ones, a few long ones.
    ///
    /// Exact at the powers of one half, straight lines between them.
    pub fn exponential(&mut self, mean: Duration) -> Duration {
        let halvings = u64::from(self.number().leading_zeros());
        let part = self.number() >> 44; // 20 bits
        // mean * ln 2 * (halvings + part), with ln 2 = 709 / 1023 to four digits
        let steps = (halvings << 20) + part;
        let half_life = u128::from(nanos(mean)) * 709 / 1023;
        let long = (half_life * u128::from(steps)) >> 20;
        Duration::from_nanos(u64::try_from(long).unwrap_or(u64::MAX))
    }

    /// Random bytes.
    pub fn bytes(&mut self, length: usize) -> Vec<u8> {
        let mut bytes = vec![0; length];
        self.0.fill_bytes(&mut bytes);
        bytes
    }
}

impl fmt::Debug for Dice {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Dice")
    }
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
