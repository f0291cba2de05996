//! Clients' operations: begun by a command, ended by exactly one reply.
//!
//! An operation is tried again, under the holders known by then, until it succeeds or its time is
//! up; what it then says names the nodes that were missing.

mod certificate;
mod chunk;
mod forget;
mod holder;
mod keep;
mod list;
mod place;
mod read;
mod status;
mod whereabouts;
mod write;

pub(crate) use holder::{Held, Sought, is_bounded};

use std::collections::BTreeMap;

use chordal_object::{ChunkId, Name, NodeId};

use crate::effect::{Answer, Effect, Failure, Unheard};
use crate::input::{Command, OperationId};
use crate::limits::OPERATIONS_MAX;
use crate::message::Message;
use crate::peer::Peer;
use crate::placement;
use crate::time::Time;
use crate::timer::Reason;

use certificate::CheckTask;
use chunk::FetchTask;
use forget::{ForgetTask, Parting};
use keep::KeepTask;
use list::ListTask;
use place::StoreTask;
use read::ReadTask;
use serde::{Deserialize, Serialize};
use status::StatusTask;
use whereabouts::{CountTask, WhereTask};
use write::WriteTask;

/// All operations under way.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Operations {
    open: BTreeMap<OperationId, Task>,
    /// When the time of each is up.
    over: BTreeMap<OperationId, Time>,
    /// The highest counter given out for each name being written, and how many writes there are.
    issued: BTreeMap<Name, (u64, usize)>,
    /// The highest counter of a write that failed: its version may lie somewhere, and must not
    /// name another content.
    spent: u64,
}

/// One operation under way.
#[derive(Debug, Serialize, Deserialize)]
enum Task {
    Read(Box<ReadTask>),
    Write(Box<WriteTask>),
    Store(StoreTask),
    Keep(Box<KeepTask>),
    Fetch(FetchTask),
    Where(Box<WhereTask>),
    Count(CountTask),
    List(Box<ListTask>),
    Status(StatusTask),
    Forget(ForgetTask),
    Check(Box<CheckTask>),
}

impl Peer {
    /// A client wants something.
    pub(crate) fn command(&mut self, now: Time, operation: OperationId, command: Command) {
        if self.operations.open.len() >= OPERATIONS_MAX {
            self.reply(operation, Err(Failure::Busy("too many operations at once")));
            return;
        }
        if !self.table.is_whole() && needs_placement(&command) {
            self.reply(operation, Err(Failure::RingTooLarge));
            return;
        }
        match command {
            Command::Join(seeds) => self.join(now, operation, seeds),
            Command::Leave { force } => self.leave(now, operation, force),
            Command::Forget { node, force } => {
                self.begin_forget(now, operation, Parting::Forget, node, force);
            }
            Command::MayExpel { node, force } => {
                self.begin_forget(now, operation, Parting::Expel, node, force);
            }
            Command::Pause => self.pause(now, operation),
            Command::ReadRecord(name) => self.begin_read(now, operation, name),
            Command::WriteRecord(draft) => self.begin_put(now, operation, draft),
            Command::StoreChunk { chunk, bytes } => self.begin_store(now, operation, chunk, bytes),
            Command::KeepChunks(chunks) => self.begin_keep(now, operation, chunks, None),
            Command::FetchChunk(chunk) => self.begin_fetch(now, operation, chunk),
            Command::Where(name) => self.begin_where(now, operation, name),
            Command::CountCopies(chunks) => self.begin_count(now, operation, chunks),
            Command::List {
                space,
                prefix,
                after,
                limit,
            } => {
                self.begin_list(now, operation, space, prefix, after, limit);
            }
            Command::Status => self.begin_status(now, operation),
            Command::LookUp(key) => self.begin_look_up(now, operation, key),
            Command::Check => self.begin_check(now, operation),
            Command::Fingers => {
                let tables = self.finger_tables();
                self.reply(operation, Ok(Answer::Fingers(tables)));
            }
        }
    }

