//! A core of one node that keeps everything in memory, for tests of what stands above the core.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, RwLock};

use chordal_object::{Chunk, ChunkId, Name, NodeId, Record, Version};
use chordal_proto::effect::{Answer, Copies, Failure};
use chordal_proto::input::{Command, OperationId};
use chordal_proto::{Input, Settings};
use tokio::sync::mpsc;

use super::{Client, Order};
use crate::counters::Counting;
use crate::held::Held;
use crate::inbox::Inbox;

/// What the core keeps, for tests to look at and to spoil.
#[derive(Debug, Default)]
pub(crate) struct Kept {
    pub(crate) chunks: BTreeMap<ChunkId, Chunk>,
    pub(crate) records: BTreeMap<Name, Record>,
    /// Copies of the chunks still to be stored, the next one last; then all have 3 of 3.
    pub(crate) copies: Vec<Copies>,
    /// Fails the storing of a chunk after so many.
    pub(crate) chunks_until_failure: Option<usize>,
    /// Operations under way at most so far.
    pub(crate) under_way_max: usize,
    pub(crate) fetches: usize,
    /// No record can be read any more.
    pub(crate) unreadable: bool,
    /// Chunks that were to be kept.
    pub(crate) kept: BTreeSet<ChunkId>,
}

pub(crate) const ALL: Copies = Copies {
    durable: 3,
    wanted: 3,
};

/// A client of a core that answers at once.
pub(crate) fn client(settings: Settings) -> (Arc<Client>, Arc<Mutex<Kept>>) {
    let (client, mut orders, _, held) = silent(settings);
    let kept = Arc::new(Mutex::new(Kept::default()));
    let own = Arc::clone(&kept);
    tokio::spawn(async move {
        let mut batch = Vec::new();
        // Whatever has been asked meanwhile is under way together.
        while orders.recv_many(&mut batch, 1000).await > 0 {
            let mut kept = own.lock().unwrap();
            kept.under_way_max = kept.under_way_max.max(batch.len());
            for order in batch.drain(..) {
                let answer = kept.answer(order.operation, order.command, &held);
                drop(order.reply.send(answer));
            }
        }
    });
    (client, kept)
}

/// A client of a core that never answers, with what the core would see.
pub(crate) fn silent(
    settings: Settings,
) -> (Arc<Client>, mpsc::Receiver<Order>, Arc<Inbox>, Arc<Held>) {
    let (orders, taken) = mpsc::channel(1000);
    let (inbox, held) = (Arc::new(Inbox::default()), Arc::new(Held::default()));
    let client = Client::new(
        orders,
        &inbox,
        &held,
        &Arc::new(RwLock::new(settings)),
        &Arc::new(Counting::default()),
    );
    (Arc::new(client), taken, inbox, held)
}

/// The operations withdrawn so far.
pub(crate) fn withdrawn(inbox: &Inbox) -> Vec<OperationId> {
    let withdrawn = |input| {
        let Input::Cancel(operation) = input else {
            panic!("{input:?}");
        };
        operation
    };
    inbox.take(Vec::new()).into_iter().map(withdrawn).collect()
}

impl Kept {
    fn answer(
        &mut self,
        operation: OperationId,
        command: Command,
        held: &Held,
    ) -> Result<Answer, Failure> {
        match command {
            Command::StoreChunk { chunk, bytes } => {
                if let Some(left) = &mut self.chunks_until_failure {
                    *left = left.checked_sub(1).ok_or(Failure::Disk)?;
                }
                let kept = held.get(operation).expect("the bytes are kept");
                assert_eq!((kept.id(), kept.bytes().len()), (chunk, bytes as usize));
                self.chunks.insert(chunk, kept);
                Ok(Answer::ChunkStored(self.copies.pop().unwrap_or(ALL)))
            }
            Command::FetchChunk(chunk) => {
                self.fetches += 1;
                let chunk = self.chunks.get(&chunk).ok_or(Failure::NotFound)?;
                held.bring(operation, chunk.clone());
                Ok(Answer::ChunkFetched)
            }
            Command::KeepChunks(chunks) => {
                let held = chunks.iter().all(|id| self.chunks.contains_key(id));
                assert!(held, "only what was stored is to be kept");
                self.kept.extend(chunks);
                Ok(Answer::Kept)
            }
            Command::WriteRecord(draft) => {
                let version = Version {
                    counter: 1,
                    incarnation: 1,
                    node: NodeId::new([1; 32]),
                };
                let record = Record {
                    name: draft.name.clone(),
                    version,
                    modified_ms: draft.modified_ms,
                    file: draft.file,
                    original: None,
                    promised: None,
                    replaced: None,
                };
                let record = Record::decode(record.encode()).expect("what is written is valid");
                self.records.insert(draft.name, record);
                Ok(Answer::Written {
                    version,
                    copies: ALL,
                    replaced: false,
                })
            }
            Command::ReadRecord(_) if self.unreadable => Err(Failure::Disk),
            Command::ReadRecord(name) => Ok(Answer::Record(self.records.get(&name).cloned())),
            Command::Join(_)
            | Command::Leave { .. }
            | Command::Forget { .. }
            | Command::MayExpel { .. }
            | Command::Pause
            | Command::Where(_)
            | Command::Check
            | Command::CountCopies(_)
            | Command::List { .. }
            | Command::Status
            | Command::LookUp(_)
            | Command::Fingers => panic!("not asked in these tests: {command:?}"),
        }
    }
}
