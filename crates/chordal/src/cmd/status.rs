//! `status`: how the ring is, in a few lines.

use chordal_web::api::{NodeHealth, Scrub, Status};
use chordal_web::safety::{Safety, is_member};

use super::Context;
use crate::cli::StatusArgs;
use crate::out::{Out, Paint, Painted, count, short, size, visible};
use crate::trouble::Trouble;
use crate::watch;

pub(super) async fn run(context: Context, args: StatusArgs) -> Result<(), Trouble> {
    if args.watch {
        return Box::pin(watch::run(&context)).await;
    }
    let status = context.client()?.status().await?;
    context.out.either(&status, |out| tell(out, &status))
}

/// Prints a status for people.
pub(crate) fn tell(out: Out, status: &Status) -> Result<(), Trouble> {
    let paint = out.paint();
    let ring = &status.ring;
    out.line(headline(status, paint))?;
    for node in ring.nodes.iter().filter(|node| node.state != "left") {
        let own = if node.id == status.node.id {
            "  (asked)"
        } else {
            ""
        };
        let used = match node.used_bytes {
            Some(used) => format!("{} of {}", size(used), size(node.offered_bytes)),
            None => format!("? of {}", size(node.offered_bytes)),
        };
        out.line(format_args!(
            "  {}  {:21}  {}  {used}{own}",
            short(&node.id),
            node.addr,
            state(paint, &node.state)
        ))?;
    }
    out.line(format_args!("  {}", paint.dim(looked_after(&ring.nodes))))?;
    for problem in &ring.problems {
        out.line(format_args!("  {} {}", paint.yellow("!"), visible(problem)))?;
    }
    out.ending(verdict(status))
}

fn headline(status: &Status, paint: Paint) -> String {
    let ring = &status.ring;
    let present = members(&ring.nodes).count() as u64;
    let whole = if ring.whole {
        paint.green("whole")
    } else {
        paint.red("not whole")
    };
    let silent = members(&ring.nodes).filter(|node| node.state == "suspect");
    let silent = match silent.count() as u64 {
        0 => String::new(),
        silent => paint
            .yellow(format!(", {} silent", count(silent, "node")))
            .to_string(),
    };
    let (used, offered) = members(&ring.nodes).fold((0, 0_u64), |(used, offered), node| {
        let more = node.used_bytes.unwrap_or(0);
        (used + more, offered.saturating_add(node.offered_bytes))
    });
    format!(
        "{} · {} · ring {whole}{silent} · {} used of {}",
        paint.bold(visible(&ring.name)),
        count(present, "node"),
        size(used),
        size(offered)
    )
}

/// What looking after the copies came to, of all nodes that keep some and say it.
fn looked_after(nodes: &[NodeHealth]) -> String {
    let keeping = members(nodes).filter(|node| node.offered_bytes > 0);
    let scrubs: Vec<&Scrub> = keeping.filter_map(|node| node.scrub.as_ref()).collect();
    let never = scrubs.iter().filter(|scrub| scrub.round_ended.is_none());
    let since = match never.count() as u64 {
        0 => {
            let ended = scrubs.iter().filter_map(|scrub| scrub.round_ended.as_ref());
            match ended.min() {
                Some(first) => format!("every copy was read again by {first} or later"),
                None => "nobody says whether copies are read again".to_owned(),
            }
        }
        never => format!(
            "not every copy was read again yet, on {}",
            count(never, "node")
        ),
    };
    let found = scrubs.iter().map(|scrub| scrub.found).sum();
    let mended: u64 = scrubs.iter().map(|scrub| scrub.mended).sum();
    match found {
        0 => format!("scrub: {since}; no bad copy was ever found"),
        found => format!(
            "scrub: {since}; {} found bad so far, {mended} mended",
            count(found, "copy")
        ),
    }
}

/// Nodes that belong to the ring, whether they answer or not.
pub(crate) fn members(nodes: &[NodeHealth]) -> impl Iterator<Item = &NodeHealth> {
    nodes.iter().filter(|node| is_member(node))
}

/// A node's state in its colour, padded.
pub(crate) fn state(paint: Paint, state: &str) -> Painted<String> {
    let text = format!("{state:7}");
    match state {
        "alive" => paint.green(text),
        "suspect" | "leaving" => paint.yellow(text),
        _ => paint.red(text),
    }
}

/// What is now true, and what to do.
fn verdict(status: &Status) -> String {
    let safety = Safety::of(&status.ring.nodes, &status.repair);
    match safety.state.as_str() {
        "safe" => format!("{} Look: chordal ring", safety.words),
        _ => safety.words,
    }
}
