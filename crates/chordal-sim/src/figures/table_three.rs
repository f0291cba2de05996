//! Lookups while nodes come and go (Stoica et al. 2003, Table III), then with crashes and
//! with sessions as people's machines have them.

use std::time::Duration;

use anyhow::Result;
use chordal_proto::{Settings, Timing};

use super::churn::{Churn, Departures, Going, churn};
use super::data::Data;
use super::field::Field;
use super::plot::{Axis, Line, Plot, Scale, Source};
use super::sample::Sample;
use super::{Effort, Figure};
use crate::ring_world::{RingOptions, Spread, Weather};

/// The figure.
pub(super) const FIGURE: Figure = Figure {
    name: "churn",
    title: "Lookups under churn",
    measure,
    draw,
};

/// Joins and leaves in a thousand seconds; path, time-outs and failures as published.
const PUBLISHED: [(u32, &str, &str, &str); 8] = [
    (50, "3.90", "0.05", "0"),
    (100, "3.83", "0.11", "0"),
    (150, "3.84", "0.16", "2"),
    (200, "3.81", "0.23", "5"),
    (250, "3.83", "0.30", "6"),
    (300, "3.91", "0.34", "8"),
    (350, "3.94", "0.42", "16"),
    (400, "4.06", "0.46", "15"),
];

fn measure(effort: Effort) -> Result<Data> {
    let (nodes, lookups) = if effort.quick {
        (64, 300)
    } else {
        (1000, 10_000)
    };
    let mut data = Data::new(&[
        "departures",
        "rate",
        "came",
        "went",
        "path",
        "published path",
        "time-outs",
        "published time-outs",
        "failed",
        "published failed",
    ]);
    data.set(format!(
        "N = {nodes} at the beginning, formed by joining; r = 20, fingers only, one token a node; {lookups} lookups for each row, Poisson, {LOOKUPS_A_SECOND} a second (the paper: 1; more only shortens the run); seed {}",
        effort.seed
    ));
    data.set("joins and departures are Poisson, each at the rate given, per second; each token stabilises every 15 to 45 s, evenly, and looks one finger up each time; pings as rarely; one-way delay exponential with mean 50 ms; time-out 500 ms or more");
    data.set("failed: ended at a node that owned the key neither within half a second before the lookup began nor when it ended, or nowhere; a lookup that finds nobody tries others by itself, and nobody asks again for it; lookups whose asker has gone are left out");
    data.set("leave: with notice, as published; crash: without a word; weibull: crashes after sessions of shape 0.5 whose mean is N / rate");
    for departures in ["leave", "crash", "weibull"] {
        for published in PUBLISHED {
            let is_kept = !effort.quick || published.0 == 400;
            if is_kept {
                data.push(row(effort, nodes, lookups, departures, published)?);
            }
        }
    }
    Ok(data)
}

/// Lookups a second.
const LOOKUPS_A_SECOND: u32 = 4;

fn row(
    effort: Effort,
    nodes: usize,
    lookups: usize,
    departures: &str,
    (rate, path, timeouts, failures): (u32, &str, &str, &str),
) -> Result<[String; 10]> {
    let pace = Duration::from_secs(30);
    let fifty = Duration::from_millis(50);
    let options = RingOptions {
        seed: effort.seed,
        table_nodes: 0,
        settings: Settings {
            successors: 20,
            ..Settings::default()
        },
        timing: Timing {
            stabilise_min: pace,
            stabilise_max: pace,
            ping: pace,
            ..Timing::default()
        },
        weather: Weather {
            latency: Spread::Exponential(fifty),
            ..Weather::fair(fifty)
        },
        ..RingOptions::default()
    };
    let mut field = Field::formed(options, nodes)?;
    let every = Duration::from_secs(1000) / rate;
    let session = every * u32::try_from(nodes).unwrap_or(u32::MAX);
    let (leave, going) = match departures {
        "leave" => (Departures::Every(every), Going::Leave),
        "crash" => (Departures::Every(every), Going::Crash),
        _ => (Departures::Sessions(session), Going::Crash),
    };
    let churned = churn(
        &mut field,
        Churn {
            come_every: every,
            leave,
            going,
            look_up_every: Duration::from_secs(1) / LOOKUPS_A_SECOND,
            group: 1,
            groups: lookups,
        },
    )?;
    let hops = Sample::new(churned.seen.iter().map(|seen| seen.hops));
    let silent = Sample::new(churned.seen.iter().map(|seen| seen.silent));
    let wrong = churned.seen.iter().filter(|seen| !seen.right).count();
    let as_published = departures == "leave";
    let published = |value: &str| {
        if as_published {
            value.to_owned()
        } else {
            String::new()
        }
    };
    Ok([
        departures.to_owned(),
        format!("{:.2}", f64::from(rate) / 1000.0),
        churned.came.to_string(),
        churned.went.to_string(),
        format!("{:.2}", hops.mean()),
        published(path),
        format!("{:.2}", silent.mean()),
        published(timeouts),
        format!("{wrong} of {}", churned.seen.len()),
        published(failures),
    ])
}

fn draw(data: &Data) -> Vec<Plot> {
    let plot = |title: &str, ours: &str, published: &str| {
        let line = |label: &str, source, departures, y: &str| Line {
            label: label.to_owned(),
            source,
            points: data.points(&[("departures", departures)], "rate", y),
        };
        Plot {
            title: title.to_owned(),
            x: Axis::new("joins, and departures, per second", Scale::Linear),
            y: Axis::new("per lookup", Scale::Linear),
            lines: vec![
                line("leaves", Source::Ours, "leave", ours),
                line("ToN 2003, leaves", Source::Published, "leave", published),
                line("crashes", Source::Ours, "crash", ours),
                line("crashes, Weibull sessions", Source::Ours, "weibull", ours),
            ],
        }
    };
    vec![
        plot("Path length under churn", "path", "published path"),
        plot("Time-outs under churn", "time-outs", "published time-outs"),
    ]
}
