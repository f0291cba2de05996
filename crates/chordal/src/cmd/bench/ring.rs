//! `bench --ring N`: how soon N real processes, started at once, are one right ring by the ring's
//! certificate, and how soon again after some of them are killed at once.

use std::path::Path;
use std::time::{Duration, Instant};

use serde::Serialize;
use tokio::time::sleep;

use super::say;
use crate::bench::Cpu;
use crate::child::ChildNode;
use crate::client::Client;
use crate::cmd::check;
use crate::out::Out;
use crate::trouble::Trouble;

/// How long a ring may take before the measurement gives up.
const PATIENCE: Duration = Duration::from_mins(2);

/// Pause between two looks.
const LOOK: Duration = Duration::from_millis(20);

/// How long the ring at rest is watched for its processor time.
const REST: Duration = Duration::from_secs(5);

/// What was measured.
#[derive(Debug, Serialize)]
struct Report {
    nodes: usize,
    /// From the start of the first process to the ready line of the last, the joins included.
    ready_s: f64,
    /// From the start of the first process to the certificate of all.
    right_s: f64,
    /// Processor time of all nodes until then.
    cpu_s: Option<f64>,
    /// Of a node of the ring at rest, in thousandths of one core.
    rest_cpu_permille: Option<f64>,
    killed: usize,
    /// From the first kill to the certificate of those that are left.
    right_again_s: Option<f64>,
}

pub(super) async fn run(out: Out, home: &Path, nodes: usize, kill: usize) -> Result<(), Trouble> {
    if kill >= nodes {
        return Err(Trouble::usage("at least one node must be left"));
    }
    say(out, &format!("starting {nodes} nodes at once"))?;
    let begun = Instant::now();
    let mut ring = together(home, nodes).await?;
    let ready_s = seconds(begun.elapsed());
    let cpu = Cpu::of(ring.iter().map(ChildNode::pid).collect());
    let right_s = seconds(until_right(&ring[0].client, nodes, begun).await?);
    let at_right = cpu.now().nodes;
    sleep(REST).await;
    let at_rest = cpu.now().nodes;
    let mut report = Report {
        nodes,
        ready_s,
        right_s,
        cpu_s: at_right.map(seconds),
        rest_cpu_permille: at_right.zip(at_rest).map(|(then, now)| {
            let used = now.saturating_sub(then).as_secs_f64() / REST.as_secs_f64();
            round(used * 1000.0 / f64::from(u16::try_from(nodes).unwrap_or(u16::MAX)))
        }),
        killed: kill,
        right_again_s: None,
    };
    if kill > 0 {
        say(out, &format!("killing {kill} of them at once"))?;
        let begun = Instant::now();
        for node in &mut ring[nodes - kill..] {
            node.kill();
        }
        let again = until_right(&ring[0].client, nodes - kill, begun).await?;
        report.right_again_s = Some(seconds(again));
    }
    out.either(&report, |out| tell(out, &report))
}

/// The first node, and as soon as it serves all others at once, which join through it.
async fn together(home: &Path, nodes: usize) -> Result<Vec<ChildNode>, Trouble> {
    let flags = |more: &[&str]| -> Vec<String> {
        let flags = ["--offer", "1GiB"].iter().chain(more);
        flags.map(ToString::to_string).collect()
    };
    let first = ChildNode::start(home, &flags(&[])).await?;
    let contact = first.ring.to_string();
    let join = flags(&["--join", &contact]);
    let others = (1..nodes).map(|_| ChildNode::start(home, &join));
    let mut ring = vec![first];
    ring.extend(futures_util::future::try_join_all(others).await?);
    Ok(ring)
}

/// How long after `begun` the ring of so many nodes is right.
async fn until_right(client: &Client, nodes: usize, begun: Instant) -> Result<Duration, Trouble> {
    loop {
        let found = client.check().await?;
        if check::is_right(&found, Some(nodes)) {
            return Ok(begun.elapsed());
        }
        if begun.elapsed() > PATIENCE {
            let message = format!(
                "the ring is not right after {} s: {} nodes, {:?}",
                PATIENCE.as_secs(),
                found.nodes,
                found.flaws.first().map(|flaw| &flaw.message)
            );
            return Err(Trouble::failed("ring_wrong", message));
        }
        sleep(LOOK).await;
    }
}

fn tell(out: Out, report: &Report) -> Result<(), Trouble> {
    let cpu = |value: Option<f64>, unit: &str| match value {
        Some(value) => format!("{value}{unit}"),
        None => "not known here".to_owned(),
    };
    out.line(format_args!(
        "{} nodes started at once: the last is ready after {} s, the ring is right after {} s",
        report.nodes, report.ready_s, report.right_s
    ))?;
    out.line(format_args!(
        "processor time until then {}, at rest {} a node",
        cpu(report.cpu_s, " s"),
        cpu(report.rest_cpu_permille, " ‰ of a core")
    ))?;
    if let Some(again) = report.right_again_s {
        out.line(format_args!(
            "{} killed at once: the ring of the others is right after {again} s",
            report.killed
        ))?;
    }
    out.ending("Right means what `chordal check` says.")
}

fn seconds(time: Duration) -> f64 {
    (time.as_secs_f64() * 100.0).round() / 100.0
}

fn round(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}
