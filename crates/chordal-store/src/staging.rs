//! Who is writing or removing which chunk file right now.
//!
//! A chunk's file and its index entry change in two steps. A claim on the chunk's name keeps
//! others out in between: a removal cannot delete the file that a put has just counted on, and two
//! puts of the same bytes write them once. Claims live in memory; after a crash nobody holds any.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc as Shared, Condvar, Mutex};

use chordal_object::ChunkId;

use crate::disk::Disk;
use crate::locking::{lock, wait};

/// The claims of one store.
#[derive(Debug)]
pub(crate) struct Claims {
    held: Mutex<BTreeMap<ChunkId, Held>>,
    changed: Condvar,
    disk: Shared<dyn Disk>,
}

/// How a chunk is claimed.
#[derive(Debug)]
enum Held {
    /// One writer is making the bytes durable.
    Writing,
    /// The bytes are durable and these many stagers count on them.
    Staged {
        claim: Shared<ClaimState>,
        stagers: usize,
    },
    /// The entry and the file are going.
    Removing,
}

#[derive(Debug, Default)]
struct ClaimState {
    /// The index names the chunk, or may come to: the file is no longer the stagers' to remove.
    keep: AtomicBool,
}

/// A stager's share in a staged chunk; the last one to let go of a chunk that was never committed
/// removes its file.
#[derive(Debug)]
pub(crate) struct Claim {
    id: ChunkId,
    state: Shared<ClaimState>,
    claims: Shared<Claims>,
}

/// What a stager has to do.
#[derive(Debug)]
pub(crate) enum Turn {
    /// Make the bytes durable, then say so.
    Write(Writing),
    /// Nothing: another stager has.
    Staged(Claim),
}

/// The duty to write; given up when dropped.
#[derive(Debug)]
pub(crate) struct Writing {
    id: ChunkId,
    claims: Shared<Claims>,
    done: bool,
}

/// The right to remove; given up when dropped.
#[derive(Debug)]
pub(crate) struct Removing {
    id: ChunkId,
    claims: Shared<Claims>,
}

impl Claims {
    pub(crate) fn new(disk: Shared<dyn Disk>) -> Shared<Self> {
        Shared::new(Self {
            held: Mutex::new(BTreeMap::new()),
            changed: Condvar::new(),
            disk,
        })
    }

    /// Waits until the chunk may be staged, and says by whom.
    pub(crate) fn stage(self: &Shared<Self>, id: ChunkId) -> Turn {
        let mut held = lock(&self.held);
        loop {
            match held.entry(id) {
                Entry::Vacant(vacant) => {
                    vacant.insert(Held::Writing);
                    return Turn::Write(Writing {
                        id,
                        claims: Shared::clone(self),
                        done: false,
                    });
                }
                Entry::Occupied(mut occupied) => {
                    if let Held::Staged { claim, stagers } = occupied.get_mut() {
                        *stagers += 1;
                        let state = Shared::clone(claim);
                        return Turn::Staged(Claim {
                            id,
                            state,
                            claims: Shared::clone(self),
                        });
                    }
                }
            }
            held = wait(&self.changed, held);
        }
    }

    /// Claims the chunk for removal, or nothing when anyone else has a claim on it.
    pub(crate) fn try_remove(self: &Shared<Self>, id: ChunkId) -> Option<Removing> {
        match lock(&self.held).entry(id) {
            Entry::Vacant(vacant) => {
                vacant.insert(Held::Removing);
                Some(Removing {
                    id,
                    claims: Shared::clone(self),
                })
            }
            Entry::Occupied(_) => None,
        }
    }

    fn release(&self, id: ChunkId) {
        lock(&self.held).remove(&id);
        self.changed.notify_all();
    }

    /// One stager fewer; the last one of an uncommitted chunk must remove the file.
    fn unstage(&self, id: ChunkId, keep: bool) -> bool {
        let mut held = lock(&self.held);
        let Some(Held::Staged { stagers, .. }) = held.get_mut(&id) else {
            return false;
        };
        *stagers -= 1;
        if *stagers > 0 {
            return false;
        }
        if keep {
            held.remove(&id);
            drop(held);
            self.changed.notify_all();
            return false;
        }
        held.insert(id, Held::Removing);
        true
    }
}

impl Writing {
    /// The bytes are durable; `indexed` when the index names the chunk already.
    pub(crate) fn done(mut self, indexed: bool) -> Claim {
        self.done = true;
        let state = Shared::new(ClaimState {
            keep: AtomicBool::new(indexed),
        });
        let staged = Held::Staged {
            claim: Shared::clone(&state),
            stagers: 1,
        };
        lock(&self.claims.held).insert(self.id, staged);
        self.claims.changed.notify_all();
        Claim {
            id: self.id,
            state,
            claims: Shared::clone(&self.claims),
        }
    }
}

impl Drop for Writing {
    fn drop(&mut self) {
        if !self.done {
            self.claims.release(self.id);
        }
    }
}

impl Drop for Removing {
    fn drop(&mut self) {
        self.claims.release(self.id);
    }
}

impl Claim {
    /// The chunk is about to be named by the index: from here on the file stays.
    pub(crate) fn keep(&self) {
        self.state.keep.store(true, Ordering::Release);
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        let keep = self.state.keep.load(Ordering::Acquire);
        if self.claims.unstage(self.id, keep) {
            // A file that could not be removed is a stray one: the next sweep finds it.
            if let Err(error) = self.claims.disk.remove(&chunk_path(self.id)) {
                tracing::debug!(id = %self.id, %error, "an uncommitted chunk file stays behind");
            }
            self.claims.release(self.id);
        }
    }
}

/// Where a chunk's bytes are.
pub(crate) fn chunk_path(id: ChunkId) -> String {
    let shard = id.as_bytes()[0];
    format!("{}/{id}", shard_folder(shard))
}

/// Where the chunks whose hash starts with this byte are.
pub(crate) fn shard_folder(shard: u8) -> String {
    format!("chunks/{shard:02x}")
}

#[cfg(test)]
mod tests;