    /// Ends an operation, once.
    pub(crate) fn reply(&mut self, operation: OperationId, answer: Result<Answer, Failure>) {
        self.effects.push_back(Effect::Reply { operation, answer });
    }

    /// Ends an operation that was under way.
    fn finish(&mut self, operation: OperationId, answer: Result<Answer, Failure>) {
        self.cancel_operation(operation);
        self.reply(operation, answer);
    }

    /// The client went away, or the operation ended.
    pub(crate) fn cancel_operation(&mut self, operation: OperationId) {
        self.operations.over.remove(&operation);
        if let Some(Task::Write(task)) = self.operations.open.remove(&operation) {
            self.operations.spent = self.operations.spent.max(task.counter());
            self.operations.release(task.name());
        }
        for reason in [
            Reason::Hedge(operation),
            Reason::Retry(operation),
            Reason::OperationOver(operation),
        ] {
            self.timers.cancel(reason);
        }
    }

    fn open_operation(&mut self, now: Time, operation: OperationId, task: Task) {
        let patience = match task {
            Task::Write(_) | Task::Store(_) => self.timing.operation * 2,
            Task::Status(_) | Task::Forget(_) => {
                self.timing.suspect_after.min(self.timing.operation)
            }
            Task::Read(_)
            | Task::Keep(_)
            | Task::Fetch(_)
            | Task::Where(_)
            | Task::Count(_)
            | Task::List(_)
            | Task::Check(_) => self.timing.operation,
        };
        self.operations.open.insert(operation, task);
        self.operations.over.insert(operation, now + patience);
        self.timers
            .set(now + patience, Reason::OperationOver(operation));
    }

    /// A node answered an operation's question.
    pub(crate) fn operation_answered(
        &mut self,
        now: Time,
        operation: OperationId,
        from: NodeId,
        message: Message,
    ) {
        match (self.operations.open.get(&operation), message) {
            (Some(Task::Read(_) | Task::Write(_)), Message::RecordRead(read)) => {
                self.record_read(now, operation, from, read);
            }
            (Some(Task::Read(_) | Task::Write(_)), Message::RecordWritten(stored)) => {
                self.record_written(now, operation, from, stored);
            }
            (Some(Task::Store(_)), Message::ChunkOffered(offered)) => {
                self.chunk_offered(now, operation, from, offered);
            }
            (Some(Task::Where(_)), Message::RecordRead(read)) => {
                self.copy_seen(operation, from, read);
            }
            (Some(Task::Count(_)), Message::ChunksHeld(held)) => {
                self.chunks_held(operation, from, &held);
            }
            (Some(Task::List(_)), Message::Listed(listed)) => {
                self.page_listed(now, operation, from, listed);
            }
            (Some(Task::Status(_)), Message::Status(status)) => {
                self.status_heard(operation, from, status);
            }
            (Some(Task::Forget(_)), Message::Status(status)) => {
                self.forget_heard(now, operation, from, status);
            }
            (Some(Task::Check(_)), Message::Pointers(pointers)) => {
                self.pointers_heard(now, operation, from, pointers);
            }
            _ => self.operation_unanswered(now, operation, from),
        }
    }

    /// A node did not answer an operation's question.
    pub(crate) fn operation_unanswered(&mut self, now: Time, operation: OperationId, node: NodeId) {
        match self.operations.open.get(&operation) {
            Some(Task::Read(_)) => self.read_unanswered(now, operation, node),
            Some(Task::Write(_)) => self.write_unanswered(now, operation, node),
            Some(Task::Store(_)) => self.store_lost(now, operation, node),
            Some(Task::Where(_)) => self.copy_unseen(operation, node),
            Some(Task::Count(_)) => self.chunks_unanswered(operation, node),
            Some(Task::List(_)) => self.page_missing(now, operation, node),
            Some(Task::Status(_)) => self.status_unanswered(operation, node),
            Some(Task::Forget(_)) => self.forget_unanswered(now, operation, node),
            Some(Task::Check(_)) => self.pointers_unheard(now, operation, node),
            Some(Task::Fetch(_) | Task::Keep(_)) | None => {}
        }
    }

