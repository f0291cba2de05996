//! Looking at the ring from outside, and what may be done to its network, machines and clocks.

use std::collections::BTreeSet;
use std::time::Duration;

use chordal_object::{Key, NodeId};
use chordal_proto::certificate::{self, Certificate, TokenView};
use chordal_proto::member::Token;
use chordal_proto::{Time, Timing};

use super::machine::Life;
use super::watch::Watch;
use super::{Event, Machine, RingWorld, Weather};
use crate::violation::Violation;

impl RingWorld {
    /// The pointers of all tokens that are in the ring.
    pub fn views(&self) -> Vec<TokenView> {
        let lives = self.machines.iter().filter_map(Machine::life);
        lives.flat_map(views_of).collect()
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

    /// The node of the first token at or after a key, of those in the ring.
    pub fn owner(&self, key: Key) -> Option<NodeId> {
        let mut tokens: Vec<Token> = self.views().iter().map(|view| view.token).collect();
        tokens.sort_unstable();
        let place = tokens.partition_point(|token| token.key < key);
        tokens
            .get(place)
            .or_else(|| tokens.first())
            .map(|token| token.node)
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

    /// Ends a machine's slowness and standing still.
    pub fn wake_up(&mut self, number: usize) {
        let machine = &mut self.machines[number];
        machine.slowness = Duration::ZERO;
        machine.busy_until = machine.busy_until.min(self.now);
        if !machine.inbox.is_empty() {
            self.queue.push(self.now, Event::Resume(number));
        }
    }

    /// Puts a machine's clock forward. It never goes backwards: drivers read a monotonic clock.
    pub fn step_clock(&mut self, number: usize, step: Duration) -> Result<(), Violation> {
        self.note(number, b"clock", || {
            format!("the clock of node {number} jumps {step:?} ahead")
        });
        self.machines[number].ahead += step;
        self.feed(number, chordal_proto::Input::Tick)
    }

    /// Whether the whole invariant is asked for now: nobody takes a living node for dead.
    pub fn asks_for_invariant(&self) -> bool {
        self.watch.as_ref().is_some_and(Watch::is_sound)
    }

    /// How long the invariant was not asked for, and how often a living token was taken for dead.
    pub fn false_accusations(&self) -> (Duration, u64) {
        let watch = self.watch.as_ref();
        watch.map_or((Duration::ZERO, 0), |watch| {
            (watch.shaken_time(self.now), watch.accused())
        })
    }

    /// Whether a node may stop now within the assumptions of Zave's proof: everybody else still
    /// has a living entry in its list, and in any that is on its way to it, and r + 1 tokens remain
    /// that no such list skips over. Nodes that are leaving count as gone.
    pub fn may_fail(&self, number: usize) -> bool {
        let remaining = self.staying_without(Some(number));
        let remains: BTreeSet<Token> = remaining.iter().map(|view| view.token).collect();
        let remains = |token| remains.contains(&token);
        let (principals, answers) = match &self.watch {
            None => (certificate::principals(&remaining), true),
            Some(watch) => (
                watch.lasting(self.now, remains),
                watch.outlive_answers(self.now, remains),
            ),
        };
        let lists = certificate::one_live_successor(&remaining).is_ok();
        principals > self.list_length() && answers && lists
    }

    /// The pointers of all tokens in the ring whose nodes mean to stay, without this one's.
    fn staying_without(&self, number: Option<usize>) -> Vec<TokenView> {
        let others = self.machines.iter().enumerate();
        others
            .filter(|&(other, _)| Some(other) != number)
            .filter_map(|(_, machine)| machine.life())
            .filter(|life| !life.leaving)
            .flat_map(views_of)
            .collect()
    }

    /// What a machine's own clock says.
    pub fn clock(&self, number: usize) -> Time {
        self.now + self.machines[number].ahead
    }

    /// Takes note of a node's pointers after an event, asks it whether it is well, and the ring
    /// whether its invariant holds.
    pub(super) fn look_at(&mut self, number: usize) -> Result<(), Violation> {
        let Some(life) = self.machines[number].life_mut() else {
            return Ok(());
        };
        if !life.joined && !life.peer.is_entering() && !life.peer.is_on_own_ring() {
            life.joined = true;
        }
        let Some(watch) = &mut self.watch else {
            return Ok(());
        };
        if let Err(broken) = life.peer.check() {
            return Err(self.violation("nodes are well", Some(number), broken));
        }
        if life.joined && life.peer.ring_view_is(&life.views) {
            return Ok(());
        }
        if life.entered_alone() {
            // It found nobody of the ring that it knows: after this the proof says nothing.
            watch.shake(self.now);
        }
        let after = views_of(life);
        if after == life.views {
            return Ok(());
        }
        let before = std::mem::replace(&mut life.views, after.clone());
        self.count_in_lonely(&after)?;
        self.ring_changes(number, &before, &after)
    }

    /// Where somebody who looks for its ring finds only a node that has not got into one either, the
    /// two are a ring from now on: one that the proof says nothing of, since neither of them followed
    /// any of its members.
    fn count_in_lonely(&mut self, views: &[TokenView]) -> Result<(), Violation> {
        let Some(watch) = &self.watch else {
            return Ok(());
        };
        let named = views.iter().flat_map(|view| &view.successors);
        let unknown: BTreeSet<NodeId> = named
            .filter(|token| !watch.has(**token))
            .map(|token| token.node)
            .collect();
        for number in 0..self.machines.len() {
            let machine = &mut self.machines[number];
            let is_named = unknown.contains(&machine.id);
            let Some(life) = machine.life_mut().filter(|life| is_named && !life.joined) else {
                continue;
            };
            life.joined = true;
            if let Some(watch) = &mut self.watch {
                watch.shake(self.now);
            }
            self.look_at(number)?;
        }
        Ok(())
    }

    /// A node left the ring with notice.
    pub(super) fn gone_from_ring(&mut self, number: usize, life: &Life) -> Result<(), Violation> {
        self.ring_changes(number, &life.views, &[])
    }

    /// A node stopped without notice.
    pub(super) fn died_in_ring(&mut self, life: &Life) {
        if self.watch.is_none() {
            return;
        }
        // Whoever leaves was allowed to: it will go, whatever happens to the others meanwhile.
        let staying = self.staying_without(None);
        let staying: BTreeSet<Token> = staying.iter().map(|view| view.token).collect();
        if let Some(watch) = &mut self.watch {
            let was_sound = watch.is_sound();
            watch.die(self.now, &life.views, |token| staying.contains(&token));
            if was_sound && !watch.is_sound() {
                self.trace.line(self.now, || {
                    "the invariant is not asked for: more died than lists survive".to_owned()
                });
            }
        }
    }

    fn ring_changes(
        &mut self,
        number: usize,
        before: &[TokenView],
        after: &[TokenView],
    ) -> Result<(), Violation> {
        let Some(watch) = &mut self.watch else {
            return Ok(());
        };
        let was_sound = watch.is_sound();
        let verdict = watch.change(self.now, before, after);
        if !was_sound && watch.is_calm() && self.machines.iter().all(|m| !m.is_up() || m.serves()) {
            watch.resume(self.now);
        }
        let is_sound = watch.is_sound();
        let dropped = watch.take_dropped();
        if was_sound != is_sound {
            self.trace.line(self.now, || {
                let what = if is_sound {
                    "holds again"
                } else {
                    "is not asked for: a living token was taken for dead"
                };
                format!("the invariant {what}")
            });
        }
        self.judge_accusations(number, &dropped)?;
        verdict
            .map_err(|flaw| self.violation("the ring's invariant", Some(number), flaw.to_string()))
    }
}

/// The pointers of a node's tokens that are in the ring. A node that is about to join is on a ring
/// of its own, of which nobody knows.
fn views_of(life: &Life) -> Vec<TokenView> {
    let mut views = life.peer.ring_view();
    if !life.joined {
        let id = life.peer.member().node;
        views.retain(|view| view.successors.iter().any(|next| next.node != id));
    }
    views
}
