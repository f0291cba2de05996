//! A digest of everything decided so far.

use serde::{Deserialize, Serialize};

use crate::effect::{Destination, Effect, Transfer};

/// A running digest of a peer's effects: what kind each was, to whom, how long, for which
/// operation. Contents of messages are not in it, so it is cheap, and alike with and without the
/// contents of files.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decisions {
    /// How many effects there were.
    pub count: u64,
    digest: u64,
}

impl Decisions {
    /// Takes note of an effect.
    pub fn note(&mut self, effect: &Effect) {
        self.count += 1;
        match effect {
            Effect::Send { to, bytes } => {
                self.mix(1);
                self.mix_destination(*to);
                self.mix(bytes.len() as u64);
            }
            Effect::Transfer { effect, transfer } => {
                self.mix(2);
                self.mix(effect.0);
                let (way, chunk, other) = match *transfer {
                    Transfer::Push { chunk, to, .. } => (0, chunk, to),
                    Transfer::Fetch { chunk, from, .. } => (1, chunk, from),
                    Transfer::Copy { chunk, from, .. } => (2, chunk, from),
                };
                self.mix(way);
                self.mix_bytes(chunk.as_bytes());
                self.mix_destination(other);
            }
            Effect::Disk { effect, .. } => {
                self.mix(3);
                self.mix(effect.0);
            }
            Effect::Reply { operation, answer } => {
                self.mix(4);
                self.mix(operation.0);
                self.mix(u64::from(answer.is_ok()));
            }
            Effect::Notice(_) => self.mix(5),
        }
    }

    fn mix_destination(&mut self, to: Destination) {
        self.mix(u64::from(to.addr.port()));
        if let Some(node) = to.node {
            self.mix_bytes(node.as_bytes());
        }
    }

    fn mix_bytes(&mut self, bytes: &[u8; 32]) {
        let mut word = [0; 8];
        word.copy_from_slice(&bytes[..8]);
        self.mix(u64::from_le_bytes(word));
    }

    /// FNV-1a over words, with a rotation so that high bits come down again.
    const fn mix(&mut self, word: u64) {
        self.digest = (self.digest ^ word)
            .wrapping_mul(0x0000_0100_0000_01b3)
            .rotate_left(29);
    }
}
