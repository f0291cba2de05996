//! Placing copies: on every holder that answers, with a hint on a further node for each that does
//! not, done when a majority of the holders has it durable and the rest had its chance.

use std::collections::BTreeSet;

use chordal_object::{ChunkId, Key, NodeId};
use serde::{Deserialize, Serialize};

use super::Task;
use super::read::{AGAIN, AGAIN_AFTER_VIEW};
use crate::effect::{Answer, Copies, Destination, DiskOp, Effect, Failure, Transfer};
use crate::history;
use crate::input::{Completion, DiskError, OperationId, TransferError};
use crate::message::{ChunkOffered, Message, OfferChunk};
use crate::peer::Peer;
use crate::placement;
use crate::request::Purpose;
use crate::time::Time;
use crate::timer::Reason;
use crate::view::View;
use crate::waiting::Waiting;

/// Where the copies of one thing stand.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Placing {
    pub(super) key: Key,
    pub(super) holders: Vec<NodeId>,
    pub(super) view: Option<View>,
    asked: BTreeSet<NodeId>,
    pub(super) done: BTreeSet<NodeId>,
    /// Those of `done` whose copy counts towards a majority.
    counted: BTreeSet<NodeId>,
    failed: BTreeSet<NodeId>,
    /// Everybody who was ever asked and did not say that it takes nothing.
    suspected: BTreeSet<NodeId>,
    /// Who was asked more than once: what it refuses now it may have taken then.
    repeated: BTreeSet<NodeId>,
    /// The most room that a holder without room has left.
    free: Option<u64>,
    /// Whether the last ones had their chance.
    late: bool,
    /// Whether somebody is to be asked again under another view.
    again: bool,
    /// How many holders must have it: a majority; of one or two, all that answer.
    need: usize,
    /// Whether two holders are too few to do without one of them.
    strict: bool,
}

/// What placing has come to.
pub(super) enum Placed {
    /// Answers are awaited.
    Waiting,
    /// A majority has it; the rest gets a moment.
    Nearly,
    /// Too few took it; try again.
    Again,
    /// Done.
    Done(Copies),
}

impl Placing {
    pub(super) fn new(key: Key) -> Self {
        Self {
            key,
            ..Self::default()
        }
    }

    /// Of something that more than half of the holders must agree upon, in small rings too.
    pub(super) fn strict(key: Key) -> Self {
        Self {
            strict: true,
            ..Self::new(key)
        }
    }

    pub(super) fn progress(&self) -> Placed {
        let need = self.need.max(1);
        let have = self.counting().count();
        let waiting = self.again || self.asked.iter().any(|&node| self.is_waiting_for(node));
        if have >= need && (!waiting || self.late) {
            let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
            Placed::Done(Copies {
                durable: count(self.done.len()),
                wanted: count(self.holders.len()),
            })
        } else if have >= need {
            Placed::Nearly
        } else if waiting {
            Placed::Waiting
        } else {
            Placed::Again
        }
    }

    /// Holders whose copies count: of three and more those that are complete on the arc.
    fn counting(&self) -> impl Iterator<Item = &NodeId> {
        let enough = if self.holders.len() <= 2 && !self.strict {
            &self.done
        } else {
            &self.counted
        };
        self.holders.iter().filter(|node| enough.contains(node))
    }

    /// A node has it durable; `counts` tells whether that counts towards a majority.
    pub(super) fn took(&mut self, node: NodeId, counts: bool) {
        self.done.insert(node);
        if counts {
            self.counted.insert(node);
        }
        self.failed.remove(&node);
    }

    pub(super) fn refused(&mut self, node: NodeId, free: Option<u64>) {
        self.failed.insert(node);
        self.free = self.free.max(free);
    }

    /// A node was promised more by somebody else and did not take it, unless it had before.
    pub(super) fn declined(&mut self, node: NodeId) {
        if !self.done.contains(&node) && !self.repeated.contains(&node) {
            self.suspected.remove(&node);
        }
    }

    /// Whether enough have it, whatever the others say.
    pub(super) fn has_enough(&self) -> bool {
        self.counting().count() >= self.need.max(1)
    }

    /// Whether somebody took it, or may have.
    pub(super) fn may_lie_somewhere(&self) -> bool {
        !self.suspected.is_empty()
    }

    pub(super) fn give_last_chance(&mut self) {
        self.late = true;
    }

    /// Lets a node be asked again under another view.
    pub(super) fn forget(&mut self, node: NodeId) {
        self.asked.remove(&node);
        self.repeated.insert(node);
        self.again = true;
    }

    /// Lets the nodes that failed be asked again, and those whose copies did not count yet.
    pub(super) fn forgive(&mut self) {
        self.failed.clear();
        self.repeated.extend(&self.asked);
        self.done.retain(|node| self.counted.contains(node));
        self.asked.retain(|node| self.counted.contains(node));
    }

    /// Whether nobody who was asked has room.
    pub(super) fn is_full(&self) -> bool {
        self.free.is_some() && self.asked.iter().all(|node| self.failed.contains(node))
    }

