//! When to wake, and why.

use std::collections::{BTreeMap, BTreeSet};

use chordal_object::{Key, NodeId};
use serde::{Deserialize, Serialize};

use crate::input::OperationId;
use crate::request::RequestId;
use crate::time::Time;

/// Why a peer wants to be woken. Shown in traces, so that every wake-up can be explained.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Reason {
    /// A token's stabilisation is due.
    Stabilise(Key),
    /// A request may have been in vain.
    RequestOver(RequestId),
    /// Silent neighbours are to be pinged.
    Ping,
    /// The node table is to be compared with somebody's, and a vanished node to be tried.
    Gossip,
    /// A node could not be reached just after it was heard: it is to be asked again.
    Recheck(NodeId),
    /// A suspect node's time may be up.
    GiveUp(NodeId),
    /// The answers to a poll of all nodes are to be counted.
    PollOver,
    /// Arcs are to be compared with co-holders, or copies to be handed off.
    Repair,
    /// Chunks that nothing refers to are to be looked for.
    Collect,
    /// A lookup or a join is tried again.
    JoinAgain,
    /// The node table is to be saved.
    Save,
    /// An operation asks further nodes.
    Hedge(OperationId),
    /// An operation is tried again.
    Retry(OperationId),
    /// An operation's time is up.
    OperationOver(OperationId),
}

/// Pending wake-ups. A reason is pending once at most.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Timers {
    /// In order, the next one last. Most nodes have only a few.
    Few(Vec<(Time, Reason)>),
    /// By time and by reason.
    Many {
        queue: BTreeSet<(Time, Reason)>,
        pending: BTreeMap<Reason, Time>,
    },
}

/// From how many wake-ups on they are kept in two maps, and under how many in a list again.
const MANY: usize = 24;
const FEW: usize = 12;

impl Default for Timers {
    fn default() -> Self {
        Self::Few(Vec::new())
    }
}

impl Timers {
    /// Wakes at `at` for `reason`, and at no other time for it.
    pub(crate) fn set(&mut self, at: Time, reason: Reason) {
        self.cancel(reason);
        if let Self::Few(list) = self
            && list.len() >= MANY
        {
            let queue = list.iter().copied().collect();
            let pending = list.iter().map(|&(at, reason)| (reason, at)).collect();
            *self = Self::Many { queue, pending };
        }
        match self {
            Self::Few(list) => {
                let index = list.partition_point(|&other| other > (at, reason));
                list.reserve_exact(1);
                list.insert(index, (at, reason));
            }
            Self::Many { queue, pending } => {
                queue.insert((at, reason));
                pending.insert(reason, at);
            }
        }
    }

    /// Wakes for `reason` at `at` or earlier.
    pub(crate) fn at_latest(&mut self, at: Time, reason: Reason) {
        if self.pending(reason).is_none_or(|time| at < time) {
            self.set(at, reason);
        }
    }

    fn pending(&self, reason: Reason) -> Option<Time> {
        match self {
            Self::Few(list) => {
                let found = list.iter().find(|(_, other)| *other == reason);
                found.map(|&(at, _)| at)
            }
            Self::Many { pending, .. } => pending.get(&reason).copied(),
        }
    }

    pub(crate) fn cancel(&mut self, reason: Reason) {
        match self {
            Self::Few(list) => {
                if let Some(index) = list.iter().position(|(_, other)| *other == reason) {
                    list.remove(index);
                }
            }
            Self::Many { queue, pending } => {
                if let Some(time) = pending.remove(&reason) {
                    queue.remove(&(time, reason));
                }
                if queue.len() < FEW {
                    let list = queue.iter().rev().copied().collect();
                    *self = Self::Few(list);
                }
            }
        }
    }

    pub(crate) fn first(&self) -> Option<(Time, Reason)> {
        match self {
            Self::Few(list) => list.last().copied(),
            Self::Many { queue, .. } => queue.first().copied(),
        }
    }

    /// Takes the next wake-up that is due.
    pub(crate) fn pop_due(&mut self, now: Time) -> Option<Reason> {
        let (at, reason) = self.first()?;
        if at > now {
            return None;
        }
        self.cancel(reason);
        Some(reason)
    }
}

#[cfg(test)]
mod tests;
