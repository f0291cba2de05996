//! Processor time of processes, where the system tells it.

use std::time::Duration;

/// The processes whose time counts.
#[derive(Clone, Debug)]
pub(crate) struct Cpu {
    nodes: Vec<u32>,
}

/// Processor time since some moment.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Used {
    /// By the nodes.
    pub(crate) nodes: Option<Duration>,
    /// By this program.
    pub(crate) own: Option<Duration>,
}

impl Cpu {
    /// These nodes, and this program.
    pub(crate) fn of(nodes: Vec<u32>) -> Self {
        Self { nodes }
    }

    /// What was used so far.
    pub(crate) fn now(&self) -> Used {
        let nodes: Option<Vec<Duration>> = self.nodes.iter().map(|pid| used_by(*pid)).collect();
        Used {
            nodes: nodes
                .filter(|nodes| !nodes.is_empty())
                .map(|nodes| nodes.iter().sum()),
            own: used_by(std::process::id()),
        }
    }
}

impl Used {
    /// What was used from `earlier` on.
    pub(crate) fn since(self, earlier: Self) -> Self {
        let difference =
            |now: Option<Duration>, then: Option<Duration>| Some(now?.saturating_sub(then?));
        Self {
            nodes: difference(self.nodes, earlier.nodes),
            own: difference(self.own, earlier.own),
        }
    }
}

#[cfg(target_os = "linux")]
fn used_by(pid: u32) -> Option<Duration> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let ticks = ticks_in(&text)?;
    let per_second = rustix::param::clock_ticks_per_second().max(1);
    Some(Duration::from_millis(ticks * 1000 / per_second))
}

#[cfg(not(target_os = "linux"))]
fn used_by(_pid: u32) -> Option<Duration> {
    None
}

/// User and system time in a line of `/proc/PID/stat`: fields 14 and 15. The second field is the
/// program's name in parentheses and may hold anything.
#[cfg(any(target_os = "linux", test))]
fn ticks_in(stat: &str) -> Option<u64> {
    let (_, fields) = stat.rsplit_once(')')?;
    let mut fields = fields.split_whitespace().skip(11);
    let user: u64 = fields.next()?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    Some(user + system)
}

#[cfg(test)]
mod tests;
