//! Clients: they put, get, delete and list through any node, and hold the ring to its word.
//!
//! A client does what a production driver does for it: stores a file's chunks, then writes its
//! record; reads a record, then fetches its chunks and checks every byte.

mod listing;
mod tally;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use bytes::Bytes;
use chordal_object::{Chunk, ChunkId, Content, File, ListBuilder, Name, Record};
use chordal_proto::effect::{Answer, Failure};
use chordal_proto::input::{Command, Condition, Draft, OperationId};

use self::listing::Listing;
pub(crate) use self::tally::Tally;
use crate::oracle::{Oracle, ReadBegun, WriteBegun};
use crate::violation::Violation;
use crate::world::{Alarm, Reply, World};

/// All clients.
#[derive(Debug)]
pub(crate) struct Clients {
    /// What they were promised.
    pub(crate) oracle: Oracle,
    /// How they fared.
    pub(crate) tally: Tally,
    /// Whether a failure is a broken promise: it is when all is quiet.
    pub(crate) demanding: bool,
    tasks: BTreeMap<u64, Task>,
    operations: BTreeMap<OperationId, u64>,
    begun_tasks: u64,
    begun_operations: u64,
    patience: Duration,
}

/// What one client is doing.
#[derive(Debug)]
struct Task {
    /// Through this node.
    node: usize,
    /// What is under way for it.
    pending: BTreeMap<OperationId, Option<ChunkId>>,
    stage: Stage,
}

#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "there are few at a time")]
enum Stage {
    Storing(Draft),
    Writing(WriteBegun),
    Reading(ReadBegun),
    Fetching {
        read: ReadBegun,
        record: Record,
        have: BTreeMap<ChunkId, Bytes>,
    },
    Listing(Listing),
}

impl Clients {
    /// Clients that expect every answer within this time.
    pub(crate) fn new(patience: Duration) -> Self {
        Self {
            oracle: Oracle::default(),
            tally: Tally::default(),
            demanding: false,
            tasks: BTreeMap::new(),
            operations: BTreeMap::new(),
            begun_tasks: 0,
            begun_operations: 0,
            patience,
        }
    }

    /// How many clients wait for something.
    pub(crate) fn waiting(&self) -> usize {
        self.tasks.len()
    }

    /// A number for an operation, never used before.
    pub(crate) const fn operation(&mut self) -> OperationId {
        self.begun_operations += 1;
        OperationId(self.begun_operations)
    }

    /// Puts a file.
    pub(crate) fn put(
        &mut self,
        world: &mut World,
        node: usize,
        name: &Name,
        content: &Bytes,
        condition: Option<Condition>,
    ) -> Result<(), Violation> {
        self.tally.puts += 1;
        let (file, chunks) = cut(content, world);
        let modified_ms = i64::try_from(world.now.as_nanos() / 1_000_000).unwrap_or(0);
        let draft = Draft {
            name: name.clone(),
            modified_ms,
            file: Some(file),
            condition,
        };
        if chunks.is_empty() {
            return self.write(world, node, draft);
        }
        let task = self.task(node, Stage::Storing(draft));
        let chunks: BTreeMap<ChunkId, Chunk> = chunks
            .into_iter()
            .map(|chunk| (chunk.id(), chunk))
            .collect();
        let mut commands = Vec::new();
        for chunk in chunks.values() {
            let operation = self.operation();
            let bytes = u32::try_from(chunk.bytes().len()).expect("chunks are small");
            self.expect(world, task, operation, Some(chunk.id()));
            world.hold(node, operation, chunk);
            commands.push((
                operation,
                Command::StoreChunk {
                    chunk: chunk.id(),
                    bytes,
                },
            ));
        }
        commands
            .into_iter()
            .try_for_each(|(operation, command)| world.command(node, operation, command))
    }

    /// Deletes a name.
    pub(crate) fn delete(
        &mut self,
        world: &mut World,
        node: usize,
        name: &Name,
    ) -> Result<(), Violation> {
        self.tally.deletes += 1;
        let modified_ms = i64::try_from(world.now.as_nanos() / 1_000_000).unwrap_or(0);
        self.write(
            world,
            node,
            Draft {
                name: name.clone(),
                modified_ms,
                file: None,
                condition: None,
            },
        )
    }

    /// Gets a file.
    pub(crate) fn get(
        &mut self,
        world: &mut World,
        node: usize,
        name: &Name,
    ) -> Result<(), Violation> {
        self.tally.gets += 1;
        let read = self.oracle.begin_read(name);
        let task = self.task(node, Stage::Reading(read));
        self.ask(world, task, None, Command::ReadRecord(name.clone()))
    }

