//! How nodes begin and end: founding, joining, forming a whole ring, crashes, restarts, leaving.

use std::time::Duration;

use chordal_object::NodeId;
use chordal_proto::effect::{Answer, Failure};
use chordal_proto::input::Command;
use chordal_proto::{Config, Input, Peer};

use super::grounds::Grounds;
use super::machine::{Life, State, address};
use super::{Happening, Machine, OFFERED_BYTES, Reply, RingPlant, RingWorld, Stop};
use crate::violation::Violation;

/// What a machine was asked to do about its membership.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wish {
    Join,
    Leave,
}

/// What a node that starts knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Memory {
    /// What its last life saved, if it saved anything.
    Saved,
    /// Nothing: its disk is new.
    Blank,
}

impl RingWorld {
    /// Sets up a machine, switched off. Its number is the next one.
    pub fn add_machine(&mut self) -> usize {
        let tokens = self.tokens;
        self.add_machine_with(tokens)
    }

    /// Sets up a machine whose node takes so many tokens.
    pub fn add_machine_with(&mut self, tokens: u8) -> usize {
        let number = self.machines.len();
        let id = self.dice.bytes(32);
        self.machines.push(Machine {
            id: NodeId::from_slice(&id).expect("it has 32 bytes"),
            addr: address(number),
            tokens,
            incarnation: 0,
            lives: 0,
            saved: None,
            ahead: Duration::ZERO,
            slowness: Duration::ZERO,
            busy_until: self.now,
            inbox: std::collections::VecDeque::new(),
            state: State::Down(Stop::Process),
            undead: None,
        });
        number
    }

    /// Starts a node that is a ring by itself.
    pub fn found(&mut self, number: usize) -> Result<(), Violation> {
        self.begin_life(number, Memory::Blank)?;
        if let Some(life) = self.machines[number].life_mut() {
            life.joined = true;
        }
        self.look_at(number)
    }

    /// Starts a node and has it join somebody who is in the ring, again and again until it is in.
    pub fn join(&mut self, number: usize) -> Result<(), Violation> {
        self.begin_life(number, Memory::Blank)?;
        self.join_somebody(number)
    }

    /// Starts a node that stopped: by what it remembers, or as [`RingWorld::join`] when that is
    /// nothing.
    pub fn restart(&mut self, number: usize, memory: Memory) -> Result<(), Violation> {
        self.begin_life(number, memory)?;
        let life = self.machines[number].life();
        if life.is_some_and(|life| life.peer.is_entering()) {
            self.look_after_soon(number);
            return Ok(());
        }
        self.join_somebody(number)
    }

    /// A ring of so many new machines, joined one after the other as fast as each is let in, and
    /// stabilised until it is ideal; fails when that takes more than `patience`.
    pub fn form(&mut self, machines: usize, patience: Duration) -> Result<(), Violation> {
        let numbers: Vec<usize> = (0..machines).map(|_| self.add_machine()).collect();
        let until = self.now + patience;
        for (index, &number) in numbers.iter().enumerate() {
            if index == 0 && !self.machines.iter().any(Machine::serves) {
                self.found(number)?;
                continue;
            }
            self.join(number)?;
            while !self.machines[number].serves() && self.now < until {
                self.run_for(FORMING_STEP)?;
            }
        }
        self.await_ideal(until.since(self.now)).map(drop)
    }

    /// A ring of so many new machines that all ask the first one to be let in at the same moment,
    /// stabilised until it is ideal; fails when that takes more than `patience`.
    pub fn form_at_once(&mut self, machines: usize, patience: Duration) -> Result<(), Violation> {
        for index in 0..machines {
            let number = self.add_machine();
            if index == 0 {
                self.found(number)?;
            } else {
                self.join(number)?;
            }
        }
        self.await_ideal(patience).map(drop)
    }

    /// A ring of so many new machines, which join in turns: as many at once as there are nodes
    /// already, each turn once the one before it is in. It costs a part of what joins one after the
    /// other cost, since every change of a ring concerns all of its nodes. Fails when the ring takes
    /// more than `patience` to become ideal.
    pub fn form_by_doubling(
        &mut self,
        machines: usize,
        patience: Duration,
    ) -> Result<(), Violation> {
        let until = self.now + patience;
        let mut formed = 0;
        while formed < machines {
            let turn = formed.clamp(1, machines - formed);
            let numbers: Vec<usize> = (0..turn).map(|_| self.add_machine()).collect();
            for &number in &numbers {
                if formed == 0 {
                    self.found(number)?;
                } else {
                    self.join(number)?;
                }
            }
            let are_in = |world: &Self| numbers.iter().all(|&new| world.machines[new].serves());
            while !are_in(self) && self.now < until {
                self.run_for(FORMING_STEP)?;
            }
            formed += turn;
        }
        self.await_ideal(until.since(self.now)).map(drop)
    }

    /// Lets things happen until the ring is ideal; how long that took. Fails when it takes more
    /// than `patience`. Alarms that come meanwhile are lost.
    pub fn await_ideal(&mut self, patience: Duration) -> Result<Duration, Violation> {
        let began = self.now;
        loop {
            let Some(flaw) = self.not_ideal() else {
                return Ok(self.now.since(began));
            };
            if self.now.since(began) > patience {
                return Err(self.violation("the ring becomes ideal", None, flaw));
            }
            self.run_for(FORMING_STEP)?;
        }
    }

