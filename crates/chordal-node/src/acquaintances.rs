//! A copy, outside the store, of what a node needs to find its ring: the ring's settings and the nodes
//! it knows. It is read only where the store's index is lost, and is never waited for.
//!
//! The file `acquaintances` in the node's folder. Format 1: the format (1 byte), the length of the
//! settings (4 bytes, big-endian), the settings, the saved table.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::{Buf, BufMut, Bytes, BytesMut};
use chordal_object::NodeId;
use chordal_proto::{Settings, saved_nodes};
use tokio_util::task::TaskTracker;

use crate::client::SharedSettings;
use crate::settings_bytes;

const FILE: &str = "acquaintances";
const FORMAT: u8 = 1;

/// Where the copy is kept.
#[derive(Clone, Debug)]
pub(crate) struct Acquaintances {
    path: PathBuf,
    settings: SharedSettings,
    /// Notes so far, and the last one that was written: a later one is not overtaken.
    noted: Arc<AtomicU64>,
    written: Arc<Mutex<u64>>,
}

impl Acquaintances {
    /// In a node's folder.
    pub(crate) fn new(folder: &Path, settings: SharedSettings) -> Self {
        Self {
            path: folder.join(FILE),
            settings,
            noted: Arc::default(),
            written: Arc::default(),
        }
    }

    /// Has a table that is about to be saved copied, some time soon.
    pub(crate) fn note(&self, members: Bytes, tasks: &TaskTracker) {
        let number = self.noted.fetch_add(1, Ordering::Relaxed) + 1;
        let this = self.clone();
        tasks.spawn_blocking(move || this.write(number, &members));
    }

    fn write(&self, number: u64, members: &[u8]) {
        let mut written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        if number < *written {
            return;
        }
        *written = number;
        if saved_nodes(Bytes::copy_from_slice(members)).len() < 2 {
            // Alone: whoever was known before is a better word than nobody.
            return;
        }
        let settings = self.settings.read();
        let settings = settings_bytes::encode(&settings.unwrap_or_else(PoisonError::into_inner));
        let mut bytes = BytesMut::new();
        bytes.put_u8(FORMAT);
        bytes.put_u32(u32::try_from(settings.len()).expect("names are bounded"));
        bytes.put_slice(&settings);
        bytes.put_slice(members);
        // Not synced: after a power cut the old or no file is as good as any.
        let temporary = self.path.with_extension("tmp");
        let end = fs::write(&temporary, &bytes).and_then(|()| fs::rename(&temporary, &self.path));
        if let Err(error) = end {
            tracing::debug!(%error, "the nodes of the ring were not noted outside the store");
        }
    }
}

/// What a copy told.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Recalled {
    /// What the ring is set to.
    pub(crate) settings: Option<Settings>,
    /// The nodes that were on the ring, and where.
    pub(crate) nodes: Vec<(NodeId, SocketAddr)>,
}

impl Recalled {
    /// What is in a node's folder; nothing where the file is not there, or no such copy.
    pub(crate) fn read(folder: &Path) -> Self {
        let bytes = fs::read(folder.join(FILE)).ok().map(Bytes::from);
        bytes.and_then(Self::decode).unwrap_or_default()
    }

    fn decode(mut bytes: Bytes) -> Option<Self> {
        if bytes.try_get_u8().ok()? != FORMAT {
            return None;
        }
        let length = usize::try_from(bytes.try_get_u32().ok()?).ok()?;
        let settings = (length <= bytes.len()).then(|| bytes.split_to(length))?;
        Some(Self {
            settings: settings_bytes::decode(&settings),
            nodes: saved_nodes(bytes),
        })
    }
}

#[cfg(test)]
mod tests;
