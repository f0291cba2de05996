//! What can be done to a machine that runs: it stands still, its clock jumps, its disk rots, fills up
//! or fails to sync.

use std::time::Duration;

use chordal_object::ChunkId;
use chordal_proto::input::Damaged;
use chordal_proto::{Input, Time};

use super::{Event, World};
use crate::node::State;
use crate::violation::Violation;

impl World {
    /// What a machine's own clock says.
    pub(super) fn clock(&self, number: usize) -> Time {
        self.now + self.nodes[number].ahead
    }

    /// Stops a machine for a while, as a debugger, a swap storm or a closed lid does. What comes
    /// meanwhile waits.
    pub(crate) fn freeze(&mut self, number: usize, time: Duration) {
        self.note(number, b"freeze", || {
            format!("node {number} does nothing for {time:?}")
        });
        self.nodes[number].frozen_until = self.now + time;
    }

    /// How many machines stand still.
    pub(crate) fn frozen(&self) -> usize {
        let nodes = self.nodes.iter();
        nodes
            .filter(|node| node.is_up() && node.frozen_until > self.now)
            .count()
    }

    /// Puts a machine's clock forward. It never goes backwards: drivers read a monotonic clock.
    pub(crate) fn step_clock(&mut self, number: usize, step: Duration) -> Result<(), Violation> {
        self.note(number, b"clock", || {
            format!("the clock of node {number} jumps {step:?} ahead")
        });
        self.nodes[number].ahead += step;
        self.tell(number, Input::Tick, "a jump of its clock")
    }

    /// Flips a bit of a chunk on a running machine's disk; whether the chunk is there.
    pub(crate) fn rot(&mut self, number: usize, chunk: ChunkId, bit: u64) -> bool {
        self.note(number, b"rot", || {
            format!("chunk {chunk:?} rots on node {number}")
        });
        let life = self.nodes[number].life();
        life.is_some_and(|life| life.disk.rot(chunk, bit))
    }

    /// The chunks on a running machine's disk.
    pub(crate) fn chunks_on(&self, number: usize) -> Vec<ChunkId> {
        let last = self.settings.bits.last_key();
        let life = self.nodes[number].life();
        life.map(|life| life.disk.chunks(last)).unwrap_or_default()
    }

    /// Reads every chunk on a running machine's disk again.
    pub(crate) fn scrub(&mut self, number: usize) -> Result<(), Violation> {
        self.note(number, b"scrub", || {
            format!("node {number} reads all its chunks")
        });
        let last = self.settings.bits.last_key();
        if let Some(life) = self.nodes[number].life_mut() {
            life.disk.scrub(last);
        }
        self.tell_damaged(number)
    }

    /// Leaves so much room on a machine's disk, running or not; nothing: all that anybody wants.
    pub(crate) fn leave_room(&mut self, number: usize, bytes: Option<u64>) {
        self.note(number, b"room", || {
            format!("the disk of node {number} has room for {bytes:?}")
        });
        match &self.nodes[number].state {
            State::Up(life) => life.disk.leave_room(bytes),
            State::Down(platter) => platter.leave_room(bytes),
            State::Ended => {}
        }
    }

    /// Makes one of a node's next syncs fail.
    pub(crate) fn fail_sync(&mut self, number: usize) {
        let nth = self.dice.between(1, 4) as u64;
        self.note(number, b"sync", || {
            format!("sync {nth} of node {number} will fail")
        });
        if let Some(life) = self.nodes[number].life() {
            life.disk.fail_sync(nth);
        }
    }

    /// Tells a node what its disk has put aside.
    pub(super) fn tell_damaged(&mut self, number: usize) -> Result<(), Violation> {
        let Some(life) = self.nodes[number].life_mut() else {
            return Ok(());
        };
        let damaged: Vec<Damaged> = std::mem::take(&mut life.disk.damaged);
        for copy in damaged {
            self.tell(number, Input::Damaged(copy), "news of a bad copy")?;
        }
        Ok(())
    }

    /// Tells a node something as soon as it does anything.
    pub(super) fn tell(
        &mut self,
        number: usize,
        input: Input,
        what: &str,
    ) -> Result<(), Violation> {
        let until = self.nodes[number].frozen_until;
        if until > self.now {
            self.tell_after(until.since(self.now), number, input);
            return Ok(());
        }
        self.feed(number, input, what)
    }

    /// The event, unless the machine it is for stands still: then it comes when that is over.
    pub(super) fn unless_frozen(&mut self, event: Event) -> Option<Event> {
        let number = match &event {
            Event::Deliver { to, .. } => *to,
            Event::Tell { node, .. } | Event::Wake { node, .. } | Event::Disk { node, .. } => *node,
            Event::TimeOut { from, .. } => *from,
            Event::Move(step) => step.at(),
            Event::Alarm(_) => return Some(event),
        };
        let node = &mut self.nodes[number];
        let until = node.frozen_until;
        if until <= self.now || !node.is_up() {
            return Some(event);
        }
        if let (Event::Wake { .. }, Some(life)) = (&event, node.life_mut()) {
            if life.wake != Some(self.now) {
                return None;
            }
            life.wake = Some(until);
        }
        self.schedule.push(until, event);
        None
    }
}
