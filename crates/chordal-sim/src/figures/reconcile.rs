//! What two holders say to each other to find out which of their keys differ.

use anyhow::{Result, ensure};

use super::data::Data;
use super::plot::{Axis, Line, Plot, Scale, Source};
use super::sample::count;
use super::{Effort, Figure};
use crate::pair::Pair;

/// The figure.
pub(super) const FIGURE: Figure = Figure {
    name: "reconcile",
    title: "Bytes to reconcile two holders",
    measure,
    draw,
};

/// What two holders of the same may say to find that out, in bytes.
const NOTHING_MAX: u64 = 1024;

fn measure(effort: Effort) -> Result<Data> {
    let (keys, differing): (usize, &[usize]) = if effort.quick {
        (3000, &[0, 1, 100])
    } else {
        let all = &[0, 1, 2, 3, 10, 30, 100, 300, 1000, 3000, 10_000];
        (100_000, all)
    };
    let mut data = Data::new(&[
        "keys",
        "d",
        "messages",
        "bytes",
        "d log2 n",
        "bytes by d log2 n",
        "bytes to name what is wanted",
        "bytes that bring it",
        "d alone",
        "bar for d = 0",
    ]);
    data.set(format!(
        "two nodes of one token each, two arcs, {keys} names on both; of d of them one node has a newer version, as if the other had been away; seed {}",
        effort.seed
    ));
    data.set("messages and bytes: compare_arc, arc_compared, reconcile and reconciled, as encoded, both ways, until each has compared everything with the other and both have the same");
    data.set("the messages that name what is wanted (fetch_records) and bring it (records) are counted apart; d alone: 32 bytes for each difference");
    let mut pair = Pair::holding(keys, effort.seed)?;
    let log = count(keys).log2();
    for (counter, &d) in (2..).zip(differing) {
        pair.differ(d, counter)?;
        let said = pair.reconcile()?;
        ensure!(pair.are_equal()?, "the two still differ");
        let product = count(d) * log;
        let bytes = said.comparing.bytes;
        let (by_product, alone) = if d == 0 {
            (String::new(), String::new())
        } else {
            let bytes = u32::try_from(bytes).map_or(f64::MAX, f64::from);
            (format!("{:.1}", bytes / product), (d * 32).to_string())
        };
        data.push([
            keys.to_string(),
            d.to_string(),
            said.comparing.messages.to_string(),
            bytes.to_string(),
            format!("{product:.0}"),
            by_product,
            said.asking.bytes.to_string(),
            said.bringing.bytes.to_string(),
            alone,
            if d == 0 {
                NOTHING_MAX.to_string()
            } else {
                String::new()
            },
        ]);
    }
    Ok(data)
}

fn draw(data: &Data) -> Vec<Plot> {
    let line = |label: &str, source, y| Line {
        label: label.to_owned(),
        source,
        points: data.points(&[], "d", y),
    };
    vec![
        Plot {
            title: "Bytes to find out what differs".to_owned(),
            x: Axis::new("keys that differ", Scale::Log10),
            y: Axis::new("bytes", Scale::Log10),
            lines: vec![
                line("comparing", Source::Ours, "bytes"),
                line("the differences' names alone", Source::Formula, "d alone"),
            ],
        },
        Plot {
            title: "Bytes by d log2 n".to_owned(),
            x: Axis::new("keys that differ", Scale::Log10),
            y: Axis::new("bytes", Scale::Linear),
            lines: vec![line("comparing", Source::Ours, "bytes by d log2 n")],
        },
    ]
}
