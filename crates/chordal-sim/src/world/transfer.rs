//! Chunks on their way between machines: asked for, sent, made durable, acknowledged.
//!
//! Any step fails when its side is down, its way is cut, or the weather takes it. The end is told
//! exactly once, unless the asker's life ends before.

use std::time::Duration;

use bytes::Bytes;
use chordal_object::{Chunk, ChunkId, Key};
use chordal_proto::effect::{Destination, Transfer};
use chordal_proto::input::{Completion, DiskError, EffectId, OperationId, TransferError};

use super::effects::{Reach, reach};
use super::{Event, World};
use crate::network::Fate;
use crate::plant::Plant;

/// A step of a chunk's way.
#[derive(Debug)]
pub(crate) struct Move {
    /// Whose transfer it is.
    asker: usize,
    /// In which of its lives.
    life: u64,
    /// The number to report its end under.
    effect: EffectId,
    /// What is about to happen.
    step: Step,
}

#[derive(Debug)]
enum Step {
    /// The wish for a chunk arrives at the machine that should have it.
    Wanted {
        source: usize,
        wanted: Destination,
        chunk: ChunkId,
        into: Landing,
    },
    /// The bytes arrive where they were wanted.
    Given {
        chunk: ChunkId,
        bytes: Bytes,
        into: Landing,
    },
    /// Pushed bytes are durable at their target now.
    Pushed {
        target: usize,
        wanted: Destination,
        chunk: ChunkId,
        bytes: Bytes,
    },
}

/// What the asker does with the bytes.
#[derive(Clone, Copy, Debug)]
enum Landing {
    Disk(Key),
    Hands(OperationId),
}

impl Move {
    /// The machine that does the next step.
    pub(super) const fn at(&self) -> usize {
        match self.step {
            Step::Wanted { source, .. } => source,
            Step::Given { .. } => self.asker,
            Step::Pushed { target, .. } => target,
        }
    }

    /// The machine that reads the chunk in the next step, if one does.
    pub(super) const fn source(&self) -> Option<usize> {
        match self.step {
            Step::Wanted { source, .. } => Some(source),
            Step::Given { .. } | Step::Pushed { .. } => None,
        }
    }
}

impl World {
    pub(super) fn begin_move(&mut self, asker: usize, effect: EffectId, transfer: Transfer) {
        let life = self.nodes[asker].lives;
        let (other, chunk) = match transfer {
            Transfer::Push { to, chunk, .. } => (to, chunk),
            Transfer::Fetch { from, chunk, .. } | Transfer::Copy { from, chunk, .. } => {
                (from, chunk)
            }
        };
        let Some(&target) = self.by_addr.get(&other.addr) else {
            return self.fail_late(asker, effect);
        };
        let Fate::Arrives(mut after) = self.network.fate(asker, target) else {
            return self.fail_late(asker, effect);
        };
        let step = match transfer {
            Transfer::Push { operation, to, .. } => {
                let held = self.nodes[asker]
                    .life()
                    .and_then(|life| life.held.get(&operation));
                let Some(bytes) = held.and_then(|held| held.get(&chunk)).cloned() else {
                    return self.fail(asker, effect, Duration::ZERO, TransferError::NotThere);
                };
                after += self.sync_time();
                Step::Pushed {
                    target,
                    wanted: to,
                    chunk,
                    bytes,
                }
            }
            Transfer::Fetch {
                operation, from, ..
            } => {
                let into = Landing::Hands(operation);
                Step::Wanted {
                    source: target,
                    wanted: from,
                    chunk,
                    into,
                }
            }
            Transfer::Copy { key, from, .. } => {
                let into = Landing::Disk(key);
                Step::Wanted {
                    source: target,
                    wanted: from,
                    chunk,
                    into,
                }
            }
        };
        let event = Event::Move(Move {
            asker,
            life,
            effect,
            step,
        });
        self.schedule.push(self.now + after, event);
    }