    /// Lists a space, page by page.
    pub(crate) fn list(
        &mut self,
        world: &mut World,
        node: usize,
        space: &str,
        page: u32,
    ) -> Result<(), Violation> {
        self.tally.lists += 1;
        let listing = Listing::begin(&self.oracle, space, page);
        let command = listing.command();
        let task = self.task(node, Stage::Listing(listing));
        self.ask(world, task, None, command)
    }

    /// One client loses interest; its operation is cancelled.
    pub(crate) fn lose_interest(&mut self, world: &mut World) -> Result<(), Violation> {
        let Some((&number, _)) = self.tasks.last_key_value() else {
            return Ok(());
        };
        self.tally.cancelled += 1;
        let task = self.abandon(number);
        let Some((node, operations)) = task else {
            return Ok(());
        };
        for operation in operations {
            world.release(node, operation);
            world.cancel(node, operation)?;
        }
        Ok(())
    }

    /// The node's clients will hear no more: it stopped.
    pub(crate) fn disconnect(&mut self, node: usize) {
        let lost: Vec<u64> = self
            .tasks
            .iter()
            .filter(|(_, task)| task.node == node)
            .map(|(&number, _)| number)
            .collect();
        for number in lost {
            self.abandon(number);
        }
    }

    /// A client has waited long enough.
    pub(crate) fn overdue(&self, world: &World, operation: OperationId) -> Result<(), Violation> {
        let Some(task) = self
            .operations
            .get(&operation)
            .and_then(|task| self.tasks.get(task))
        else {
            return Ok(());
        };
        let seen = format!(
            "operation {} has no answer after {:?}",
            operation.0, self.patience
        );
        Err(world.violation("clients are answered in time", Some(task.node), seen))
    }

    /// Whether a client waits for this operation.
    pub(crate) fn is_for(&self, operation: OperationId) -> bool {
        self.operations.contains_key(&operation)
    }

    /// A node answers a client.
    pub(crate) fn hear(&mut self, world: &mut World, reply: Reply) -> Result<(), Violation> {
        let Reply {
            node,
            operation,
            answer,
        } = reply;
        let bytes = world.release(node, operation);
        let Some(number) = self.operations.remove(&operation) else {
            return Ok(());
        };
        let Some(mut task) = self.tasks.remove(&number) else {
            return Ok(());
        };
        let chunk = task.pending.remove(&operation).flatten();
        match answer {
            Err(failure) => {
                self.tasks.insert(number, task);
                self.failed(world, number, operation, failure)
            }
            Ok(answer) => {
                let fetched = chunk.and_then(|chunk| Some((chunk, bytes.get(&chunk)?.clone())));
                self.go_on(world, (number, task), operation, (answer, fetched))
            }
        }
    }

    /// A client got an answer, and perhaps a chunk with it: on to what is next.
    fn go_on(
        &mut self,
        world: &mut World,
        (number, mut task): (u64, Task),
        operation: OperationId,
        (answer, fetched): (Answer, Option<(ChunkId, Bytes)>),
    ) -> Result<(), Violation> {
        let node = task.node;
        match (task.stage, answer) {
            (Stage::Storing(draft), Answer::ChunkStored(_)) => {
                if task.pending.is_empty() {
                    self.write(world, node, draft)?;
                } else {
                    task.stage = Stage::Storing(draft);
                    self.tasks.insert(number, task);
                }
            }
            (
                Stage::Writing(write),
                Answer::Written {
                    version, replaced, ..
                },
            ) => {
                self.tally.written += 1;
                self.judge(world, node, |oracle| {
                    if replaced {
                        oracle.written_and_replaced(&write, version)
                    } else {
                        oracle.written(&write, version)
                    }
                })?;
            }
            (Stage::Reading(read), Answer::Record(record)) => {
                self.read(world, node, read, record)?;
            }
            (
                Stage::Fetching {
                    read,
                    record,
                    mut have,
                },
                Answer::ChunkFetched,
            ) => {
                have.extend(fetched);
                if task.pending.is_empty() {
                    self.assemble(world, node, &read, &record, &have)?;
                } else {
                    task.stage = Stage::Fetching { read, record, have };
                    self.tasks.insert(number, task);
                }
            }
            (
                Stage::Listing(listing),
                Answer::Listed {
                    rows,
                    more,
                    last,
                    missing,
                },
            ) => {
                let page = listing::Page {
                    rows,
                    more,
                    last,
                    missing,
                };
                self.listed(world, node, listing, page)?;
            }
            (_, answer) => {
                let seen = format!("operation {} is answered with {answer:?}", operation.0);
                return Err(world.violation("answers fit their questions", Some(node), seen));
            }
        }
        Ok(())
    }

