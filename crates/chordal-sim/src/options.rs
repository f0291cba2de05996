//! What a run is asked to be: everything but the seed's own choices.

use std::fmt;
use std::ops::RangeInclusive;
use std::time::Duration;

use crate::plant::Plant;

/// What to simulate. The same options are the same run.
#[derive(Clone, Debug, PartialEq)]
pub struct Options {
    /// Every choice follows from this number.
    pub seed: u64,
    /// How many nodes found the ring; the seed draws one of these. At least one.
    pub nodes: RangeInclusive<usize>,
    /// How long faults go on, in virtual time.
    pub fault_time: Duration,
    /// The probability that a message is lost; nothing lets the seed choose.
    pub loss: Option<f64>,
    /// The mean time a message takes; nothing lets the seed choose.
    pub delay: Option<Duration>,
    /// The most nodes that are down at once.
    pub down_max: usize,
    /// What may go wrong.
    pub faults: Faults,
    /// A mistake made on purpose, to see it caught.
    pub plant: Plant,
    /// Whether twins check that a replay would come to the same.
    pub twins: Twins,
}

/// Whether every node has a twin, which is told the same through a recording, goes on from
/// snapshots, and must decide the same.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Twins {
    /// None has.
    #[default]
    Nowhere,
    /// Each has.
    Beside,
}

/// What may go wrong in a run. With a kind allowed, the seed chooses whether this run has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Faults {
    /// Nodes stop without notice and come back.
    pub crashes: bool,
    /// Nodes stop without notice and never come back, nor their disks.
    pub wipes: bool,
    /// All nodes stop at once, as when the power goes off, and come back.
    pub power: bool,
    /// Nodes leave for good, with notice.
    pub leaves: bool,
    /// New nodes join.
    pub joins: bool,
    /// As many nodes as may be down at once are cut off from the others, and come back.
    pub partitions: bool,
    /// Messages are lost, or late, for a while.
    pub storms: bool,
    /// The network falls into two parts of any size, for longer than nodes are waited for.
    pub splits: bool,
    /// The ways from a node to others, or to it, are cut; those back stay open.
    pub cuts: bool,
    /// Everything from and to a node is late for a while.
    pub slow: bool,
    /// A node does nothing for a while, and then all that came meanwhile.
    pub freezes: bool,
    /// The clock of a node jumps ahead.
    pub clocks: bool,
    /// A bit of a chunk on a disk flips.
    pub rot: bool,
    /// A disk has no room for a while.
    pub full: bool,
    /// A disk fails to sync, once; the node on it is restarted some time later.
    pub syncs: bool,
}

impl Faults {
    /// Nothing goes wrong.
    pub const NONE: Self = Self {
        crashes: false,
        wipes: false,
        power: false,
        leaves: false,
        joins: false,
        partitions: false,
        storms: false,
        splits: false,
        cuts: false,
        slow: false,
        freezes: false,
        clocks: false,
        rot: false,
        full: false,
        syncs: false,
    };

    /// Everything may go wrong.
    pub const ALL: Self = Self {
        crashes: true,
        wipes: true,
        power: true,
        leaves: true,
        joins: true,
        partitions: true,
        storms: true,
        splits: true,
        cuts: true,
        slow: true,
        freezes: true,
        clocks: true,
        rot: true,
        full: true,
        syncs: true,
    };

    /// What happens unless somebody says otherwise: all that a ring must bear without any loss of
    /// service in the end.
    pub const USUAL: Self = Self {
        splits: false,
        ..Self::ALL
    };

    /// The names of the kinds, as the command line has them.
    pub const NAMES: [&'static str; 15] = [
        "crashes",
        "wipes",
        "power",
        "leaves",
        "joins",
        "partitions",
        "storms",
        "splits",
        "cuts",
        "slow",
        "freezes",
        "clocks",
        "rot",
        "full",
        "syncs",
    ];

    /// Allows a kind by its name; `false` when there is no such kind.
    pub fn allow(&mut self, name: &str) -> bool {
        let Some(place) = Self::NAMES.iter().position(|known| *known == name) else {
            return false;
        };
        *self.kinds_mut()[place] = true;
        true
    }

    /// The names of the allowed kinds.
    pub fn allowed(mut self) -> Vec<&'static str> {
        let allowed = self.kinds_mut().map(|kind| *kind);
        Self::NAMES
            .into_iter()
            .zip(allowed)
            .filter_map(|(name, is)| is.then_some(name))
            .collect()
    }

    const fn kinds_mut(&mut self) -> [&mut bool; 15] {
        [
            &mut self.crashes,
            &mut self.wipes,
            &mut self.power,
            &mut self.leaves,
            &mut self.joins,
            &mut self.partitions,
            &mut self.storms,
            &mut self.splits,
            &mut self.cuts,
            &mut self.slow,
            &mut self.freezes,
            &mut self.clocks,
            &mut self.rot,
            &mut self.full,
            &mut self.syncs,
        ]
    }
}

impl Default for Options {
    fn default() -> Self {
        Self {
            seed: 1,
            nodes: 3..=12,
            fault_time: Duration::from_mins(2),
            loss: None,
            delay: None,
            down_max: 1,
            faults: Faults::USUAL,
            plant: Plant::Nothing,
            twins: Twins::Nowhere,
        }
    }
}

impl fmt::Display for Options {
    /// The arguments that repeat the run.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            out,
            "--seed {} --nodes {}..={} --seconds {}",
            self.seed,
            self.nodes.start(),
            self.nodes.end(),
            self.fault_time.as_secs()
        )?;
        if let Some(loss) = self.loss {
            write!(out, " --loss {loss}")?;
        }
        if let Some(delay) = self.delay {
            write!(out, " --delay {}", delay.as_millis())?;
        }
        if self.down_max != Self::default().down_max {
            write!(out, " --down {}", self.down_max)?;
        }
        if self.faults == Faults::NONE {
            write!(out, " --faults none")?;
        } else if self.faults != Faults::USUAL {
            write!(out, " --faults {}", self.faults.allowed().join(","))?;
        }
        if let Some(name) = self.plant.name() {
            write!(out, " --plant {name}")?;
        }
        if self.twins == Twins::Beside {
            out.write_str(" --twins")?;
        }
        Ok(())
    }
}
