//! What a run is asked to be.

use std::path::PathBuf;
use std::time::Duration;

use clap::Parser;

/// Real nodes under real faults. Exit code 0 when every promise was kept, 1 when one was broken.
#[derive(Clone, Debug, Parser)]
#[command(name = "chordal-torture")]
pub(crate) struct Options {
    /// The program to run
    #[arg(long, value_name = "FILE")]
    pub(crate) chordal: PathBuf,
    /// How many nodes the ring has, more or less
    #[arg(long, default_value_t = 12, value_parser = clap::value_parser!(u16).range(3..=64))]
    pub(crate) nodes: u16,
    /// How long faults go on
    #[arg(long, default_value_t = 5)]
    pub(crate) minutes: u64,
    /// The same in seconds, instead
    #[arg(long)]
    pub(crate) seconds: Option<u64>,
    /// Which choices are made
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
    /// How many nodes may be down at once: with 2, both are holders of one file and both return
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u8).range(0..=2))]
    pub(crate) down: u8,
    /// Seconds from one event to the next; longer where the ring is not healed by then
    #[arg(long, default_value_t = 10)]
    pub(crate) every: u64,
    /// Ends after so many events, if the time is not over before
    #[arg(long)]
    pub(crate) events: Option<u32>,
    /// How many clients write and read at once
    #[arg(long, default_value_t = 16, value_parser = clap::value_parser!(u16).range(1..=256))]
    pub(crate) clients: u16,
    /// The nodes' grace time in seconds; 5 if nothing is said, with two nodes down ten minutes
    #[arg(long)]
    pub(crate) grace: Option<u64>,
    /// The longest that a request may be refused or unanswered through nodes that run, in seconds
    #[arg(long, default_value = "5", value_parser = seconds)]
    pub(crate) patience: Duration,
    /// Where the nodes' folders are made; the system's folder for temporary files if not given
    #[arg(long, value_name = "DIR")]
    pub(crate) at: Option<PathBuf>,
    /// Records what every node decides upon, beside its log, for `chordal sim replay`
    #[arg(long)]
    pub(crate) record: bool,
    /// Instead of faults: fills five nodes with so many MiB each, and measures what it costs when one is
    /// away, dies or joins, and when everything is deleted
    #[arg(long, value_name = "MIB", value_parser = mebibytes)]
    pub(crate) bars: Option<u64>,
    /// How many seconds one of them is away then
    #[arg(long, default_value = "120", value_parser = seconds)]
    pub(crate) away: Duration,
    /// How many MiB a second each node may take and give then to make copies
    #[arg(long, default_value = "64", value_parser = mebibytes)]
    pub(crate) repair_rate: u64,
    /// Loses a file on purpose, to see it noticed
    #[arg(long)]
    pub(crate) plant: bool,
}

fn mebibytes(text: &str) -> Result<u64, String> {
    let mebibytes = text.parse::<u32>().map_err(|error| error.to_string())?;
    Ok(u64::from(mebibytes) << 20)
}

fn seconds(text: &str) -> Result<Duration, String> {
    text.parse::<u64>()
        .map(Duration::from_secs)
        .map_err(|error| error.to_string())
}

impl Options {
    /// How long faults go on.
    pub(crate) fn time(&self) -> Duration {
        match self.seconds {
            Some(seconds) => Duration::from_secs(seconds),
            None => Duration::from_mins(self.minutes),
        }
    }

    /// How long nodes wait for a silent one.
    pub(crate) fn grace(&self) -> Duration {
        let usual = if self.down > 1 || self.bars.is_some() {
            600
        } else {
            5
        };
        Duration::from_secs(self.grace.unwrap_or(usual))
    }

    /// Where the nodes' folders are made.
    pub(crate) fn folder(&self) -> PathBuf {
        self.at.clone().unwrap_or_else(std::env::temp_dir)
    }

    /// The command that makes the same choices again.
    pub(crate) fn command_line(&self) -> String {
        let events = self.events.map(|events| format!(" --events {events}"));
        let events = events.unwrap_or_default();
        format!(
            "cargo xtask torture --nodes {} --seconds {} --seed {} --down {} --every {} --clients {} \
             --grace {} --patience {}{events}",
            self.nodes,
            self.time().as_secs(),
            self.seed,
            self.down,
            self.every,
            self.clients,
            self.grace().as_secs(),
            self.patience.as_secs(),
        )
    }
}