    /// Writes a record whose chunks are stored.
    fn write(&mut self, world: &mut World, node: usize, draft: Draft) -> Result<(), Violation> {
        let content = draft.file.as_ref().map(|file| file.hash);
        let condition = draft.condition;
        let begun = self.oracle.begin_write(&draft.name, content, condition);
        let task = self.task(node, Stage::Writing(begun));
        self.ask(world, task, None, Command::WriteRecord(draft))
    }

    /// A record was read: now for its bytes.
    fn read(
        &mut self,
        world: &mut World,
        node: usize,
        read: ReadBegun,
        record: Option<Record>,
    ) -> Result<(), Violation> {
        let Some(record) = record else {
            self.tally.absent += 1;
            return self.judge(world, node, |oracle| oracle.found_nothing(&read));
        };
        let Some(file) = &record.file else {
            let seen = "a tombstone is given to a client".to_owned();
            return Err(world.violation("answers fit their questions", Some(node), seen));
        };
        let (version, hash) = (record.client_version(), file.hash);
        // What a read has shown counts, whether or not its chunks can be fetched.
        self.judge(world, node, |oracle| oracle.found(&read, version, hash))?;
        let chunks: BTreeSet<ChunkId> = match &file.content {
            Content::Inline(_) => BTreeSet::new(),
            Content::Chunks(list) => list.ids.iter().copied().collect(),
        };
        if chunks.is_empty() {
            return self.assemble(world, node, &read, &record, &BTreeMap::new());
        }
        let stage = Stage::Fetching {
            read,
            record,
            have: BTreeMap::new(),
        };
        let task = self.task(node, stage);
        let mut commands = Vec::new();
        for chunk in chunks {
            let operation = self.operation();
            self.expect(world, task, operation, Some(chunk));
            commands.push((operation, Command::FetchChunk(chunk)));
        }
        commands
            .into_iter()
            .try_for_each(|(operation, command)| world.command(node, operation, command))
    }

    /// All bytes are here: they must be what was written.
    fn assemble(
        &mut self,
        world: &World,
        node: usize,
        read: &ReadBegun,
        record: &Record,
        have: &BTreeMap<ChunkId, Bytes>,
    ) -> Result<(), Violation> {
        self.tally.got += 1;
        let Some(file) = &record.file else {
            return Ok(());
        };
        let mut hasher = blake3::Hasher::new();
        match &file.content {
            Content::Inline(bytes) => {
                hasher.update(bytes);
            }
            Content::Chunks(list) => {
                for id in &list.ids {
                    let Some(bytes) = have.get(id) else {
                        let seen = format!("chunk {id:?} is called fetched and is not here");
                        return Err(world.violation("files are whole", Some(node), seen));
                    };
                    hasher.update(bytes);
                }
            }
        }
        if *hasher.finalize().as_bytes() == file.hash {
            return Ok(());
        }
        let seen = format!(
            "{:?} of {:?} has other bytes than its hash says",
            record.client_version(),
            read
        );
        Err(world.violation("files are whole", Some(node), seen))
    }

    fn listed(
        &mut self,
        world: &mut World,
        node: usize,
        listing: Listing,
        page: listing::Page,
    ) -> Result<(), Violation> {
        if let Some(silent) = page.missing.first() {
            self.tally.lists_incomplete += 1;
            let seen = format!("a listing lacks what {} knows", silent.node.short());
            return self.demand(world, node, seen);
        }
        match listing.turn(&self.oracle, page) {
            Ok(Some(next)) => {
                let command = next.command();
                let task = self.task(node, Stage::Listing(next));
                self.ask(world, task, None, command)
            }
            Ok(None) => Ok(()),
            Err(seen) => Err(world.violation("listings are complete", Some(node), seen)),
        }
    }

