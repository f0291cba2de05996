//! The measurements as a table of 80 columns.

use super::Report;
use crate::bench::Figure;
use crate::out::{Out, size};
use crate::trouble::Trouble;

/// Prints everything.
pub(super) fn print(out: Out, report: &Report) -> Result<(), Trouble> {
    let (paint, sizes, limits) = (out.paint(), report.sizes, report.limits);
    out.line("")?;
    out.line(format_args!(
        "big {} × {}, small {} × {}, {} at once, {} copies of everything",
        size(sizes.big_bytes),
        sizes.rounds,
        size(sizes.small_bytes),
        sizes.count,
        sizes.in_flight,
        report.copies
    ))?;
    out.line("")?;
    out.line(paint.bold(format_args!(
        "{:19} {:>7} {:>6} {:>8} {:>8} {:>11}  of the limit",
        "", "op/s", "MB/s", "p50 ms", "p99 ms", "cpu"
    )))?;
    for figure in &report.figures {
        out.line(row(figure, report))?;
    }
    out.line("")?;
    out.line("limits of this machine, in the same run:")?;
    out.line(format_args!(
        "  durable writes  {:>6.0} MB/s (1 MiB files, synced); {:>7.0} small files a second",
        limits.durable_write_mb_s, limits.durable_small_per_s
    ))?;
    out.line(format_args!(
        "  loopback TCP    {:>6.0} MB/s (no encryption);       {:>7.0} small answers a second",
        limits.loopback_tcp_mb_s, limits.loopback_small_per_s
    ))?;
    out.line(format_args!(
        "  BLAKE3          {:>6.0} MB/s (one thread)",
        limits.blake3_mb_s
    ))?;
    if let Some(ready) = report.ready_ms {
        let joins: Vec<String> = report.join_ms.iter().map(|ms| format!("{ms:.0}")).collect();
        out.line(format_args!(
            "a node is ready after {ready:.0} ms; a node that joins, after {} ms",
            joins.join(", ")
        ))?;
    }
    out.ending(
        "cpu: all nodes and this program. Every copy of a put goes to this machine's one disk.",
    )
}

fn row(figure: &Figure, report: &Report) -> String {
    let (part, what) = of_limit(figure, report);
    format!(
        "{:19} {:>7} {:>6.0} {:>8} {:>8} {:>11}  {part:.2} {what}",
        figure.work,
        number(figure.operations_per_s),
        figure.mb_per_s,
        number(figure.p50_ms),
        number(figure.p99_ms),
        cpu(figure).unwrap_or_else(|| "?".to_owned()),
    )
}

/// Which part of what is possible here a figure is, and of what.
fn of_limit(figure: &Figure, report: &Report) -> (f64, String) {
    let limits = report.limits;
    let copies = report.copies.max(1);
    let small = figure.work.contains("small");
    if figure.work.starts_with("put") {
        let part = if small {
            figure.operations_per_s / limits.durable_small_per_s
        } else {
            figure.mb_per_s / limits.durable_write_mb_s
        };
        (part * f64::from(copies), format!("of disk/{copies}"))
    } else if small {
        let part = figure.operations_per_s / limits.loopback_small_per_s;
        (part, "of loopback".to_owned())
    } else {
        let part = figure.mb_per_s / limits.loopback_tcp_mb_s;
        (part, "of loopback".to_owned())
    }
}

/// Processor time for a GiB of big files, for one operation of small ones.
#[expect(clippy::cast_precision_loss, reason = "a figure for people")]
fn cpu(figure: &Figure) -> Option<String> {
    let seconds = figure.nodes_cpu_s? + figure.client_cpu_s?;
    Some(if figure.work.contains("small") {
        format!("{:.2} ms/op", seconds * 1e3 / figure.operations as f64)
    } else {
        let per_gib = seconds * f64::from(1 << 30) / figure.bytes as f64;
        format!("{per_gib:.1} s/GiB")
    })
}

/// Three digits are enough.
fn number(value: f64) -> String {
    if value >= 100.0 {
        format!("{value:.0}")
    } else if value >= 10.0 {
        format!("{value:.1}")
    } else {
        format!("{value:.2}")
    }
}
