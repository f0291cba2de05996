//! How long two rings take to become one after a partition healed: of two halves, and of one node
//! cut off from all others.

use std::time::Duration;

use anyhow::Result;
use chordal_proto::limits::TABLE_MAX;

use super::data::Data;
use super::field::{Field, told};
use super::plot::{Axis, Line, Plot, Scale, Source};
use super::{Effort, Figure};
use crate::ring_world::RingOptions;

/// The figure.
pub(super) const FIGURE: Figure = Figure {
    name: "merge",
    title: "Merging after a partition",
    measure,
    draw,
};

fn measure(effort: Effort) -> Result<Data> {
    let (sizes, seeds): (&[usize], u64) = if effort.quick {
        (&[16], 1)
    } else {
        (&[16, 64], 3)
    };
    let mut data = Data::new(&[
        "pointers",
        "N",
        "parted",
        "for",
        "rings seeds",
        "mean seconds",
        "most seconds",
        "published",
    ]);
    data.set(format!(
        "r = 16, one token a node, product timing, delay 10 ms; both sides keep running while they are parted; seconds from the healing until every pointer of one ring of all nodes is right; seeds from {}",
        effort.seed
    ));
    data.set("published: Chord does not merge; Scalaris asks one vanished node every 10 s; Ringpop about 30 s until one attempt");
    for (pointers, table_nodes) in [("table", TABLE_MAX), ("fingers", 0)] {
        for &nodes in sizes {
            for (parted, away) in [("half", nodes / 2), ("one", 1)] {
                for minutes in [1, 12] {
                    let mut took = Vec::new();
                    for seed in effort.seed..effort.seed + seeds {
                        let time = Duration::from_mins(minutes);
                        took.push(merge(seed, table_nodes, nodes, away, time)?.as_secs_f64());
                    }
                    let mean = took.iter().sum::<f64>() / f64::from(u32::try_from(took.len())?);
                    let most = took.iter().copied().fold(0.0, f64::max);
                    data.push([
                        pointers.to_owned(),
                        nodes.to_string(),
                        parted.to_owned(),
                        format!("{minutes} min"),
                        seeds.to_string(),
                        format!("{mean:.1}"),
                        format!("{most:.1}"),
                        "never; ping 10; about 30".to_owned(),
                    ]);
                }
            }
        }
    }
    Ok(data)
}

fn merge(
    seed: u64,
    table_nodes: usize,
    nodes: usize,
    away: usize,
    time: Duration,
) -> Result<Duration> {
    let options = RingOptions {
        seed,
        table_nodes,
        ..RingOptions::default()
    };
    let mut field = Field::formed(options, nodes)?;
    let (one, other): (Vec<usize>, Vec<usize>) = (0..nodes).partition(|&number| number < away);
    field.world.part(&one, &other);
    told(field.world.run_for(time))?;
    field.world.mend();
    told(field.world.await_ideal(Duration::from_mins(20)))
}

fn draw(data: &Data) -> Vec<Plot> {
    let line = |label: &str, pointers: &str, parted: &str| Line {
        label: label.to_owned(),
        source: Source::Ours,
        points: data.points(
            &[("pointers", pointers), ("parted", parted), ("for", "1 min")],
            "N",
            "mean seconds",
        ),
    };
    vec![Plot {
        title: "Seconds to one ring after a minute of partition".to_owned(),
        x: Axis::new("nodes", Scale::Log2),
        y: Axis::new("seconds", Scale::Linear),
        lines: vec![
            line("table, halves", "table", "half"),
            line("table, one node", "table", "one"),
            line("fingers, halves", "fingers", "half"),
            line("fingers, one node", "fingers", "one"),
        ],
    }]
}
