//! One simulated machine: its identity and disk, and the node's life on it while it runs.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use bytes::Bytes;
use chordal_object::{ChunkId, NodeId};
use chordal_proto::input::OperationId;
use chordal_proto::{Effect, Peer, Time};
use chordal_store::MemDisk;

use crate::node_disk::NodeDisk;
use crate::shadow::Shadow;

/// A machine of the world.
#[derive(Debug)]
pub(crate) struct Node {
    /// Who it is, in all its lives.
    pub(crate) id: NodeId,
    /// Where it listens, in all its lives.
    pub(crate) addr: SocketAddr,
    /// Tokens it takes.
    pub(crate) tokens: u8,
    /// The highest incarnation it has used or been told to use.
    pub(crate) incarnation: u64,
    /// How many lives it has begun: events of an earlier one are void.
    pub(crate) lives: u64,
    /// How far its clock is ahead of the world's.
    pub(crate) ahead: Duration,
    /// It does nothing before this.
    pub(crate) frozen_until: Time,
    /// What it is doing.
    pub(crate) state: State,
}

/// What a machine is doing.
#[derive(Debug)]
pub(crate) enum State {
    /// The node runs.
    Up(Box<Life>),
    /// It stopped; this is what its disk has.
    Down(Box<MemDisk>),
    /// It left with notice, or its machine burnt down, or it was never let in.
    Ended,
}

/// Why a machine is out for good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// Left with notice.
    Left,
    /// Lost with its disk.
    Lost,
    /// The ring would not have it.
    Refused,
}

/// A running node.
#[derive(Debug)]
pub(crate) struct Life {
    /// The decisions.
    pub(crate) peer: Peer,
    /// A twin that must decide the same, where twins are wanted.
    pub(crate) shadow: Option<Box<Shadow>>,
    /// What it keeps.
    pub(crate) disk: NodeDisk,
    /// Chunks in the driver's hands, by operation.
    pub(crate) held: Held,
    /// When the next wake-up is in the schedule.
    pub(crate) wake: Option<Time>,
    /// Wake-ups at one and the same time, to notice a node that never sleeps.
    pub(crate) wakes_here: u32,
    /// When it was woken last.
    pub(crate) woken_at: Time,
    /// Nodes that it has a connection with.
    pub(crate) contacts: BTreeSet<usize>,
    /// Whether it is in the ring, as far as its clients were told.
    pub(crate) joined: bool,
    /// Whether it has been told to leave.
    pub(crate) leaving: bool,
}

/// Chunks in a driver's hands, by the operation they are kept for.
pub(crate) type Held = BTreeMap<OperationId, BTreeMap<ChunkId, Bytes>>;

impl Life {
    /// The next thing that its peer wants done.
    pub(crate) fn decided(&mut self) -> Option<Effect> {
        let effect = self.peer.poll()?;
        if let Some(shadow) = &mut self.shadow {
            shadow.note(&effect);
        }
        Some(effect)
    }
}

impl Node {
    /// The life, when there is one.
    pub(crate) const fn life(&self) -> Option<&Life> {
        match &self.state {
            State::Up(life) => Some(life),
            State::Down(_) | State::Ended => None,
        }
    }

    /// The life, to change it.
    pub(crate) const fn life_mut(&mut self) -> Option<&mut Life> {
        match &mut self.state {
            State::Up(life) => Some(life),
            State::Down(_) | State::Ended => None,
        }
    }

    /// Whether it runs.
    pub(crate) const fn is_up(&self) -> bool {
        matches!(self.state, State::Up(_))
    }

    /// Whether it runs, in the ring, and means to stay.
    pub(crate) fn serves(&self) -> bool {
        self.life().is_some_and(|life| life.joined && !life.leaving)
    }
}

/// Where the machine of this number listens.
pub(crate) fn address(number: usize) -> SocketAddr {
    let [high, low] = u16::try_from(number)
        .expect("machines are few")
        .to_be_bytes();
    SocketAddr::from((Ipv4Addr::new(10, 0, high, low), 2000))
}
