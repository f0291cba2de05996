//! Seeded randomness: the same seed makes the same choices for ever.

use std::time::Duration;

use rand_chacha::ChaCha8Rng;
use rand_core::{Rng as _, SeedableRng as _};

/// A node's random choices. The algorithm (`ChaCha8`) is fixed, so a seed that finds a bug today
/// still finds it after every update.
#[derive(Debug)]
pub(crate) struct Rng(ChaCha8Rng);

impl Rng {
    pub(crate) fn new(seed: u64) -> Self {
        Self(ChaCha8Rng::seed_from_u64(seed))
    }

    /// A number below `bound`, which must not be 0.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        assert!(bound > 0, "a choice needs something to choose from");
        let wide = u128::from(self.0.next_u64()) * bound as u128;
        usize::try_from(wide >> 64).expect("below the bound")
    }

    /// One of the items, or nothing of nothing.
    pub(crate) fn choose<'a, T>(&mut self, items: &'a [T]) -> Option<&'a T> {
        if items.is_empty() {
            None
        } else {
            Some(&items[self.below(items.len())])
        }
    }

    /// A duration between half and one and a half of `mean`, so that periodic work of many nodes
    /// does not fall into step.
    pub(crate) fn jitter(&mut self, mean: Duration) -> Duration {
        let permille = 500 + u32::try_from(self.below(1001)).expect("small");
        mean * permille / 1000
    }
}
