//! What a seed chooses for its run: the size of the ring, its settings, its pace, its faults.
//!
//! Every run differs in what it leaves out too: a fault that always happens hides those that
//! need quiet.

use std::time::Duration;

use chordal_object::Bits;
use chordal_proto::{Profile, Settings, Timing};

use crate::dice::Dice;
use crate::options::{Faults, Options};

/// A run's constants.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    /// Nodes that found the ring.
    pub(crate) nodes: usize,
    /// What the ring is set to.
    pub(crate) settings: Settings,
    /// How all nodes pace themselves.
    pub(crate) timing: Timing,
    /// Tokens of each node, at most.
    pub(crate) tokens_max: u8,
    /// The mean time a message takes when all is well.
    pub(crate) delay: Duration,
    /// The probability that a message is lost when all is well but for the weather.
    pub(crate) loss: f64,
    /// The faults of this run.
    pub(crate) faults: Faults,
    /// The mean time between two faults.
    pub(crate) fault_pause: Duration,
    /// The most nodes down at once.
    pub(crate) down_max: usize,
    /// How long faults go on.
    pub(crate) fault_time: Duration,
    /// The mean time between two commands of clients.
    pub(crate) client_pause: Duration,
    /// Names that clients use.
    pub(crate) names: usize,
    /// How often a disk takes seconds for what it does, or to say so.
    pub(crate) disk_stalls: f64,
    /// How often a message comes twice.
    pub(crate) duplicates: f64,
    /// Whether the founders join one by one, each when the one before has.
    pub(crate) join_in_turn: bool,
}

impl Plan {
    /// What the seed of these options chooses.
    pub(crate) fn draw(options: &Options) -> Self {
        let mut dice = Dice::new(options.seed, "plan");
        let mut harm = Dice::new(options.seed, "harm");
        let nodes = dice.between(*options.nodes.start(), *options.nodes.end());
        let classic = dice.chance(0.1);
        let delays = [1, 5, 20, 60].map(Duration::from_millis);
        let delay = *dice.pick(&delays).expect("there are some");
        let loss = *dice
            .pick(&[0.0, 0.0, 0.001, 0.01, 0.05])
            .expect("there are some");
        let settings = Settings {
            ring_name: "simulated".to_owned(),
            bits: if classic { Bits::CLASSIC } else { Bits::MAX },
            profile: if classic {
                Profile::Classic
            } else {
                Profile::Standard
            },
            replicas: 3,
            successors: *dice.pick(&[4, 8, 16]).expect("there are some"),
            chunk_bytes: CHUNK_BYTES,
            inline_bytes: INLINE_BYTES,
        };
        let timing = Timing {
            grace: Duration::from_secs(*dice.pick(&[20, 60, 600]).expect("there are some")),
            reconcile: Duration::from_secs(*dice.pick(&[10, 30, 120]).expect("there are some")),
            protect: Duration::from_secs(75),
            sweep: Duration::from_secs(30),
            ..Timing::default()
        };
        let mut plan = Self {
            nodes,
            settings,
            timing,
            tokens_max: *dice.pick(&[1, 2, 4, 8]).expect("there are some"),
            delay: options.delay.unwrap_or(delay),
            loss: options.loss.unwrap_or(loss),
            faults: draw_faults(&mut dice, &mut harm, options.faults),
            fault_pause: Duration::from_secs(dice.between(3, 20) as u64),
            down_max: options.down_max,
            fault_time: options.fault_time,
            client_pause: dice.time(Duration::from_millis(100), Duration::from_millis(600)),
            names: dice.between(4, 40),
            disk_stalls: 0.0,
            duplicates: 0.0,
            join_in_turn: dice.chance(0.5),
        };
        if dice.chance(0.3) {
            plan.heat(&mut dice, options);
        }
        if options.faults != Faults::NONE && dice.chance(0.3) {
            plan.disk_stalls = *dice.pick(&[0.002, 0.02]).expect("there are some");
        }
        if options.faults != Faults::NONE {
            plan.duplicates = *harm.pick(&[0.0, 0.0, 0.01, 0.1]).expect("there are some");
        }
        plan
    }

    /// Everybody wants the same few names while holders change all the time: what is stale for a
    /// moment only is seen here.
    fn heat(&mut self, dice: &mut Dice, options: &Options) {
        self.names = dice.between(1, 3);
        self.client_pause = dice.time(Duration::from_millis(20), Duration::from_millis(100));
        self.fault_pause = Duration::from_secs(dice.between(1, 4) as u64);
        if options.delay.is_none() {
            self.delay = self.delay.max(Duration::from_millis(20));
        }
    }

    /// How long the ring may take to heal once faults have stopped: silent nodes are waited for,
    /// then everything is compared and copied, with time for a second try of each; then what nothing
    /// refers to is dropped.
    pub(crate) fn heal_time(&self) -> Duration {
        let copies = self.timing.grace + 3 * self.timing.reconcile + Duration::from_mins(3);
        copies + self.timing.protect + 4 * self.timing.sweep + Duration::from_mins(2)
    }
}

/// Of the faults allowed, those of this run.
fn draw_faults(dice: &mut Dice, harm: &mut Dice, allowed: Faults) -> Faults {
    Faults {
        crashes: allowed.crashes & dice.chance(0.8),
        wipes: allowed.wipes & dice.chance(0.4),
        power: allowed.power & dice.chance(0.3),
        leaves: allowed.leaves & dice.chance(0.5),
        joins: allowed.joins & dice.chance(0.6),
        partitions: allowed.partitions & dice.chance(0.3),
        storms: allowed.storms & dice.chance(0.4),
        splits: allowed.splits & dice.chance(0.5),
        cuts: allowed.cuts & harm.chance(0.3),
        slow: allowed.slow & harm.chance(0.3),
        freezes: allowed.freezes & harm.chance(0.3),
        clocks: allowed.clocks & harm.chance(0.3),
        rot: allowed.rot & harm.chance(0.3),
        full: allowed.full & harm.chance(0.3),
        syncs: allowed.syncs & harm.chance(0.3),
    }
}

const CHUNK_BYTES: u32 = 4 << 10;
const INLINE_BYTES: u32 = 256;
