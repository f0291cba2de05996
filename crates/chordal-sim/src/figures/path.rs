//! Path length against the number of nodes, with fingers only and with the node table
//! (Stoica et al. 2003, Fig. 10 and section IV-E.3).

use anyhow::Result;
use chordal_proto::Settings;
use chordal_proto::limits::TABLE_MAX;

use super::data::Data;
use super::field::Field;
use super::plot::{Axis, Line, Plot, Scale, Source};
use super::sample::{Sample, count};
use super::{Effort, Figure};
use crate::ring_world::RingOptions;

/// The figure.
pub(super) const FIGURE: Figure = Figure {
    name: "path",
    title: "Path length",
    measure,
    draw,
};

fn measure(effort: Effort) -> Result<Data> {
    let (fingers, tables, lookups) = if effort.quick {
        (3..=6, 3..=5, 400)
    } else {
        (3..=12, 3..=8, 20_000)
    };
    let successors = Settings::default().successors;
    let mut data = Data::new(&[
        "pointers",
        "N",
        "mean path",
        "1st to 99th",
        "formula",
        "against formula",
        "right",
    ]);
    data.set(format!(
        "r = {successors}; one token a node; {lookups} lookups of random keys from random nodes for each N; seed {}; every ring formed by joining",
        effort.seed
    ));
    data.set("counted: other nodes that answered, the owner included (a key of one's own is 0)");
    data.set("formula: 1/2 log2 N - 1/2 log2 r + 1");
    for (pointers, table_nodes, exponents) in
        [("fingers", 0, fingers), ("table", TABLE_MAX, tables)]
    {
        for exponent in exponents {
            let nodes = 1_usize << exponent;
            let options = RingOptions {
                seed: effort.seed,
                table_nodes,
                ..RingOptions::default()
            };
            let mut field = Field::formed(options, nodes)?;
            let seen = field.look_up_at_random(lookups)?;
            let hops = Sample::new(seen.iter().map(|seen| seen.hops));
            let right = seen.iter().filter(|seen| seen.right).count();
            let formula = formula(nodes, f64::from(successors));
            let (formula, against) = if table_nodes == 0 {
                let against = 100.0 * (hops.mean() / formula - 1.0);
                (format!("{formula:.2}"), format!("{against:+.1} %"))
            } else {
                (String::new(), String::new())
            };
            data.push([
                pointers.to_owned(),
                nodes.to_string(),
                format!("{:.3}", hops.mean()),
                hops.range(),
                formula,
                against,
                format!("{right} of {lookups}"),
            ]);
        }
    }
    Ok(data)
}

/// The mean path that the paper predicts.
fn formula(nodes: usize, successors: f64) -> f64 {
    (count(nodes).log2() - successors.log2()) / 2.0 + 1.0
}

fn draw(data: &Data) -> Vec<Plot> {
    let line = |label: &str, source, pointers, y| Line {
        label: label.to_owned(),
        source,
        points: data.points(&[("pointers", pointers)], "N", y),
    };
    vec![Plot {
        title: "Mean path length".to_owned(),
        x: Axis::new("nodes", Scale::Log2),
        y: Axis::new("hops", Scale::Linear),
        lines: vec![
            line("fingers only", Source::Ours, "fingers", "mean path"),
            line("formula (ToN 2003)", Source::Formula, "fingers", "formula"),
            line("node table", Source::Ours, "table", "mean path"),
        ],
    }]
}
