//! The network between the simulated nodes: how long a message takes, and whether it comes.
//!
//! This is the one place to add faults of the network: a message's [`Fate`] is decided here and
//! nowhere else. Messages overtake one another whenever their delays say so.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::dice::Dice;

/// What becomes of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It arrives after this time.
    Arrives(Duration),
    /// It is lost, and nobody is told.
    Lost,
    /// It is lost, and the sender notices after this time that the way is blocked.
    Blocked(Duration),
}

/// The network.
#[derive(Debug)]
pub(crate) struct Network {
    dice: Dice,
    delay: Duration,
    loss: f64,
    /// Ways that are cut, as (from, to): a cut in one direction is one entry.
    cut: BTreeSet<(usize, usize)>,
    exponential: bool,
    /// How often a message comes twice.
    duplicates: f64,
    /// Machines whose messages take longer, both ways, and how much.
    slow: BTreeMap<usize, Duration>,
}

impl Network {
    /// A network with this mean delay and probability of loss.
    pub(crate) fn new(seed: u64, delay: Duration, loss: f64) -> Self {
        let mut dice = Dice::new(seed, "network");
        let exponential = dice.chance(0.5);
        Self {
            dice,
            delay,
            loss,
            cut: BTreeSet::new(),
            exponential,
            duplicates: 0.0,
            slow: BTreeMap::new(),
        }
    }

    /// Decides about one message.
    pub(crate) fn fate(&mut self, from: usize, to: usize) -> Fate {
        if self.cut.contains(&(from, to)) {
            return if self.dice.chance(0.3) {
                Fate::Blocked(self.dice.time(BLOCKED_MIN, BLOCKED_MAX))
            } else {
                Fate::Lost
            };
        }
        if self.dice.chance(self.loss) {
            return Fate::Lost;
        }
        let slowness = |machine| self.slow.get(machine).copied().unwrap_or_default();
        let extra = slowness(&from) + slowness(&to);
        Fate::Arrives(self.delay() + extra)
    }

    /// How long something takes on the way.
    pub(crate) fn delay(&mut self) -> Duration {
        if self.exponential {
            self.delay / 4 + self.dice.exponential(self.delay * 3 / 4)
        } else {
            self.dice.time(self.delay / 2, self.delay * 3 / 2)
        }
    }

    /// Whether a message that arrives comes once more, and how much later.
    pub(crate) fn again(&mut self) -> Option<Duration> {
        let again = self.duplicates > 0.0 && self.dice.chance(self.duplicates);
        again.then(|| self.delay() * 2)
    }

    /// From here on, so many messages come twice.
    pub(crate) const fn set_duplicates(&mut self, probability: f64) {
        self.duplicates = probability;
    }

    /// Makes everything from and to a machine take longer; zero makes it keep up again.
    pub(crate) fn set_slowness(&mut self, machine: usize, extra: Duration) {
        if extra.is_zero() {
            self.slow.remove(&machine);
        } else {
            self.slow.insert(machine, extra);
        }
    }

    /// How many machines are slow.
    pub(crate) fn slow_machines(&self) -> usize {
        self.slow.len()
    }

    /// How long it takes to find out that nobody answers.
    pub(crate) fn patience(&mut self) -> Duration {
        self.dice.time(BLOCKED_MIN, BLOCKED_MAX)
    }

    /// Changes the weather.
    pub(crate) const fn set_weather(&mut self, delay: Duration, loss: f64) {
        self.delay = delay;
        self.loss = loss;
    }

    /// Cuts every way between the nodes of `one` and those of `other`, in both directions.
    pub(crate) fn part(&mut self, one: &[usize], other: &[usize]) {
        for &a in one {
            for &b in other {
                self.cut.insert((a, b));
                self.cut.insert((b, a));
            }
        }
    }

    /// Cuts every way from the nodes of `from` to those of `to`; the ways back stay open.
    pub(crate) fn cut_one_way(&mut self, from: &[usize], to: &[usize]) {
        for &a in from {
            self.cut.extend(to.iter().map(|&b| (a, b)));
        }
    }

    /// Whether this way is cut.
    pub(crate) fn is_cut(&self, from: usize, to: usize) -> bool {
        self.cut.contains(&(from, to))
    }

    /// Whether any way is cut.
    pub(crate) fn is_parted(&self) -> bool {
        !self.cut.is_empty()
    }

    /// Mends every way.
    pub(crate) fn mend(&mut self) {
        self.cut.clear();
    }
}

/// A connection attempt gives up after this at the earliest.
const BLOCKED_MIN: Duration = Duration::from_secs(2);

/// And after this at the latest.
const BLOCKED_MAX: Duration = Duration::from_secs(6);
