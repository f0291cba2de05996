//! `check`: the ring's certificate, from a walk over the live ring.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use chordal_web::api::{Check, CheckFlaw, NamedToken};
use chordal_web::problem::Missing;
use tokio::time::sleep;

use super::Context;
use crate::cli::CheckArgs;
use crate::out::{Out, Paint, count, short, short_key, visible};
use crate::trouble::{Exit, Trouble};

/// Pause between two looks of `--wait`.
const LOOK: Duration = Duration::from_millis(200);

/// How many flaws are told one by one to people; `--json` has all that the node names.
const FLAWS_SHOWN: usize = 6;

pub(super) async fn run(context: Context, args: CheckArgs) -> Result<(), Trouble> {
    let check = until_right(&context, args).await?;
    context.out.either(&check, |out| tell(out, &check))?;
    match trouble(&check, args.nodes) {
        Some(trouble) => Err(trouble),
        None => context
            .out
            .ending("Every node can be reached from every other. Copies: chordal status"),
    }
}

/// Walks the ring, again while it is not right, or no node is there to ask, and time is left.
async fn until_right(context: &Context, args: CheckArgs) -> Result<Check, Trouble> {
    let begun = Instant::now();
    let wait = Duration::from_secs(args.wait.unwrap_or(0));
    loop {
        let check = walk(context).await;
        let is_right = check
            .as_ref()
            .is_ok_and(|check| is_right(check, args.nodes));
        if is_right || begun.elapsed() + LOOK > wait {
            return check;
        }
        sleep(LOOK).await;
    }
}

async fn walk(context: &Context) -> Result<Check, Trouble> {
    context.client()?.check().await
}

/// Whether the ring is right, and as large as it should be where that was said.
pub(crate) fn is_right(check: &Check, nodes: Option<usize>) -> bool {
    check.verdict == "right" && nodes.is_none_or(|nodes| nodes == check.nodes)
}

/// Prints a certificate for people.
pub(crate) fn tell(out: Out, check: &Check) -> Result<(), Trouble> {
    let paint = out.paint();
    out.line(headline(check, paint))?;
    if check.verdict == "right" {
        out.line("  every token is on it: no appendage")?;
        out.line("  every predecessor is the token before, every list the tokens after")?;
    }
    let shown = &check.flaws[..check.flaws.len().min(FLAWS_SHOWN)];
    for flaw in shown {
        out.line(format_args!("  {} {}", paint.red("✘"), flaw_line(flaw)))?;
    }
    let more = check.flaws.len() - shown.len();
    if more > 0 {
        out.line(format_args!(
            "  {} and {more} more; --json tells them",
            paint.red("✘")
        ))?;
    }
    for place in places(shown) {
        out.line(format_args!("    {place}"))?;
    }
    for node in &check.silent {
        let still = match node.pointers {
            0 => "no pointer leads to it any more".to_owned(),
            some => format!("{} still lead to it", count(some as u64, "pointer")),
        };
        out.line(format_args!(
            "  {} node {} at {} does not answer; {still}",
            paint.yellow("!"),
            short(&node.id),
            node.addr
        ))?;
    }
    if check.unasked > 0 {
        out.line(format_args!(
            "  {} {} could not be asked",
            paint.yellow("!"),
            count(check.unasked as u64, "node")
        ))?;
    }
    let times = match check.walks {
        1 => "once".to_owned(),
        some => format!("{some} times, since a ring in motion looks wrong for a moment"),
    };
    out.line(format_args!("  walked {times}, {:.0} ms in all", check.ms))
}

fn headline(check: &Check, paint: Paint) -> String {
    let size = format!(
        "{}, {}",
        count(check.nodes as u64, "node"),
        count(check.tokens as u64, "token")
    );
    let said = match check.verdict.as_str() {
        "right" => format!("{} of {size}", paint.green("one ordered ring")),
        "wrong" if is_settling(check) => {
            format!(
                "{} of {size}",
                paint.yellow("one ordered ring, not at rest")
            )
        }
        "wrong" => format!("{} · {size}", paint.red("not one ordered ring")),
        _ => format!("{} · {size} heard", paint.yellow("not certain")),
    };
    format!("{} · {said}", paint.bold(visible(&check.ring)))
}

