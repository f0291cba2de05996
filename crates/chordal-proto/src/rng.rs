//! Seeded randomness: the same seed makes the same choices for ever.

use std::time::Duration;

use rand_chacha::ChaCha8Rng;
use rand_core::{Rng as _, SeedableRng as _};
use serde::{Deserialize, Serialize};

/// A node's random choices. The algorithm (`ChaCha8`) is fixed, so a seed that finds a bug today
/// still finds it after every update.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(from = "Position", into = "Position")]
pub(crate) struct Rng(ChaCha8Rng);

/// Where in its sequence a generator is.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Position {
    seed: [u8; 32],
    word: u128,
}

impl From<Position> for Rng {
    fn from(position: Position) -> Self {
        let mut generator = ChaCha8Rng::from_seed(position.seed);
        generator.set_word_pos(position.word);
        Self(generator)
    }
}

impl From<Rng> for Position {
    fn from(Rng(generator): Rng) -> Self {
        Self {
            seed: generator.get_seed(),
            word: generator.get_word_pos(),
        }
    }
}

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
