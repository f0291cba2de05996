//! Carrying out what nodes decide, as a production driver would.

use std::time::Duration;

use bytes::Bytes;
use chordal_proto::effect::{Destination, DiskOp, Notice};
use chordal_proto::input::{Completion, EffectId};
use chordal_proto::{Effect, Input};

use super::{Event, Reply, World};
use crate::network::Fate;
use crate::node::{Node, State};
use crate::plant;

impl World {
    pub(super) fn perform(&mut self, number: usize, effect: Effect) {
        match effect {
            Effect::Send { to, bytes } => self.send(number, to, bytes),
            Effect::Transfer { effect, transfer } => {
                self.counts.chunks += 1;
                self.trace
                    .line(self.now, || format!("node {number} wants {transfer:?}"));
                self.begin_move(number, effect, transfer);
            }
            Effect::Disk { effect, op } => {
                let after = self.disk_time(&op);
                let life = self.nodes[number].lives;
                let event = Event::Disk {
                    node: number,
                    life,
                    effect,
                    op: Box::new(op),
                };
                self.schedule.push(self.now + after, event);
            }
            Effect::Reply { operation, answer } => {
                self.note(number, &operation.0.to_be_bytes(), || {
                    format!("node {number} answers {}: {answer:?}", operation.0)
                });
                self.replies.push_back(Reply {
                    node: number,
                    operation,
                    answer,
                });
            }
            Effect::Notice(notice) => {
                self.trace
                    .line(self.now, || format!("node {number} notes {notice:?}"));
                if let Notice::Refuted { incarnation } | Notice::Placed { incarnation, .. } = notice
                {
                    let node = &mut self.nodes[number];
                    node.incarnation = node.incarnation.max(incarnation);
                }
            }
        }
    }

    fn send(&mut self, from: usize, to: Destination, bytes: Bytes) {
        let bytes = plant::twist(self.plant, bytes);
        self.counts.messages += 1;
        self.counts.message_bytes += bytes.len() as u64;
        let Some(&target) = self.by_addr.get(&to.addr) else {
            let after = self.network.patience();
            return self.unreachable(from, to, after, "no route");
        };
        let fate = self.network.fate(from, target);
        match fate {
            Fate::Lost => {}
            Fate::Blocked(after) => self.time_out(from, to, after),
            Fate::Arrives(after) => match reach(&self.nodes[target], to) {
                Reach::Here => {
                    self.connect(from, target);
                    let life = self.nodes[target].lives;
                    if let Some(more) = self.network.again() {
                        let event = Event::Deliver {
                            to: target,
                            life,
                            from,
                            bytes: bytes.clone(),
                        };
                        self.schedule.push(self.now + after + more, event);
                    }
                    let event = Event::Deliver {
                        to: target,
                        life,
                        from,
                        bytes,
                    };
                    self.schedule.push(self.now + after, event);
                }
                Reach::Stranger => self.unreachable(from, to, after * 2, "somebody else is there"),
                Reach::Nobody => {
                    // A dead program's machine refuses at once; a dead machine says nothing.
                    if self.dice.chance(0.5) {
                        self.unreachable(from, to, after * 2, "connection refused");
                    } else {
                        let after = self.network.patience();
                        self.time_out(from, to, after);
                    }
                }
            },
        }
    }

    fn connect(&mut self, one: usize, other: usize) {
        for (a, b) in [(one, other), (other, one)] {
            if let Some(life) = self.nodes[a].life_mut() {
                life.contacts.insert(b);
            }
        }
    }

    /// A way was blocked for as long as anybody waits. One that is open again by then has let one
    /// of the repeated attempts through, too late for the message.
    pub(super) fn give_up(&mut self, from: usize, to: Destination) -> Option<Input> {
        let target = self.by_addr.get(&to.addr);
        let open = target.is_some_and(|&target| {
            !self.network.is_cut(from, target) && reach(&self.nodes[target], to) == Reach::Here
        });
        let reason = "timed out".to_owned();
        (!open).then_some(Input::Unreachable {
            addr: to.addr,
            node: to.node,
            reason,
        })
    }

    fn time_out(&mut self, from: usize, to: Destination, after: Duration) {
        let life = self.nodes[from].lives;
        self.schedule
            .push(self.now + after, Event::TimeOut { from, life, to });
    }

    fn unreachable(&mut self, from: usize, to: Destination, after: Duration, reason: &str) {
        let input = Input::Unreachable {
            addr: to.addr,
            node: to.node,
            reason: reason.to_owned(),
        };
        self.tell_after(after, from, input);
    }

    /// Does what a disk was asked to; the node hears of it at once or a little later.
    pub(super) fn do_disk(&mut self, number: usize, effect: EffectId, op: DiskOp) {
        let Some(life) = self.nodes[number].life_mut() else {
            return;
        };
        self.trace
            .line(self.now, || format!("disk of node {number} does {op:?}"));
        let settings = life.peer.settings().clone();
        let answer = life.disk.execute(op, &settings, &mut life.held);
        if self.has_died(number) {
            return;
        }
        self.trace.line(self.now, || {
            format!("disk of node {number} answers {answer:?}")
        });
        let stall = self.stall();
        let after = stall + self.dice.time(Duration::ZERO, COMPLETION_MAX);
        let completion = Completion::Disk(answer);
        self.tell_after(after, number, Input::Completion { effect, completion });
    }

    /// How much longer than usual a disk takes to begin, or to say that it is done: mostly not at all.
    fn stall(&mut self) -> Duration {
        if self.disk_stalls > 0.0 && self.dice.chance(self.disk_stalls) {
            self.dice.time(Duration::ZERO, STALL_MAX)
        } else {
            Duration::ZERO
        }
    }

    fn disk_time(&mut self, op: &DiskOp) -> Duration {
        let mean = match op {
            DiskOp::WriteRecord { .. }
            | DiskOp::StoreChunk { .. }
            | DiskOp::Remove { .. }
            | DiskOp::SaveMembers(_) => SYNC_MEAN,
            DiskOp::ReadRecord { .. }
            | DiskOp::ReadChunk { .. }
            | DiskOp::ItemsIn { .. }
            | DiskOp::RecordsByDigest { .. }
            | DiskOp::HaveChunks(_)
            | DiskOp::Referenced(_)
            | DiskOp::Listed(_)
            | DiskOp::CountIn(_)
            | DiskOp::List { .. }
            | DiskOp::Usage => READ_MEAN,
        };
        let stall = self.stall();
        stall + self.dice.exponential(mean)
    }

    /// How long it takes to make a chunk durable.
    pub(super) fn sync_time(&mut self) -> Duration {
        self.dice.exponential(SYNC_MEAN)
    }
}

/// Who answers at an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reach {
    /// Whoever was wanted.
    Here,
    /// Another node than the one wanted.
    Stranger,
    /// Nobody.
    Nobody,
}

pub(super) fn reach(node: &Node, wanted: Destination) -> Reach {
    match &node.state {
        State::Down(_) | State::Ended => Reach::Nobody,
        State::Up(_) if wanted.node.is_some_and(|id| id != node.id) => Reach::Stranger,
        State::Up(_) => Reach::Here,
    }
}

/// The mean time of a write that is durable when it ends.
const SYNC_MEAN: Duration = Duration::from_millis(4);

/// The mean time of a question.
const READ_MEAN: Duration = Duration::from_micros(300);

/// The longest that a disk stalls.
const STALL_MAX: Duration = Duration::from_secs(5);

/// A node hears of an effect's end after this at the latest.
const COMPLETION_MAX: Duration = Duration::from_millis(1);