    /// Stops a node without notice.
    pub fn crash(&mut self, number: usize, stop: Stop) {
        let machine = &mut self.machines[number];
        if !machine.is_up() {
            return;
        }
        let ended = std::mem::replace(&mut machine.state, State::Down(stop));
        machine.inbox.clear();
        self.counts.crashes += 1;
        self.note(number, b"crash", || {
            format!("node {number} crashes ({stop:?})")
        });
        let State::Up(life) = ended else {
            return;
        };
        if stop == Stop::Process {
            self.tell_contacts(number, &life);
        }
        self.died_in_ring(&life);
        if self.plant == RingPlant::Undead {
            self.machines[number].undead = Some(life);
        }
    }

    /// Has a node leave with notice. Refused leaves are not tried again.
    pub fn leave(&mut self, number: usize, force: bool) -> Result<(), Violation> {
        let Some(life) = self.machines[number].life_mut() else {
            return Ok(());
        };
        life.leaving = true;
        let operation = self.operation();
        self.wishes.insert(operation, (number, Wish::Leave));
        self.note(number, b"leave", || format!("node {number} is to leave"));
        let command = Command::Leave { force };
        self.feed(number, Input::Command { operation, command })
    }

    fn begin_life(&mut self, number: usize, memory: Memory) -> Result<(), Violation> {
        let seed = self.dice.number();
        let machine = &mut self.machines[number];
        if !machine.is_down() {
            return Ok(());
        }
        if let Some(mut life) = machine.undead.take() {
            machine.lives += 1;
            life.wake = None;
            life.views.clear();
            machine.state = State::Up(life);
            self.note(number, b"undead", || format!("node {number} goes on"));
            return self.settle(number);
        }
        if memory == Memory::Blank {
            machine.saved = None;
        }
        machine.incarnation += 1;
        machine.lives += 1;
        machine.busy_until = self.now;
        let config = Config {
            settings: self.settings.clone(),
            timing: self.timing.clone(),
            node: machine.id,
            addr: machine.addr,
            incarnation: machine.incarnation,
            offered_bytes: OFFERED_BYTES,
            tokens: machine.tokens,
            table_nodes: self.table_nodes,
            remembered: machine.saved.clone(),
            seed,
        };
        let peer = Peer::new(config, self.now + machine.ahead);
        machine.state = State::Up(Box::new(Life {
            peer,
            wake: None,
            contacts: std::collections::BTreeSet::new(),
            joined: false,
            leaving: false,
            views: Vec::new(),
            grounds: Grounds::default(),
        }));
        self.note(number, b"start", || {
            format!("node {number} starts, {memory:?}")
        });
        self.settle(number)
    }

    /// Has a running node join somebody at random who is in the ring; later, when there is nobody.
    pub(super) fn join_somebody(&mut self, number: usize) -> Result<(), Violation> {
        let waits = self.machines[number]
            .life()
            .is_some_and(|life| !life.joined);
        if !waits {
            return Ok(());
        }
        let serving: Vec<usize> = (0..self.machines.len())
            .filter(|&other| other != number && self.machines[other].serves())
            .collect();
        let Some(&contact) = self.dice.pick(&serving) else {
            self.join_again(number);
            return Ok(());
        };
        let operation = self.operation();
        self.wishes.insert(operation, (number, Wish::Join));
        let command = Command::Join(vec![self.machines[contact].addr]);
        self.note(number, b"join", || {
            format!("node {number} is to join node {contact}")
        });
        self.feed(number, Input::Command { operation, command })
    }

    fn join_again(&mut self, number: usize) {
        self.push(RETRY, number, Happening::JoinAgain);
    }

    /// Sorts what a node said: the world's own wishes, or a client's.
    pub(super) fn hear(&mut self, reply: Reply) -> Result<(), Violation> {
        let Some((number, wish)) = self.wishes.remove(&reply.operation) else {
            self.replies.push_back(reply);
            return Ok(());
        };
        match (wish, reply.answer) {
            (Wish::Join, Ok(Answer::Joined { .. })) => {
                self.counts.joins += 1;
                if let Some(life) = self.machines[number].life_mut() {
                    life.joined = true;
                }
            }
            (Wish::Join, Err(Failure::JoinRefused(refusal))) => {
                let seen = format!("it was refused: {refusal:?}");
                return Err(self.violation("members are let in", Some(number), seen));
            }
            (Wish::Join, Err(_)) => self.join_again(number),
            (Wish::Leave, Ok(Answer::Left)) => {
                self.counts.leaves += 1;
                let before = std::mem::replace(&mut self.machines[number].state, State::Ended);
                if let State::Up(life) = before {
                    self.tell_contacts(number, &life);
                    self.gone_from_ring(number, &life)?;
                }
            }
            (Wish::Leave, Err(_)) => {
                if let Some(life) = self.machines[number].life_mut() {
                    life.leaving = false;
                }
            }
            (wish, Ok(answer)) => {
                let seen = format!("{wish:?} is answered with {answer:?}");
                return Err(self.violation("answers fit their questions", Some(number), seen));
            }
        }
        Ok(())
    }

    fn tell_contacts(&mut self, number: usize, life: &Life) {
        let id = self.machines[number].id;
        for &contact in &life.contacts {
            let after = self.network.latency();
            self.tell_after(after, contact, Input::Disconnected(id));
        }
    }
}

/// A node that nobody lets in tries again after this.
const RETRY: Duration = Duration::from_secs(2);

/// How often a forming ring is looked at.
const FORMING_STEP: Duration = Duration::from_millis(100);
