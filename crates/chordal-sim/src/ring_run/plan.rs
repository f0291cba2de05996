//! What a seed chooses for its run: the size of the ring, its settings, its pace, its weather, its
//! faults. What the options say goes first.

use std::time::Duration;

use chordal_proto::limits::TABLE_MAX;
use chordal_proto::{Settings, Timing};

use super::{RingFault, RingRun};
use crate::dice::Dice;
use crate::ring_world::{Checks, RingOptions, Spread, Weather};

/// A run's constants.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    /// Nodes that found the ring.
    pub(super) nodes: usize,
    /// The world they found it in.
    pub(super) world: RingOptions,
    /// Whether they join one after the other, or all at once.
    pub(super) in_turn: bool,
    /// How long nodes stay, where they come and go by themselves.
    pub(super) sessions: Option<Spread>,
    /// What goes wrong in this run.
    pub(super) faults: Vec<RingFault>,
    /// The mean time between two faults.
    pub(super) pause: Duration,
    /// How long things go wrong.
    pub(super) time: Duration,
    /// How long partitions last.
    pub(super) partition: Spread,
}

impl Plan {
    /// What the seed of this run chooses.
    pub(super) fn draw(run: &RingRun) -> Self {
        let mut dice = Dice::new(run.seed, "ring plan");
        let nodes = log_uniform(&mut dice, *run.nodes.start(), *run.nodes.end());
        let tokens = *pick(&mut dice, &[1, 1, 1, 1, 1, 1, 2, 4, 8]);
        let tokens = if nodes * usize::from(tokens) > TOKENS_TOGETHER {
            1
        } else {
            tokens
        };
        let fitting: Vec<u8> = [2, 3, 4, 8, 16]
            .into_iter()
            .filter(|&entries| usize::from(entries) < nodes.max(3))
            .collect();
        let settings = Settings {
            ring_name: "simulated".to_owned(),
            successors: *pick(&mut dice, &fitting),
            replicas: *pick(&mut dice, &[1, 2, 3]),
            ..Settings::default()
        };
        let table_nodes = *pick(&mut dice, &[TABLE_MAX, TABLE_MAX, TABLE_MAX, 0, 8, 32]);
        let weather = draw_weather(&mut dice, run);
        let sessions = draw_sessions(&mut dice, run);
        let faults = draw_faults(&mut dice, run);
        let time = dice.time(Duration::from_secs(20), Duration::from_secs(80));
        let partition = Spread::Even(Duration::from_secs(2), Duration::from_secs(40));
        Self {
            nodes,
            world: RingOptions {
                seed: run.seed,
                settings,
                timing: draw_timing(&mut dice),
                tokens,
                table_nodes,
                weather,
                checks: Checks::EveryEvent,
            },
            in_turn: dice.chance(0.7),
            sessions,
            faults,
            pause: dice.time(Duration::from_millis(500), Duration::from_secs(8)),
            time: run.time.unwrap_or(time),
            partition: run.partition.map_or(partition, Spread::Fixed),
        }
    }
}

fn draw_weather(dice: &mut Dice, run: &RingRun) -> Weather {
    let mean = Duration::from_millis(*pick(dice, &[1, 5, 20, 60]));
    let mean = run.latency.unwrap_or(mean);
    let latency = *pick(
        dice,
        &[
            Spread::Fixed(mean),
            Spread::Even(mean / 2, mean * 3 / 2),
            Spread::Exponential(mean),
            Spread::Weibull(mean),
        ],
    );
    let loss = *pick(dice, &[0.0, 0.0, 0.0, 0.0, 0.001, 0.01, 0.05]);
    Weather {
        latency,
        loss: run.loss.unwrap_or(loss),
        duplication: *pick(dice, &[0.0, 0.0, 0.01, 0.1]),
        reordering: *pick(dice, &[0.0, 0.0, 0.02, 0.2]),
        late_by: mean * 2,
    }
}

fn draw_timing(dice: &mut Dice) -> Timing {
    Timing {
        grace: Duration::from_secs(*pick(dice, &[20, 60, 600])),
        reconcile: Duration::from_secs(*pick(dice, &[30, 120])),
        gossip: Duration::from_secs(*pick(dice, &[2, 4])),
        suspect_after: Duration::from_secs(*pick(dice, &[2, 3])),
        ..Timing::default()
    }
}

fn draw_sessions(dice: &mut Dice, run: &RingRun) -> Option<Spread> {
    let mean = Duration::from_secs(*pick(dice, &[20, 60, 300]));
    let comes_and_goes = dice.chance(0.5);
    let weibull = dice.chance(0.5);
    let mean = match run.churn {
        Some(churn) => (!churn.is_zero()).then_some(churn),
        None => comes_and_goes.then_some(mean),
    }?;
    Some(if weibull {
        Spread::Weibull(mean)
    } else {
        Spread::Exponential(mean)
    })
}

/// Each allowed fault with probability one half; those that the options ask for always.
fn draw_faults(dice: &mut Dice, run: &RingRun) -> Vec<RingFault> {
    let mut faults = Vec::new();
    for fault in RingFault::ALL {
        let by_chance = dice.chance(0.5);
        let drawn = match (&run.faults, fault) {
            (Some(faults), _) => faults.contains(&fault),
            (None, RingFault::Partition) => run.partition.map_or(by_chance, |time| !time.is_zero()),
            (None, _) => by_chance,
        };
        if drawn {
            faults.push(fault);
        }
    }
    faults
}

/// Small numbers as often as large ones: as many rings of 5 to 10 nodes as of 100 to 200.
fn log_uniform(dice: &mut Dice, first: usize, last: usize) -> usize {
    let mut low = first;
    let mut high = last;
    // Halve the range by its geometric middle until it is narrow.
    while high > low + 2 {
        let middle = (low * high).isqrt().clamp(low + 1, high - 1);
        if dice.chance(0.5) {
            low = middle;
        } else {
            high = middle;
        }
    }
    dice.between(low, high)
}

fn pick<'a, T>(dice: &mut Dice, of: &'a [T]) -> &'a T {
    dice.pick(of).expect("there are some")
}

/// The most tokens of the founders together where nodes take more than one.
const TOKENS_TOGETHER: usize = 160;
