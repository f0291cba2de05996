//! `plan`: what would move if a node joined or nodes left, and how long that may take. An estimate, and
//! it says what it rests on.

use chordal_web::api::{Plan, PlanNode};
use serde::Serialize;

use super::Context;
use crate::cli::{Change, PlanArgs};
use crate::out::{Out, count, short, size, time};
use crate::trouble::Trouble;

/// Flows that are shown.
const SHOWN_MAX: usize = 12;

/// A plan with its time.
#[derive(Clone, Debug, Serialize)]
struct Told<'a> {
    #[serde(flatten)]
    plan: &'a Plan,
    /// How long it takes at that rate, in seconds.
    seconds: u64,
    /// Bytes a second that one node fetches.
    rate: u64,
    /// `said`, `measured` or `budget`.
    rate_is: &'static str,
}

pub(super) async fn run(context: Context, args: PlanArgs) -> Result<(), Trouble> {
    let client = context.client()?;
    let plan = match &args.change {
        Change::Join { offer } => client.plan_join(*offer).await?,
        Change::Leave { nodes } => client.plan_leave(nodes).await?,
    };
    let (rate, rate_is) = match (args.rate, plan.measured) {
        (Some(rate), _) => (rate, "said"),
        (None, Some(measured)) => (measured.bytes_per_s, "measured"),
        (None, None) => (plan.budget_bytes_per_s, "budget"),
    };
    let told = Told {
        seconds: seconds(&plan, rate),
        rate,
        rate_is,
        plan: &plan,
    };
    context.out.either(&told, |out| tell(out, &told))?;
    context.out.ending(ending(&plan))
}

/// As long as the busiest node takes: all fetch at the same time, each from several.
fn seconds(plan: &Plan, rate: u64) -> u64 {
    let busiest = plan.nodes.iter().map(|node| node.gets.max(node.gives));
    busiest.max().unwrap_or(0).div_ceil(rate.max(1))
}

fn tell(out: Out, told: &Told<'_>) -> Result<(), Trouble> {
    let (plan, paint) = (told.plan, out.paint());
    let who: Vec<&str> = plan.leaving.iter().map(|node| short(&node.id)).collect();
    let what = match (plan.change.as_str(), plan.nodes.last()) {
        ("join", Some(node)) => {
            format!("If a node joined that offers {}", size(node.offered_bytes))
        }
        _ => format!("If {} left", who.join(", then ")),
    };
    let range = plan.range.map_or(String::new(), |(least, most)| {
        format!(
            " ({} to {}, by the places that it gets and how chunks lie)",
            size(least),
            size(most)
        )
    });
    let moved = format!("{what}: {} would move{range}", paint.bold(size(plan.bytes)));
    out.line(out.folded(&moved))?;
    if plan.bytes > 0 {
        out.line(format_args!(
            "  about {} at {}/s into each node ({})",
            time(told.seconds),
            size(told.rate),
            basis(told)
        ))?;
    }
    if plan.copies_then != plan.copies_now {
        let words = format!(
            "  {} of everything instead of {}",
            count(plan.copies_then as u64, "copy"),
            plan.copies_now
        );
        let fewer = plan.copies_then < plan.copies_now;
        out.line(if fewer {
            paint.red(words)
        } else {
            paint.green(words)
        })?;
    }
    out.line(paint.dim("  node         fetches  gives away       drops  then"))?;
    for node in plan.nodes.iter().filter(|node| is_touched(node)) {
        out.line(row(out, node))?;
    }
    flows(out, plan)
}

fn is_touched(node: &PlanNode) -> bool {
    node.gets + node.gives + node.drops > 0 || node.id.is_none()
}

fn row(out: Out, node: &PlanNode) -> String {
    let paint = out.paint();
    let then = match node.then_bytes {
        Some(then) if is_full(node) => paint
            .red(format!(
                "{} of {}: does not fit",
                size(then),
                size(node.offered_bytes)
            ))
            .to_string(),
        Some(then) => format!("{} of {}", size(then), size(node.offered_bytes)),
        None => "it did not say".to_owned(),
    };
    format!(
        "  {}  {:>10}  {:>10}  {:>10}  {then}",
        node.id.as_deref().map_or("new     ", short),
        size(node.gets),
        size(node.gives),
        size(node.drops),
    )
}

/// Whether a node would have more than it offers.
fn is_full(node: &PlanNode) -> bool {
    node.gets > 0
        && node
            .then_bytes
            .is_some_and(|then| then > node.offered_bytes)
}

/// From whom to whom, where that is more than the rows say.
fn flows(out: Out, plan: &Plan) -> Result<(), Trouble> {
    if plan.change == "join" || plan.flows.is_empty() {
        return Ok(());
    }
    out.line(out.paint().dim("  from      to"))?;
    for flow in plan.flows.iter().take(SHOWN_MAX) {
        out.line(format_args!(
            "  {}  {}  {:>10}",
            short(&flow.from),
            flow.to.as_deref().map_or("new     ", short),
            size(flow.bytes)
        ))?;
    }
    let more = plan.flows.len().saturating_sub(SHOWN_MAX);
    if more > 0 {
        out.line(format_args!("  and {more} smaller ones: --json"))?;
    }
    Ok(())
}

fn basis(told: &Told<'_>) -> String {
    match (told.rate_is, told.plan.measured) {
        ("said", _) => "as --rate says".to_owned(),
        ("measured", Some(measured)) => format!(
            "as fast as the node asked fetched {} of its own",
            size(measured.of_bytes)
        ),
        _ => "what each may spend on it; --rate SIZE says otherwise".to_owned(),
    }
}

fn ending(plan: &Plan) -> String {
    let full = plan.nodes.iter().filter(|node| is_full(node)).count() as u64;
    match plan.change.as_str() {
        _ if full > 0 => format!(
            "{} would be full before: add room first (chordal plan join --offer SIZE shows what a node takes over).",
            count(full, "node")
        ),
        "join" => "An estimate: bytes are taken to lie evenly among keys. To do it: chordal invite".to_owned(),
        _ if plan.copies_then == 0 => {
            "Nobody would be left to hand over to: `chordal leave` refuses that. Add a node first: chordal invite"
                .to_owned()
        }
        _ if plan.nodes.iter().any(|node| node.used_bytes.is_none()) => {
            "Not every node answers: `chordal leave` refuses where copies would be lost by it. A node that is dead cannot \
             leave; give it up with: chordal forget NODE"
                .to_owned()
        }
        _ if plan.copies_then < plan.copies_now => {
            "Nothing would be lost, but no node is left for the last copy. To do it: chordal leave, on that node"
                .to_owned()
        }
        _ => "An estimate: bytes are taken to lie evenly among keys. To do it: chordal leave, on that node".to_owned(),
    }
}

#[cfg(test)]
mod tests;
