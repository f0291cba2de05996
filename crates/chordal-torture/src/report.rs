//! The last words of a run: what was done, what was seen, and how long it took.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use crate::events::Events;
use crate::judge::{Broken, Judge, Tally};
use crate::last_look::Looked;
use crate::options::Options;

/// The figures of a run.
#[derive(Debug)]
pub(crate) struct Report {
    command_line: String,
    tally: Tally,
    events: BTreeMap<&'static str, u32>,
    healed: Vec<Duration>,
    tormented: Duration,
    looked: Looked,
}

impl Report {
    /// Gathers the figures.
    pub(crate) fn new(
        options: &Options,
        judge: &Judge,
        events: &Events,
        tormented: Duration,
        looked: Looked,
    ) -> Self {
        let mut tally = judge.tally();
        for times in [&mut tally.puts, &mut tally.gets, &mut tally.deletes] {
            times.sort_unstable();
        }
        let mut healed = events.healed.clone();
        healed.sort_unstable();
        Self {
            command_line: options.command_line(),
            tally,
            events: events.counts.clone(),
            healed,
            tormented,
            looked,
        }
    }

    /// Whether every promise was kept.
    pub(crate) fn is_clean(&self) -> bool {
        self.tally.broken.is_empty()
    }

    fn broken(&self, kind: Broken) -> u64 {
        self.tally.broken.get(&kind).copied().unwrap_or_default()
    }
}

/// The value below which this many of a thousand lie. The values are in order.
fn quantile<T: Copy + Default>(ordered: &[T], permille: usize) -> T {
    let last = ordered.len().saturating_sub(1);
    ordered
        .get(last * permille / 1000)
        .copied()
        .unwrap_or_default()
}

fn times(micros: &[u32]) -> String {
    let at = |permille| Duration::from_micros(u64::from(quantile(micros, permille)));
    format!(
        "p50 {:.1?}, p99 {:.1?}, longest {:.1?}",
        at(500),
        at(990),
        at(1000)
    )
}

impl fmt::Display for Report {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Tally {
            puts,
            gets,
            deletes,
            refusals,
            disturbed,
            longest,
            ..
        } = &self.tally;
        let events = self
            .events
            .iter()
            .map(|(kind, count)| format!("{count} {kind}"));
        let events: Vec<String> = events.collect();
        let looked = &self.looked;
        writeln!(
            out,
            "{} puts, {} gets, {} deletes in {:.0} s; machines: {}",
            puts.len(),
            gets.len(),
            deletes.len(),
            self.tormented.as_secs_f64(),
            events.join(", ")
        )?;
        writeln!(
            out,
            "{} misses, {} wrong bytes, {} stale, {} refused too long, {} unhealed, {} died, \
             {} with too few copies, {} wrongly listed",
            self.broken(Broken::Miss),
            self.broken(Broken::WrongBytes),
            self.broken(Broken::Stale),
            self.broken(Broken::Refusal),
            self.broken(Broken::Unhealed),
            self.broken(Broken::Died),
            self.broken(Broken::Copies),
            self.broken(Broken::Listing),
        )?;
        writeln!(
            out,
            "longest wait {longest:.1?}; {refusals} requests refused, {disturbed} to nodes that something was done to"
        )?;
        writeln!(out, "put: {}", times(puts))?;
        writeln!(out, "get: {}", times(gets))?;
        writeln!(out, "delete: {}", times(deletes))?;
        writeln!(
            out,
            "healed after an event: p50 {:.1?}, longest {:.1?}",
            quantile(&self.healed, 500),
            quantile(&self.healed, 1000)
        )?;
        writeln!(
            out,
            "in the end: right after {:.1?}, {} names read through {} nodes each, copies of {} counted",
            looked.healed, looked.names, looked.nodes, looked.counted
        )?;
        let verdict = if self.is_clean() { "kept" } else { "BROKEN" };
        write!(out, "promises {verdict}: {}", self.command_line)
    }
}
