//! Recordings: everything that a peer was told, with its time, so that the same code can be told
//! it again and decides the same.
//!
//! A recording is a row of segments, each a file of its own that begins with the state to start
//! from, then has every input, now and then a mark that names the state reached, and a
//! [`Decisions`] digest beside every input, so that a replay notices at once where it decides
//! otherwise. Everything in it has gone through the typed values of this crate, whose serde form
//! has no contents of files; names, sizes, hashes and what users attached are there. Nothing here
//! reads or writes a file.

mod decisions;
mod frame;
mod twin;

use std::net::SocketAddr;

use bytes::Bytes;
use chordal_object::NodeId;
use serde::{Deserialize, Serialize};

use crate::codec;
use crate::input::{Command, Completion, Damaged, EffectId, Input, OperationId};
use crate::message::Envelope;
use crate::settings::Config;
use crate::snapshot::Fingerprint;
use crate::time::Time;

pub use decisions::Decisions;
pub use frame::{Damage, Frames, MAGIC, encode};
pub use twin::{Divergence, Twin};

/// The version of this format, and of what stands in it.
pub const FORMAT: u32 = 3;

/// One entry of a segment. The first is its [`Item::Begin`], and there is no other.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[expect(
    clippy::large_enum_variant,
    reason = "the large one is nearly every one"
)]
pub enum Item {
    /// Whose segment this is and where it starts.
    Begin(Box<Begin>),
    /// The peer was told something.
    Step(Step),
    /// The state reached.
    Mark(Mark),
    /// The recording ends here on purpose: the node stopped.
    End(Mark),
}

/// The head of a segment.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Begin {
    /// [`FORMAT`] of the writer.
    pub format: u32,
    /// The writing program's version.
    pub program: String,
    /// Whose recording.
    pub node: NodeId,
    /// Where others reach it.
    pub addr: SocketAddr,
    /// Tells this life's segments from those of others: drawn at random.
    pub life: u64,
    /// The place in the row, from 0.
    pub segment: u64,
    /// Milliseconds from the Unix epoch to the start of the peer's clock.
    pub clock_began_ms: u64,
    /// Inputs that came after the segment before this one and were not written, because the disk
    /// was too slow.
    pub lost: u64,
    /// When, by the peer's clock.
    pub at: Time,
    /// From where.
    pub start: Start,
}

/// What a segment starts from.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Start {
    /// The beginning of a life.
    Life(Box<Config>),
    /// A state, as [`crate::Peer::snapshot`] wrote it, and the decisions until then.
    State(Bytes, Decisions),
}

/// One input.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Step {
    /// When, by the peer's clock.
    pub at: Time,
    /// What was decided before it came, since the life began.
    pub decided: Decisions,
    /// What the peer was told.
    pub told: Told,
}

/// A state reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    /// When, by the peer's clock.
    pub at: Time,
    /// What was decided until then.
    pub decided: Decisions,
    /// The state.
    pub state: Fingerprint,
}

/// An [`Input`] as it is recorded: messages decoded, and no contents of files.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the fields are those of `Input`")]
pub enum Told {
    /// [`Input::Tick`].
    Tick,
    /// [`Input::Message`] that could be read.
    Message {
        from: NodeId,
        addr: SocketAddr,
        envelope: Envelope,
    },
    /// [`Input::Message`] that could not: its bytes may be anything, so only the reason is kept.
    Malformed {
        from: NodeId,
        addr: SocketAddr,
        reason: String,
    },
    /// [`Input::Disconnected`].
    Disconnected(NodeId),
    /// [`Input::Unreachable`].
    Unreachable {
        addr: SocketAddr,
        node: Option<NodeId>,
        reason: String,
    },
    /// [`Input::Command`].
    Command {
        operation: OperationId,
        command: Command,
    },
    /// [`Input::Expelled`].
    Expelled(Vec<NodeId>),
    /// [`Input::Damaged`].
    Damaged(Damaged),
    /// [`Input::Cancel`].
    Cancel(OperationId),
    /// [`Input::Completion`].
    Completion {
        effect: EffectId,
        completion: Completion,
    },
}

impl From<Input> for Told {
    fn from(input: Input) -> Self {
        match input {
            Input::Tick => Self::Tick,
            Input::Message { from, addr, bytes } => match codec::decode(bytes) {
                Ok(envelope) => Self::Message {
                    from,
                    addr,
                    envelope,
                },
                Err(error) => Self::Malformed {
                    from,
                    addr,
                    reason: error.to_string(),
                },
            },
            Input::Disconnected(node) => Self::Disconnected(node),
            Input::Unreachable { addr, node, reason } => Self::Unreachable { addr, node, reason },
            Input::Command { operation, command } => Self::Command { operation, command },
            Input::Expelled(nodes) => Self::Expelled(nodes),
            Input::Damaged(copy) => Self::Damaged(copy),
            Input::Cancel(operation) => Self::Cancel(operation),
            Input::Completion { effect, completion } => Self::Completion { effect, completion },
        }
    }
}

impl From<Told> for Input {
    fn from(told: Told) -> Self {
        match told {
            Told::Tick => Self::Tick,
            Told::Message {
                from,
                addr,
                envelope,
            } => Self::Message {
                from,
                addr,
                bytes: codec::encode(&envelope),
            },
            Told::Malformed { from, addr, .. } => Self::Message {
                from,
                addr,
                bytes: Bytes::from_static(UNREADABLE),
            },
            Told::Disconnected(node) => Self::Disconnected(node),
            Told::Unreachable { addr, node, reason } => Self::Unreachable { addr, node, reason },
            Told::Command { operation, command } => Self::Command { operation, command },
            Told::Expelled(nodes) => Self::Expelled(nodes),
            Told::Damaged(copy) => Self::Damaged(copy),
            Told::Cancel(operation) => Self::Cancel(operation),
            Told::Completion { effect, completion } => Self::Completion { effect, completion },
        }
    }
}

/// Bytes that no version of the codec reads: a field that breaks off.
const UNREADABLE: &[u8] = &[0xff];

#[cfg(test)]
mod tests;
