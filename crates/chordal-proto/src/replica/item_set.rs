//! What a node has of an arc, ready to be compared with what another has: the `negentropy`
//! protocol, driven so that everything between two steps is the set itself. So a comparison under
//! way can stand in a snapshot and go on from there.

use std::fmt;

use chordal_object::Key;
use negentropy::{Id, Negentropy, NegentropyStorageBase as _, NegentropyStorageVector};
use serde::{Deserialize, Serialize};

use crate::limits::RECONCILE_BYTES_MAX;

/// A sealed set of digests.
#[derive(Clone, Serialize, Deserialize)]
#[serde(try_from = "Vec<[u8; 32]>", into = "Vec<[u8; 32]>")]
pub(super) struct ItemSet(NegentropyStorageVector);

/// What came of an answer.
#[derive(Debug)]
pub(super) struct Taken {
    /// What the other side has and this one lacks.
    pub(super) lacking: Vec<[u8; 32]>,
    /// The next step, unless all is compared.
    pub(super) next: Option<Vec<u8>>,
}

/// A message could not be read, or the set not be built.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a step of a comparison")]
pub(super) struct BadStep;

impl ItemSet {
    /// The set of these items; their keys do not matter.
    pub(super) fn new(items: Vec<(Key, [u8; 32])>) -> Result<Self, BadStep> {
        items
            .into_iter()
            .map(|(_, digest)| digest)
            .collect::<Vec<_>>()
            .try_into()
    }

    /// The step that opens a comparison.
    pub(super) fn open(&self) -> Result<Vec<u8>, BadStep> {
        self.negentropy()?.initiate().map_err(|_| BadStep)
    }

    /// The other side's answer to a step.
    pub(super) fn answer(&self, step: &[u8]) -> Result<Vec<u8>, BadStep> {
        self.negentropy()?.reconcile(step).map_err(|_| BadStep)
    }

    /// Takes an answer.
    pub(super) fn take(&self, answer: &[u8]) -> Result<Taken, BadStep> {
        let mut compare = self.negentropy()?;
        compare.set_initiator();
        let (mut have, mut need) = (Vec::new(), Vec::new());
        let next = compare
            .reconcile_with_ids(answer, &mut have, &mut need)
            .map_err(|_| BadStep)?;
        Ok(Taken {
            lacking: need.into_iter().map(Id::to_bytes).collect(),
            next,
        })
    }

    fn negentropy(&self) -> Result<Negentropy<'_, NegentropyStorageVector>, BadStep> {
        Negentropy::borrowed(&self.0, RECONCILE_BYTES_MAX as u64).map_err(|_| BadStep)
    }
}

impl fmt::Debug for ItemSet {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "ItemSet({} items)", self.0.size().unwrap_or(0))
    }
}

impl TryFrom<Vec<[u8; 32]>> for ItemSet {
    type Error = BadStep;

    fn try_from(digests: Vec<[u8; 32]>) -> Result<Self, BadStep> {
        let mut set = NegentropyStorageVector::with_capacity(digests.len());
        for digest in digests {
            // One order number for all: digests alone sort them, alike on both sides.
            let id = Id::from_byte_array(digest);
            set.insert(0, id).map_err(|_| BadStep)?;
        }
        set.seal().map_err(|_| BadStep)?;
        Ok(Self(set))
    }
}

impl From<ItemSet> for Vec<[u8; 32]> {
    fn from(ItemSet(set): ItemSet) -> Self {
        let count = set.size().unwrap_or(0);
        let mut digests = Self::with_capacity(count);
        // Reading a sealed set cannot fail.
        let read = set.iterate(0, count, &mut |item, _| {
            digests.push(item.id.to_bytes());
            Ok(true)
        });
        debug_assert!(read.is_ok(), "a sealed set can be read");
        digests
    }
}

/// One hash over what lies in an arc, whatever its order.
pub(super) fn arc_digest(
    mut records: Vec<(Key, [u8; 32])>,
    mut chunks: Vec<(Key, [u8; 32])>,
) -> [u8; 16] {
    let mut hasher = blake3::Hasher::new_derive_key("chordal 2026 arc");
    for items in [&mut records, &mut chunks] {
        items.sort_unstable();
        hasher.update(&(items.len() as u64).to_be_bytes());
        for (_, digest) in items.iter() {
            hasher.update(digest);
        }
    }
    let mut half = [0; 16];
    half.copy_from_slice(&hasher.finalize().as_bytes()[..16]);
    half
}
