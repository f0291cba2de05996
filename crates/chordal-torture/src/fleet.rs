//! What clients know of the machines: through which nodes they may ask, and what may be asked of
//! the ring at the moment.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use chordal_object::{NodeId, Version};
use chordal_sim::dice::Dice;

use crate::http::Api;
use crate::machine::{Life, Program};
use crate::options::Options;

#[cfg(test)]
mod tests;

/// The nodes through which clients may ask.
#[derive(Debug)]
pub(crate) struct Fleet {
    /// How nodes are started.
    pub(crate) program: Program,
    doors: Mutex<Doors>,
}

#[derive(Debug)]
struct Doors {
    open: Vec<Door>,
    opened: u64,
    ids: BTreeMap<String, NodeId>,
    /// Machines that are off or stand still.
    down: usize,
    /// When there were last two of them; the beginning if never.
    two_down: Instant,
}

/// A way into the ring: a node that runs, and that nothing was done to since the door was opened.
#[derive(Clone, Debug)]
pub(crate) struct Door {
    /// The machine's number.
    pub(crate) machine: usize,
    /// Different for each time a door was opened.
    pub(crate) number: u64,
    /// Where the others reach it.
    pub(crate) ring: SocketAddr,
    http: SocketAddr,
    token: String,
}

impl Door {
    /// A client of the node.
    pub(crate) fn api(&self) -> Api {
        Api::new(self.http, self.token.clone())
    }
}

impl Fleet {
    /// A fleet without machines.
    pub(crate) fn new(options: &Options, home: &Path) -> Self {
        Self {
            program: Program {
                chordal: options.chordal.clone(),
                home: home.to_owned(),
                grace: options.grace(),
                repair_rate: options.repair_rate,
                // As much each, however full the disk is by then that they share.
                offer: options.bars.map(|bytes| bytes / 2 * 3),
                record: options.record,
            },
            doors: Mutex::new(Doors {
                open: Vec::new(),
                opened: 0,
                ids: BTreeMap::new(),
                down: 0,
                two_down: Instant::now(),
            }),
        }
    }

    /// Clients may ask through this node from here on.
    pub(crate) fn open(&self, machine: usize, life: &Life) {
        let mut doors = self.lock();
        doors.opened += 1;
        let number = doors.opened;
        doors.ids.insert(life.id.short(), life.id);
        doors.open.push(Door {
            machine,
            number,
            ring: life.ring,
            http: life.http,
            token: life.token.clone(),
        });
    }

    /// Something is about to be done to this machine: what is asked through it counts no more.
    pub(crate) fn close(&self, machine: usize) {
        self.lock().open.retain(|door| door.machine != machine);
    }

    /// One machine more is off, or stands still.
    pub(crate) fn one_down(&self) {
        self.lock().down += 1;
    }

    /// One of them is back.
    pub(crate) fn one_back(&self) {
        let mut doors = self.lock();
        if doors.down > 1 {
            doors.two_down = Instant::now();
        }
        doors.down = doors.down.saturating_sub(1);
    }

    /// Since when a majority of the holders of everything has been running; nothing when it may
    /// not be at the moment.
    pub(crate) fn majority_since(&self) -> Option<Instant> {
        let doors = self.lock();
        (doors.down < 2).then_some(doors.two_down)
    }

    /// Any open door, another machine than this one where there is one.
    pub(crate) fn pick(&self, dice: &mut Dice, not: Option<usize>) -> Option<Door> {
        let doors = self.lock();
        let others: Vec<&Door> = doors
            .open
            .iter()
            .filter(|door| Some(door.machine) != not)
            .collect();
        let found = dice.pick(&others).copied();
        found.or_else(|| doors.open.first()).cloned()
    }

    /// All open doors.
    pub(crate) fn doors(&self) -> Vec<Door> {
        self.lock().open.clone()
    }

    /// Whether nothing has been done to the door's machine since it was opened.
    pub(crate) fn is_open(&self, door: &Door) -> bool {
        let doors = self.lock();
        doors.open.iter().any(|open| open.number == door.number)
    }

    /// The version that a node speaks of, by the ids of all nodes that ever ran.
    pub(crate) fn version(&self, text: &str) -> Option<Version> {
        let mut parts = text.split('-');
        let counter = parts.next()?.parse().ok()?;
        let incarnation = parts.next()?.parse().ok()?;
        let node = *self.lock().ids.get(parts.next()?)?;
        Some(Version {
            counter,
            incarnation,
            node,
        })
    }

    fn lock(&self) -> MutexGuard<'_, Doors> {
        self.doors.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
