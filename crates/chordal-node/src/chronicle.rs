//! The last day of the ring, as this node saw it: who came, fell silent, returned, was given up, left.
//!
//! In memory only, and bounded: it begins with this life of the node, and of a very restless ring it
//! keeps the newest part. It is for people; nothing is decided by it.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use chordal_object::{Key, NodeId};
use chordal_proto::effect::Notice;
use chordal_proto::member::Member;

use crate::limits::{CHRONICLE_EVENTS_MAX, CHRONICLE_KEPT};

/// Something that happened to a node of the ring.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RingEvent {
    /// When this node saw it, in milliseconds since the Unix epoch.
    pub at_ms: i64,
    /// Whom it happened to.
    pub node: NodeId,
    /// Where that node listened; nothing where this one did not know any more.
    pub addr: Option<SocketAddr>,
    /// Where its tokens were.
    pub tokens: Vec<Key>,
    /// What happened.
    pub what: Happening,
}

/// What happens to nodes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Happening {
    /// It entered the ring, or came back.
    Appeared,
    /// It does not answer this node.
    Suspected,
    /// It answers again.
    Recovered,
    /// It was given up, or forgotten by an operator.
    Gone,
    /// It left with notice.
    Left,
}

/// What a node remembers of its ring.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chronicle {
    /// Since when nothing is missing, in milliseconds since the Unix epoch.
    pub since_ms: i64,
    /// What happened since then, oldest first.
    pub events: Vec<RingEvent>,
}

/// The running chronicle.
#[derive(Debug)]
pub(crate) struct Log {
    kept: Mutex<Kept>,
}

#[derive(Debug)]
struct Kept {
    since_ms: i64,
    noted: u64,
    events: VecDeque<RingEvent>,
}

/// Whom a notice is about and what it says, where it is one for the chronicle.
pub(crate) fn happening(notice: &Notice, own: NodeId) -> Option<(NodeId, Happening)> {
    match notice {
        Notice::Appeared(token) => Some((token.node, Happening::Appeared)),
        Notice::Suspected { node, .. } => Some((*node, Happening::Suspected)),
        Notice::Recovered(node) => Some((*node, Happening::Recovered)),
        Notice::Gone(node) => Some((*node, Happening::Gone)),
        Notice::Left(node) => Some((*node, Happening::Left)),
        Notice::Placed { .. } => Some((own, Happening::Appeared)),
        Notice::Refuted { .. }
        | Notice::Pointers { .. }
        | Notice::Synchronised { .. }
        | Notice::HandedOff { .. }
        | Notice::Collected { .. }
        | Notice::NotUnderstood { .. }
        | Notice::Malformed { .. } => None,
    }
}

impl Log {
    /// Begins at this moment.
    pub(crate) fn new(now_ms: i64) -> Self {
        Self {
            kept: Mutex::new(Kept {
                since_ms: now_ms,
                noted: 0,
                events: VecDeque::new(),
            }),
        }
    }

    /// Notes what happened to a node, of which this is the entry, with its places.
    pub(crate) fn note(
        &self,
        now_ms: i64,
        (node, what): (NodeId, Happening),
        member: Option<(&Member, Vec<Key>)>,
    ) {
        let (addr, tokens) = member.map_or((None, Vec::new()), |(member, tokens)| {
            (Some(member.addr), tokens)
        });
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.noted += 1;
        kept.events.push_back(RingEvent {
            at_ms: now_ms,
            node,
            addr,
            tokens,
            what,
        });
        kept.shorten(now_ms);
    }

    /// How many events were noted, those included that were dropped since.
    pub(crate) fn noted(&self) -> u64 {
        let kept = self.kept.lock();
        kept.unwrap_or_else(PoisonError::into_inner).noted
    }

    /// What is remembered.
    pub(crate) fn read(&self, now_ms: i64) -> Chronicle {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.shorten(now_ms);
        Chronicle {
            since_ms: kept.since_ms,
            events: kept.events.iter().cloned().collect(),
        }
    }
}

impl Kept {
    /// Drops what is too old, and the oldest of too much.
    fn shorten(&mut self, now_ms: i64) {
        let begin_ms = now_ms.saturating_sub(milliseconds(CHRONICLE_KEPT));
        self.since_ms = self.since_ms.max(begin_ms);
        let too_many = |events: &VecDeque<RingEvent>| events.len() > CHRONICLE_EVENTS_MAX;
        while let Some(first) = self.events.front()
            && (first.at_ms < begin_ms || too_many(&self.events))
        {
            // After the dropped one nothing is missing.
            self.since_ms = self.since_ms.max(first.at_ms);
            self.events.pop_front();
        }
    }
}

fn milliseconds(time: Duration) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests;
