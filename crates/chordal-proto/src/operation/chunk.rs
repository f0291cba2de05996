//! Fetching a chunk: from this node's disk, from the holders, from further nodes; the first copy
//! whose hash is right will do, since a chunk never changes.

use std::collections::BTreeSet;
use std::time::Duration;

use chordal_object::{ChunkId, NodeId};
use serde::{Deserialize, Serialize};

use super::Task;
use super::read::AGAIN;
use crate::effect::{Answer, Destination, DiskOp, Effect, Failure, Transfer};
use crate::input::{Completion, DiskAnswer, OperationId};
use crate::peer::Peer;
use crate::placement;
use crate::time::Time;
use crate::timer::Reason;
use crate::waiting::Waiting;

/// How long one node may take before the next is tried beside it.
const HEDGE: Duration = Duration::from_millis(1500);

/// A client's fetch.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct FetchTask {
    chunk: ChunkId,
    trying: BTreeSet<NodeId>,
    failed: BTreeSet<NodeId>,
}

impl FetchTask {
    pub(super) fn is_trying(&self, node: NodeId) -> bool {
        self.trying.contains(&node)
    }
}

impl Peer {
    /// Begins to fetch a chunk.
    pub(super) fn begin_fetch(&mut self, now: Time, operation: OperationId, chunk: ChunkId) {
        let task = FetchTask {
            chunk,
            trying: BTreeSet::new(),
            failed: BTreeSet::new(),
        };
        self.open_operation(now, operation, Task::Fetch(task));
        self.fetch_next(now, operation);
    }

    /// Tries the next node that may have the chunk.
    pub(super) fn fetch_next(&mut self, now: Time, operation: OperationId) {
        let Some(Task::Fetch(task)) = self.operations.open.get(&operation) else {
            return;
        };
        let chunk = task.chunk;
        let next = self
            .chunk_sources(chunk)
            .into_iter()
            .find(|node| !task.trying.contains(node) && !task.failed.contains(node));
        let idle = task.trying.is_empty();
        let Some(node) = next else {
            if idle {
                self.timers.at_latest(now + AGAIN, Reason::Retry(operation));
            }
            return;
        };
        if let Some(Task::Fetch(task)) = self.operations.open.get_mut(&operation) {
            task.trying.insert(node);
        }
        self.timers.set(now + HEDGE, Reason::Hedge(operation));
        if node == self.me.node {
            self.disk(
                DiskOp::ReadChunk { operation, chunk },
                Waiting::OwnChunk(operation),
            );
        } else if let Some(addr) = self.table.addr(node) {
            let from = Destination {
                addr,
                node: Some(node),
            };
            let effect = self.await_effect(Waiting::Fetched { operation, node });
            let transfer = Transfer::Fetch {
                operation,
                chunk,
                from,
            };
            self.effects
                .push_back(Effect::Transfer { effect, transfer });
        }
    }

    /// Nodes that may have a chunk, the most promising first: this node if it is a holder, the
    /// holders that answer in an order that differs from chunk to chunk, then everybody else
    /// who may have kept a copy.
    fn chunk_sources(&self, chunk: ChunkId) -> Vec<NodeId> {
        let key = self.chunk_key(chunk);
        let count = placement::replicas(&self.table, &self.settings);
        let mut nodes = placement::nodes_from(&self.table, key, count * 2 + 2);
        let further = nodes.split_off(count.min(nodes.len()));
        if !nodes.is_empty() {
            let turn = usize::from(chunk.as_bytes()[31]) % nodes.len();
            nodes.rotate_left(turn);
        }
        nodes.sort_by_key(|&node| node != self.me.node);
        nodes.extend(further);
        if !nodes.contains(&self.me.node) {
            nodes.push(self.me.node);
        }
        nodes.extend(self.table.others(self.me.node).filter(|node| {
            self.table
                .get(*node)
                .is_some_and(|entry| !entry.member.standing.holds())
        }));
        nodes.sort_by_key(|&node| !self.answers(node));
        nodes
    }

    pub(crate) fn own_chunk_read(
        &mut self,
        now: Time,
        operation: OperationId,
        completion: Completion,
    ) {
        match completion {
            Completion::Disk(Ok(DiskAnswer::Done)) => self.fetch_done(operation),
            Completion::Disk(_) | Completion::Transfer(_) => {
                self.fetch_failed(now, operation, self.me.node);
            }
        }
    }

    pub(crate) fn fetched(
        &mut self,
        now: Time,
        operation: OperationId,
        node: NodeId,
        completion: Completion,
    ) {
        match completion {
            Completion::Transfer(Ok(())) => self.fetch_done(operation),
            Completion::Disk(_) | Completion::Transfer(_) => {
                self.fetch_failed(now, operation, node);
            }
        }
    }

    fn fetch_done(&mut self, operation: OperationId) {
        if matches!(self.operations.open.get(&operation), Some(Task::Fetch(_))) {
            self.finish(operation, Ok(Answer::ChunkFetched));
        }
    }

    pub(super) fn fetch_failed(&mut self, now: Time, operation: OperationId, node: NodeId) {
        let Some(Task::Fetch(task)) = self.operations.open.get_mut(&operation) else {
            return;
        };
        if task.trying.remove(&node) {
            task.failed.insert(node);
            self.fetch_next(now, operation);
        }
    }

    pub(super) fn fetch_again(&mut self, now: Time, operation: OperationId) {
        if let Some(Task::Fetch(task)) = self.operations.open.get_mut(&operation) {
            task.failed.clear();
            self.fetch_next(now, operation);
        }
    }

    pub(super) fn fetch_over(&mut self, operation: OperationId) {
        let Some(Task::Fetch(task)) = self.operations.open.get(&operation) else {
            return;
        };
        let key = self.chunk_key(task.chunk);
        let holders = placement::holders(&self.table, &self.settings, key);
        let missing = self.unheard(holders.into_iter().filter(|&node| !self.answers(node)));
        self.finish(
            operation,
            Err(Failure::TooFewCopies {
                have: 0,
                need: 1,
                missing,
            }),
        );
    }
}
