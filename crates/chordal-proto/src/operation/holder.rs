//! The other side of operations: what this node does when asked to read, write or take something.

use chordal_object::{ChunkId, Content, Key, Name, NodeId, Record, Version};
use serde::{Deserialize, Serialize};

use crate::effect::DiskOp;
use crate::input::{Completion, DiskAnswer, DiskError};
use crate::limits::COUNTER_MAX;
use crate::message::{
    ChunkOffered, Message, OfferChunk, ReadRecord, RecordRead, Stored, WriteRecord,
};
use crate::peer::Peer;
use crate::placement;
use crate::request::Asker;
use crate::time::Time;
use crate::view::View;
use crate::waiting::Waiting;

/// A record that is being read from this node's disk for somebody.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Sought {
    key: Key,
    /// The view it was asked under.
    viewed: Option<View>,
    head: bool,
    /// What is to be promised with the answer.
    promise: Option<Version>,
    /// Whether this node counted there before its disk was read.
    complete: bool,
}

/// A record that is being written to this node's disk for somebody.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Held {
    key: Key,
    version: Version,
    /// The view it was asked under.
    viewed: Option<View>,
    /// Whether it counts only where nothing newer is.
    exact: bool,
}

impl Peer {
    /// Whether this node holds a key and agrees who does.
    fn shares_view(&self, key: Key, view: View) -> bool {
        let holders: Vec<NodeId> = placement::holders(&self.table, &self.settings, key);
        // Copies that are being dropped at this moment must not be counted on.
        let steady = !self.replica.is_removing(key);
        steady && holders.contains(&self.me.node) && View::of(&holders) == view
    }

    /// Somebody asks for a name.
    pub(crate) fn asked_record(&mut self, now: Time, asker: &Asker, question: ReadRecord) {
        let ReadRecord {
            name,
            view,
            head,
            promise,
        } = question;
        let key = self.settings.name_key(&name);
        if view.is_some_and(|view| !self.shares_view(key, view)) {
            self.answer(asker, Message::RecordRead(RecordRead::WrongView));
            return;
        }
        if promise.is_some_and(is_out_of_bounds) {
            self.answer(asker, Message::RecordRead(RecordRead::Failed));
            return;
        }
        let sought = Sought {
            key,
            viewed: view,
            head,
            promise,
            complete: self.replica.is_complete_at(key),
        };
        let asker = *asker;
        if promise.is_none() || view.is_none() {
            let waiting = Waiting::RecordFor { asker, sought };
            self.disk(DiskOp::ReadRecord { key, name }, waiting);
            return;
        }
        self.arc_changed(now, key);
        let promise = DiskOp::WriteRecord {
            key,
            record: Record::blank(name.clone(), promise),
            heeds_promise: true,
        };
        let waiting = Waiting::PromiseFor {
            asker,
            sought,
            name,
        };
        self.disk(promise, waiting);
    }

    /// The disk noted a promise, or not: what lies there now is the answer.
    pub(crate) fn promise_for(
        &mut self,
        asker: &Asker,
        sought: Sought,
        name: Name,
        completion: Completion,
    ) {
        if !matches!(
            completion,
            Completion::Disk(Ok(DiskAnswer::RecordStored { .. }))
        ) {
            self.answer(asker, Message::RecordRead(RecordRead::Failed));
            return;
        }
        let (asker, key) = (*asker, sought.key);
        let waiting = Waiting::RecordFor { asker, sought };
        self.disk(DiskOp::ReadRecord { key, name }, waiting);
    }

    /// The disk told of a name.
    pub(crate) fn record_for(&mut self, asker: &Asker, sought: Sought, completion: Completion) {
        let Sought {
            key,
            viewed,
            head,
            promise,
            complete,
        } = sought;
        let read = match completion {
            // The view may have changed while the disk was read.
            _ if viewed.is_some_and(|view| !self.shares_view(key, view)) => RecordRead::WrongView,
            Completion::Disk(Ok(DiskAnswer::Record(record))) => {
                match promise.and_then(|promise| higher_than(promise, record.as_ref())) {
                    Some(higher) => RecordRead::Promised(higher),
                    None => RecordRead::Held {
                        record: if head {
                            record.map(without_content)
                        } else {
                            record
                        },
                        // Complete before the disk was read: what was acknowledged by then was
                        // found.
                        counts: viewed.is_some() && complete && self.replica.is_complete_at(key),
                        promised: promise,
                    },
                }
            }
            Completion::Disk(_) | Completion::Transfer(_) => RecordRead::Failed,
        };
        self.answer(asker, Message::RecordRead(read));
    }

