//! `model`: explores every world of a few tokens, and says what it found.

use std::io::{self, Write};
use std::ops::RangeInclusive;
use std::time::Duration;

use anyhow::Result;
use clap::Args;

use super::{Outcome, require};
use crate::model;
use crate::model::{Findings, Mistake, Setting, bounded, demonstration, explore, full};

/// Which worlds to explore.
#[derive(Clone, Debug, Args)]
pub struct ModelArgs {
    /// The explorations of the gate, a minute long [default]
    #[arg(long, conflicts_with_all = ["full", "mistake"])]
    bounded: bool,
    /// The explorations of docs/proof.md, which take some minutes
    #[arg(long, conflicts_with = "mistake")]
    full: bool,
    /// Make a mistake on purpose and print the shortest way to a broken ring
    #[arg(long, value_name = "MISTAKE", value_parser = mistake)]
    mistake: Option<Mistake>,
    /// Only explorations whose name contains this
    #[arg(long, value_name = "TEXT")]
    only: Option<String>,
    /// An exploration of one's own: positions on the ring, 2 to 6
    #[arg(long, value_name = "N", conflicts_with_all = ["full", "bounded"])]
    seats: Option<u8>,
    #[command(flatten)]
    own: Own,
}

/// An exploration of one's own.
#[derive(Clone, Debug, Args)]
struct Own {
    /// r: entries of a full successor list
    #[arg(long, value_name = "R", default_value_t = 2, requires = "seats")]
    list: usize,
    /// Members of the rings to begin with, by default 3 and more
    #[arg(long, value_name = "A..=B", value_parser = super::range::<u32>, requires = "seats")]
    members: Option<RangeInclusive<u32>>,
    /// Tokens that may die
    #[arg(long, value_name = "N", default_value_t = 2, requires = "seats")]
    deaths: u8,
    /// Tokens that may return
    #[arg(long, value_name = "N", default_value_t = 0, requires = "seats")]
    returns: u8,
    /// Answers under way at once
    #[arg(long, value_name = "N", default_value_t = 2, requires = "seats")]
    flights: usize,
    /// With predecessors and notifications
    #[arg(long)]
    predecessors: bool,
    /// Nobody is heard of from the table
    #[arg(long)]
    no_offers: bool,
    /// Only what holds in rings of any size; without r + 1 principals
    #[arg(long)]
    small: bool,
}

impl Own {
    fn members(&self, seats: u8) -> RangeInclusive<u32> {
        let seats = u32::from(seats);
        self.members.clone().unwrap_or_else(|| seats.min(3)..=seats)
    }

    fn ensure_sense(&self, seats: u8) -> Result<()> {
        require((2..=6).contains(&seats), "there are 2 to 6 seats")?;
        require(self.list > 0, "a successor list has an entry at least")?;
        let members = self.members(seats);
        let (least, most) = (*members.start(), *members.end());
        require(
            least > 0 && least <= most && most <= u32::from(seats),
            format!(
                "rings of {least} to {most} members do not fit {seats} seats: say --members A..=B"
            ),
        )
    }

    fn setting(&self, seats: u8, mistake: Option<Mistake>) -> Setting {
        Setting {
            name: "own",
            seats,
            list_length: self.list,
            members: self.members(seats),
            principals: !self.small,
            predecessors: self.predecessors,
            offers: !self.no_offers,
            crashes: self.deaths,
            returns: self.returns,
            flights: self.flights,
            mistake,
        }
    }
}

pub(super) fn run(arguments: &ModelArgs) -> Result<Outcome> {
    let mut settings = match arguments.mistake {
        mistake if let Some(seats) = arguments.seats => {
            arguments.own.ensure_sense(seats)?;
            vec![arguments.own.setting(seats, mistake)]
        }
        Some(mistake) => vec![demonstration(mistake)],
        None if arguments.full => full(),
        None => bounded(),
    };
    if let Some(only) = &arguments.only {
        let names: Vec<&str> = settings.iter().map(|setting| setting.name).collect();
        let names = names.join("\n  ");
        settings.retain(|setting| setting.name.contains(only.as_str()));
        require(
            !settings.is_empty(),
            format!("no exploration's name contains '{only}'; there are\n  {names}"),
        )?;
    }
    let mut out = io::stdout();
    let mut wrong = false;
    let mut worlds = 0;
    for setting in &settings {
        let (findings, took) = timed(|| explore(setting));
        worlds += findings.worlds;
        wrong |= !matches!(findings.outcome, model::Outcome::Right);
        write!(out, "{}", say(setting, &findings, took))?;
        out.flush()?;
    }
    writeln!(out, "{} explorations, {worlds} worlds", settings.len())?;
    Ok(if wrong {
        Outcome::Broken("an exploration did not end as right")
    } else {
        Outcome::Kept
    })
}

fn say(setting: &Setting, findings: &Findings, took: Duration) -> String {
    let mut text = format!(
        "{}: {setting}\n  {} worlds, {} moves, {} shapes, depth {}, ideal after {} rounds at most, \
         {:.1} s, {:.0e} worlds missed\n",
        findings.name,
        findings.worlds,
        findings.moves,
        findings.shapes,
        findings.depth,
        findings.rounds,
        took.as_secs_f64(),
        findings.missed,
    );
    match &findings.outcome {
        model::Outcome::Right => text += "  right\n",
        model::Outcome::Unfinished => text += "  UNFINISHED: too many worlds\n",
        model::Outcome::Wrong { flaw, trace } => {
            let way = trace.join("\n  ");
            text = format!("{text}  {way}\n  WRONG: {flaw}\n");
        }
    }
    text
}

#[expect(
    clippy::disallowed_types,
    reason = "how long it took is for people; nothing depends on it"
)]
fn timed<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let began = std::time::Instant::now();
    let done = work();
    (done, began.elapsed())
}

fn mistake(text: &str) -> Result<Mistake> {
    let names = Mistake::ALL.map(Mistake::name);
    super::named(text, Mistake::from_name(text), &names)
}
