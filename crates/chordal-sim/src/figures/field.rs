//! A ring to measure on: formed by joining, with clients that look keys up, and a bystander who
//! knows who owns what.
//!
//! A node owns from the moment it is let in until it is gone. A lookup is right when it names
//! whoever owned the key when it was asked for, or when it ended: between the two both are true.
//! So is, for a moment, whoever owned it until somebody was let in: the newcomer's word that it is
//! there takes as long as any message.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use anyhow::{Result, anyhow};
use chordal_object::{Key, NodeId};
use chordal_proto::Time;
use chordal_proto::effect::Answer;
use chordal_proto::input::{Command, OperationId};
use chordal_proto::member::Standing;

use crate::dice::Dice;
use crate::ring_world::{Counts, Pause, RingOptions, RingWorld};
use crate::violation::Violation;

/// A ring, and the lookups under way on it.
#[derive(Debug)]
pub(super) struct Field {
    pub(super) world: RingWorld,
    pub(super) dice: Dice,
    open: BTreeMap<OperationId, Asked>,
    owners: Owners,
    /// Machines that are as good as dead, without anybody being told.
    silenced: BTreeSet<usize>,
}

/// A lookup under way.
#[derive(Clone, Copy, Debug)]
struct Asked {
    key: Key,
    group: u64,
    owner: Option<NodeId>,
    /// Who owned it until a moment ago.
    former: Option<NodeId>,
    /// The machine that looks.
    from: usize,
}

/// A lookup that ended.
#[derive(Clone, Copy, Debug)]
pub(super) struct Seen {
    /// The asker's number for lookups that belong together.
    pub(super) group: u64,
    /// Other nodes that answered, the owner included.
    pub(super) hops: u32,
    /// Nodes that were asked and did not answer.
    pub(super) silent: u32,
    /// Whom it named.
    pub(super) owner: Option<NodeId>,
    /// Whether that is right.
    pub(super) right: bool,
    /// Whether it was the first one asked.
    pub(super) at_once: bool,
    /// Whether the node that looked owned the key itself, and asked nobody.
    pub(super) own: bool,
}

impl Seen {
    /// A lookup that was not answered.
    const fn in_vain(group: u64) -> Self {
        Self {
            group,
            hops: 0,
            silent: 0,
            owner: None,
            right: false,
            at_once: false,
            own: false,
        }
    }
}

/// Who owns what, as long as nobody comes or goes.
#[derive(Debug, Default)]
struct Owners {
    as_of: Option<(Counts, usize)>,
    tokens: BTreeMap<Key, NodeId>,
    /// Who owned what before that, and until when.
    former: Option<(Time, BTreeMap<Key, NodeId>)>,
}

impl Field {
    /// A ring of so many nodes that joined in turns and came to rest, with every finger looked
    /// up.
    pub(super) fn formed(options: RingOptions, nodes: usize) -> Result<Self> {
        let (seed, slowest) = (options.seed, options.timing.stabilise_max);
        let mut world = RingWorld::new(options);
        told(world.form_by_doubling(nodes, PATIENCE))?;
        let far_fingers = nodes.ilog2() + 8;
        told(world.run_for(slowest * 2 * far_fingers))?;
        Ok(Self {
            world,
            dice: Dice::new(seed, "figures"),
            open: BTreeMap::new(),
            owners: Owners::default(),
            silenced: BTreeSet::new(),
        })
    }

    /// Nodes that serve.
    pub(super) fn serving(&self) -> Vec<usize> {
        let machines = self.world.machines();
        (0..machines.len())
            .filter(|number| machines[*number].serves() && !self.silenced.contains(number))
            .collect()
    }

    /// Stops a machine for good in such a way that nobody can tell but by its silence: not even
    /// the network says that nobody is there.
    pub(super) fn silence(&mut self, number: usize) {
        self.silenced.insert(number);
        self.world.freeze(number, PATIENCE * 1000);
        self.owners.as_of = None;
    }

    /// Any key.
    pub(super) fn any_key(&mut self) -> Key {
        let bytes = self.dice.bytes(16);
        let bytes: [u8; 16] = bytes.try_into().expect("it has 16 bytes");
        Key::from_bytes(bytes)
    }

    /// Has a node look a key up.
    pub(super) fn ask(&mut self, from: usize, key: Key, group: u64) -> Result<()> {
        let owner = self.owners.of(&self.world, &self.silenced, key);
        let operation = told(self.world.command(from, Command::LookUp(key)))?;
        let asked = Asked {
            key,
            group,
            owner,
            former: self.owners.former(self.world.now(), key),
            from,
        };
        self.open.insert(operation, asked);
        Ok(())
    }

