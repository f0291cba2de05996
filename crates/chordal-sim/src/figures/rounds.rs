//! Rounds of stabilisation until the ring is ideal, after nodes came and went at once (Zave; the
//! phases of `verdi-chord`).

use std::collections::BTreeSet;
use std::time::Duration;

use anyhow::{Result, bail};
use chordal_object::Key;
use chordal_proto::{Settings, Time, Timing};

use super::data::Data;
use super::field::{Field, told};
use super::plot::{Axis, Line, Plot, Scale, Source};
use super::{Effort, Figure};
use crate::ring_world::{RingOptions, Stop};

/// The figure.
pub(super) const FIGURE: Figure = Figure {
    name: "rounds",
    title: "Rounds to an ideal ring",
    measure,
    draw,
};

/// The mean time from one stabilisation of a token to the next. A round of all takes up to one
/// and a half of it.
const PACE: Duration = Duration::from_secs(10);

fn measure(effort: Effort) -> Result<Data> {
    let (nodes, lists): (usize, &[u8]) = if effort.quick {
        (40, &[4])
    } else {
        (200, &[2, 4, 8, 16])
    };
    let mut data = Data::new(&[
        "r",
        "seed",
        "neighbours right after",
        "lists right after another",
        "bound (r - 1)",
        "product timing",
    ]);
    data.set(format!(
        "N = {nodes}, formed by joining, fingers only, one token a node; then a tenth of the nodes crash and as many join, all at once (with r = 2 a fortieth: more would cut the ring); time counts from when the last has joined"
    ));
    data.set(format!(
        "a round: {} s, in which each token stabilises at least once; neighbours: every first successor and predecessor; the rule of verdi-chord: from then on at most r - 1 rounds",
        ROUND.as_secs()
    ));
    data.set("product timing: seconds until all of it is right with 1 to 16 s between stabilisations, the same event and seed");
    for &successors in lists {
        for seed in effort.seed..effort.seed + 2 {
            let fixed = Timing {
                stabilise_min: PACE,
                stabilise_max: PACE,
                ..Timing::default()
            };
            let (neighbours, lists) = settle(seed, successors, nodes, fixed)?;
            let product = settle(seed, successors, nodes, Timing::default())?;
            let rounds = |time: Duration| time.as_secs_f64() / ROUND.as_secs_f64();
            data.push([
                successors.to_string(),
                seed.to_string(),
                format!("{:.1}", rounds(neighbours)),
                format!("{:.1}", rounds(lists)),
                (successors - 1).to_string(),
                format!("{:.1} s", (product.0 + product.1).as_secs_f64()),
            ]);
        }
    }
    Ok(data)
}

const ROUND: Duration = Duration::from_secs(15);

/// How long until the neighbours are right, and how much longer until the lists are.
fn settle(seed: u64, successors: u8, nodes: usize, timing: Timing) -> Result<(Duration, Duration)> {
    let options = RingOptions {
        seed,
        table_nodes: 0,
        timing,
        settings: Settings {
            successors,
            ..Settings::default()
        },
        ..RingOptions::default()
    };
    let mut field = Field::formed(options, nodes)?;
    let part = if successors > 2 { 10 } else { 40 };
    let mut serving = field.serving();
    for _ in 0..nodes / part {
        let place = field.dice.below(serving.len());
        field.world.crash(serving.swap_remove(place), Stop::Machine);
    }
    let mut newcomers = Vec::new();
    for _ in 0..nodes / part {
        let number = field.world.add_machine();
        told(field.world.join(number))?;
        newcomers.push(number);
    }
    let patience = field.world.now() + Duration::from_hours(2);
    let all_in = |field: &Field| {
        newcomers
            .iter()
            .all(|&number| field.world.machines()[number].serves())
    };
    wait(&mut field, patience, all_in)?;
    let began = field.world.now();
    wait(&mut field, patience, neighbours_are_right)?;
    let neighbours = field.world.now();
    wait(&mut field, patience, |field| {
        field.world.not_ideal().is_none()
    })?;
    let lists = field.world.now();
    Ok((neighbours.since(began), lists.since(neighbours)))
}

fn wait(field: &mut Field, until: Time, done: impl Fn(&Field) -> bool) -> Result<()> {
    while !done(field) {
        if field.world.now() > until {
            bail!("the ring does not come to rest");
        }
        told(field.world.run_for(Duration::from_millis(200)))?;
    }
    Ok(())
}

/// Whether every first successor and every predecessor is the nearest live token.
fn neighbours_are_right(field: &Field) -> bool {
    let views = field.world.views();
    let keys: BTreeSet<Key> = views.iter().map(|view| view.token.key).collect();
    let next = |key: Key| {
        keys.range(key..)
            .find(|&&k| k != key)
            .or_else(|| keys.first())
    };
    let mut right = views.iter();
    right.all(|view| {
        let successor = next(view.token.key);
        view.successors.first().map(|token| &token.key) == successor
            && next(view.predecessor.key) == Some(&view.token.key)
            && keys.contains(&view.predecessor.key)
    })
}

fn draw(data: &Data) -> Vec<Plot> {
    let line = |label: &str, source, y: &str| Line {
        label: label.to_owned(),
        source,
        points: data.points(&[], "r", y),
    };
    vec![Plot {
        title: "Rounds from right neighbours to right lists".to_owned(),
        x: Axis::new("r", Scale::Linear),
        y: Axis::new("rounds", Scale::Linear),
        lines: vec![
            line("lists", Source::Ours, "lists right after another"),
            line("neighbours", Source::Ours, "neighbours right after"),
            line("at most (r - 1)", Source::Formula, "bound (r - 1)"),
        ],
    }]
}
