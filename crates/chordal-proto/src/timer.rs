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
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Timers {
    queue: BTreeSet<(Time, Reason)>,
    pending: BTreeMap<Reason, Time>,
}

impl Timers {
    /// Wakes at `at` for `reason`, and at no other time for it.
    pub(crate) fn set(&mut self, at: Time, reason: Reason) {
        self.cancel(reason);
        self.queue.insert((at, reason));
        self.pending.insert(reason, at);
    }

    /// Wakes for `reason` at `at` or earlier.
    pub(crate) fn at_latest(&mut self, at: Time, reason: Reason) {
        if self.pending.get(&reason).is_none_or(|&time| at < time) {
            self.set(at, reason);
        }
    }

    pub(crate) fn cancel(&mut self, reason: Reason) {
        if let Some(time) = self.pending.remove(&reason) {
            self.queue.remove(&(time, reason));
        }
    }

    pub(crate) fn first(&self) -> Option<(Time, Reason)> {
        self.queue.first().copied()
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