    /// Lookups that ended since this was last asked. Those of nodes that are gone are forgotten.
    pub(super) fn seen(&mut self) -> Vec<Seen> {
        let mut seen = Vec::new();
        for reply in self.world.take_replies() {
            let Some(asked) = self.open.remove(&reply.operation) else {
                continue;
            };
            let Ok(Answer::Found(found)) = reply.answer else {
                seen.push(Seen::in_vain(asked.group));
                continue;
            };
            let own = self.world.machines()[reply.machine].id();
            let hops = found.hops.iter().filter(|hop| hop.node != own).count();
            let owner = found.owner.map(|token| token.node);
            let now = self.owners.of(&self.world, &self.silenced, asked.key);
            let first = found.hops.first().map(|hop| hop.node);
            seen.push(Seen {
                group: asked.group,
                hops: u32::try_from(hops).unwrap_or(u32::MAX),
                silent: found.silent,
                owner,
                right: owner.is_some() && [asked.owner, asked.former, now].contains(&owner),
                at_once: found.silent == 0 && first.is_some() && first == owner,
                own: hops == 0 && found.silent == 0 && owner == Some(own),
            });
        }
        seen
    }

    /// Lookups that have not ended, of nodes that are still there: they are in vain.
    pub(super) fn never_ended(&mut self) -> Vec<Seen> {
        let open = std::mem::take(&mut self.open);
        let open = open.into_values();
        let of_present = open.filter(|asked| self.world.machines()[asked.from].serves());
        of_present.map(|asked| Seen::in_vain(asked.group)).collect()
    }

    /// Looks up so many keys from random nodes, all begun within a second, and waits for the end.
    pub(super) fn look_up_at_random(&mut self, lookups: usize) -> Result<Vec<Seen>> {
        let from = self.serving();
        let mut all = Vec::with_capacity(lookups);
        for number in 0..lookups {
            let Some(&node) = self.dice.pick(&from) else {
                return Err(anyhow!("nobody serves"));
            };
            let key = self.any_key();
            self.ask(node, key, number as u64)?;
            if number % from.len() == 0 {
                told(self.world.run_for(Duration::from_millis(1)))?;
            }
        }
        for _ in 0..LOOKUP_SECONDS_MAX {
            all.extend(self.seen());
            if self.open.is_empty() {
                break;
            }
            told(self.world.run_for(Duration::from_secs(1)))?;
        }
        Ok(all)
    }

    /// Lets time pass until then.
    pub(super) fn run_until(&mut self, until: Time) -> Result<()> {
        while told(self.world.run_until(until))? != Pause::Due {}
        Ok(())
    }
}

impl Owners {
    /// Who owns a key now; nobody on a ring without nodes.
    fn of(&mut self, world: &RingWorld, silenced: &BTreeSet<usize>, key: Key) -> Option<NodeId> {
        let as_of = (world.counts(), world.machines().len());
        let is_same = self.as_of.is_some_and(|(counts, machines)| {
            let same = |of: fn(&Counts) -> u64| of(&counts) == of(&as_of.0);
            machines == as_of.1 && same(|c| c.joins) && same(|c| c.leaves) && same(|c| c.crashes)
        });
        if !is_same {
            self.as_of = Some(as_of);
            self.former = Some((world.now(), std::mem::take(&mut self.tokens)));
            for (number, machine) in world.machines().iter().enumerate() {
                let Some(peer) = machine.peer().filter(|_| !silenced.contains(&number)) else {
                    continue;
                };
                if machine.serves() || peer.member().standing == Standing::Leaving {
                    let tokens = peer.tokens().into_iter();
                    self.tokens
                        .extend(tokens.map(|token| (token.key, machine.id())));
                }
            }
        }
        owner_by(&self.tokens, key)
    }

    /// Who owned a key until a moment ago.
    fn former(&self, now: Time, key: Key) -> Option<NodeId> {
        let former = self.former.as_ref();
        let (_, tokens) = former.filter(|(until, _)| now.since(*until) < NEWS)?;
        owner_by(tokens, key)
    }
}

fn owner_by(tokens: &BTreeMap<Key, NodeId>, key: Key) -> Option<NodeId> {
    let mut from = tokens.range(key..).chain(tokens.range(..key));
    from.next().map(|(_, &node)| node)
}

/// A violation as an error.
pub(super) fn told<T>(result: Result<T, Violation>) -> Result<T> {
    result.map_err(|violation| anyhow!("{violation}"))
}

/// How long the word that somebody was let in may be on its way: five mean delays, there and back.
const NEWS: Duration = Duration::from_millis(500);

/// How long a ring may take to form.
const PATIENCE: Duration = Duration::from_hours(24);

/// How long any lookup is waited for.
const LOOKUP_SECONDS_MAX: u32 = 120;
