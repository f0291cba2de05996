//! Making sure, before something is written that refers to chunks, that they are still there and
//! stay there until it is written.

use std::collections::BTreeMap;

use chordal_object::{ChunkId, Content, NodeId};
use serde::{Deserialize, Serialize};

use super::Task;
use super::read::AGAIN;
use crate::effect::{Answer, Failure};
use crate::input::{Draft, OperationId};
use crate::limits::CHUNK_QUESTION_MAX;
use crate::message::Message;
use crate::peer::Peer;
use crate::placement;
use crate::request::Purpose;
use crate::time::Time;
use crate::timer::Reason;

/// A client's chunks that are to be kept.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct KeepTask {
    chunks: Vec<ChunkId>,
    /// On how many nodes each is known to be kept, in this round.
    kept: Vec<usize>,
    /// For each node asked, the places of its chunks.
    waiting: BTreeMap<NodeId, Vec<usize>>,
    round: u32,
    /// The record that refers to them and is written next.
    then: Option<Draft>,
}

impl Peer {
    /// Begins a client's write: of a file whose bytes are in chunks once these are sure to be kept.
    pub(super) fn begin_put(&mut self, now: Time, operation: OperationId, draft: Draft) {
        let content = draft.file.as_ref().map(|file| &file.content);
        match content {
            Some(Content::Chunks(list)) => {
                let chunks = list.ids.clone();
                self.begin_keep(now, operation, chunks, Some(draft));
            }
            Some(Content::Inline(_)) | None => self.begin_write(now, operation, draft),
        }
    }

    /// Begins to ask for chunks to be kept.
    pub(super) fn begin_keep(
        &mut self,
        now: Time,
        operation: OperationId,
        chunks: Vec<ChunkId>,
        then: Option<Draft>,
    ) {
        if let Err(failure) = self.refuse_in_minority() {
            self.reply(operation, Err(failure));
            return;
        }
        if chunks.len() > CHUNK_QUESTION_MAX {
            self.reply(operation, Err(Failure::Busy("too many chunks at once")));
            return;
        }
        let task = KeepTask {
            kept: vec![0; chunks.len()],
            chunks,
            waiting: BTreeMap::new(),
            round: 0,
            then,
        };
        self.open_operation(now, operation, Task::Keep(Box::new(task)));
        self.keep_again(now, operation);
    }

    /// Asks the holders known now; from the second time on further nodes too, which may have the
    /// copies of former holders.
    pub(super) fn keep_again(&mut self, now: Time, operation: OperationId) {
        let Some(Task::Keep(task)) = self.operations.open.get(&operation) else {
            return;
        };
        let holders = placement::replicas(&self.table, &self.settings);
        let count = if task.round == 0 {
            holders
        } else {
            holders * 2 + 2
        };
        let mut waiting: BTreeMap<NodeId, Vec<usize>> = BTreeMap::new();
        for (place, &chunk) in task.chunks.iter().enumerate() {
            let key = self.chunk_key(chunk);
            for node in placement::nodes_from(&self.table, key, count) {
                if self.answers(node) {
                    waiting.entry(node).or_default().push(place);
                }
            }
        }
        let question = |places: &[usize]| {
            let chunks = places.iter().map(|&place| task.chunks[place]);
            Message::KeepChunks(chunks.collect())
        };
        let questions: Vec<(NodeId, Message)> = waiting
            .iter()
            .map(|(&node, places)| (node, question(places)))
            .collect();
        let Some(Task::Keep(task)) = self.operations.open.get_mut(&operation) else {
            return;
        };
        task.round += 1;
        task.kept.fill(0);
        task.waiting = waiting;
        let round = task.round;
        for (node, message) in questions {
            let purpose = Purpose::Keep { operation, round };
            if self.ask(now, node, message, purpose).is_none() {
                self.chunks_not_kept(now, operation, round, node);
            }
        }
        self.keep_progress(now, operation);
    }

    /// A node told which chunks it keeps.
    pub(crate) fn chunks_kept(
        &mut self,
        now: Time,
        (operation, round): (OperationId, u32),
        from: NodeId,
        held: &[bool],
    ) {
        let Some(Task::Keep(task)) = self.operations.open.get_mut(&operation) else {
            return;
        };
        if task.round != round {
            return;
        }
        let places = task.waiting.remove(&from).unwrap_or_default();
        for (place, _) in places.into_iter().zip(held).filter(|(_, held)| **held) {
            task.kept[place] += 1;
        }
        self.keep_progress(now, operation);
    }

    /// A node did not answer.
    pub(crate) fn chunks_not_kept(
        &mut self,
        now: Time,
        operation: OperationId,
        round: u32,
        node: NodeId,
    ) {
        if let Some(Task::Keep(task)) = self.operations.open.get_mut(&operation)
            && task.round == round
        {
            task.waiting.remove(&node);
            self.keep_progress(now, operation);
        }
    }

    fn keep_progress(&mut self, now: Time, operation: OperationId) {
        let need = self.copies_to_keep();
        let Some(Task::Keep(task)) = self.operations.open.get_mut(&operation) else {
            return;
        };
        let enough = task.kept.iter().all(|&kept| kept >= need);
        if !enough {
            if task.waiting.is_empty() {
                self.timers.at_latest(now + AGAIN, Reason::Retry(operation));
            }
            return;
        }
        let Some(draft) = task.then.take() else {
            self.finish(operation, Ok(Answer::Kept));
            return;
        };
        self.cancel_operation(operation);
        self.begin_write(now, operation, draft);
    }

    /// On how many nodes a chunk must be kept: as many as it took to store it.
    fn copies_to_keep(&self) -> usize {
        let holders = placement::replicas(&self.table, &self.settings);
        placement::quorum(holders).max(1)
    }

    pub(super) fn keep_over(&mut self, operation: OperationId) {
        let Some(Task::Keep(task)) = self.operations.open.get(&operation) else {
            return;
        };
        let fewest = task.kept.iter().copied().min().unwrap_or(0);
        let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        let missing = self.unheard(task.waiting.keys().copied());
        let failure = Failure::TooFewCopies {
            have: count(fewest),
            need: count(self.copies_to_keep()),
            missing,
        };
        self.finish(operation, Err(failure));
    }
}
