//! What is to happen when an effect that takes time ends.

use chordal_object::{Arc, ChunkId, Key, Name, NodeId};
use serde::{Deserialize, Serialize};

use crate::input::{Completion, OperationId};
use crate::message::{Care, CompareArc, Kind, Reconcile, Word};
use crate::operation::{Held, Sought};
use crate::peer::Peer;
use crate::replica::SessionId;
use crate::request::Asker;
use crate::time::Time;

/// Who waits for an effect, and what for.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum Waiting {
    /// The next life; after so many changes of what is to be kept of views.
    Saved { moves: u64 },
    /// Somebody asked for a name.
    RecordFor { asker: Asker, sought: Sought },
    /// Somebody asked for a name and is to be promised that it takes no lower version.
    PromiseFor {
        asker: Asker,
        sought: Sought,
        name: Name,
    },
    /// Somebody wants a record held.
    HeldFor { asker: Asker, held: Held },
    /// Somebody offered a chunk.
    OfferFor { asker: Asker, chunk: ChunkId },
    /// Somebody asked which chunks are here.
    ChunksFor { asker: Asker, count: usize },
    /// Somebody wants a page of names.
    PageFor { asker: Asker, complete: Vec<Arc> },
    /// Somebody asked how this node is: how full is the disk?
    UsageFor(Asker),
    /// The same: how much lies where holders are out of reach?
    CountsFor {
        asker: Asker,
        used: u64,
        care: Care,
        weights: Vec<u64>,
    },
    /// Somebody compares an arc with this node.
    ItemsFor {
        asker: Asker,
        step: Reconcile,
        word: Word,
    },
    /// Somebody asks whether an arc is the same here; the records, once they are known.
    ArcFor {
        asker: Asker,
        question: CompareArc,
        word: Word,
        records: Option<Vec<(Key, [u8; 32])>>,
    },
    /// Somebody wants records by their digests.
    RecordsFor(Asker),
    /// This node's copy of a client's chunk.
    OwnCopy(OperationId),
    /// A chunk read from this node's disk for a client.
    OwnChunk(OperationId),
    /// A chunk on its way to a node.
    Pushed {
        operation: OperationId,
        node: NodeId,
    },
    /// A chunk on its way from a node to a client.
    Fetched {
        operation: OperationId,
        node: NodeId,
    },
    /// What this node holds of a session's arc.
    SessionItems(SessionId),
    /// A record of a session.
    SessionRecord(SessionId),
    /// A chunk of a session.
    SessionChunk(SessionId),
    /// How much lies in arcs that others hold.
    ForeignCounts(Vec<Arc>),
    /// What lies in the arc that a hand-off is about, named by its end.
    HandOffItems { upto: Key, kind: Kind },
    /// Handed-off copies were dropped.
    HandOffRemoved { upto: Key, arc: Arc },
    /// Somebody wants chunks kept.
    KeptFor { asker: Asker, chunks: Vec<ChunkId> },
    /// What lies in the arc that is walked for chunks that nothing refers to.
    SweepItems,
    /// Which chunks of a round of collecting are here.
    RoundChunks(u64),
    /// Somebody asks what is referred to here, under a node table of this digest.
    ReferencesFor { asker: Asker, table: u64 },
    /// What those chunks list that are about to go.
    VictimsList,
    /// Chunks that nothing refers to were dropped, and with them lists of these.
    Collected(Vec<ChunkId>),
}

impl Peer {
    /// An effect ended: back to whoever waits for it.
    pub(crate) fn resume(&mut self, now: Time, waiting: Waiting, completion: Completion) {
        match waiting {
            Waiting::Saved { moves } => self.saved(now, moves, &completion),
            Waiting::RecordFor { asker, sought } => self.record_for(&asker, sought, completion),
            Waiting::PromiseFor {
                asker,
                sought,
                name,
            } => self.promise_for(&asker, sought, name, completion),
            Waiting::HeldFor { asker, held } => self.held_for(&asker, held, completion),
            Waiting::OfferFor { asker, chunk } => self.offer_for(&asker, chunk, completion),
            Waiting::ChunksFor { asker, count } => self.chunks_for(&asker, count, completion),
            Waiting::PageFor { asker, complete } => self.page_for(&asker, complete, completion),
            Waiting::UsageFor(asker) => self.usage_for(&asker, completion),
            Waiting::CountsFor {
                asker,
                used,
                care,
                weights,
            } => {
                self.counts_for(&asker, used, care, &weights, completion);
            }
            Waiting::ItemsFor { asker, step, word } => {
                self.items_for(&asker, step, word, completion);
            }
            Waiting::ArcFor {
                asker,
                question,
                word,
                records,
            } => {
                self.arc_for(now, &asker, question, word, records, completion);
            }
            Waiting::RecordsFor(asker) => self.records_for(&asker, completion),
            Waiting::OwnCopy(operation) => self.own_copy_stored(now, operation, completion),
            Waiting::OwnChunk(operation) => self.own_chunk_read(now, operation, completion),
            Waiting::Pushed { operation, node } => self.pushed(now, operation, node, completion),
            Waiting::Fetched { operation, node } => self.fetched(now, operation, node, completion),
            Waiting::SessionItems(id) => self.session_items(now, id, completion),
            Waiting::SessionRecord(id) => self.session_record(now, id, completion),
            Waiting::SessionChunk(id) => self.session_chunk(now, id, completion),
            Waiting::ForeignCounts(arcs) => self.foreign_counted(now, &arcs, completion),
            Waiting::HandOffItems { upto, kind } => {
                self.hand_off_items(now, upto, kind, completion);
            }
            Waiting::KeptFor { asker, chunks } => self.kept_for(&asker, &chunks, completion),
            Waiting::SweepItems => self.sweep_items(now, completion),
            Waiting::RoundChunks(number) => self.round_chunks(now, number, completion),
            Waiting::ReferencesFor { asker, table } => {
                self.references_for(now, &asker, table, completion);
            }
            Waiting::VictimsList => self.victims_list(completion),
            Waiting::Collected(listed) => self.collected(now, &listed, &completion),
            Waiting::HandOffRemoved { upto, arc } => {
                self.collector.note_hand_off(now);
                self.hand_off_removed(now, upto, arc, completion);
            }
        }
    }
}