    fn is_waiting_for(&self, node: NodeId) -> bool {
        self.asked.contains(&node) && !self.done.contains(&node) && !self.failed.contains(&node)
    }

    pub(super) fn failure(&self, peer: &Peer) -> Failure {
        if let Some(free) = self.free {
            return Failure::Full { free };
        }
        let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        let lacking = self
            .holders
            .iter()
            .copied()
            .filter(|node| !self.done.contains(node));
        let have = self
            .holders
            .iter()
            .filter(|node| self.done.contains(node))
            .count();
        Failure::TooFewCopies {
            have: count(have),
            need: count(self.need.max(1)),
            missing: peer.unheard(lacking),
        }
    }
}

/// A client's chunk on its way.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct StoreTask {
    chunk: ChunkId,
    bytes: u32,
    placing: Placing,
}

impl StoreTask {
    pub(super) fn is_waiting_for(&self, node: NodeId) -> bool {
        self.placing.is_waiting_for(node)
    }

    pub(super) const fn key(&self) -> Key {
        self.placing.key
    }
}

impl Peer {
    /// Works out under the holders known now whom to ask in addition: holders that answer and
    /// have not got it, and a further node for each holder that does not take it.
    pub(super) fn place_targets(&self, placing: &mut Placing) -> Vec<(NodeId, Option<View>)> {
        placing.holders = placement::holders(&self.table, &self.settings, placing.key);
        placing.again = false;
        let view = View::of(&placing.holders);
        placing.view = Some(view);
        let count = placing.holders.len();
        let able = |node: &NodeId| self.answers(*node) && !placing.failed.contains(node);
        let able_holders = placing.holders.iter().filter(|node| able(node)).count();
        let need = if placing.strict {
            history::enough(count)
        } else if count <= 2 {
            able_holders
        } else {
            placement::quorum(count)
        };
        let without = placing.holders.iter().filter(|node| !able(node)).count();
        let further = placement::nodes_from(&self.table, placing.key, count + without + 2);
        let hints = further.into_iter().skip(count).filter(able).take(without);
        let mut targets: Vec<(NodeId, Option<View>)> = placing
            .holders
            .iter()
            .copied()
            .filter(able)
            .map(|node| (node, Some(view)))
            .chain(hints.map(|node| (node, None)))
            .collect();
        targets.retain(|(node, _)| !placing.done.contains(node) && !placing.is_waiting_for(*node));
        placing.need = need;
        placing.asked.extend(targets.iter().map(|(node, _)| *node));
        placing
            .suspected
            .extend(targets.iter().map(|(node, _)| *node));
        targets
    }

    /// Whether other nodes hold the key by now than those that were asked.
    pub(super) fn holders_changed(&self, placing: &Placing) -> bool {
        placement::holders(&self.table, &self.settings, placing.key) != placing.holders
    }

    /// Begins to store a client's chunk.
    pub(super) fn begin_store(
        &mut self,
        now: Time,
        operation: OperationId,
        chunk: ChunkId,
        bytes: u32,
    ) {
        if let Err(failure) = self.refuse_in_minority() {
            self.reply(operation, Err(failure));
            return;
        }
        let placing = Placing::new(self.chunk_key(chunk));
        let task = StoreTask {
            chunk,
            bytes,
            placing,
        };
        self.open_operation(now, operation, Task::Store(task));
        self.store_ask(now, operation);
    }

    /// Offers the chunk to whoever should be asked now.
    fn store_ask(&mut self, now: Time, operation: OperationId) {
        let Some(Task::Store(task)) = self.operations.open.get_mut(&operation) else {
            return;
        };
        let (chunk, bytes) = (task.chunk, task.bytes);
        let mut placing = std::mem::take(&mut task.placing);
        let targets = self.place_targets(&mut placing);
        let key = placing.key;
        if let Some(Task::Store(task)) = self.operations.open.get_mut(&operation) {
            task.placing = placing;
        }
        for (node, view) in targets {
            if node == self.me.node {
                self.collector.touch(now, &[chunk]);
                self.disk(
                    DiskOp::StoreChunk {
                        operation,
                        chunk,
                        key,
                    },
                    Waiting::OwnCopy(operation),
                );
                if view.is_none() {
                    self.holds_something_foreign(now);
                }
                continue;
            }
            let offer = Message::OfferChunk(OfferChunk { chunk, bytes, view });
            if self
                .ask(now, node, offer, Purpose::Operation(operation))
                .is_none()
            {
                self.store_failed(now, operation, node, None);
            }
        }
        self.store_progress(now, operation);
    }