    /// A node became suspect: transfers with it may hang, so fetches try others at once.
    pub(crate) fn ask_others_instead(&mut self, now: Time, node: NodeId) {
        let fetches: Vec<OperationId> = self
            .operations
            .open
            .iter()
            .filter(|(_, task)| matches!(task, Task::Fetch(fetch) if fetch.is_trying(node)))
            .map(|(&operation, _)| operation)
            .collect();
        for operation in fetches {
            self.fetch_failed(now, operation, node);
        }
        let stores: Vec<OperationId> = self
            .operations
            .open
            .iter()
            .filter(|(_, task)| matches!(task, Task::Store(store) if store.is_waiting_for(node)))
            .map(|(&operation, _)| operation)
            .collect();
        for operation in stores {
            self.store_failed(now, operation, node, None);
        }
    }

    /// An operation waited long enough for those it asked.
    pub(crate) fn hedge(&mut self, now: Time, operation: OperationId) {
        match self.operations.open.get(&operation) {
            Some(Task::Read(_)) => self.read_hedge(now, operation),
            Some(Task::Write(_)) => self.write_hedge(now, operation),
            Some(Task::Store(_)) => self.store_hedge(now, operation),
            Some(Task::Fetch(_)) => self.fetch_next(now, operation),
            Some(
                Task::Keep(_)
                | Task::Where(_)
                | Task::Count(_)
                | Task::List(_)
                | Task::Status(_)
                | Task::Forget(_)
                | Task::Check(_),
            )
            | None => {}
        }
    }

    /// An operation is tried again. While too many holders are silent it is to be given up sooner: one
    /// that restarts is back by then, and nobody else can help.
    pub(crate) fn retry(&mut self, now: Time, operation: OperationId) {
        let reason = Reason::OperationOver(operation);
        if self.lacks_holders(operation) {
            let over = now + self.timing.operation / 3;
            self.timers.at_latest(over, reason);
        } else if let Some(&over) = self.operations.over.get(&operation) {
            self.timers.set(over, reason);
        }
        match self.operations.open.get(&operation) {
            Some(Task::Read(_)) => self.read_again(now, operation),
            Some(Task::Write(_)) => self.write_again(now, operation),
            Some(Task::Store(_)) => self.store_again(now, operation),
            Some(Task::Keep(_)) => self.keep_again(now, operation),
            Some(Task::Fetch(_)) => self.fetch_again(now, operation),
            Some(Task::List(_)) => self.list_again(now, operation),
            Some(Task::Check(_)) => self.walk_again(now, operation),
            Some(Task::Where(_) | Task::Count(_) | Task::Status(_) | Task::Forget(_)) | None => {}
        }
    }

    /// Whether no majority of the holders that an operation needs is thought to answer.
    fn lacks_holders(&self, operation: OperationId) -> bool {
        let lacks = |holders: &[NodeId], needed: usize| {
            let answering = holders.iter().filter(|&&node| self.answers(node)).count();
            answering < needed
        };
        let of_key = |key| placement::holders(&self.table, &self.settings, key);
        match self.operations.open.get(&operation) {
            Some(Task::Read(task)) => {
                let holders = of_key(task.quorum.key);
                lacks(&holders, task.quorum.need_of(holders.len()))
            }
            // What is being written may lie on somebody already: its end is worth waiting for.
            Some(Task::Write(task)) => task.asking().is_some_and(|quorum| {
                let holders = of_key(quorum.key);
                lacks(&holders, quorum.need_of(holders.len()))
            }),
            Some(Task::Store(task)) => {
                let holders = of_key(task.key());
                lacks(&holders, placement::quorum(holders.len()))
            }
            Some(Task::List(_)) => placement::arcs(&self.table, &self.settings)
                .any(|held| lacks(&held.holders, placement::quorum(held.holders.len()))),
            Some(
                Task::Keep(_)
                | Task::Fetch(_)
                | Task::Where(_)
                | Task::Count(_)
                | Task::Status(_)
                | Task::Forget(_)
                | Task::Check(_),
            )
            | None => false,
        }
    }