    pub(super) fn do_move(&mut self, step: Move) {
        let Move {
            asker,
            life,
            effect,
            step,
        } = step;
        match step {
            Step::Wanted {
                source,
                wanted,
                chunk,
                into,
            } => {
                let Some(after) = self.way_back(source, wanted, asker) else {
                    return self.fail_in(asker, life, effect);
                };
                let read = self.nodes[source]
                    .life_mut()
                    .map(|life| life.disk.read_chunk(chunk));
                match read.flatten() {
                    None if self.lives(asker, life) => {
                        self.fail(asker, effect, after, TransferError::NotThere);
                    }
                    None => {}
                    Some(bytes) => {
                        let syncing = match into {
                            Landing::Disk(_) => self.sync_time(),
                            Landing::Hands(_) => Duration::ZERO,
                        };
                        let step = Step::Given { chunk, bytes, into };
                        let event = Event::Move(Move {
                            asker,
                            life,
                            effect,
                            step,
                        });
                        self.schedule.push(self.now + after + syncing, event);
                    }
                }
            }
            Step::Given { chunk, bytes, into } => {
                self.take(asker, life, effect, (chunk, bytes), into);
            }
            Step::Pushed {
                target,
                wanted,
                chunk,
                bytes,
            } => {
                if reach(&self.nodes[target], wanted) != Reach::Here {
                    return self.fail_in(asker, life, effect);
                }
                let stored = self.store_at(target, None, chunk, bytes);
                let Some(after) = self.way_back(target, wanted, asker) else {
                    return self.fail_in(asker, life, effect);
                };
                if self.lives(asker, life) {
                    let stored = stored.map_err(transfer_error);
                    self.finish(asker, effect, after, stored);
                }
            }
        }
    }

    /// The asker has the bytes.
    fn take(
        &mut self,
        asker: usize,
        life: u64,
        effect: EffectId,
        (chunk, bytes): (ChunkId, Bytes),
        into: Landing,
    ) {
        if !self.lives(asker, life) {
            return;
        }
        let done = match into {
            Landing::Disk(key) => self
                .store_at(asker, Some(key), chunk, bytes)
                .map_err(transfer_error),
            Landing::Hands(operation) => {
                if let Some(life) = self.nodes[asker].life_mut() {
                    life.held.entry(operation).or_default().insert(chunk, bytes);
                }
                Ok(())
            }
        };
        if self.lives(asker, life) {
            self.finish(asker, effect, Duration::ZERO, done);
        }
    }

    /// Makes a chunk durable on a machine.
    fn store_at(
        &mut self,
        number: usize,
        key: Option<Key>,
        chunk: ChunkId,
        bytes: Bytes,
    ) -> Result<(), DiskError> {
        if self.plant == Plant::LoseChunks && self.dice.chance(0.8) {
            return Ok(());
        }
        let Some(life) = self.nodes[number].life_mut() else {
            return Err(DiskError::Failed);
        };
        let key = key.unwrap_or_else(|| life.peer.settings().bits.chunk_key(chunk));
        let chunk = Chunk::verify(chunk, bytes).ok_or(DiskError::Failed)?;
        let stored = life.disk.store_chunk(key, &chunk);
        if self.has_died(number) {
            Err(DiskError::Failed)
        } else {
            stored
        }
    }

    /// How long an answer takes from there to the asker, if that machine answers and it comes.
    fn way_back(&mut self, from: usize, wanted: Destination, asker: usize) -> Option<Duration> {
        if reach(&self.nodes[from], wanted) != Reach::Here {
            return None;
        }
        match self.network.fate(from, asker) {
            Fate::Arrives(after) => Some(after),
            Fate::Lost | Fate::Blocked(_) => None,
        }
    }

    fn fail_in(&mut self, asker: usize, life: u64, effect: EffectId) {
        if self.lives(asker, life) {
            self.fail_late(asker, effect);
        }
    }

    /// The other side cannot be reached, which takes a while to find out.
    fn fail_late(&mut self, asker: usize, effect: EffectId) {
        let after = self.network.patience();
        self.fail(asker, effect, after, TransferError::Broken);
    }

    fn fail(&mut self, asker: usize, effect: EffectId, after: Duration, error: TransferError) {
        self.finish(asker, effect, after, Err(error));
    }

    fn finish(
        &mut self,
        asker: usize,
        effect: EffectId,
        after: Duration,
        end: Result<(), TransferError>,
    ) {
        let completion = Completion::Transfer(end);
        self.tell_after(
            after,
            asker,
            chordal_proto::Input::Completion { effect, completion },
        );
    }
}

const fn transfer_error(error: DiskError) -> TransferError {
    match error {
        DiskError::Full { .. } => TransferError::Full,
        DiskError::Failed => TransferError::Failed,
    }
}
