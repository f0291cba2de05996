//! Looking at the ring from outside, and what may be done to its network, machines and clocks.

use std::time::Duration;

use chordal_proto::certificate::{self, Certificate, TokenView};
use chordal_proto::{Time, Timing};

use super::{Machine, RingWorld, Weather};
use crate::violation::Violation;

impl RingWorld {
    /// The pointers of all tokens that are in the ring.
    pub fn views(&self) -> Vec<TokenView> {
        let lives = self.machines.iter().filter_map(Machine::life);
        lives.flat_map(|life| life.views.iter().cloned()).collect()
    }

    /// What the pointers of all tokens together say of the ring.
    pub fn certificate(&self) -> Certificate {
        Certificate::of(&self.views(), self.list_length())
    }

    /// Why the ring is not ideal, if it is not: every node that runs is in it, and every pointer
    /// is right.
    pub fn not_ideal(&self) -> Option<String> {
        let waits = (0..self.machines.len()).find(|&number| {
            let life = self.machines[number].life();
            life.is_some_and(|life| !life.joined)
        });
        if let Some(number) = waits {
            return Some(format!("node {number} has not joined"));
        }
        let flaw = certificate::ideal(&self.views(), self.list_length()).err();
        flaw.map(|flaw| flaw.to_string())
    }

    /// r: the entries of a full successor list.
    pub fn list_length(&self) -> usize {
        usize::from(self.settings.successors)
    }

    /// Changes the weather.
    pub fn set_weather(&mut self, weather: Weather) {
        self.note(usize::MAX, b"weather", || format!("now {weather:?}"));
        self.network.weather = weather;
    }

    /// Changes the pace of every running node, and of those to come. What nodes have already set
    /// themselves to do at a time they do then.
    pub fn set_timing(&mut self, timing: &Timing) {
        self.note(usize::MAX, b"timing", || format!("now {timing:?}"));
        self.timing = timing.clone();
        for machine in &mut self.machines {
            if let Some(life) = machine.life_mut() {
                life.peer.set_timing(timing.clone());
            }
        }
    }

    /// What the weather is.
    pub const fn weather(&self) -> Weather {
        self.network.weather
    }

    /// Cuts the way from one machine to another, in this direction only.
    pub fn cut(&mut self, from: usize, to: usize) {
        self.note(to, b"cut", || {
            format!("the way from node {from} to node {to} is cut")
        });
        self.network.cut(from, to);
    }

    /// Cuts every way between two sets of machines, in both directions.
    pub fn part(&mut self, one: &[usize], other: &[usize]) {
        self.note(usize::MAX, b"part", || {
            format!("the network parts: {one:?} from {other:?}")
        });
        for &a in one {
            for &b in other {
                self.network.cut(a, b);
                self.network.cut(b, a);
            }
        }
    }

    /// Mends every way.
    pub fn mend(&mut self) {
        self.note(usize::MAX, b"mend", || "every way is open".to_owned());
        self.network.mend();
    }

    /// Whether any way is cut.
    pub fn is_parted(&self) -> bool {
        self.network.is_parted()
    }

    /// Makes a machine slow: every event takes it this long. Zero makes it keep up again.
    pub fn set_slowness(&mut self, number: usize, slowness: Duration) {
        self.note(number, b"slow", || {
            format!("node {number} takes {slowness:?} over each event")
        });
        self.machines[number].slowness = slowness;
    }

    /// Stops a machine for a while, as a debugger, a swap storm or a closed lid does. What comes
    /// meanwhile waits.
    pub fn freeze(&mut self, number: usize, time: Duration) {
        self.note(number, b"freeze", || {
            format!("node {number} does nothing for {time:?}")
        });
        let machine = &mut self.machines[number];
        machine.busy_until = machine.busy_until.max(self.now + time);
    }

    /// Puts a machine's clock forward. It never goes backwards: drivers read a monotonic clock.
    pub fn step_clock(&mut self, number: usize, step: Duration) -> Result<(), Violation> {
        self.note(number, b"clock", || {
            format!("the clock of node {number} jumps {step:?} ahead")
        });
        self.machines[number].ahead += step;
        self.feed(number, chordal_proto::Input::Tick)
    }

    /// What a machine's own clock says.
    pub fn clock(&self, number: usize) -> Time {
        self.now + self.machines[number].ahead
    }

    /// Takes note of a node's pointers after an event, and asks it whether it is well.
    pub(super) fn look_at(&mut self, number: usize) -> Result<(), Violation> {
        let Some(life) = self.machines[number].life_mut() else {
            return Ok(());
        };
        if let Err(broken) = life.peer.check() {
            return Err(self.violation("nodes are well", Some(number), broken));
        }
        let id = self.machines[number].id;
        let Some(life) = self.machines[number].life_mut() else {
            return Ok(());
        };
        let mut views = life.peer.ring_view();
        // A node that is about to join is on a ring of its own, of which nobody knows.
        views.retain(|view| life.joined || view.successors.iter().any(|next| next.node != id));
        if !life.joined && !views.is_empty() && !life.peer.is_entering() {
            life.joined = true;
        }
        life.views = views;
        Ok(())
    }
}