    /// A node answered the offer.
    pub(super) fn chunk_offered(
        &mut self,
        now: Time,
        operation: OperationId,
        from: NodeId,
        offered: ChunkOffered,
    ) {
        let Some(Task::Store(task)) = self.operations.open.get_mut(&operation) else {
            return;
        };
        let chunk = task.chunk;
        match offered {
            ChunkOffered::Wanted => {
                let Some(addr) = self.table.addr(from) else {
                    return;
                };
                let to = Destination {
                    addr,
                    node: Some(from),
                };
                let effect = self.await_effect(Waiting::Pushed {
                    operation,
                    node: from,
                });
                let transfer = Transfer::Push {
                    operation,
                    chunk,
                    to,
                };
                self.effects
                    .push_back(Effect::Transfer { effect, transfer });
            }
            ChunkOffered::Have => {
                task.placing.took(from, true);
                self.store_progress(now, operation);
            }
            ChunkOffered::WrongView => {
                self.compare_with(now, from);
                if let Some(Task::Store(task)) = self.operations.open.get_mut(&operation) {
                    task.placing.forget(from);
                }
                self.timers
                    .at_latest(now + AGAIN_AFTER_VIEW, Reason::Retry(operation));
            }
            ChunkOffered::Full { free } => self.store_failed(now, operation, from, Some(free)),
            ChunkOffered::Failed => self.store_failed(now, operation, from, None),
        }
    }

    /// A node did not take the chunk: somebody else may.
    pub(super) fn store_failed(
        &mut self,
        now: Time,
        operation: OperationId,
        node: NodeId,
        free: Option<u64>,
    ) {
        let Some(Task::Store(task)) = self.operations.open.get_mut(&operation) else {
            return;
        };
        if !task.placing.is_waiting_for(node) {
            return;
        }
        task.placing.refused(node, free);
        self.store_ask(now, operation);
    }

    /// A message or a connection was lost: the same node again if it answers, else somebody else.
    pub(super) fn store_lost(&mut self, now: Time, operation: OperationId, node: NodeId) {
        if !self.answers(node) {
            return self.store_failed(now, operation, node, None);
        }
        let Some(Task::Store(task)) = self.operations.open.get_mut(&operation) else {
            return;
        };
        if task.placing.is_waiting_for(node) {
            task.placing.forget(node);
            self.timers.at_latest(now + AGAIN, Reason::Retry(operation));
            self.store_progress(now, operation);
        }
    }

    /// A push ended.
    pub(crate) fn pushed(
        &mut self,
        now: Time,
        operation: OperationId,
        node: NodeId,
        completion: Completion,
    ) {
        let Some(Task::Store(task)) = self.operations.open.get_mut(&operation) else {
            return;
        };
        match completion {
            Completion::Transfer(Ok(())) => {
                task.placing.took(node, true);
                self.store_progress(now, operation);
            }
            Completion::Transfer(Err(TransferError::Broken)) => {
                self.store_lost(now, operation, node);
            }
            Completion::Transfer(Err(TransferError::Full)) => {
                self.store_failed(now, operation, node, Some(0));
            }
            Completion::Disk(_) | Completion::Transfer(_) => {
                self.store_failed(now, operation, node, None);
            }
        }
    }

    /// This node's own copy is durable, or not.
    pub(crate) fn own_copy_stored(
        &mut self,
        now: Time,
        operation: OperationId,
        completion: Completion,
    ) {
        let own = self.me.node;
        let Some(Task::Store(task)) = self.operations.open.get_mut(&operation) else {
            return;
        };
        match completion {
            Completion::Disk(Ok(_)) => {
                task.placing.took(own, true);
                self.store_progress(now, operation);
            }
            Completion::Disk(Err(DiskError::Full { free })) => {
                self.store_failed(now, operation, own, Some(free));
            }
            Completion::Disk(Err(DiskError::Failed)) | Completion::Transfer(_) => {
                self.store_failed(now, operation, own, None);
            }
        }
    }

    fn store_progress(&mut self, now: Time, operation: OperationId) {
        let Some(Task::Store(task)) = self.operations.open.get(&operation) else {
            return;
        };
        match task.placing.progress() {
            Placed::Waiting => {}
            Placed::Nearly => {
                self.timers
                    .at_latest(now + self.timing.straggler, Reason::Hedge(operation));
            }
            Placed::Again if task.placing.is_full() => self.store_over(operation),
            Placed::Again => self.timers.at_latest(now + AGAIN, Reason::Retry(operation)),
            Placed::Done(_) if self.holders_changed(&task.placing) => {
                self.store_ask(now, operation);
            }
            Placed::Done(copies) => self.finish(operation, Ok(Answer::ChunkStored(copies))),
        }
    }

    /// The last holders had their chance.
    pub(super) fn store_hedge(&mut self, now: Time, operation: OperationId) {
        if let Some(Task::Store(task)) = self.operations.open.get_mut(&operation) {
            task.placing.give_last_chance();
            self.store_progress(now, operation);
        }
    }

    pub(super) fn store_again(&mut self, now: Time, operation: OperationId) {
        if let Some(Task::Store(task)) = self.operations.open.get_mut(&operation) {
            task.placing.forgive();
            self.store_ask(now, operation);
        }
    }

    pub(super) fn store_over(&mut self, operation: OperationId) {
        if let Some(Task::Store(task)) = self.operations.open.get(&operation) {
            let failure = task.placing.failure(self);
            self.finish(operation, Err(failure));
        }
    }
}
