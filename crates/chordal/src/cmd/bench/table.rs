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
        "{:20} {:>8} {:>7} {:>8} {:>8} {:>10}  {}",
        "", "op/s", "MB/s", "p50 ms", "p99 ms", "cpu s/GiB", "of the limit"
    )))?;
    for figure in &report.figures {
        out.line(row(figure, report))?;
    }
    out.line("")?;
    out.line(format_args!(
        "limits here, same run: durable write {:.0} MB/s (1 MiB files, each synced,",
        limits.durable_write_mb_s
    ))?;
    out.line(format_args!(
        "16 writers), loopback TCP {:.0} MB/s (plain: what TLS costs is in the figures),",
        limits.loopback_tcp_mb_s
    ))?;
    out.line(format_args!(
        "BLAKE3 {:.0} MB/s (one thread)",
        limits.blake3_mb_s
    ))?;
    if let Some(ready) = report.ready_ms {
        let joins: Vec<String> = report.join_ms.iter().map(|ms| format!("{ms:.0}")).collect();
        out.line(format_args!(
            "a node is ready after {ready:.0} ms, and when it joins after {} ms",
            joins.join(", ")
        ))?;
    }
    out.ending(
        "cpu: nodes and this program together. Put is held against the disk divided by the copies.",
    )
}

fn row(figure: &Figure, report: &Report) -> String {
    let (limit, what) = limit(figure, report);
    format!(
        "{:20} {:>8} {:>7.0} {:>8} {:>8} {:>10}  {:.2} of {what}",
        figure.work,
        number(figure.operations_per_s),
        figure.mb_per_s,
        number(figure.p50_ms),
        number(figure.p99_ms),
        cpu_per_gib(figure).map_or_else(|| "?".to_owned(), |cpu| format!("{cpu:.1}")),
        figure.mb_per_s / limit
    )
}

/// What the figure is held against: every copy goes to this machine's one disk.
fn limit(figure: &Figure, report: &Report) -> (f64, &'static str) {
    if figure.work.starts_with("put") {
        let disk = report.limits.durable_write_mb_s / f64::from(report.copies.max(1));
        (disk, "disk/copies")
    } else {
        (report.limits.loopback_tcp_mb_s, "loopback")
    }
}

#[expect(clippy::cast_precision_loss, reason = "a figure for people")]
fn cpu_per_gib(figure: &Figure) -> Option<f64> {
    let seconds = figure.nodes_cpu_s? + figure.client_cpu_s?;
    Some(seconds * f64::from(1 << 30) / figure.bytes as f64)
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
