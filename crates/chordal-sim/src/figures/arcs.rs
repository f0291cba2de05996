//! How even arcs are where nodes choose their places, at every size of a ring.
//!
//! Computed by the production code that tells joiners their places; nothing is sent.

use anyhow::{Context as _, Result};

use super::data::Data;
use super::plot::{Axis, Line, Plot, Scale, Source};
use super::{Effort, Figure};
use crate::balance::{Arrival, Balance, Offers, growing, grown};

/// The figure.
pub(super) const FIGURE: Figure = Figure {
    name: "arcs",
    title: "Even arcs",
    measure,
    draw,
};

/// Sizes at which a ring that grows is looked at; every other size counts for the next one.
const SIZES: [usize; 12] = [3, 4, 5, 6, 8, 10, 16, 24, 32, 50, 75, 100];

fn measure(effort: Effort) -> Result<Data> {
    let (seeds, sizes, large): (u64, &[usize], usize) = if effort.quick {
        (1, &SIZES[..7], 100)
    } else {
        (10, &SIZES, 10_000)
    };
    let mut data = Data::new(&[
        "offers",
        "N",
        "most over share",
        "99th over share",
        "least over share",
        "most copies over share",
        "bar",
    ]);
    data.set(format!(
        "keys owned over a node's share by its offer; 8 tokens beside equals, chosen among 256 salts each; nodes join one after the other; the worst of {seeds} seeds from {} and of all sizes since the row before; {large} nodes: one seed",
        effort.seed
    ));
    data.set("1 to 10: offers evenly spread between one and ten times the least");
    for (name, offers, bar) in [
        ("equal", Offers::Equal, "most 1.25"),
        ("1 to 10", Offers::OneToTen, "0.85 to 1.15"),
    ] {
        let most = *sizes.last().context("there are sizes")?;
        let rings: Vec<Balance> = (effort.seed..effort.seed + seeds)
            .flat_map(|seed| growing(seed, most, offers))
            .collect();
        let mut above = 0;
        for &size in sizes {
            let since = rings
                .iter()
                .filter(|ring| (above + 1..=size).contains(&ring.nodes));
            data.push(row(name, size, since, bar));
            above = size;
        }
    }
    let ring = grown(effort.seed, large, Offers::Equal, Arrival::InTurn);
    data.push(row("equal", large, std::iter::once(&ring), "99th 1.5"));
    Ok(data)
}

fn row<'a>(
    offers: &str,
    size: usize,
    rings: impl Iterator<Item = &'a Balance> + Clone,
    bar: &str,
) -> [String; 7] {
    let most = |of: fn(&Balance) -> f64| rings.clone().map(of).fold(0.0, f64::max);
    let least = rings.clone().map(|ring| ring.owned_least);
    [
        offers.to_owned(),
        size.to_string(),
        format!("{:.3}", most(|ring| ring.owned_most)),
        format!("{:.3}", most(|ring| ring.owned_p99)),
        format!("{:.3}", least.fold(f64::MAX, f64::min)),
        format!("{:.3}", most(|ring| ring.held_most)),
        bar.to_owned(),
    ]
}

fn draw(data: &Data) -> Vec<Plot> {
    let line = |label: &str, offers, y: &str| Line {
        label: label.to_owned(),
        source: Source::Ours,
        points: data.points(&[("offers", offers)], "N", y),
    };
    vec![Plot {
        title: "Keys owned over a node's share".to_owned(),
        x: Axis::new("nodes", Scale::Log2),
        y: Axis::new("keys over the share", Scale::Linear),
        lines: vec![
            line("most, equal offers", "equal", "most over share"),
            line("least, equal offers", "equal", "least over share"),
            line("most, offers 1 to 10", "1 to 10", "most over share"),
            line("least, offers 1 to 10", "1 to 10", "least over share"),
        ],
    }]
}