    /// An operation failed, and its client gives up.
    fn failed(
        &mut self,
        world: &mut World,
        number: u64,
        operation: OperationId,
        failure: Failure,
    ) -> Result<(), Violation> {
        self.tally.failed += 1;
        let Some(task) = self.tasks.get(&number) else {
            return Ok(());
        };
        let node = task.node;
        let refused = match (&task.stage, &failure) {
            // There was nothing to delete.
            (Stage::Writing(write), Failure::NotFound) => Some((write.clone(), None)),
            (Stage::Writing(write), Failure::Conflict { present }) => {
                Some((write.clone(), *present))
            }
            _ => None,
        };
        let answered = refused.is_some() || failure == Failure::Uncertain;
        let what = match &task.stage {
            Stage::Storing(draft) => format!("storing a chunk of {}", draft.name),
            Stage::Writing(write) => format!("writing {write:?}"),
            Stage::Reading(read) => format!("reading {read:?}"),
            Stage::Fetching { read, .. } => format!("fetching a chunk of {read:?}"),
            Stage::Listing(_) => "listing".to_owned(),
        };
        if let Some((node, operations)) = self.abandon(number) {
            for other in operations {
                world.release(node, other);
                world.cancel(node, other)?;
            }
        }
        if let Some((write, present)) = refused {
            self.judge(world, node, |oracle| oracle.refused(&write, present))?;
        }
        if answered {
            return Ok(());
        }
        let seen = format!("{what} fails (operation {}): {failure}", operation.0);
        self.demand(world, node, seen)
    }

    /// A failure is borne in bad weather, and a broken promise when all is quiet.
    fn demand(&self, world: &World, node: usize, seen: String) -> Result<(), Violation> {
        if self.demanding {
            return Err(world.violation("a quiet ring serves", Some(node), seen));
        }
        Ok(())
    }

    fn judge(
        &mut self,
        world: &World,
        node: usize,
        ask: impl FnOnce(&mut Oracle) -> Result<(), String>,
    ) -> Result<(), Violation> {
        ask(&mut self.oracle)
            .map_err(|seen| world.violation("reads are linearizable", Some(node), seen))
    }

    /// Gives a client's task up; its node and what was still under way there.
    fn abandon(&mut self, number: u64) -> Option<(usize, Vec<OperationId>)> {
        let task = self.tasks.remove(&number)?;
        if let Stage::Storing(Draft {
            name,
            file: Some(file),
            ..
        }) = &task.stage
        {
            self.oracle.never_written(name, file.hash);
        }
        let operations: Vec<OperationId> = task.pending.into_keys().collect();
        for operation in &operations {
            self.operations.remove(operation);
        }
        Some((task.node, operations))
    }

    fn task(&mut self, node: usize, stage: Stage) -> u64 {
        self.begun_tasks += 1;
        self.tasks.insert(
            self.begun_tasks,
            Task {
                node,
                pending: BTreeMap::new(),
                stage,
            },
        );
        self.begun_tasks
    }

    fn expect(
        &mut self,
        world: &mut World,
        number: u64,
        operation: OperationId,
        chunk: Option<ChunkId>,
    ) {
        if let Some(task) = self.tasks.get_mut(&number) {
            task.pending.insert(operation, chunk);
        }
        self.operations.insert(operation, number);
        world.alarm(self.patience, Alarm::Overdue(operation));
    }

    fn ask(
        &mut self,
        world: &mut World,
        number: u64,
        chunk: Option<ChunkId>,
        command: Command,
    ) -> Result<(), Violation> {
        let operation = self.operation();
        let Some(task) = self.tasks.get(&number) else {
            return Ok(());
        };
        let node = task.node;
        self.expect(world, number, operation, chunk);
        world.command(node, operation, command)
    }
}

/// A file's description and the chunks to store before it may be written.
fn cut(content: &Bytes, world: &World) -> (File, Vec<Chunk>) {
    let settings = world.settings();
    let inline = content.len() <= settings.inline_bytes as usize;
    let mut chunks = Vec::new();
    let place = if inline {
        Content::Inline(content.clone())
    } else {
        let mut list = ListBuilder::new(settings.chunk_bytes);
        let mut rest = content.clone();
        while !rest.is_empty() {
            let piece = rest.split_to(rest.len().min(settings.chunk_bytes as usize));
            let chunk = Chunk::new(piece);
            chunks.extend(list.push(chunk.id()));
            chunks.push(chunk);
        }
        let (list, lists) = list.finish();
        chunks.extend(lists);
        Content::Chunks(list)
    };
    let file = File {
        size: content.len() as u64,
        hash: *blake3::hash(content).as_bytes(),
        content_type: String::new(),
        metadata: BTreeMap::new(),
        content: place,
    };
    (file, chunks)
}
