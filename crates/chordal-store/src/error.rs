//! What can go wrong, told apart by what the caller can do about it.

use std::io;

use chordal_object::{ChunkId, Name};

use crate::disk::DiskError;

/// Why a store did not open. Nothing on disk was changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// Another owner has the folder: stop it, or use another folder.
    #[error("the data folder is in use by another node")]
    Locked,
    /// A newer program wrote the folder: use that one.
    #[error("the data folder has format {found}; this program knows formats up to {known}")]
    NewerFormat {
        /// The format on disk.
        found: u32,
        /// The newest format this program reads.
        known: u32,
    },
    /// The index is missing or unreadable. The chunk files are there: the store can be
    /// [rebuilt](crate::Store::rebuild) from them, without its records.
    #[error("the index is lost: {0}")]
    IndexLost(String),
    /// What is there is not a store, or is damaged beyond what recovery mends.
    #[error("the data folder is damaged: {0}")]
    Damaged(String),
    /// The disk failed.
    #[error("cannot open the data folder: {message}")]
    Io {
        /// What kind of failure.
        kind: io::ErrorKind,
        /// What the operating system said.
        message: String,
    },
}

impl From<io::Error> for OpenError {
    fn from(error: io::Error) -> Self {
        Self::Io {
            kind: error.kind(),
            message: error.to_string(),
        }
    }
}

impl From<DiskError> for OpenError {
    fn from(error: DiskError) -> Self {
        let error = match error {
            DiskError::Full => io::Error::from(io::ErrorKind::StorageFull),
            DiskError::Sync(error) | DiskError::Io(error) => error,
        };
        Self::from(error)
    }
}

/// Why the store did not do something.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// The disk has no room. What was stored is intact; removing gives room back.
    #[error("the disk is full: {needed} bytes needed, {free} free")]
    Full {
        /// Bytes that would have to be free, with the reserve.
        needed: u64,
        /// Bytes that are.
        free: u64,
    },
    /// A sync failed earlier, so nothing can be promised any more: writes are refused, reads go
    /// on from the last durable state. Open the store again after looking at the disk.
    #[error("the disk failed to make data durable earlier; this store takes no more writes")]
    Poisoned,
    /// The copy of this chunk was bad or lost. It has been put aside: fetch another copy.
    #[error("the copy of chunk {id} is damaged")]
    Corrupt {
        /// The chunk.
        id: ChunkId,
    },
    /// The copy of this record is bad. It stays an error, never "not there", until any version of
    /// the name is stored again.
    #[error("the copy of the record of {name} is damaged")]
    CorruptRecord {
        /// The name.
        name: Name,
    },
    /// The caller offered more than a limit allows.
    #[error("{what} of {bytes} bytes is over the limit of {limit}")]
    TooLarge {
        /// What was too large.
        what: &'static str,
        /// How large it was.
        bytes: u64,
        /// How large it may be.
        limit: u64,
    },
    /// The disk failed.
    #[error("{doing}: {message}")]
    Io {
        /// What was being done.
        doing: &'static str,
        /// What kind of failure.
        kind: io::ErrorKind,
        /// What the operating system said.
        message: String,
    },
}

impl StoreError {
    pub(crate) fn io(doing: &'static str, error: &io::Error) -> Self {
        Self::Io {
            doing,
            kind: error.kind(),
            message: error.to_string(),
        }
    }

    /// An error of the index, told as the failure of the disk beneath it where it is one.
    pub(crate) fn index(doing: &'static str, error: redb::Error) -> Self {
        if let redb::Error::Io(error) = error {
            return Self::io(doing, &error);
        }
        Self::Io {
            doing,
            kind: io::ErrorKind::InvalidData,
            message: error.to_string(),
        }
    }
}

/// Whether the operating system refused for want of room.
pub(crate) fn is_full(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded
    )
}
