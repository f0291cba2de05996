//! The store, with what a node adds to it: the offer's limit, small values, counts, and the errors
//! in the core's words.

use std::path::Path;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use chordal_object::{Bits, NodeId};
use chordal_proto::input::DiskError;
use chordal_store::limits::RESERVE_BYTES;
use chordal_store::{Change, OpenError, RealDisk, Rebuilt, Store, StoreError};

use super::care::CareLog;
use crate::counters::Counting;
use crate::inbox::Inbox;

/// Where the core's memory of other nodes is kept.
pub(crate) const MEMBERS: &str = "members";

/// Where the ring's settings are kept.
pub(crate) const SETTINGS: &str = "settings";

/// Where it is kept what looking after the copies came to.
pub(crate) const CARE: &str = "care";

/// Where a node whose index was lost keeps who it was before, until the ring waits for that one no
/// more.
pub(crate) const FORMER: &str = "former";

/// A node's store. Everything here may block.
#[derive(Debug)]
pub(crate) struct Keeper {
    pub(super) store: Store,
    /// Bytes that may be stored; nothing for all that the disk has.
    offer_bytes: Option<u64>,
    pub(super) counting: Arc<Counting>,
    pub(super) care: Mutex<CareLog>,
    /// Where the core is told of damaged copies.
    pub(super) alarm: Arc<Inbox>,
}

impl Keeper {
    /// Opens the store in this folder, or makes one.
    pub(crate) fn open(
        folder: &Path,
        offer_bytes: Option<u64>,
        counting: Arc<Counting>,
        alarm: Arc<Inbox>,
    ) -> Result<Self, OpenError> {
        let store = Store::open(Box::new(RealDisk::new(folder)))?;
        Ok(Self::of(store, offer_bytes, counting, alarm))
    }

    /// Makes a new index for the store in this folder, whose own is lost, from its chunk files.
    pub(crate) fn rebuild(
        folder: &Path,
        offer_bytes: Option<u64>,
        (counting, alarm): (Arc<Counting>, Arc<Inbox>),
        bits: Bits,
        former: NodeId,
    ) -> Result<(Self, Rebuilt), OpenError> {
        let disk = Box::new(RealDisk::new(folder));
        let former = Bytes::copy_from_slice(former.as_bytes());
        let meta = vec![(FORMER.to_owned(), former)];
        let (store, rebuilt) = Store::rebuild(disk, |id| bits.chunk_key(id), meta)?;
        Ok((Self::of(store, offer_bytes, counting, alarm), rebuilt))
    }

    fn of(
        store: Store,
        offer_bytes: Option<u64>,
        counting: Arc<Counting>,
        alarm: Arc<Inbox>,
    ) -> Self {
        let care = store.meta(CARE).ok().flatten();
        let care = care.and_then(CareLog::decode).unwrap_or_default();
        Self {
            store,
            offer_bytes,
            counting,
            care: Mutex::new(care),
            alarm,
        }
    }

    /// A small value kept earlier.
    pub(crate) fn value(&self, name: &str) -> Result<Option<Bytes>, StoreError> {
        self.store.meta(name)
    }

    /// Bytes this node offers to the ring: what it was told, or what the disk has room for, where that is
    /// less. Shares of the ring follow from it, and a promise that the disk cannot keep would bring a
    /// node more than it can take.
    pub(crate) fn offered_bytes(&self) -> u64 {
        let (used, free) = self.usage();
        let room = used.saturating_add(free);
        self.offer_bytes.map_or(room, |offer| offer.min(room))
    }

    /// Bytes stored, and bytes that may still be stored.
    pub(super) fn usage(&self) -> (u64, u64) {
        let usage = self.store.usage();
        let on_disk = usage.free_bytes.saturating_sub(RESERVE_BYTES);
        let offered = match self.offer_bytes {
            Some(offer) => offer.saturating_sub(usage.bytes),
            None => u64::MAX,
        };
        (usage.bytes, on_disk.min(offered))
    }

    /// Refuses what the offer has no room for. The disk's own room is the store's to watch. Work
    /// under way at the same time is not counted, so the offer may be passed by as much as that.
    pub(super) fn check_offer(&self, bytes: u64) -> Result<(), DiskError> {
        if self.offer_bytes.is_none() {
            return Ok(());
        }
        let (_, free) = self.usage();
        if bytes > free {
            self.counting.disk_failures.one();
            return Err(DiskError::Full { free });
        }
        Ok(())
    }

    /// An error in the core's words, counted and logged.
    pub(super) fn failed(&self, doing: &'static str, error: &StoreError) -> DiskError {
        self.counting.disk_failures.one();
        match error {
            StoreError::Full { free, .. } => {
                tracing::debug!(doing, %error, "no room");
                DiskError::Full {
                    free: free.saturating_sub(RESERVE_BYTES),
                }
            }
            StoreError::Io { .. } => {
                tracing::error!(doing, %error, "the disk failed");
                DiskError::Failed
            }
            // Follows a failure that was told as such.
            StoreError::Poisoned => DiskError::Failed,
            StoreError::Corrupt { .. }
            | StoreError::CorruptRecord { .. }
            | StoreError::TooLarge { .. } => {
                tracing::warn!(doing, %error, "the store refused");
                DiskError::Failed
            }
        }
    }
}

/// The change that keeps a small value.
pub(super) fn meta(name: &str, value: Bytes) -> Change {
    Change::Meta {
        name: name.to_owned(),
        value: Some(value),
    }
}
