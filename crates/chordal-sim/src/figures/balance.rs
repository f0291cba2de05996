//! Keys per node against tokens per node (Stoica et al. 2003, Fig. 8 and 9).
//!
//! Random tokens are computed, not simulated: where a token lies depends on nothing but its node.

use anyhow::Result;

use super::data::Data;
use super::plot::{Axis, Line, Plot, Scale, Source};
use super::sample::count;
use super::{Effort, Figure};
use crate::dice::Dice;

/// The figure.
pub(super) const FIGURE: Figure = Figure {
    name: "balance",
    title: "Keys per node against tokens",
    measure,
    draw,
};

fn measure(effort: Effort) -> Result<Data> {
    let (nodes, keys, seeds) = if effort.quick {
        (500, 20_000, 1)
    } else {
        (10_000, 1_000_000, 5)
    };
    let mut data = Data::new(&[
        "tokens",
        "v",
        "most over mean",
        "99th over mean",
        "1st over mean",
        "published 99th over mean",
        "published 1st over mean",
    ]);
    data.set(format!(
        "{nodes} nodes, {keys} keys, mean of {seeds} seeds from {}; random: any position; each key counts for its owner",
        effort.seed
    ));
    data.set("published: ToN 2003, Fig. 9: with 1 token the 99th percentile is 4.8 times the mean and the 1st 0, with 20 tokens 1.6 and 0.5; Fig. 8, other keys: the most loaded node has 9.1 times the mean");
    for tokens in [1, 2, 5, 8, 10, 20] {
        let mut totals = [0.0; 3];
        for seed in effort.seed..effort.seed + seeds {
            let loads = random_loads(seed, nodes, tokens, keys);
            for (total, load) in totals.iter_mut().zip(spread(&loads, keys)) {
                *total += load;
            }
        }
        let seeds = count(usize::try_from(seeds)?);
        let [most, high, low] = totals.map(|total| format!("{:.2}", total / seeds));
        let (published_high, published_low) = match tokens {
            1 => ("4.8", "0"),
            20 => ("1.6", "0.5"),
            _ => ("", ""),
        };
        data.push([
            "random".to_owned(),
            tokens.to_string(),
            most,
            high,
            low,
            published_high.to_owned(),
            published_low.to_owned(),
        ]);
    }
    Ok(data)
}

/// How many keys each node owns when every node has so many tokens anywhere.
fn random_loads(seed: u64, nodes: usize, tokens: usize, keys: usize) -> Vec<u32> {
    let mut dice = Dice::new(seed, "balance");
    let mut ring: Vec<(u64, usize)> = (0..nodes * tokens)
        .map(|token| (dice.number(), token % nodes))
        .collect();
    ring.sort_unstable();
    let mut loads = vec![0_u32; nodes];
    for _ in 0..keys {
        let key = dice.number();
        let place = ring.partition_point(|&(token, _)| token < key);
        loads[ring[place % ring.len()].1] += 1;
    }
    loads
}

/// The greatest load, the 99th and the 1st percentile, each over the mean.
fn spread(loads: &[u32], keys: usize) -> [f64; 3] {
    let mut sorted = loads.to_vec();
    sorted.sort_unstable();
    let mean = count(keys) / count(loads.len());
    let at =
        |percent: usize| f64::from(sorted[(sorted.len() * percent / 100).min(sorted.len() - 1)]);
    [at(100) / mean, at(99) / mean, at(1) / mean]
}

fn draw(data: &Data) -> Vec<Plot> {
    let line = |label: &str, source, y: &str| Line {
        label: label.to_owned(),
        source,
        points: data.points(&[("tokens", "random")], "v", y),
    };
    vec![Plot {
        title: "Keys per node over the mean".to_owned(),
        x: Axis::new("tokens a node", Scale::Linear),
        y: Axis::new("keys over the mean", Scale::Linear),
        lines: vec![
            line("most, random tokens", Source::Ours, "most over mean"),
            line("99th percentile", Source::Ours, "99th over mean"),
            line("1st percentile", Source::Ours, "1st over mean"),
            line(
                "99th, ToN 2003",
                Source::Published,
                "published 99th over mean",
            ),
            line(
                "1st, ToN 2003",
                Source::Published,
                "published 1st over mean",
            ),
        ],
    }]
}
