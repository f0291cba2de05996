//! What goes wrong, and when: never more than a ring promises to survive.
//!
//! A machine's disk is only ever lost when everything has all its copies and nothing else is wrong;
//! until the ring has given the machine up and made its copies again, it counts as one that is down.

mod harm;

use std::collections::BTreeSet;
use std::time::Duration;

use chordal_object::NodeId;

use crate::clients::Clients;
use crate::dice::Dice;
use crate::members::{Members, Way, serving, up};
use crate::node::{End, State};
use crate::plan::Plan;
use crate::violation::Violation;
use crate::watch;
use crate::world::{Alarm, Stop, World};

/// The hand of fate.
#[derive(Debug)]
pub(crate) struct Fate {
    dice: Dice,
    /// Nodes that run, and die at one of their next writes.
    doomed: BTreeSet<usize>,
    /// Nodes cut off from the others.
    cut_off: usize,
    /// A machine on whose disk a chunk has rotted, until a good copy has taken its place.
    rotten: Option<usize>,
    /// Machines whose disks are full.
    full: BTreeSet<usize>,
    /// A machine that was lost, until the ring has given it up and made its copies again.
    lost: Option<NodeId>,
}

/// What can go wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Crash,
    Wipe,
    Power,
    Leave,
    Join,
    Partition,
    Storm,
    Split,
    Cut,
    Slow,
    Freeze,
    Clock,
    Rot,
    Full,
    Sync,
}

