//! Lookups right after a part of all nodes died at once (Stoica et al. 2003, Table II).

use std::time::Duration;

use anyhow::Result;
use chordal_proto::{Settings, Timing};

use super::data::Data;
use super::field::{Field, Seen, told};
use super::plot::{Axis, Line, Plot, Scale, Source};
use super::sample::{Sample, count};
use super::{Effort, Figure};
use crate::ring_world::RingOptions;

/// The figure.
pub(super) const FIGURE: Figure = Figure {
    name: "failures",
    title: "Lookups after simultaneous failures",
    measure,
    draw,
};

/// Dead of a hundred, path and time-outs as published.
const PUBLISHED: [(usize, &str, &str); 6] = [
    (0, "3.84", "0.0"),
    (10, "4.03", "0.60"),
    (20, "4.22", "1.17"),
    (30, "4.44", "2.02"),
    (40, "4.69", "3.23"),
    (50, "5.09", "5.10"),
];

fn measure(effort: Effort) -> Result<Data> {
    let (nodes, kills, lookups) = if effort.quick {
        (64, 1, 300)
    } else {
        (1000, 4, 2500)
    };
    let mut data = Data::new(&[
        "r",
        "p",
        "right",
        "path",
        "1st to 99th",
        "published path",
        "time-outs",
        "1st to 99th time-outs",
        "published time-outs",
    ]);
    data.set(format!(
        "N = {nodes}, formed by joining; fingers only, one token a node; {lookups} lookups for each row on each of {kills} rings, of which ever more nodes die; seeds {} to {}",
        effort.seed,
        effort.seed + kills - 1
    ));
    data.set("the dead are silent; nobody stabilises, pings or takes a dead entry off its lists afterwards");
    data.set(
        "published: ToN 2003, Table II, N = 1000, r = 20, 10,000 lookups, all of which succeeded",
    );
    for successors in [20, 16] {
        let mut rows: [Vec<Seen>; PUBLISHED.len()] = Default::default();
        for seed in effort.seed..effort.seed + kills {
            let mut field = still_ring(seed, successors, nodes)?;
            let mut dead = 0;
            for ((percent, ..), seen) in PUBLISHED.into_iter().zip(&mut rows) {
                let mut living = field.serving();
                while dead < nodes * percent / 100 {
                    let place = field.dice.below(living.len());
                    field.silence(living.swap_remove(place));
                    dead += 1;
                }
                seen.extend(field.look_up_at_random(lookups)?);
            }
        }
        let wanted = lookups * usize::try_from(kills).unwrap_or(1);
        for ((percent, path, timeouts), seen) in PUBLISHED.into_iter().zip(&rows) {
            let right = seen.iter().filter(|seen| seen.right).count();
            let hops = Sample::new(seen.iter().map(|seen| seen.hops));
            let silent = Sample::new(seen.iter().map(|seen| seen.silent));
            data.push([
                successors.to_string(),
                format!("{:.1}", count(percent) / 100.0),
                format!("{right} of {wanted}"),
                format!("{:.2}", hops.mean()),
                hops.range(),
                path.to_owned(),
                format!("{:.2}", silent.mean()),
                silent.range(),
                timeouts.to_owned(),
            ]);
        }
    }
    Ok(data)
}

/// A ring whose nodes do nothing of themselves any more.
fn still_ring(seed: u64, successors: u8, nodes: usize) -> Result<Field> {
    let options = RingOptions {
        seed,
        table_nodes: 0,
        settings: Settings {
            successors,
            ..Settings::default()
        },
        ..RingOptions::default()
    };
    let mut field = Field::formed(options, nodes)?;
    // What is set to happen soon still does; after that the nodes do nothing of themselves.
    let never = Duration::from_hours(1000);
    field.world.set_timing(&Timing {
        stabilise_min: never,
        stabilise_max: never,
        ping: never,
        suspect_after: never,
        gossip: never,
        reconcile: never,
        operation: never,
        ..Timing::default()
    });
    told(field.world.run_for(Duration::from_mins(20)))?;
    Ok(field)
}

fn draw(data: &Data) -> Vec<Plot> {
    let plot = |title: &str, ours: &str, published: &str| {
        let line = |label: &str, source, r, y: &str| Line {
            label: label.to_owned(),
            source,
            points: data.points(&[("r", r)], "p", y),
        };
        Plot {
            title: title.to_owned(),
            x: Axis::new("part of the nodes that died at once", Scale::Linear),
            y: Axis::new("per lookup", Scale::Linear),
            lines: vec![
                line("r = 20", Source::Ours, "20", ours),
                line("ToN 2003, r = 20", Source::Published, "20", published),
                line("r = 16", Source::Ours, "16", ours),
            ],
        }
    };
    vec![
        plot("Path length after failures", "path", "published path"),
        plot(
            "Time-outs after failures",
            "time-outs",
            "published time-outs",
        ),
    ]
}
