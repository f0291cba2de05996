//! One machine of the ring world: an identity, and the node's life on it while it runs.

use std::collections::{BTreeSet, VecDeque};
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use bytes::Bytes;
use chordal_object::NodeId;
use chordal_proto::certificate::TokenView;
use chordal_proto::{Peer, Time};

use super::Happening;
use super::grounds::Grounds;

/// A machine.
#[derive(Debug)]
pub struct Machine {
    pub(super) id: NodeId,
    pub(super) addr: SocketAddr,
    pub(super) tokens: u8,
    /// The highest incarnation it has used or been told to use.
    pub(super) incarnation: u64,
    /// How many lives it has begun: events of an earlier one are void.
    pub(super) lives: u32,
    /// What its node last saved of the others.
    pub(super) saved: Option<Bytes>,
    /// How far its clock is ahead of the world's.
    pub(super) ahead: Duration,
    /// How long it takes over each event: nothing for a machine that keeps up.
    pub(super) slowness: Duration,
    /// It does nothing before this time.
    pub(super) busy_until: Time,
    /// What came while it was busy.
    pub(super) inbox: VecDeque<Happening>,
    pub(super) state: State,
    /// The life that ended last, where the planted mistake goes on with it.
    pub(super) undead: Option<Box<Life>>,
}

/// What a machine is doing.
#[derive(Debug)]
pub(super) enum State {
    /// The node runs.
    Up(Box<Life>),
    /// It stopped, in this way, and may start again.
    Down(Stop),
    /// It left with notice, or is out for good.
    Ended,
}

/// How a node stops.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// The program dies: its connections break at once, for all to see, and its machine refuses
    /// further ones.
    Process,
    /// The machine dies: silence.
    Machine,
}

/// A running node.
#[derive(Debug)]
pub(super) struct Life {
    pub(super) peer: Peer,
    /// When the next wake-up is in the queue, by the world's clock.
    pub(super) wake: Option<Time>,
    /// Machines that it has a connection with.
    pub(super) contacts: BTreeSet<usize>,
    /// Whether it has been in a ring in this life.
    pub(super) joined: bool,
    /// Whether it was told to leave.
    pub(super) leaving: bool,
    /// The pointers of its tokens that are in the ring, as they were after its last event.
    pub(super) views: Vec<TokenView>,
    /// What it knows of whether others live.
    pub(super) grounds: Grounds,
}

impl Life {
    /// Whether it took a place on a ring of its own although it knows others: none of them
    /// answered it for long enough.
    pub(super) fn entered_alone(&self) -> bool {
        let id = self.peer.member().node;
        let is_own = |view: &TokenView| view.successors.iter().all(|next| next.node == id);
        !self.joined && self.peer.ring_view().iter().any(is_own) && self.peer.members().len() > 1
    }
}

impl Machine {
    pub(super) const fn life(&self) -> Option<&Life> {
        match &self.state {
            State::Up(life) => Some(life),
            State::Down(_) | State::Ended => None,
        }
    }

    pub(super) const fn life_mut(&mut self) -> Option<&mut Life> {
        match &mut self.state {
            State::Up(life) => Some(life),
            State::Down(_) | State::Ended => None,
        }
    }

    /// Who it is, in all its lives.
    pub const fn id(&self) -> NodeId {
        self.id
    }

    /// Where it listens, in all its lives.
    pub const fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Its node's decisions, while it runs.
    pub fn peer(&self) -> Option<&Peer> {
        self.life().map(|life| &life.peer)
    }

    /// Whether its node runs.
    pub const fn is_up(&self) -> bool {
        matches!(self.state, State::Up(_))
    }

    /// Whether it stopped and may start again.
    pub const fn is_down(&self) -> bool {
        matches!(self.state, State::Down(_))
    }

    /// Whether its node runs, is in the ring and means to stay.
    pub fn serves(&self) -> bool {
        self.life().is_some_and(|life| life.joined && !life.leaving)
    }
}

/// Where the machine of this number listens.
pub(super) fn address(number: usize) -> SocketAddr {
    let number = u32::try_from(number).expect("machines are counted in 24 bits");
    SocketAddr::from((Ipv4Addr::from(NETWORK | number), PORT))
}

/// The number of the machine that listens there, if there is one among `machines`.
pub(super) fn number_at(addr: SocketAddr, machines: usize) -> Option<usize> {
    let SocketAddr::V4(addr) = addr else {
        return None;
    };
    let number = usize::try_from(u32::from(*addr.ip()) ^ NETWORK).ok()?;
    (addr.port() == PORT && number < machines).then_some(number)
}

/// 10.0.0.0/8.
const NETWORK: u32 = 10 << 24;

const PORT: u16 = 2000;