    /// An operation's time is up.
    pub(crate) fn operation_over(&mut self, now: Time, operation: OperationId) {
        match self.operations.open.get(&operation) {
            Some(Task::Read(_)) => self.read_over(operation),
            Some(Task::Write(_)) => self.write_over(operation),
            Some(Task::Store(_)) => self.store_over(operation),
            Some(Task::Keep(_)) => self.keep_over(operation),
            Some(Task::Fetch(_)) => self.fetch_over(operation),
            Some(Task::Where(_)) => self.where_over(operation),
            Some(Task::Count(_)) => self.count_over(operation),
            Some(Task::List(_)) => self.list_over(now, operation),
            Some(Task::Status(_)) => self.status_over(operation),
            Some(Task::Forget(_)) => self.forget_over(now, operation),
            Some(Task::Check(_)) => self.check_over(now, operation),
            None => {}
        }
    }

    /// Nodes as they are named in a failure.
    pub(crate) fn unheard(&self, nodes: impl IntoIterator<Item = NodeId>) -> Vec<Unheard> {
        nodes
            .into_iter()
            .filter_map(|node| self.table.addr(node).map(|addr| Unheard { node, addr }))
            .collect()
    }

    fn pause(&mut self, now: Time, operation: OperationId) {
        let others: Vec<NodeId> = self.table.others(self.me.node).collect();
        for node in others {
            if self.table.is_alive(node) {
                self.tell(node, Message::Pause);
            }
        }
        // Whoever joined just now would know nobody in its next life.
        if let Some(earlier) = self.saves.paused.replace(operation) {
            self.reply(earlier, Ok(Answer::Paused));
        }
        self.save_members(now);
    }

    /// Where a chunk belongs.
    pub(crate) fn chunk_key(&self, chunk: ChunkId) -> chordal_object::Key {
        self.settings.bits.chunk_key(chunk)
    }
}

/// Whether a command is about data, and so about who holds which key.
const fn needs_placement(command: &Command) -> bool {
    match command {
        Command::ReadRecord(_)
        | Command::WriteRecord(_)
        | Command::StoreChunk { .. }
        | Command::KeepChunks(_)
        | Command::FetchChunk(_)
        | Command::Where(_)
        | Command::CountCopies(_)
        | Command::Forget { .. }
        | Command::MayExpel { .. }
        | Command::List { .. } => true,
        Command::Join(_)
        | Command::Leave { .. }
        | Command::Pause
        | Command::Status
        | Command::Check
        | Command::Fingers
        | Command::LookUp(_) => false,
    }
}

impl Operations {
    /// The counter for the next write of a name of which `known` is the highest counter in the
    /// ring. Writes of one name through this node at the same time get different counters.
    fn issue(&mut self, name: &Name, known: u64) -> u64 {
        let entry = self.issued.entry(name.clone()).or_insert((0, 0));
        entry.0 = entry.0.max(known).max(self.spent).saturating_add(1);
        entry.0
    }

    /// Notes a write of a name that begins.
    fn reserve(&mut self, name: &Name) {
        self.issued.entry(name.clone()).or_insert((0, 0)).1 += 1;
    }

    /// Notes the end of a write of a name.
    fn release(&mut self, name: &Name) {
        if let Some(entry) = self.issued.get_mut(name) {
            entry.1 -= 1;
            if entry.1 == 0 {
                self.issued.remove(name);
            }
        }
    }
}
