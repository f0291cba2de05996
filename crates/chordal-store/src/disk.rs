//! The seam between the store and the machine, as narrow as it goes.
//!
//! Paths are relative, with `/` between parts, and are made by the store alone: nothing that came
//! from a peer or a user becomes one. A disk promises only what its methods say; what is not said
//! to be durable may be lost or torn when the power goes off.

mod mem;
mod real;

use std::fmt;
use std::io;

use bytes::Bytes;
use redb::StorageBackend;

use crate::error::is_full;

pub use mem::MemDisk;
pub use real::RealDisk;

/// Where files are while they are written. Whatever a disk leaves here may be removed by the next
/// owner.
pub(crate) const TEMPORARY_FOLDER: &str = "tmp";

/// Why a file could not be made durable.
#[derive(Debug, thiserror::Error)]
pub enum DiskError {
    /// No room. Nothing is left of the attempt.
    #[error("the disk is full")]
    Full,
    /// A sync failed: what the disk holds from here on cannot be known.
    #[error("sync failed: {0}")]
    Sync(io::Error),
    /// Anything else. Nothing is left of the attempt under the file's own name.
    #[error(transparent)]
    Io(io::Error),
}

impl From<io::Error> for DiskError {
    fn from(error: io::Error) -> Self {
        if is_full(&error) {
            Self::Full
        } else {
            Self::Io(error)
        }
    }
}

impl DiskError {
    /// The error of a sync: want of room is still only that, since files get theirs late.
    pub(crate) fn of_sync(error: io::Error) -> Self {
        if is_full(&error) {
            Self::Full
        } else {
            Self::Sync(error)
        }
    }
}

/// A place for files and one index, shared by all threads of its one owner.
pub trait Disk: fmt::Debug + Send + Sync {
    /// Takes the place for this owner until the disk is dropped; `false` when another has it.
    /// Creates what must exist before anything is written.
    fn lock(&self) -> io::Result<bool>;

    /// Writes a whole file so that, once this returns, it survives the power going off. Before
    /// that, the old file or none is there under this name; never a part of the new one.
    fn write_durable(&self, path: &str, bytes: &Bytes) -> Result<(), DiskError>;

    /// The whole file, or nothing when there is none. A file over `bytes_max` is an error of kind
    /// [`io::ErrorKind::FileTooLarge`], and costs no memory.
    fn read(&self, path: &str, bytes_max: usize) -> io::Result<Option<Bytes>>;

    /// Gives a file another name, in place of what had it. Durable only with a later sync, in
    /// whole or not at all.
    fn rename(&self, from: &str, to: &str) -> io::Result<()>;

    /// Removes a file; `false` when there was none. It may come back when the power goes off.
    fn remove(&self, path: &str) -> io::Result<bool>;

    /// The names of the files in a folder, in any order; none when there is no such folder.
    fn list(&self, folder: &str) -> io::Result<Vec<String>>;

    /// Bytes that can still be written.
    fn free_bytes(&self) -> io::Result<u64>;

    /// Takes the index away, for people to look at where the disk has room for it; durably with the
    /// next sync. There is none afterwards.
    fn set_index_aside(&self) -> io::Result<()>;

    /// The bytes of the index, created empty where there is none.
    fn index_backend(&self) -> io::Result<Box<dyn StorageBackend>>;
}