impl Fate {
    /// Nothing is wrong yet.
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            dice: Dice::new(seed, "faults"),
            doomed: BTreeSet::new(),
            cut_off: 0,
            rotten: None,
            full: BTreeSet::new(),
            lost: None,
        }
    }

    /// How long until the next fault.
    pub(crate) fn pause(&mut self, plan: &Plan) -> Duration {
        Duration::from_millis(200) + self.dice.exponential(plan.fault_pause)
    }

    /// Something goes wrong, if that is fair now.
    pub(crate) fn strike(
        &mut self,
        world: &mut World,
        clients: &mut Clients,
        members: &mut Members,
        plan: &Plan,
    ) -> Result<(), Violation> {
        if self.lost.is_some_and(|lost| has_given_up(world, lost)) && is_repaired(world, clients) {
            self.lost = None;
        }
        let Some(&kind) = self.dice.pick(&kinds(plan)) else {
            return Ok(());
        };
        match kind {
            Kind::Crash => self.crash(world, clients, members, plan),
            Kind::Wipe => self.wipe(world, clients, members),
            Kind::Power => self.power(world, clients, members),
            Kind::Leave => return self.leave(world, clients, members),
            Kind::Join => return self.join(world, clients, members, plan),
            Kind::Partition => self.partition(world, plan),
            Kind::Storm => self.storm(world, plan),
            Kind::Split => self.split(world, plan),
            Kind::Cut => self.cut(world, plan),
            Kind::Slow => self.slow(world, plan),
            Kind::Freeze => self.freeze(world, plan),
            Kind::Clock => return self.step_clock(world, plan),
            Kind::Rot => self.rot(world, clients),
            Kind::Full => self.fill(world, plan),
            Kind::Sync => self.fail_sync(world, clients, plan),
        }
        Ok(())
    }

    /// A machine starts again; one that was to die at a write and wrote nothing dies first.
    pub(crate) fn restart(
        &mut self,
        world: &mut World,
        clients: &mut Clients,
        members: &mut Members,
        number: usize,
    ) -> Result<(), Violation> {
        if self.doomed.remove(&number) && world.nodes[number].is_up() {
            stop(world, clients, members, number, Stop::Machine);
        }
        if !matches!(world.nodes[number].state, State::Down(_)) {
            return Ok(());
        }
        let way = if self.dice.chance(0.5) {
            Way::Asking
        } else {
            Way::Memory
        };
        members.start(world, clients, number, way)
    }

    /// The network comes together again.
    pub(crate) fn mend(&mut self, world: &mut World) {
        self.cut_off = 0;
        world.network.mend();
        world.note(0, b"mend", || "the network is whole again".to_owned());
    }

    /// All faults stop: the network is good, and every machine that has a disk runs.
    pub(crate) fn relent(
        &mut self,
        world: &mut World,
        clients: &mut Clients,
        members: &mut Members,
        plan: &Plan,
    ) -> Result<(), Violation> {
        self.mend(world);
        world.network.set_weather(plan.delay, 0.0);
        world.disk_stalls = 0.0;
        self.relieve(world, clients, members)?;
        for number in 0..world.nodes.len() {
            self.restart(world, clients, members, number)?;
        }
        Ok(())
    }

    /// How many machines are down, or as good as down.
    fn down(&self, world: &World) -> usize {
        let down = world
            .nodes
            .iter()
            .filter(|node| matches!(node.state, State::Down(_)))
            .count();
        let absent = world
            .nodes
            .iter()
            .filter(|node| node.life().is_some_and(|life| !life.joined))
            .count();
        let hindered = world.network.slow_machines() + world.frozen() + self.full.len();
        let bad = usize::from(self.lost.is_some()) + usize::from(self.rotten.is_some());
        down + absent + self.doomed.len() + self.cut_off + hindered + bad
    }

    fn crash(
        &mut self,
        world: &mut World,
        clients: &mut Clients,
        members: &mut Members,
        plan: &Plan,
    ) {
        let down = self.down(world);
        if down >= plan.down_max || down > 0 && !is_repaired(world, clients) {
            return;
        }
        let running = up(world);
        let Some(&first) = self.dice.pick(&running) else {
            return;
        };
        // Neighbours hold the same things: with two allowed, they often go together.
        let mut victims = vec![first];
        if plan.down_max - down > 1 && self.dice.chance(0.5) {
            victims.extend(self.neighbour(world, first));
        }
        for (more, victim) in victims.into_iter().enumerate() {
            let longest = if down + more > 0 {
                within_grace(plan)
            } else {
                Duration::MAX
            };
            let after = self.absence(world, plan).min(longest);
            match self.dice.below(3) {
                0 => stop(world, clients, members, victim, Stop::Process),
                1 => stop(world, clients, members, victim, Stop::Machine),
                _ => {
                    self.doomed.insert(victim);
                    world.crash_while_writing(victim);
                }
            }
            world.alarm(after, Alarm::Restart(victim));
        }
    }

    /// A node that holds something together with this one.
    fn neighbour(&mut self, world: &World, number: usize) -> Option<usize> {
        let ring = watch::tokens(world);
        let id = world.nodes[number].id;
        let own: Vec<_> = ring
            .iter()
            .filter(|&(_, node)| *node == id)
            .map(|(&key, _)| key)
            .collect();
        let token = *self.dice.pick(&own)?;
        let next = ring
            .range(token..)
            .chain(ring.range(..token))
            .find(|&(_, node)| *node != id)?
            .1;
        world
            .nodes
            .iter()
            .position(|node| node.id == *next && node.is_up())
    }

    /// How long a machine stays down: mostly short, now and then longer than it is waited for,
    /// unless that would leave a ring of two, which promises less.
    fn absence(&mut self, world: &World, plan: &Plan) -> Duration {
        let (shortest, longest) = match self.dice.below(10) {
            0..5 => (200, 5_000),
            5..9 => (5_000, 30_000),
            _ => (30_000, 90_000),
        };
        let time = self.dice.time(
            Duration::from_millis(shortest),
            Duration::from_millis(longest),
        );
        time.min(longest_absence(world, plan))
    }

    fn wipe(&mut self, world: &mut World, clients: &mut Clients, members: &mut Members) {
        let serving = serving(world);
        let quiet = self.down(world) == 0 && !leaving(world);
        if serving.len() < NODES_MIN || !quiet || !is_repaired(world, clients) {
            return;
        }
        let Some(&victim) = self.dice.pick(&serving) else {
            return;
        };
        world.end(victim, End::Lost);
        clients.disconnect(victim);
        members.disconnect(victim);
        self.lost = Some(world.nodes[victim].id);
    }

    fn power(&mut self, world: &mut World, clients: &mut Clients, members: &mut Members) {
        if self.down(world) > 0 || leaving(world) {
            return;
        }
        for victim in up(world) {
            stop(world, clients, members, victim, Stop::Machine);
            let after = self
                .dice
                .time(Duration::from_millis(200), Duration::from_secs(10));
            world.alarm(after, Alarm::Restart(victim));
        }
    }

    fn leave(
        &mut self,
        world: &mut World,
        clients: &mut Clients,
        members: &mut Members,
    ) -> Result<(), Violation> {
        let serving = serving(world);
        if serving.len() < NODES_MIN || self.down(world) > 0 || leaving(world) {
            return Ok(());
        }
        let Some(&victim) = self.dice.pick(&serving) else {
            return Ok(());
        };
        members.leave(world, clients, victim)
    }

    fn join(
        &mut self,
        world: &mut World,
        clients: &mut Clients,
        members: &mut Members,
        plan: &Plan,
    ) -> Result<(), Violation> {
        if up(world).len() >= plan.nodes + NEWCOMERS_MAX {
            return Ok(());
        }
        let tokens = tokens(&mut self.dice, plan);
        let number = world.add_machine(tokens);
        members.start(world, clients, number, Way::Asking)
    }

    fn partition(&mut self, world: &mut World, plan: &Plan) {
        let down = self.down(world);
        if world.network.is_parted() || down >= plan.down_max {
            return;
        }
        let mut others = up(world);
        if others.len() < 2 {
            return;
        }
        let size = self
            .dice
            .between(1, (plan.down_max - down).min(others.len() - 1));
        let cut_off = (0..size)
            .map(|_| others.remove(self.dice.below(others.len())))
            .collect();
        let mut longest = longest_absence(world, plan).min(Duration::from_secs(40));
        if down + size > 1 {
            if !are_reunited(world) {
                return;
            }
            longest = longest.min(within_grace(plan));
        }
        self.cut_off = size;
        self.part(world, cut_off, others, longest);
    }

    fn split(&mut self, world: &mut World, plan: &Plan) {
        let mut others = up(world);
        if world.network.is_parted() || others.len() < 2 {
            return;
        }
        let size = self.dice.between(1, others.len() - 1);
        let part = (0..size)
            .map(|_| others.remove(self.dice.below(others.len())))
            .collect();
        let mut longest = Duration::from_secs(90);
        if size.min(others.len()) > 1 || self.down(world) > 0 {
            if !are_reunited(world) {
                return;
            }
            longest = longest.min(within_grace(plan));
        }
        self.cut_off = size;
        self.part(world, part, others, longest);
    }

    fn part(&mut self, world: &mut World, one: Vec<usize>, other: Vec<usize>, longest: Duration) {
        world.network.part(&one, &other);
        world.note(one.len(), b"part", || {
            format!("{one:?} cannot talk with {other:?}")
        });
        let after = self.dice.time(Duration::from_millis(500), longest);
        world.alarm(after, Alarm::Mend);
    }

    fn storm(&mut self, world: &mut World, plan: &Plan) {
        let loss = *self.dice.pick(&[0.0, 0.05, 0.2]).expect("there are some");
        let delay = plan.delay + self.dice.time(Duration::ZERO, Duration::from_millis(300));
        world.network.set_weather(delay, loss);
        world.note(0, b"storm", || {
            format!("messages take {delay:?}, {loss} are lost")
        });
        let after = self
            .dice
            .time(Duration::from_secs(1), Duration::from_secs(10));
        world.alarm(after, Alarm::Calm);
    }
}

