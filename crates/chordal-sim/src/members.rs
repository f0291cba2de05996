//! Nodes that enter the ring, come back to it and leave it, as their operators would have them.

use std::collections::BTreeMap;
use std::time::Duration;

use chordal_proto::Profile;
use chordal_proto::effect::{Answer, Failure};
use chordal_proto::input::{Command, OperationId};

use crate::clients::Clients;
use crate::dice::Dice;
use crate::node::{End, State};
use crate::violation::Violation;
use crate::world::{Alarm, Memory, Reply, World};

/// What nodes were asked to do about their membership.
#[derive(Debug)]
pub(crate) struct Members {
    dice: Dice,
    wishes: BTreeMap<OperationId, (usize, Wish)>,
    patience: Duration,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wish {
    Join,
    Leave,
}

/// How a starting node finds the ring.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// It is the ring.
    Founder,
    /// Its operator names a node.
    Asking,
    /// It remembers, if it can.
    Memory,
}

impl Members {
    /// Operators who expect every answer to a wish to join within this time.
    pub(crate) fn new(seed: u64, patience: Duration) -> Self {
        Self {
            dice: Dice::new(seed, "members"),
            wishes: BTreeMap::new(),
            patience,
        }
    }

    /// Starts a node.
    pub(crate) fn start(
        &mut self,
        world: &mut World,
        clients: &mut Clients,
        number: usize,
        way: Way,
    ) -> Result<(), Violation> {
        let memory = world.start(number)?;
        let ring_is_gone = serving(world).is_empty();
        let remembers = memory == Memory::Some && (way == Way::Memory || ring_is_gone);
        // With nobody else left to ask, it is the ring.
        let is_last = (0..world.nodes.len())
            .all(|other| other == number || matches!(world.nodes[other].state, State::Ended));
        if way == Way::Founder || remembers || is_last {
            if let Some(life) = world.nodes[number].life_mut() {
                life.joined = true;
            }
            return Ok(());
        }
        self.join(world, clients, number)
    }

    /// Asks a node to join one that is in the ring; again later, when there is none.
    pub(crate) fn join(
        &mut self,
        world: &mut World,
        clients: &mut Clients,
        number: usize,
    ) -> Result<(), Violation> {
        let waits = world.nodes[number].life().is_some_and(|life| !life.joined);
        if !waits {
            return Ok(());
        }
        let serving: Vec<usize> = serving(world)
            .into_iter()
            .filter(|&at| at != number)
            .collect();
        let Some(&contact) = self.dice.pick(&serving) else {
            world.alarm(RETRY, Alarm::Join(number));
            return Ok(());
        };
        let addresses = vec![world.nodes[contact].addr];
        let operation = clients.operation();
        self.wishes.insert(operation, (number, Wish::Join));
        world.alarm(self.patience, Alarm::Overdue(operation));
        world.command(number, operation, Command::Join(addresses))
    }

    /// Asks a node to leave for good.
    pub(crate) fn leave(
        &mut self,
        world: &mut World,
        clients: &mut Clients,
        number: usize,
    ) -> Result<(), Violation> {
        let Some(life) = world.nodes[number].life_mut() else {
            return Ok(());
        };
        life.leaving = true;
        let operation = clients.operation();
        self.wishes.insert(operation, (number, Wish::Leave));
        world.command(number, operation, Command::Leave { force: false })
    }

    /// A node stopped: whatever it was asked is void.
    pub(crate) fn disconnect(&mut self, number: usize) {
        self.wishes.retain(|_, &mut (node, _)| node != number);
    }

    /// An operator has waited long enough.
    pub(crate) fn overdue(&self, world: &World, operation: OperationId) -> Result<(), Violation> {
        let Some(&(node, wish)) = self.wishes.get(&operation) else {
            return Ok(());
        };
        let seen = format!("{wish:?} (operation {}) has no answer", operation.0);
        Err(world.violation("clients are answered in time", Some(node), seen))
    }

    /// A node answers about its membership.
    pub(crate) fn hear(
        &mut self,
        world: &mut World,
        clients: &mut Clients,
        reply: Reply,
    ) -> Result<(), Violation> {
        let Reply {
            node,
            operation,
            answer,
        } = reply;
        let Some((_, wish)) = self.wishes.remove(&operation) else {
            return Ok(());
        };
        let Some(life) = world.nodes[node].life_mut() else {
            return Ok(());
        };
        match (wish, answer) {
            (Wish::Join, Ok(Answer::Joined { .. })) => life.joined = true,
            (Wish::Join, Err(Failure::JoinRefused(refusal))) => {
                if world.settings().profile != Profile::Classic {
                    let seen = format!("it was refused: {refusal:?}");
                    return Err(world.violation("members are let in", Some(node), seen));
                }
                world.end(node, End::Refused);
                clients.disconnect(node);
            }
            (Wish::Join, Err(_)) => world.alarm(RETRY, Alarm::Join(node)),
            (Wish::Leave, Ok(Answer::Left)) => {
                world.end(node, End::Left);
                clients.disconnect(node);
                self.disconnect(node);
            }
            (Wish::Leave, Err(_)) => life.leaving = false,
            (wish, Ok(answer)) => {
                let seen = format!("{wish:?} is answered with {answer:?}");
                return Err(world.violation("answers fit their questions", Some(node), seen));
            }
        }
        Ok(())
    }
}

/// The nodes that run, in the ring, and mean to stay.
pub(crate) fn serving(world: &World) -> Vec<usize> {
    (0..world.nodes.len())
        .filter(|&number| world.nodes[number].serves())
        .collect()
}

/// The nodes that run.
pub(crate) fn up(world: &World) -> Vec<usize> {
    (0..world.nodes.len())
        .filter(|&number| world.nodes[number].is_up())
        .collect()
}

/// An operator tries again after this.
const RETRY: Duration = Duration::from_secs(2);
