//! What a stored thing *is* in Chordal: keys and arcs of the ring, node ids, names, chunks,
//! records and their versions, and the bytes of each.
//!
//! This crate holds vocabulary only. It performs no I/O, reads no clock and takes no decision:
//! where a thing belongs is `chordal-proto`'s to say, and where its bytes lie `chordal-store`'s.

mod chunk;
mod chunk_list;
mod holding;
mod key;
mod name;
mod node_id;
mod record;
mod version;
pub mod wire;

pub use chunk::{Chunk, ChunkId, ChunkIdError};
pub use chunk_list::{
    ChunkList, INLINE_IDS_MAX, LIST_CHUNK_IDS, LIST_HEAD, ListBuilder, chunk_count,
};
pub use holding::{Holding, RecordCopy, Subject};
pub use key::{Arc, Bits, BitsError, Key};
pub use name::{DEFAULT_SPACE, Name, NameError, PATH_BYTES_MAX};
pub use node_id::{NodeId, NodeIdError};
pub use record::{Content, DecodeError, File, METADATA_BYTES_MAX, Record};
pub use version::Version;