    /// Somebody wants this node to hold a record.
    pub(crate) fn asked_to_hold(&mut self, now: Time, asker: &Asker, write: WriteRecord) {
        let WriteRecord {
            record,
            view,
            exact,
        } = write;
        if !is_bounded(&record) {
            self.answer(asker, Message::RecordWritten(Stored::Failed));
            return;
        }
        let key = self.settings.name_key(&record.name);
        if view.is_some_and(|view| !self.shares_view(key, view)) {
            self.answer(asker, Message::RecordWritten(Stored::WrongView));
            return;
        }
        if view.is_none() {
            self.replica.note_foreign();
        }
        self.arc_changed(now, key);
        let held = Held {
            key,
            version: record.version,
            viewed: view,
            exact,
        };
        let write = DiskOp::WriteRecord {
            key,
            record,
            heeds_promise: view.is_some(),
        };
        let asker = *asker;
        self.disk(write, Waiting::HeldFor { asker, held });
    }

    /// The disk took a record, or not.
    pub(crate) fn held_for(&mut self, asker: &Asker, held: Held, completion: Completion) {
        let Held {
            key,
            version,
            viewed,
            exact,
        } = held;
        let stored = match completion {
            // A new holder may have compared before this was durable: it must not count.
            _ if viewed.is_some_and(|view| !self.shares_view(key, view)) => Stored::WrongView,
            Completion::Disk(Ok(DiskAnswer::RecordStored { newest, promised })) => {
                let newer = exact.then_some(newest);
                match promised.max(newer).filter(|&higher| higher > version) {
                    Some(higher) if viewed.is_some() => Stored::Promised(higher),
                    _ => Stored::Durable {
                        newest,
                        counts: viewed.is_some() && self.replica.is_complete_at(key),
                    },
                }
            }
            Completion::Disk(Err(DiskError::Full { free })) => Stored::Full { free },
            Completion::Disk(_) | Completion::Transfer(_) => Stored::Failed,
        };
        self.answer(asker, Message::RecordWritten(stored));
    }

    /// Somebody offers a chunk.
    pub(crate) fn offered_chunk(&mut self, now: Time, asker: &Asker, offer: OfferChunk) {
        let key = self.chunk_key(offer.chunk);
        if offer.view.is_some_and(|view| !self.shares_view(key, view)) {
            self.answer(asker, Message::ChunkOffered(ChunkOffered::WrongView));
            return;
        }
        if offer.view.is_none() {
            self.replica.note_foreign();
        }
        self.arc_changed(now, key);
        self.collector.touch(now, &[offer.chunk]);
        let waiting = Waiting::OfferFor {
            asker: *asker,
            chunk: offer.chunk,
        };
        self.disk(DiskOp::HaveChunks(vec![offer.chunk]), waiting);
    }

    /// The disk told whether an offered chunk is here.
    pub(crate) fn offer_for(&mut self, asker: &Asker, chunk: ChunkId, completion: Completion) {
        let stays = !self.collector.is_removing(chunk);
        let offered = match completion {
            Completion::Disk(Ok(DiskAnswer::Have(have))) if stays && have == [true] => {
                ChunkOffered::Have
            }
            Completion::Disk(Ok(_)) => ChunkOffered::Wanted,
            Completion::Disk(_) | Completion::Transfer(_) => ChunkOffered::Failed,
        };
        self.answer(asker, Message::ChunkOffered(offered));
    }

    /// Somebody asks which chunks are here.
    pub(crate) fn asked_chunks(&mut self, asker: &Asker, chunks: Vec<ChunkId>) {
        let count = chunks.len();
        self.disk(
            DiskOp::HaveChunks(chunks),
            Waiting::ChunksFor {
                asker: *asker,
                count,
            },
        );
    }

    /// The disk told which chunks are here; a disk that failed has none.
    pub(crate) fn chunks_for(&mut self, asker: &Asker, count: usize, completion: Completion) {
        let held = match completion {
            Completion::Disk(Ok(DiskAnswer::Have(have))) => have,
            Completion::Disk(_) | Completion::Transfer(_) => vec![false; count],
        };
        self.answer(asker, Message::ChunksHeld(held));
    }
}

/// Whether higher versions than those of a record can be written.
pub(crate) fn is_bounded(record: &Record) -> bool {
    let versions = [Some(record.version), record.promised, record.original];
    !versions.into_iter().flatten().any(is_out_of_bounds)
}

/// Whether nobody could ever write a higher version.
const fn is_out_of_bounds(version: Version) -> bool {
    version.counter >= COUNTER_MAX
}

/// What keeps a version from being promised: a higher promise, or something as new. The copy is the
/// one that lay there after the promise was noted.
fn higher_than(promise: Version, copy: Option<&Record>) -> Option<Version> {
    let present = copy.map(|record| record.version);
    let promised = copy.and_then(|record| record.promised);
    let is_noted = promised == Some(promise) && present < Some(promise);
    // A disk that lost the note promised nothing.
    (!is_noted).then(|| promised.max(present).unwrap_or(promise).max(promise))
}

/// A record with its small content left out, for whoever only asks for its version.
fn without_content(mut record: Record) -> Record {
    if let Some(file) = record.file.as_mut()
        && matches!(file.content, Content::Inline(_))
    {
        file.size = 0;
        file.content = Content::Inline(bytes::Bytes::new());
    }
    record
}
