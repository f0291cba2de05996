//! A part of the nodes, with what is to happen to them: what one thread works on.
//!
//! A message takes longer than the shards run between two meetings, so nothing that one shard
//! does can concern another before they meet. How nodes are dealt out to shards changes nothing:
//! what a message takes, and which of two things at one moment comes first, follows from its
//! sender and how many that one has sent.

use std::time::Duration;

use bytes::Bytes;
use chordal_object::{Key, NodeId};
use chordal_proto::effect::{Answer, DiskOp, Effect, Found};
use chordal_proto::input::{Command, Completion, DiskAnswer, OperationId};
use chordal_proto::{Input, Peer, Time};

use super::build::{address, number_at};
use super::nanos;
use super::queue::{Queue, What};

/// The time a message takes, at least and at most.
pub(super) const LATENCY_MIN: Duration = Duration::from_millis(20);
const LATENCY_MAX: Duration = Duration::from_millis(80);

/// How a lookup ended, and where.
pub(super) type Ended = (OperationId, Option<Found>);

/// What waits for its time.
#[derive(Debug)]
enum Parcel {
    /// A message on its way.
    Message {
        from: u32,
        sender: NodeId,
        to: u32,
        bytes: Bytes,
    },
    /// A wish of a node's user.
    LookUp {
        at: u32,
        operation: OperationId,
        key: Key,
    },
}

/// A message for another shard.
#[derive(Debug)]
pub(super) struct Outgoing {
    at: u64,
    order: u64,
    parcel: Parcel,
}

#[derive(Debug)]
struct Node {
    peer: Option<Box<Peer>>,
    /// When it is to be woken, or never.
    wake: u64,
    /// Messages it has sent.
    sent: u32,
}

const NEVER: u64 = u64::MAX;

/// Every n-th node, from one on.
#[derive(Debug)]
pub(super) struct Shard {
    index: usize,
    salt: u64,
    nodes: Vec<Node>,
    parcels: Vec<Option<Parcel>>,
    free_parcels: Vec<u32>,
    queue: Queue,
    now: u64,
    events: u64,
    ended: Vec<Ended>,
    /// One list for each shard.
    outgoing: Vec<Vec<Outgoing>>,
}

impl Shard {
    /// The shard of this index, of `count`. `salt` chooses what messages take.
    pub(super) fn new(index: usize, count: usize, salt: u64) -> Self {
        Self {
            index,
            salt,
            nodes: Vec::new(),
            parcels: Vec::new(),
            free_parcels: Vec::new(),
            queue: Queue::new(),
            now: 0,
            events: 0,
            ended: Vec::new(),
            outgoing: (0..count).map(|_| Vec::new()).collect(),
        }
    }

    /// Adds the next node. Nodes are numbered in order, over all shards in turn.
    pub(super) fn add(&mut self, peer: Peer) {
        self.nodes.push(Node {
            peer: Some(Box::new(peer)),
            wake: NEVER,
            sent: 0,
        });
        let number = self.number_of(self.nodes.len() - 1);
        self.plan_wake(number);
    }

    /// Silences a node for ever.
    pub(super) fn crash(&mut self, number: u32) {
        if let Some(node) = self.node(number) {
            node.peer = None;
            node.wake = NEVER;
        }
    }

    pub(super) fn peer(&self, number: u32) -> Option<&Peer> {
        self.nodes.get(self.place_of(number))?.peer.as_deref()
    }

    pub(super) const fn events(&self) -> u64 {
        self.events
    }

    /// Lets a node look for a key at a moment to come.
    pub(super) fn look_up(&mut self, when: u64, at: u32, operation: OperationId, key: Key) {
        let parcel = Parcel::LookUp { at, operation, key };
        self.keep(when, operation.0, parcel);
    }

    /// Tells a node what its user wants.
    pub(super) fn command(&mut self, number: u32, operation: OperationId, command: Command) {
        self.give(number, Input::Command { operation, command });
    }

    /// What ended since the last time.
    pub(super) fn take_ended(&mut self) -> Vec<Ended> {
        std::mem::take(&mut self.ended)
    }

    /// What was sent to a shard since the last time.
    pub(super) fn take_outgoing(&mut self, to: usize) -> Vec<Outgoing> {
        std::mem::take(&mut self.outgoing[to])
    }

    /// Takes over what other shards have sent.
    pub(super) fn accept(&mut self, messages: Vec<Outgoing>) {
        for Outgoing { at, order, parcel } in messages {
            self.keep(at, order, parcel);
        }
    }