/// How many tokens the next machine takes.
pub(crate) fn tokens(dice: &mut Dice, plan: &Plan) -> u8 {
    u8::try_from(dice.between(1, usize::from(plan.tokens_max))).expect("tokens are few")
}

/// Stops a node, for all who had to do with it.
fn stop(world: &mut World, clients: &mut Clients, members: &mut Members, number: usize, how: Stop) {
    world.crash(number, how);
    clients.disconnect(number);
    members.disconnect(number);
}

fn is_repaired(world: &World, clients: &Clients) -> bool {
    watch::copies(world, &clients.oracle).is_ok()
}

/// Whether no serving node counts on that node any more.
fn has_given_up(world: &World, lost: NodeId) -> bool {
    let mut serving = world.nodes.iter().filter(|node| node.serves());
    serving.all(|node| {
        let members = node.life().map(|life| life.peer.members());
        let mut entries = members.iter().flatten();
        !entries.any(|entry| entry.node == lost && entry.standing.is_member())
    })
}

/// Whether every serving node counts on every other: for those who have not heard of a node since
/// the last time that it was out of reach, one absence and the next are one.
fn are_reunited(world: &World) -> bool {
    let serving: Vec<NodeId> = world
        .nodes
        .iter()
        .filter(|node| node.serves())
        .map(|node| node.id)
        .collect();
    let known = |lost: &NodeId| {
        let mut nodes = world.nodes.iter().filter(|node| node.serves());
        nodes.all(|node| {
            let members = node.life().map(|life| life.peer.members());
            let mut entries = members.iter().flatten();
            entries.any(|entry| entry.node == *lost && entry.standing.is_member())
        })
    };
    serving.iter().all(known)
}

fn leaving(world: &World) -> bool {
    world
        .nodes
        .iter()
        .any(|node| node.life().is_some_and(|life| life.leaving))
}

/// How long a node may be out of reach.
fn longest_absence(world: &World, plan: &Plan) -> Duration {
    if up(world).len() < NODES_MIN {
        plan.timing.grace / 2
    } else {
        Duration::MAX
    }
}

/// How long nodes may be out of reach of which more than one is: a majority of some holders, mostly,
/// and nobody promises anything of those that are away for longer than the grace time.
fn within_grace(plan: &Plan) -> Duration {
    plan.timing.grace * 4 / 5
}

/// The kinds of this run; joins and leaves are as likely as one another.
fn kinds(plan: &Plan) -> Vec<Kind> {
    let faults = plan.faults;
    [
        (faults.crashes, Kind::Crash),
        (faults.crashes, Kind::Crash),
        (faults.wipes, Kind::Wipe),
        (faults.power, Kind::Power),
        (faults.leaves, Kind::Leave),
        (faults.joins, Kind::Join),
        (faults.partitions, Kind::Partition),
        (faults.storms, Kind::Storm),
        (faults.splits, Kind::Split),
        (faults.cuts, Kind::Cut),
        (faults.slow, Kind::Slow),
        (faults.freezes, Kind::Freeze),
        (faults.clocks, Kind::Clock),
        (faults.rot, Kind::Rot),
        (faults.full, Kind::Full),
        (faults.syncs, Kind::Sync),
    ]
    .into_iter()
    .filter_map(|(allowed, kind)| allowed.then_some(kind))
    .collect()
}

/// No node leaves, and no disk is lost, when fewer nodes than this serve.
const NODES_MIN: usize = 4;

/// More nodes than founded the ring, at most.
const NEWCOMERS_MAX: usize = 3;
