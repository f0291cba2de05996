//! How often the first node asked is the owner, with whole node tables (Gupta, Liskov and
//! Rodrigues, *Efficient routing for peer-to-peer overlays*, NSDI 2004).

use std::thread;
use std::time::Duration;

use anyhow::Result;

use super::churn::{Churn, Departures, Going, churn};
use super::data::Data;
use super::field::Field;
use super::plot::{Axis, Line, Plot, Scale, Source};
use super::sample::{Sample, count};
use super::{Effort, Figure};
use crate::ring_world::{RingOptions, Spread, Weather};

/// The figure.
pub(super) const FIGURE: Figure = Figure {
    name: "first-contact",
    title: "First contact is the owner",
    measure,
    draw,
};

fn measure(effort: Effort) -> Result<Data> {
    let (nodes, lookups) = if effort.quick {
        (24, 200)
    } else {
        (NODES, 20_000)
    };
    let mut data = Data::new(&[
        "departures",
        "mean session in h",
        "came",
        "went",
        "lookups",
        "first contact %",
        "published %",
        "path",
        "time-outs",
        "right %",
    ]);
    data.set(format!(
        "N = {nodes}, formed by joining in turns, as many at once as there are; r = 16, whole tables, one token a node; product timing; one-way delay exponential with mean 20 ms; lookups of random keys from random nodes, Poisson, over {} minutes; seed {}",
        MEASURED.as_secs() / 60,
        effort.seed
    ));
    data.set("exponential sessions; joins make up for departures; first contact: the first node asked answered that it owns the key");
    data.set("published: 2,000 nodes in p2psim at Gnutella-like churn, 0.2 % of first tries fail");
    let cases = [("leave", Going::Leave), ("both", Going::Both)]
        .into_iter()
        .flat_map(|departures| [24, 1].map(|hours| (departures, hours)))
        .filter(|((_, going), hours)| !effort.quick || (*hours, *going) == (24, Going::Both));
    // Each row has a ring of its own, and takes minutes.
    let rows: Vec<_> = thread::scope(|scope| {
        let begun: Vec<_> = cases
            .map(|(departures, hours)| {
                scope.spawn(move || row(effort, nodes, lookups, departures, hours))
            })
            .collect();
        let ended = begun.into_iter().map(thread::ScopedJoinHandle::join);
        ended
            .map(|row| row.unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
            .collect()
    });
    for row in rows {
        data.push(row?);
    }
    Ok(data)
}

/// Whole tables of this many nodes are what one processor measures in minutes.
const NODES: usize = 1000;

/// How long nodes come and go.
const MEASURED: Duration = Duration::from_mins(10);

fn row(
    effort: Effort,
    nodes: usize,
    lookups: usize,
    (name, going): (&str, Going),
    hours: u64,
) -> Result<[String; 10]> {
    let twenty = Duration::from_millis(20);
    let options = RingOptions {
        seed: effort.seed,
        weather: Weather {
            latency: Spread::Exponential(twenty),
            ..Weather::fair(twenty)
        },
        ..RingOptions::default()
    };
    let mut field = Field::formed(options, nodes)?;
    let every = Duration::from_hours(hours) / u32::try_from(nodes).unwrap_or(u32::MAX);
    let churned = churn(
        &mut field,
        Churn {
            come_every: every,
            leave: Departures::Every(every),
            going,
            look_up_every: MEASURED / u32::try_from(lookups).unwrap_or(u32::MAX),
            group: 1,
            groups: lookups,
        },
    )?;
    let asked: Vec<_> = churned.seen.iter().filter(|seen| !seen.own).collect();
    let percent =
        |part: usize, of: usize| format!("{:.2}", 100.0 * count(part) / count(of).max(1.0));
    let first = asked.iter().filter(|seen| seen.at_once).count();
    let right = asked.iter().filter(|seen| seen.right).count();
    let hops = Sample::new(asked.iter().map(|seen| seen.hops));
    let silent = Sample::new(asked.iter().map(|seen| seen.silent));
    Ok([
        name.to_owned(),
        hours.to_string(),
        churned.came.to_string(),
        churned.went.to_string(),
        asked.len().to_string(),
        percent(first, asked.len()),
        "99.8".to_owned(),
        format!("{:.3}", hops.mean()),
        format!("{:.3}", silent.mean()),
        percent(right, asked.len()),
    ])
}

fn draw(data: &Data) -> Vec<Plot> {
    let line = |label: &str, source, departures: &str, y: &str| Line {
        label: label.to_owned(),
        source,
        points: data.points(&[("departures", departures)], "mean session in h", y),
    };
    vec![Plot {
        title: "First contact is the owner".to_owned(),
        x: Axis::new("mean session in hours", Scale::Log2),
        y: Axis::new("percent of lookups", Scale::Linear),
        lines: vec![
            line(
                "all leave with notice",
                Source::Ours,
                "leave",
                "first contact %",
            ),
            line("half crash", Source::Ours, "both", "first contact %"),
            line("NSDI 2004", Source::Published, "both", "published %"),
        ],
    }]
}
