//! Ten lookups of one key at once from different nodes: do they agree (Rhea et al., *Handling
//! churn in a DHT*, USENIX 2004)?

use std::collections::BTreeMap;
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
    name: "agreement",
    title: "Ten lookups at once agree",
    measure,
    draw,
};

fn measure(effort: Effort) -> Result<Data> {
    let (nodes, groups) = if effort.quick { (64, 40) } else { (1000, 2000) };
    let mut data = Data::new(&[
        "median session in min",
        "came",
        "went",
        "groups",
        "agreed %",
        "published %",
        "path",
        "time-outs",
    ]);
    data.set(format!(
        "N = {nodes}, formed by joining; r = 16, fingers only, one token a node; {groups} groups of ten lookups of one key from random nodes, Poisson, two groups a second; one-way delay exponential with mean 50 ms; product timing; seed {}",
        effort.seed
    ));
    data.set("exponential sessions; joins make up for departures; half of the departures give notice; agreed: all ten named the same owner");
    data.set("published: Bamboo, 1,000 nodes on ModelNet, at least 99.9 % of lookups consistent at a median session of 47 minutes");
    for minutes in [15, 47, 174] {
        if effort.quick && minutes != 47 {
            continue;
        }
        data.push(row(effort, nodes, groups, minutes)?);
    }
    Ok(data)
}

fn row(effort: Effort, nodes: usize, groups: usize, minutes: u64) -> Result<[String; 8]> {
    let fifty = Duration::from_millis(50);
    let options = RingOptions {
        seed: effort.seed,
        table_nodes: 0,
        weather: Weather {
            latency: Spread::Exponential(fifty),
            ..Weather::fair(fifty)
        },
        ..RingOptions::default()
    };
    let mut field = Field::formed(options, nodes)?;
    // The mean of an exponential whose median is one.
    let session = Duration::from_secs(minutes * 60).mul_f64(std::f64::consts::LOG2_E);
    let every = session / u32::try_from(nodes).unwrap_or(u32::MAX);
    let churned = churn(
        &mut field,
        Churn {
            come_every: every,
            leave: Departures::Every(every),
            going: Going::Both,
            look_up_every: Duration::from_millis(500),
            group: 10,
            groups,
        },
    )?;
    let mut named: BTreeMap<u64, Vec<_>> = BTreeMap::new();
    for seen in &churned.seen {
        named.entry(seen.group).or_default().push(seen.owner);
    }
    let all = named.len();
    let agreed = named
        .values()
        .filter(|owners| {
            owners
                .iter()
                .all(|owner| owner.is_some() && *owner == owners[0])
        })
        .count();
    let hops = Sample::new(churned.seen.iter().map(|seen| seen.hops));
    let silent = Sample::new(churned.seen.iter().map(|seen| seen.silent));
    Ok([
        minutes.to_string(),
        churned.came.to_string(),
        churned.went.to_string(),
        all.to_string(),
        format!("{:.2}", 100.0 * count(agreed) / count(all).max(1.0)),
        if minutes == 47 { "99.9" } else { "" }.to_owned(),
        format!("{:.2}", hops.mean()),
        format!("{:.2}", silent.mean()),
    ])
}

fn draw(data: &Data) -> Vec<Plot> {
    let line = |label: &str, source, y: &str| Line {
        label: label.to_owned(),
        source,
        points: data.points(&[], "median session in min", y),
    };
    vec![Plot {
        title: "Groups of ten lookups that agree".to_owned(),
        x: Axis::new("median session in minutes", Scale::Log2),
        y: Axis::new("percent", Scale::Linear),
        lines: vec![
            line("measured", Source::Ours, "agreed %"),
            line("Bamboo 2004", Source::Published, "published %"),
        ],
    }]
}
