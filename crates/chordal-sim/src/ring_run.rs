//! One run of the ring by itself: it forms, things go wrong, it heals.

mod fate;
mod plan;
mod report;

use std::io::Write;
use std::ops::RangeInclusive;
use std::time::Duration;

use chordal_proto::Time;

use self::fate::Fate;
use self::plan::Plan;
pub use self::report::{Findings, RingReport};
use crate::ring_world::{RingPlant, RingWorld};
use crate::violation::Violation;

/// What to simulate. Where nothing is said, the seed chooses. The same values are the same run.
#[derive(Clone, Debug, PartialEq)]
pub struct RingRun {
    /// Every choice follows from this number.
    pub seed: u64,
    /// How many nodes found the ring; the seed draws one of these, small ones as often as large
    /// ones. At least one.
    pub nodes: RangeInclusive<usize>,
    /// How long things go wrong.
    pub time: Option<Duration>,
    /// The mean time that a node stays; zero for ever.
    pub churn: Option<Duration>,
    /// How long partitions last; zero for none.
    pub partition: Option<Duration>,
    /// The share of messages that are lost.
    pub loss: Option<f64>,
    /// The mean time a message takes.
    pub latency: Option<Duration>,
    /// Just these faults happen.
    pub faults: Option<Vec<RingFault>>,
    /// A mistake made on purpose, to see it caught.
    pub plant: RingPlant,
}

impl Default for RingRun {
    fn default() -> Self {
        Self {
            seed: 1,
            nodes: NODES,
            time: None,
            churn: None,
            partition: None,
            loss: None,
            latency: None,
            faults: None,
            plant: RingPlant::Nothing,
        }
    }
}

/// What can go wrong in a ring.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RingFault {
    /// A node stops without notice, and comes back later, or not.
    Crash,
    /// Up to half the nodes stop at once.
    MassCrash,
    /// A node leaves with notice.
    Leave,
    /// A node joins.
    Join,
    /// Many nodes join at once.
    MassJoin,
    /// All nodes stop at once and come back.
    MassRestart,
    /// The network falls into two parts.
    Partition,
    /// Ways are cut in one direction.
    Cut,
    /// A machine takes long over everything.
    Slow,
    /// A machine does nothing for a while.
    Freeze,
    /// A machine's clock jumps ahead.
    Clock,
}

impl RingFault {
    /// Every fault there is.
    pub const ALL: [Self; 11] = [
        Self::Crash,
        Self::MassCrash,
        Self::Leave,
        Self::Join,
        Self::MassJoin,
        Self::MassRestart,
        Self::Partition,
        Self::Cut,
        Self::Slow,
        Self::Freeze,
        Self::Clock,
    ];

    /// What the command line calls it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Crash => "crash",
            Self::MassCrash => "mass-crash",
            Self::Leave => "leave",
            Self::Join => "join",
            Self::MassJoin => "mass-join",
            Self::MassRestart => "mass-restart",
            Self::Partition => "partition",
            Self::Cut => "cut",
            Self::Slow => "slow",
            Self::Freeze => "freeze",
            Self::Clock => "clock",
        }
    }

    /// The fault of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|fault| fault.name() == name)
    }
}

/// Makes one run, and writes a line for every event when `lines` are given.
pub fn run(run: &RingRun, lines: Option<Box<dyn Write>>) -> RingReport {
    let plan = Plan::draw(run);
    let mut world = match lines {
        Some(lines) => RingWorld::traced(plan.world.clone(), lines),
        None => RingWorld::new(plan.world.clone()),
    };
    world.plant(run.plant);
    let mut fate = Fate::new(run.seed, &plan);
    let outcome = live(&plan, &mut world, &mut fate);
    let (unasked, accused) = world.false_accusations();
    RingReport {
        run: run.clone(),
        nodes: plan.nodes,
        tokens: plan.world.tokens,
        list_length: plan.world.settings.successors,
        counts: world.counts(),
        sent: world.traffic().total(),
        virtual_time: world.now().since(Time::from_nanos(0)),
        findings: Findings {
            accused,
            unasked,
            ..fate.findings
        },
        trace: world.digest(),
        outcome,
    }
}

fn live(plan: &Plan, world: &mut RingWorld, fate: &mut Fate<'_>) -> Result<(), Violation> {
    let patience = FORMING + FORMING_NODE * u32::try_from(plan.nodes).unwrap_or(u32::MAX);
    if plan.in_turn {
        world.form(plan.nodes, patience)?;
    } else {
        world.form_at_once(plan.nodes, patience)?;
    }
    fate.reign(world)
}

/// Sizes of rings that seeds choose from.
pub const NODES: RangeInclusive<usize> = 5..=200;

/// A ring forms within this, and
const FORMING: Duration = Duration::from_mins(10);

/// this more for every node: where each waits for the one before it, a loss in its handshake is
/// noticed after seconds.
const FORMING_NODE: Duration = Duration::from_secs(3);
