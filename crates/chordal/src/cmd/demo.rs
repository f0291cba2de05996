//! `demo`: five real nodes on this machine, a file, a killed node, and the ring heals.
//!
//! Nothing is faked and nothing is kept: the nodes are processes of this executable in a temporary
//! folder. On a terminal the nodes are drawn while things happen; elsewhere changes are lines.

use std::io::IsTerminal;
use std::path::Path;
use std::time::{Duration, Instant};

use chordal_web::api::{Status, Where};
use tempfile::TempDir;
use tokio::time::sleep;

use super::{Context, node};
use crate::child::ChildNode;
use crate::cli::DemoArgs;
use crate::client::Upload;
use crate::out::{Out, size};
use crate::picture::letter;
use crate::trouble::Trouble;

mod playground;
mod stage;

use playground::Playground;
use stage::Stage;

/// How many nodes.
const NODES: usize = 5;

/// How long a silent node is waited for: short, so that the watcher need not wait.
const GRACE: &str = "2s";

/// Pause between two looks at the ring.
const LOOK: Duration = Duration::from_millis(150);

/// How long each step may take before the demo says that something is wrong.
const PATIENCE: Duration = Duration::from_secs(30);

/// What the file is called.
const FILE: &str = "holiday.bin";

pub(super) async fn run(context: Context, args: DemoArgs) -> Result<(), Trouble> {
    let mut signals = node::signals()?;
    let out = context.out;
    let home = tempfile::Builder::new()
        .prefix("chordal-demo-")
        .tempdir()
        .map_err(|error| Trouble::failed("io", format!("no temporary folder: {error}")))?;
    let shown = tokio::select! {
        shown = Box::pin(perform(out, home.path(), &args)) => shown,
        () = signals.next() => Err(Trouble::failed("interrupted", "the demo was stopped")
            .still("Its nodes were ended and their data removed.")),
    };
    remove(home)?;
    shown?;
    if out.json {
        return Ok(());
    }
    out.line("")?;
    out.ending("All five nodes ended, everything is removed. Now for real: chordal up")
}

fn remove(home: TempDir) -> Result<(), Trouble> {
    let path = home.path().to_path_buf();
    home.close().map_err(|error| {
        Trouble::file(&path, &error)
            .still("The demo's nodes are ended.")
            .advice("Remove the folder by hand.")
    })
}

/// The story, and what follows. When it ends, by whatever way, the nodes are ended.
async fn perform(out: Out, home: &Path, args: &DemoArgs) -> Result<(), Trouble> {
    let (nodes, victim) = show(out, home, args.size).await?;
    let is_watched = std::io::stdin().is_terminal() && std::io::stdout().is_terminal();
    if args.stay || is_watched && !args.leave && !out.json {
        Playground::new(out, home, nodes, victim).play().await?;
    }
    Ok(())
}

/// The story: the nodes, and which of them was killed.
async fn show(out: Out, home: &Path, bytes: u64) -> Result<(Vec<ChildNode>, usize), Trouble> {
    let mut stage = Stage::new(out);
    stage.say("Five real nodes on this computer, one file, one accident. Nothing is kept.")?;
    stage.step("Five nodes start and find each other")?;
    let mut nodes = start(home).await?;
    stage.cast(&nodes);
    settle(&mut stage, &nodes, |status| {
        status.ring.whole && count_alive(status) == NODES && status.repair.copies_missing == 0
    })
    .await?;
    stage.done()?;

    stage.step(&format!("A file of {} goes in through node A", size(bytes)))?;
    let content = content(bytes);
    let hash = blake3::hash(&content);
    let stored = nodes[0]
        .client
        .put(FILE, Upload::bytes(content), None)
        .await?;
    let found = nodes[0].client.whereis(FILE).await?;
    stage.done()?;
    stage.detail(&holders(&found, &nodes))?;
    stage.detail(&format!(
        "{} of {} copies were on disk before it was called stored",
        stored.copies.durable, stored.copies.wanted
    ))?;

    let victim = victim(&found, &nodes)?;
    stage.step(&format!(
        "Node {} holds it, and is killed (kill -9)",
        letter(victim)
    ))?;
    nodes[victim].kill();
    stage.done()?;

    stage.step("The ring notices, gives it up and heals")?;
    let lost = nodes[victim].id.clone();
    settle(&mut stage, &nodes, |status| {
        let given_up = status
            .ring
            .nodes
            .iter()
            .all(|node| node.id != lost || ["gone", "left"].contains(&node.state.as_str()));
        given_up
            && status.ring.whole
            && status.repair.copies_missing == 0
            && status.repair.state == "idle"
    })
    .await?;
    stage.done()?;

    let reader = (1..NODES)
        .rev()
        .find(|&index| index != victim)
        .expect("only one of five was killed");
    stage.step(&format!("The file is read through node {}", letter(reader)))?;
    let same = read(&nodes[reader]).await? == hash;
    if !same {
        return Err(Trouble::failed(
            "corrupt",
            "other bytes came out than went in",
        ));
    }
    stage.done()?;
    stage.detail("every byte is the same (BLAKE3 compared)")?;
    let found = nodes[0].client.whereis(FILE).await?;
    stage.detail(&holders(&found, &nodes))?;
    stage.summary(&found)?;
    Ok((nodes, victim))
}

