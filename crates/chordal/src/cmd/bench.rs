//! `bench`: the figures of a release, for anyone to repeat.
//!
//! Three nodes that hold copies, and a fourth that holds none and only reads and writes, run as
//! processes of this executable in a temporary folder; or with `--node` a running node is asked.

use std::path::Path;
use std::time::Duration;

use serde::Serialize;

use super::Context;
use crate::bench::{
    Cpu, Figure, Limits, Sizes, Small, big_get, big_put, measure, small_get, small_put,
};
use crate::child::ChildNode;
use crate::cli::BenchArgs;
use crate::client::Client;
use crate::find;
use crate::names::Prefix;
use crate::out::{Out, size};
use crate::trouble::Trouble;

mod ring;
mod table;

/// Nodes that hold copies.
const HOLDERS: usize = 3;

/// Where the files go.
const FOLDER: &str = "bench";

/// Everything that is measured.
#[derive(Debug, Serialize)]
struct Report {
    /// Copies of everything that the ring keeps.
    copies: u32,
    sizes: Sizes,
    /// What the machine can do at best.
    limits: Limits,
    /// From the start of a process to its ready line, for a node alone.
    ready_ms: Option<f64>,
    /// The same for nodes that join, the join included.
    join_ms: Vec<f64>,
    figures: Vec<Figure>,
}

pub(super) async fn run(context: Context, args: BenchArgs) -> Result<(), Trouble> {
    let mut signals = super::node::signals()?;
    let mut home = tempfile::Builder::new();
    home.prefix("chordal-bench-");
    let home = match &args.dir {
        Some(dir) => home.tempdir_in(dir),
        None => home.tempdir(),
    }
    .map_err(|error| Trouble::failed("io", format!("no temporary folder: {error}")))?;
    let measuring = Box::pin(async {
        if let Some(nodes) = args.ring {
            return ring::run(context.out, home.path(), nodes.into(), args.kill.into()).await;
        }
        let report = measure_all(&context, &args, home.path()).await?;
        context
            .out
            .either(&report, |out| table::print(out, &report))
    });
    tokio::select! {
        measured = measuring => measured,
        () = signals.next() => Err(Trouble::failed("interrupted", "the measurement was stopped")
            .still("Its nodes were ended and their data removed.")),
    }
}

fn sizes(args: &BenchArgs) -> Sizes {
    let (big, rounds, count) = if args.quick {
        (64 << 20, 1, 500)
    } else {
        (1 << 30, 2, 20_000)
    };
    Sizes {
        big_bytes: args.big.unwrap_or(big).max(1),
        rounds: args.rounds.unwrap_or(rounds),
        small_bytes: args.small.unwrap_or(4096),
        count: args.count.unwrap_or(count).max(1),
        in_flight: args.in_flight,
    }
}

async fn measure_all(context: &Context, args: &BenchArgs, home: &Path) -> Result<Report, Trouble> {
    let sizes = sizes(args);
    let time = Duration::from_millis(if args.quick { 400 } else { 3000 });
    let out = context.out;
    say(out, "measuring the machine's own limits")?;
    let folder = home.to_path_buf();
    let small = Small {
        bytes: sizes.small_bytes,
        in_flight: sizes.in_flight,
    };
    let limits = tokio::task::spawn_blocking(move || measure(&folder, time, small))
        .await
        .map_err(|error| Trouble::failed("failed", error.to_string()))??;
    if context.common.node.is_some() {
        let node = find::running(&context.common)?;
        let client = context.client()?;
        let cpu = Cpu::of(node.map(|node| node.pid).into_iter().collect());
        let figures = load(out, &client, None, sizes, &cpu).await;
        clean(&client).await?;
        return Ok(Report {
            copies: copies(&client).await?,
            sizes,
            limits,
            ready_ms: None,
            join_ms: Vec::new(),
            figures: figures?,
        });
    }
    say(out, "starting three nodes, and one that holds nothing")?;
    let nodes = start(home).await?;
    let cpu = Cpu::of(nodes.iter().map(ChildNode::pid).collect());
    let figures = load(out, &nodes[0].client, nodes.last(), sizes, &cpu).await?;
    let milliseconds = |node: &ChildNode| (node.ready_after.as_secs_f64() * 1e4).round() / 10.0;
    Ok(Report {
        copies: copies(&nodes[0].client).await?,
        sizes,
        limits,
        ready_ms: nodes.first().map(milliseconds),
        join_ms: nodes.iter().skip(1).map(milliseconds).collect(),
        figures,
    })
}

async fn start(home: &Path) -> Result<Vec<ChildNode>, Trouble> {
    let mut nodes: Vec<ChildNode> = Vec::new();
    for index in 0..=HOLDERS {
        let mut flags = Vec::new();
        if let Some(first) = nodes.first() {
            flags.extend(["--join".to_owned(), first.ring.to_string()]);
        }
        if index == HOLDERS {
            flags.extend(["--offer", "0"].map(String::from));
        }
        nodes.push(ChildNode::start(home, &flags).await?);
    }
    Ok(nodes)
}

async fn load(
    out: Out,
    client: &Client,
    stranger: Option<&ChildNode>,
    sizes: Sizes,
    cpu: &Cpu,
) -> Result<Vec<Figure>, Trouble> {
    let mut figures = Vec::new();
    say(out, &format!("storing {}", size(sizes.big_bytes)))?;
    figures.push(big_put(client, sizes, cpu, FOLDER).await?);
    say(out, "fetching it")?;
    figures.push(big_get(client, sizes, cpu, FOLDER).await?);
    if let Some(stranger) = stranger {
        say(out, "fetching it through the node that holds nothing")?;
        let figure = big_get(&stranger.client, sizes, cpu, FOLDER).await?;
        figures.push(elsewhere(figure));
    }
    say(
        out,
        &format!(
            "storing {} files of {}",
            sizes.count,
            size(sizes.small_bytes)
        ),
    )?;
    figures.push(small_put(client, sizes, cpu, FOLDER).await?);
    say(out, "fetching them")?;
    figures.push(small_get(client, sizes, cpu, FOLDER).await?);
    if let Some(stranger) = stranger {
        say(out, "fetching them through the node that holds nothing")?;
        let figure = small_get(&stranger.client, sizes, cpu, FOLDER).await?;
        figures.push(elsewhere(figure));
    }
    Ok(figures)
}

fn elsewhere(figure: Figure) -> Figure {
    Figure {
        work: format!("{}, no holder", figure.work),
        ..figure
    }
}

/// Removes what was stored on a ring that goes on.
async fn clean(client: &Client) -> Result<(), Trouble> {
    let prefix = Prefix::parse(&format!("{FOLDER}/"))?;
    for row in super::ls::all(client, &prefix).await? {
        client.remove(&row.name, None).await?;
    }
    Ok(())
}

/// How many copies the ring keeps of everything.
async fn copies(client: &Client) -> Result<u32, Trouble> {
    let status = client.status().await?;
    let nodes = status.ring.nodes.iter();
    let holders = nodes.filter(|node| node.state == "alive" && node.offered_bytes > 0);
    Ok(u32::try_from(holders.count().min(3)).unwrap_or(3))
}

fn say(out: Out, text: &str) -> Result<(), Trouble> {
    if out.json {
        return Ok(());
    }
    out.line(out.paint().dim(format_args!("· {text}")))
}