    /// Does all that happens before `end`.
    pub(super) fn run_until(&mut self, end: u64) {
        while let Some(due) = self.queue.pop_before(end) {
            self.now = due.at;
            match due.what {
                What::Wake(number) => {
                    let planned = self.node(number).map(|node| &mut node.wake);
                    if let Some(planned) = planned.filter(|planned| **planned == due.at) {
                        *planned = NEVER;
                        self.events += 1;
                        self.give(number, Input::Tick);
                    }
                }
                What::Parcel(place) => {
                    self.free_parcels.push(place);
                    if let Some(parcel) = self.parcels[place as usize].take() {
                        self.open(parcel);
                    }
                }
            }
        }
        self.now = end;
    }

    fn open(&mut self, parcel: Parcel) {
        match parcel {
            Parcel::Message {
                from,
                sender,
                to,
                bytes,
            } => {
                self.events += u64::from(self.peer(to).is_some());
                let input = Input::Message {
                    from: sender,
                    addr: address(from),
                    bytes,
                };
                self.give(to, input);
            }
            Parcel::LookUp { at, operation, key } => {
                self.command(at, operation, Command::LookUp(key));
            }
        }
    }

    /// Gives a node an input and does what comes of it.
    fn give(&mut self, number: u32, input: Input) {
        let Some(mut peer) = self.node(number).and_then(|node| node.peer.take()) else {
            return;
        };
        let now = Time::from_nanos(self.now);
        let mut next = Some(input);
        while let Some(input) = next.take() {
            peer.handle(now, input);
            while let Some(effect) = peer.poll() {
                match effect {
                    Effect::Send { to, bytes } => {
                        if let Some(to) = number_at(to.addr) {
                            self.send(number, peer.member().node, to, bytes);
                        }
                    }
                    Effect::Disk {
                        effect,
                        op: DiskOp::SaveMembers(_),
                    } => {
                        let completion = Completion::Disk(Ok(DiskAnswer::Done));
                        next = Some(Input::Completion { effect, completion });
                    }
                    Effect::Reply { operation, answer } => {
                        let found = match answer {
                            Ok(Answer::Found(found)) => Some(found),
                            Ok(_) | Err(_) => None,
                        };
                        self.ended.push((operation, found));
                    }
                    // Nodes without data ask their disks nothing else.
                    Effect::Disk { .. } | Effect::Transfer { .. } | Effect::Notice(_) => {}
                }
            }
        }
        if let Some(node) = self.node(number) {
            node.peer = Some(peer);
        }
        self.plan_wake(number);
    }

    fn send(&mut self, from: u32, sender: NodeId, to: u32, bytes: Bytes) {
        let Some(node) = self.node(from) else { return };
        node.sent += 1;
        let order = u64::from(from) << 32 | u64::from(node.sent);
        let at = self.now + latency(self.salt, order);
        let parcel = Parcel::Message {
            from,
            sender,
            to,
            bytes,
        };
        let shard = to as usize % self.outgoing.len();
        if shard == self.index {
            self.keep(at, order, parcel);
        } else {
            self.outgoing[shard].push(Outgoing { at, order, parcel });
        }
    }

    fn keep(&mut self, at: u64, order: u64, parcel: Parcel) {
        let place = self.free_parcels.pop().unwrap_or_else(|| {
            self.parcels.push(None);
            u32::try_from(self.parcels.len() - 1).expect("few parcels at once")
        });
        self.parcels[place as usize] = Some(parcel);
        self.queue.push(at, order, What::Parcel(place));
    }

    fn plan_wake(&mut self, number: u32) {
        let deadline = self.peer(number).and_then(Peer::deadline);
        let Some((at, _)) = deadline else { return };
        let at = at.as_nanos().max(self.now);
        let Some(node) = self.node(number) else {
            return;
        };
        if at < node.wake {
            node.wake = at;
            self.queue.push(at, u64::from(number), What::Wake(number));
        }
    }

    fn node(&mut self, number: u32) -> Option<&mut Node> {
        let place = self.place_of(number);
        self.nodes.get_mut(place)
    }

    const fn place_of(&self, number: u32) -> usize {
        number as usize / self.outgoing.len()
    }

    fn number_of(&self, place: usize) -> u32 {
        let number = place * self.outgoing.len() + self.index;
        u32::try_from(number).expect("nodes are numbered")
    }
}

/// What a message takes, in nanoseconds: chosen by the finalising steps of `SplitMix64`.
fn latency(salt: u64, order: u64) -> u64 {
    let mut mixed = salt ^ order.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^= mixed >> 31;
    let (least, most) = (nanos(LATENCY_MIN), nanos(LATENCY_MAX));
    least + mixed % (most - least)
}
