//! The wire between the index and the disk that melts at the first failed write or sync.
//!
//! redb refuses even reads after an I/O error. A store whose disk no longer takes writes should go
//! on reading, so the fuse hides the failure from redb: from then on nothing more reaches the
//! disk, redb reads back what it wrote from memory, and the [`Index`](crate::index::Index) looks at
//! the fuse after every commit before it believes it.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc as Shared, Mutex};

use redb::StorageBackend;

use crate::error::is_full;
use crate::locking::lock;

/// Whether the fuse has melted, and why: shared between the backend and the index.
#[derive(Debug, Default)]
pub(crate) struct FuseState {
    melted: AtomicBool,
    after: Mutex<After>,
}

/// What redb wrote since the fuse melted.
#[derive(Debug, Default)]
struct After {
    cause: Option<Cause>,
    length: Option<u64>,
    writes: Vec<(u64, Box<[u8]>)>,
}

/// The failure that melted the fuse.
#[derive(Clone, Debug)]
pub(crate) struct Cause {
    pub(crate) kind: io::ErrorKind,
    pub(crate) message: String,
    pub(crate) is_full: bool,
}

impl FuseState {
    /// The failure, when there was one.
    pub(crate) fn cause(&self) -> Option<Cause> {
        if self.melted.load(Ordering::Acquire) {
            lock(&self.after).cause.clone()
        } else {
            None
        }
    }

    pub(crate) fn is_melted(&self) -> bool {
        self.melted.load(Ordering::Acquire)
    }

    /// Melts the fuse.
    pub(crate) fn melt(&self, error: &io::Error) {
        let mut after = lock(&self.after);
        if after.cause.is_none() {
            after.cause = Some(Cause {
                kind: error.kind(),
                message: error.to_string(),
                is_full: is_full(error),
            });
            tracing::error!(%error, "the disk failed: this store takes no more writes");
        }
        self.melted.store(true, Ordering::Release);
    }
}

/// A backend of redb with a fuse in front of its writes.
#[derive(Debug)]
pub(crate) struct Fuse {
    disk: Box<dyn StorageBackend>,
    state: Shared<FuseState>,
}

impl Fuse {
    pub(crate) fn new(disk: Box<dyn StorageBackend>, state: Shared<FuseState>) -> Self {
        Self { disk, state }
    }
}

impl StorageBackend for Fuse {
    fn len(&self) -> io::Result<u64> {
        let after_melting = lock(&self.state.after).length;
        after_melting.map_or_else(|| self.disk.len(), Ok)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        if !self.state.is_melted() {
            return self.disk.read(offset, out);
        }
        let on_disk = self.disk.len()?.saturating_sub(offset);
        let on_disk = usize::try_from(on_disk)
            .unwrap_or(usize::MAX)
            .min(out.len());
        let (known, beyond) = out.split_at_mut(on_disk);
        if !known.is_empty() {
            self.disk.read(offset, known)?;
        }
        beyond.fill(0);
        for (start, bytes) in &lock(&self.state.after).writes {
            overlay(offset, out, *start, bytes);
        }
        Ok(())
    }

    fn set_len(&self, length: u64) -> io::Result<()> {
        if !self.state.is_melted() {
            match self.disk.set_len(length) {
                Ok(()) => return Ok(()),
                Err(error) => self.state.melt(&error),
            }
        }
        lock(&self.state.after).length = Some(length);
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        if !self.state.is_melted()
            && let Err(error) = self.disk.sync_data()
        {
            self.state.melt(&error);
        }
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        if !self.state.is_melted() {
            match self.disk.write(offset, data) {
                Ok(()) => return Ok(()),
                Err(error) => self.state.melt(&error),
            }
        }
        lock(&self.state.after).writes.push((offset, data.into()));
        Ok(())
    }

    fn close(&self) -> io::Result<()> {
        self.disk.close()
    }
}

/// Copies the part of `bytes` at `start` that lies in `out` at `offset`.
fn overlay(offset: u64, out: &mut [u8], start: u64, bytes: &[u8]) {
    let end = start + bytes.len() as u64;
    let out_end = offset + out.len() as u64;
    let from = start.max(offset);
    let upto = end.min(out_end);
    if from >= upto {
        return;
    }
    let place = |position: u64, base: u64| {
        usize::try_from(position - base).expect("within a buffer in memory")
    };
    out[place(from, offset)..place(upto, offset)]
        .copy_from_slice(&bytes[place(from, start)..place(upto, start)]);
}

#[cfg(test)]
mod tests;
