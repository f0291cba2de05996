//! Chunks and records on one machine's disk.
//!
//! A [`Store`] keeps what it is told, under the keys it is told, so that it survives the power
//! going off the moment a call has returned. It is synchronous, knows no network, reads no clock
//! and never decides where a thing belongs. Everything it does to the machine goes through a
//! [`Disk`]: a folder ([`RealDisk`]) or a simulated one that loses and tears what was not synced
//! ([`MemDisk`]). `docs/format.md` describes every byte it writes.

mod change;
mod disk;
mod error;
mod fuse;
mod group;
mod index;
pub mod limits;
mod locking;
mod staging;
mod store;

pub use change::{
    Change, ChunkEntry, Counts, Outcome, Rebuilt, RecordEntry, RecordsChecked, StagedChunk,
    Summary, Swept, Usage,
};
pub use disk::{Disk, DiskError, MemDisk, RealDisk};
pub use error::{OpenError, StoreError};
pub use store::Store;
