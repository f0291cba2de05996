//! The network's weather: how long a message takes, whether it comes, and how often.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::dice::Dice;

/// How long something takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spread {
    /// Always as long.
    Fixed(Duration),
    /// Any length from the first to the second, evenly.
    Even(Duration, Duration),
    /// Exponential with this mean.
    Exponential(Duration),
    /// Weibull of shape 0.5 with this mean: most are short, a few are very long, as the sessions
    /// of people's machines are.
    Weibull(Duration),
}

impl Spread {
    /// Draws a length.
    pub(crate) fn draw(self, dice: &mut Dice) -> Duration {
        match self {
            Self::Fixed(length) => length,
            Self::Even(shortest, longest) => dice.time(shortest, longest),
            Self::Exponential(mean) => dice.exponential(mean),
            Self::Weibull(mean) => {
                // The square of an exponential is Weibull of shape 0.5, with twice its scale for a mean.
                let unit = dice.exponential(UNIT).as_nanos();
                let square = unit * unit / UNIT.as_nanos();
                let nanos = mean.as_nanos() / 2 * square / UNIT.as_nanos();
                Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
            }
        }
    }
}

/// What the network does to messages.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Weather {
    /// How long a message takes.
    pub latency: Spread,
    /// The probability that a message is lost, without a word to anybody.
    pub loss: f64,
    /// The probability that a message comes twice, each time after a latency of its own.
    pub duplication: f64,
    /// The probability that a message is late by up to four times [`Weather::late_by`], so that
    /// later ones overtake it.
    pub reordering: f64,
    /// A fourth of the longest that a reordered message is late.
    pub late_by: Duration,
}

impl Weather {
    /// Every message arrives once, in order, after this time.
    pub const fn fair(latency: Duration) -> Self {
        Self {
            latency: Spread::Fixed(latency),
            loss: 0.0,
            duplication: 0.0,
            reordering: 0.0,
            late_by: latency,
        }
    }
}

/// The network.
#[derive(Debug)]
pub(super) struct Network {
    pub(super) weather: Weather,
    pub(super) dice: Dice,
    /// Ways that are cut, as (from, to): a cut in one direction is one entry.
    cut: BTreeSet<(usize, usize)>,
}

/// What becomes of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// It arrives after this time, and perhaps again after the other.
    Arrives(Duration, Option<Duration>),
    /// It is lost, and nobody is told.
    Lost,
    /// It is lost, and the sender notices after this time that the way is blocked.
    Blocked(Duration),
}

impl Network {
    /// A network of this weather.
    pub(super) fn new(seed: u64, weather: Weather) -> Self {
        Self {
            weather,
            dice: Dice::new(seed, "ring network"),
            cut: BTreeSet::new(),
        }
    }

    /// Decides about one message.
    pub(super) fn fate(&mut self, from: usize, to: usize) -> Fate {
        if !self.cut.is_empty() && self.cut.contains(&(from, to)) {
            return if self.dice.chance(0.3) {
                Fate::Blocked(self.patience())
            } else {
                Fate::Lost
            };
        }
        if self.happens(self.weather.loss) {
            return Fate::Lost;
        }
        let again = self
            .happens(self.weather.duplication)
            .then(|| self.latency());
        Fate::Arrives(self.latency(), again)
    }

    /// How long a message takes on the way.
    pub(super) fn latency(&mut self) -> Duration {
        let usual = self.weather.latency.draw(&mut self.dice);
        if self.happens(self.weather.reordering) {
            usual
                + self
                    .dice
                    .time(Duration::ZERO, self.weather.late_by.saturating_mul(4))
        } else {
            usual
        }
    }

    /// How long it takes to find out that nobody answers.
    pub(super) fn patience(&mut self) -> Duration {
        self.dice.time(BLOCKED_MIN, BLOCKED_MAX)
    }

    /// Cuts the way from one machine to another, in this direction.
    pub(super) fn cut(&mut self, from: usize, to: usize) {
        self.cut.insert((from, to));
    }

    /// Whether this way is cut.
    pub(super) fn is_cut(&self, from: usize, to: usize) -> bool {
        self.cut.contains(&(from, to))
    }

    /// Whether any way is cut.
    pub(super) fn is_parted(&self) -> bool {
        !self.cut.is_empty()
    }

    /// Mends every way.
    pub(super) fn mend(&mut self) {
        self.cut.clear();
    }

    fn happens(&mut self, probability: f64) -> bool {
        probability > 0.0 && self.dice.chance(probability)
    }
}

/// A connection attempt gives up after this at the earliest.
const BLOCKED_MIN: Duration = Duration::from_secs(2);

/// And after this at the latest.
const BLOCKED_MAX: Duration = Duration::from_secs(6);

/// The mean of the exponential that a Weibull length is made of.
const UNIT: Duration = Duration::from_millis(1);