/// Whether all that is wrong is what a ring is like between a change and its next rounds.
fn is_settling(check: &Check) -> bool {
    let passing = ["appendage", "predecessor", "successor", "list_length"];
    let mut kinds = check.flaws.iter().map(|flaw| flaw.kind.as_str());
    kinds.all(|kind| passing.contains(&kind))
}

/// A flaw in words. The words name the first token's node; the others' are added.
fn flaw_line(flaw: &CheckFlaw) -> String {
    let tokens = flaw.tokens.iter().enumerate();
    let words = tokens.fold(flaw.message.clone(), |words, (index, token)| {
        let mut shown = short_key(&token.key);
        if index > 0 {
            shown.push_str(" (");
            shown.push_str(short(&token.node));
            shown.push_str(if token.answers { ")" } else { ", silent)" });
        }
        words.replace(&token.key, &shown)
    });
    visible(&words)
}

/// Where the nodes are that flaws name, each once.
fn places(flaws: &[CheckFlaw]) -> Vec<String> {
    let tokens = flaws.iter().flat_map(|flaw| &flaw.tokens);
    let nodes: BTreeMap<&str, &NamedToken> =
        tokens.map(|token| (token.node.as_str(), token)).collect();
    let place = |token: &&NamedToken| {
        let addr = token.addr.as_ref()?;
        Some(format!("node {} is at {addr}", short(&token.node)))
    };
    nodes.values().filter_map(place).collect()
}

/// Why the command fails, if it does.
fn trouble(check: &Check, nodes: Option<usize>) -> Option<Trouble> {
    if check.verdict == "unknown" {
        let message = if check.tokens == 0 {
            "no node that answered is on a ring".to_owned()
        } else {
            format!(
                "{} answered of {} known: the others may have a ring of their own",
                check.heard.len(),
                check.heard.len() + check.silent.len() + check.unasked
            )
        };
        let missing = check.silent.iter().map(|node| Missing {
            node: node.id.clone(),
            addr: node.addr.clone(),
        });
        let trouble = Trouble::ending(Exit::TooFewCopies, "not_certain", message)
            .about(missing.collect())
            .still("Nothing wrong was seen among the nodes that answered.")
            .advice("Bring the others or the network back, or ask a node on the other side.");
        return Some(trouble);
    }
    if check.verdict != "right" {
        let (what, advice) = diagnosis(check);
        let message = format!("the ring is not right: {what}");
        return Some(Trouble::failed("ring_wrong", message).advice(advice));
    }
    let wanted = nodes.filter(|&nodes| nodes != check.nodes)?;
    let message = format!(
        "the ring is right, but of {}, not {wanted}",
        count(check.nodes as u64, "node")
    );
    let trouble = Trouble::failed("other_size", message)
        .advice("Look which nodes are missing with `chordal status`.");
    Some(trouble)
}

/// What is wrong in short, and what to do about it.
fn diagnosis(check: &Check) -> (&'static str, &'static str) {
    let has = |kind: &str| check.flaws.iter().any(|flaw| flaw.kind == kind);
    if check.silent.iter().any(|node| node.pointers > 0) {
        return (
            "pointers lead to a node that does not answer",
            "The ring mends itself within seconds: `chordal check --wait 30`.",
        );
    }
    if has("separate_rings") {
        return (
            "there is more than one ring",
            "Rings that can reach each other merge within seconds: `chordal check --wait 60`. If they do not, look at the network between the nodes named above.",
        );
    }
    if has("shared_position") {
        return (
            "two nodes claim one position",
            "Stop one of them and start it on another port or an empty folder.",
        );
    }
    (
        "pointers are not what they should be",
        "While nodes come and go this passes within seconds: `chordal check --wait 30`. If it stays, please report it with the output of `chordal check --json`.",
    )
}

#[cfg(test)]
mod tests;
