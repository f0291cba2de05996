//! Every limit of the store, in one place.

/// The longest chunk, in bytes. A ring's chunk size is at most this.
pub const CHUNK_BYTES_MAX: usize = 4 << 20;

/// The longest encoded record, in bytes: the most inline content, metadata and ids there can be.
pub const RECORD_BYTES_MAX: usize = 512 << 10;

/// The longest name of a small value of the owner, in bytes.
pub const META_NAME_BYTES_MAX: usize = 128;

/// The longest small value of the owner, in bytes.
pub const META_VALUE_BYTES_MAX: usize = 1 << 20;

/// Bytes of the disk that new chunks and records leave free, so that removing, tombstones and the
/// index itself still have room when the disk is full.
pub const RESERVE_BYTES: u64 = 64 << 20;

/// Bytes the index may write for one byte of a record: the row, the pages above it, and their copy.
pub(crate) const INDEX_WRITE_FACTOR: u64 = 4;

/// Memory for pages of the index, in bytes. It fills as pages are used; an idle store holds little.
pub(crate) const INDEX_CACHE_BYTES: usize = 16 << 20;

/// Changes that share one transaction at most; callers that come together are merged up to this.
pub(crate) const GROUP_CHANGES_MAX: usize = 4096;

/// Bad chunks kept for inspection. Further ones are deleted.
pub(crate) const QUARANTINE_FILES_MAX: usize = 64;

/// The folders that chunk files are spread over.
pub(crate) const SHARDS: usize = 256;

const _: () = assert!(CHUNK_BYTES_MAX as u64 * 4 <= RESERVE_BYTES);
const _: () = assert!(RECORD_BYTES_MAX as u64 * INDEX_WRITE_FACTOR < RESERVE_BYTES);

/// Chunks that are entered together while an index is made anew.
pub(crate) const REBUILD_BATCH: usize = 512;

/// Lost indexes that are kept beside the new one; of more, the last one is replaced.
pub(crate) const LOST_INDEXES_MAX: u32 = 8;
