//! Rings of up to millions of nodes: the production peer with successor lists and fingers only.
//!
//! The nodes begin in the ideal state, since a million joins would take hours; from there on all
//! is as it ships: encoded messages, timers, time-outs, joins and crashes. There is no disk to
//! speak of, and a crashed node is silent. The same seed is the same run, on any number of
//! threads. Nothing here is about data: tables that are not whole place none.

mod build;
mod check;
mod measure;
mod queue;
mod shard;
mod world;

use std::fmt;
use std::time::Duration;

pub use self::check::Pointers;
use self::measure::{Memory, Stopwatch};
use self::world::ScaleWorld;

/// What to run.
#[derive(Clone, Copy, Debug)]
pub struct ScaleOptions {
    /// Nodes on the ring, one token each.
    pub nodes: usize,
    /// Lookups in the quiet ring; a tenth as many again follow while nodes come and go.
    pub lookups: usize,
    /// How long nodes come and go, in virtual time.
    pub churn: Duration,
    /// How many nodes crash meanwhile, and how many join.
    pub changes: usize,
    /// Chooses everything.
    pub seed: u64,
    /// How many threads work on it; at least one. Changes nothing but the time it takes.
    pub threads: usize,
}

/// What lookups came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LookupTally {
    /// Begun.
    pub begun: usize,
    /// Ended at the owner.
    pub right: usize,
    /// Ended elsewhere, or nowhere.
    pub wrong: usize,
    /// Nodes that answered, over all lookups.
    pub hops: u64,
    /// Nodes that were asked in vain, over all lookups.
    pub silent: u64,
}

impl LookupTally {
    /// Nodes that answered in one lookup.
    pub fn mean_hops(&self) -> f64 {
        ratio(self.hops, (self.right + self.wrong) as u64)
    }
}

/// What a run came to.
#[derive(Clone, Debug)]
pub struct ScaleReport {
    /// As asked for.
    pub options: ScaleOptions,
    /// Resident memory after all nodes were built, less what there was before.
    pub built_bytes: u64,
    /// Resident memory when all was over, less what there was before.
    pub end_bytes: u64,
    /// The most memory that was resident, of all the process.
    pub peak_bytes: u64,
    /// How long building took.
    pub building: Duration,
    /// How long all took.
    pub all: Duration,
    /// How long the events took.
    pub running: Duration,
    /// Messages delivered and nodes woken.
    pub events: u64,
    /// Lookups in the quiet ring.
    pub quiet: LookupTally,
    /// Lookups while nodes came and went.
    pub churning: LookupTally,
    /// The pointers at the end.
    pub pointers: Pointers,
}

/// Virtual time in which the lookups of the quiet ring are spread.
const QUIET: Duration = Duration::from_secs(8);

/// How long the ring may settle in the end: a silence is noticed after 8 seconds, and some tokens
/// hear of it only by their next stabilisation.
const SETTLE: Duration = Duration::from_secs(20);

/// Runs.
pub fn run(options: ScaleOptions) -> ScaleReport {
    let began = Stopwatch::start();
    let before = Memory::now();
    let mut world = ScaleWorld::new(&options);
    let built = Memory::now();
    let building = began.elapsed();
    let quiet = world.look_up_while(options.lookups, 0, QUIET);
    let mut churning = world.look_up_while(options.lookups / 10, options.changes, options.churn);
    world.rest(SETTLE, &mut churning);
    let all = began.elapsed();
    let end = Memory::now();
    ScaleReport {
        options,
        built_bytes: built.resident.saturating_sub(before.resident),
        end_bytes: end.resident.saturating_sub(before.resident),
        peak_bytes: end.peak,
        building,
        all,
        running: all.saturating_sub(building),
        events: world.events(),
        quiet,
        churning,
        pointers: check::pointers(&world),
    }
}

impl ScaleReport {
    /// The path that the Chord papers lead to expect, in nodes that answer: half of log2 N, less
    /// what the successor lists save, and the owner.
    pub fn expected_hops(&self) -> f64 {
        let (nodes, list) = (
            count(self.options.nodes as u64),
            count(build::SUCCESSORS as u64),
        );
        0.5 * nodes.log2() - 0.5 * list.log2() + 1.0
    }

    /// Whether every lookup of the quiet ring ended at the owner and the ring is one ring at the
    /// end: each first successor and predecessor as it should be.
    pub const fn is_right(&self) -> bool {
        self.quiet.wrong == 0
            && self.quiet.right == self.quiet.begun
            && self.pointers.wrong_successors == 0
            && self.pointers.wrong_predecessors == 0
    }
}

impl fmt::Display for ScaleReport {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let nodes = self.options.nodes as u64;
        let tally = |out: &mut fmt::Formatter<'_>, name: &str, tally: &LookupTally| {
            writeln!(
                out,
                "{name:<22}{} begun, {} right, {} wrong; {:.2} hops, {:.3} time-outs each",
                tally.begun,
                tally.right,
                tally.wrong,
                tally.mean_hops(),
                ratio(tally.silent, tally.begun as u64)
            )
        };
        writeln!(out, "{:<22}{nodes}, seed {}", "nodes", self.options.seed)?;
        writeln!(
            out,
            "{:<22}{} when built, {} at the end",
            "bytes a node",
            self.built_bytes / nodes.max(1),
            self.end_bytes / nodes.max(1)
        )?;
        writeln!(out, "{:<22}{} MiB", "most memory", self.peak_bytes >> 20)?;
        tally(out, "lookups, quiet", &self.quiet)?;
        writeln!(out, "{:<22}{:.2}", "  expected hops", self.expected_hops())?;
        tally(out, "lookups, changing", &self.churning)?;
        writeln!(
            out,
            "{:<22}{} in {:.0} s: {:.0} a second",
            "events",
            self.events,
            self.running.as_secs_f64(),
            count(self.events) / self.running.as_secs_f64().max(1e-9)
        )?;
        writeln!(
            out,
            "{:<22}{} tokens; wrong: {} successors, {} predecessors, {} lists",
            "ring at the end",
            self.pointers.tokens,
            self.pointers.wrong_successors,
            self.pointers.wrong_predecessors,
            self.pointers.wrong_lists
        )?;
        write!(
            out,
            "{:<22}{:.0} s to build, {:.0} s in all, on {} threads",
            "time",
            self.building.as_secs_f64(),
            self.all.as_secs_f64(),
            self.options.threads
        )
    }
}

/// A length of time in nanoseconds.
fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

fn ratio(part: u64, whole: u64) -> f64 {
    count(part) / count(whole.max(1))
}

#[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^52")]
const fn count(number: u64) -> f64 {
    number as f64
}

#[cfg(test)]
mod tests;