/// How a node of the demo is started.
fn flags(more: &[&str]) -> Vec<String> {
    ["--grace", GRACE, "--offer", "1GiB", "--ring-name", "demo"]
        .iter()
        .chain(more)
        .map(ToString::to_string)
        .collect()
}

/// Five nodes: the first founds a ring, the others join it.
async fn start(home: &Path) -> Result<Vec<ChildNode>, Trouble> {
    let first = ChildNode::start(home, &flags(&[])).await?;
    let contact = first.ring.to_string();
    let join = flags(&["--join", &contact]);
    let others = (1..NODES).map(|_| ChildNode::start(home, &join));
    let mut nodes = vec![first];
    nodes.extend(futures_util::future::try_join_all(others).await?);
    Ok(nodes)
}

/// Shows the ring until it is as it should be.
async fn settle(
    stage: &mut Stage,
    nodes: &[ChildNode],
    settled: impl Fn(&Status) -> bool,
) -> Result<(), Trouble> {
    let begun = Instant::now();
    loop {
        let status = nodes[0].client.status().await?;
        stage.show(&status)?;
        if settled(&status) {
            return Ok(());
        }
        if begun.elapsed() > PATIENCE {
            return Err(Trouble::failed(
                "failed",
                format!("the ring is not well after {} s", PATIENCE.as_secs()),
            )
            .still("Nothing of yours was touched.")
            .advice("Please report it, with the output of `chordal demo --log debug`."));
        }
        sleep(LOOK).await;
    }
}

fn count_alive(status: &Status) -> usize {
    let alive = status
        .ring
        .nodes
        .iter()
        .filter(|node| node.state == "alive");
    alive.count()
}

/// Bytes that no compression and no chance makes equal elsewhere.
fn content(bytes: u64) -> bytes::Bytes {
    let length = usize::try_from(bytes).unwrap_or(usize::MAX).min(1 << 30);
    let mut content = vec![0; length];
    blake3::Hasher::new_derive_key("chordal 2026 demo content")
        .finalize_xof()
        .fill(&mut content);
    content.into()
}

async fn read(node: &ChildNode) -> Result<blake3::Hash, Trouble> {
    let mut download = node.client.get(FILE, None).await?;
    let mut hasher = blake3::Hasher::new();
    while let Some(bytes) = download.next().await? {
        hasher.update(&bytes);
    }
    Ok(hasher.finalize())
}

/// A holder that is not the node we talk to.
fn victim(found: &Where, nodes: &[ChildNode]) -> Result<usize, Trouble> {
    let holds = |node: &ChildNode| {
        let mut holders = found.holders.iter();
        holders.any(|holder| holder.node == node.id && holder.copy == "durable")
    };
    (1..nodes.len())
        .find(|&index| holds(&nodes[index]))
        .ok_or_else(|| Trouble::failed("failed", "no other node holds the file"))
}

/// `copies: A ✔  C ✔  D ✔`.
fn holders(found: &Where, nodes: &[ChildNode]) -> String {
    let marks = found.holders.iter().map(|holder| {
        let who = nodes
            .iter()
            .position(|node| node.id == holder.node)
            .map_or('?', letter);
        let mark = match holder.copy.as_str() {
            "durable" => "✔",
            "missing" => "·",
            _ => "✘",
        };
        format!("{who} {mark}")
    });
    format!("copies: {}", marks.collect::<Vec<_>>().join("  "))
}
