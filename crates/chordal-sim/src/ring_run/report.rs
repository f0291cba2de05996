//! What became of a run.

use std::fmt;
use std::time::Duration;

use super::{NODES, RingRun};
use crate::ring_world::{Count, Counts, RingPlant};
use crate::violation::Violation;

/// The result and size of a run.
#[derive(Clone, Debug, PartialEq)]
pub struct RingReport {
    /// What was asked for.
    pub run: RingRun,
    /// Nodes that founded the ring.
    pub nodes: usize,
    /// Tokens of each.
    pub tokens: u8,
    /// r.
    pub list_length: u8,
    /// How much happened.
    pub counts: Counts,
    /// Messages and bytes handed to the network.
    pub sent: Count,
    /// How long it lasted for those within.
    pub virtual_time: Duration,
    /// What was measured.
    pub findings: Findings,
    /// A hash of everything that happened: equal for equal runs.
    pub trace: [u8; 32],
    /// Which promise was broken, if one was.
    pub outcome: Result<(), Violation>,
}

/// What a run measured.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Findings {
    /// Times that all faults stopped and the ring became ideal.
    pub healings: u64,
    /// The longest that one took.
    pub longest_healing: Duration,
    /// Lookups of clients that were answered.
    pub lookups: u64,
    /// Their hops together.
    pub hops: u64,
    /// Lookups that failed while things went wrong.
    pub failed_lookups: u64,
    /// Times that a living token was taken for dead.
    pub accused: u64,
    /// How long the invariant was not asked for on that account.
    pub unasked: Duration,
}

impl fmt::Display for RingReport {
    /// One line; for a broken promise a second one that repeats the run.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hash = u64::from_be_bytes(self.trace[..8].try_into().expect("eight of 32 bytes"));
        let Findings {
            lookups,
            hops,
            failed_lookups,
            accused,
            unasked,
            ..
        } = self.findings;
        write!(
            out,
            "seed {}: {} nodes, {} tokens, r {}, {} events, {} messages, {} KiB, {} joins, {} leaves, \
             {} crashes, {} of {} s asked ({accused} accusations), {lookups} lookups of {:.2} hops, \
             {failed_lookups} failed, trace {hash:016x}: ",
            self.run.seed,
            self.nodes,
            self.tokens,
            self.list_length,
            self.counts.events,
            self.sent.messages,
            self.sent.bytes / 1024,
            self.counts.joins,
            self.counts.leaves,
            self.counts.crashes,
            self.virtual_time.saturating_sub(unasked).as_secs(),
            self.virtual_time.as_secs(),
            mean(hops, lookups),
        )?;
        match &self.outcome {
            Ok(()) => write!(
                out,
                "passed, healed {} times in at most {:.1} s",
                self.findings.healings,
                self.findings.longest_healing.as_secs_f64()
            ),
            Err(violation) => write!(
                out,
                "FAILED: {violation}\n  repeat with: chordal sim ring {}",
                self.run
            ),
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "a figure for people")]
fn mean(sum: u64, count: u64) -> f64 {
    if count == 0 {
        0.0
    } else {
        sum as f64 / count as f64
    }
}

impl fmt::Display for RingRun {
    /// The arguments that repeat the run.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "--seed {}", self.seed)?;
        if self.nodes != NODES {
            let (first, last) = (self.nodes.start(), self.nodes.end());
            write!(out, " --nodes {first}..={last}")?;
        }
        let times = [
            ("for", self.time),
            ("churn", self.churn),
            ("partition", self.partition),
            ("latency", self.latency),
        ];
        for (name, time) in times {
            if let Some(time) = time {
                write!(out, " --{name} {}us", time.as_micros())?;
            }
        }
        if let Some(loss) = self.loss {
            write!(out, " --loss {loss}")?;
        }
        if let Some(faults) = &self.faults {
            let names: Vec<&str> = faults.iter().map(|fault| fault.name()).collect();
            let names = if names.is_empty() {
                "none".to_owned()
            } else {
                names.join(",")
            };
            write!(out, " --faults {names}")?;
        }
        if self.plant != RingPlant::Nothing {
            write!(out, " --plant {}", self.plant.name())?;
        }
        Ok(())
    }
}
