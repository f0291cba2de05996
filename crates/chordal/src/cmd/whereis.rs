//! `where`: the way to a file, and who holds it.

use chordal_node::model::quorum;
use chordal_web::api::{Holder, Where};
use chordal_web::problem::Missing;

use super::Context;
use crate::cli::NameArgs;
use crate::names;
use crate::out::{Out, count, short, visible};
use crate::trouble::{Exit, Trouble};

pub(super) async fn run(context: Context, args: NameArgs) -> Result<(), Trouble> {
    let name = names::parse(&args.name)?.to_string();
    let context = context.at_work();
    let found = context.client()?.whereis(&name).await?;
    context.out.either(&found, |out| tell(out, &found))?;
    if found.exists {
        return Ok(());
    }
    let (reached, needed) = reached(&found);
    if reached < needed {
        let what = format!(
            "whether there is a file '{}' is not known: {reached} of the {needed} holders needed can be reached",
            visible(&found.name)
        );
        let silent = found.holders.into_iter().filter(is_silent);
        let silent = silent.map(|Holder { node, addr, .. }| Missing { node, addr });
        return Err(Trouble::ending(Exit::TooFewCopies, "too_few_copies", what)
            .about(silent.collect())
            .advice("Bring the nodes back, and ask again: chordal status"));
    }
    let (what, still) = if found.deleted {
        (
            ": it was deleted",
            "Those nodes remember that for a while, so that no old copy returns.",
        )
    } else {
        ("", "Those nodes would hold it.")
    };
    let what = format!("there is no file '{}'{what}", visible(&found.name));
    Err(Trouble::not_found(what)
        .still(still)
        .advice("See what there is with `chordal ls`."))
}

/// Prints it for people.
pub(crate) fn tell(out: Out, found: &Where) -> Result<(), Trouble> {
    let paint = out.paint();
    out.line(format_args!(
        "{}  key {}",
        paint.bold(visible(&found.name)),
        found.key
    ))?;
    let total: f64 = found.hops.iter().map(|hop| hop.ms).sum();
    for (index, hop) in found.hops.iter().enumerate() {
        out.line(format_args!(
            "  hop {}  {}  {:21}  by {}  {}",
            index + 1,
            short(&hop.node),
            hop.addr,
            hop.via,
            paint.dim(format!("{:.1} ms", hop.ms))
        ))?;
    }
    let mut durable = 0_u64;
    for holder in &found.holders {
        let mark = match holder.copy.as_str() {
            "durable" if found.deleted => paint.dim("· knows that it was deleted"),
            "durable" => {
                durable += 1;
                paint.green("✔ has it")
            }
            "missing" => paint.yellow("· has it not"),
            _ => paint.red("✘ does not answer"),
        };
        out.line(format_args!(
            "  holder {}  {:21}  {mark}",
            short(&holder.node),
            holder.addr
        ))?;
    }
    let hops = count(found.hops.len() as u64, "hop");
    let of = found.holders.len();
    let (reached, needed) = reached(found);
    if reached < needed {
        out.ending(format_args!(
            "{hops}, {total:.1} ms; {reached} of {} can be reached, and {needed} are needed to read or write it: chordal status",
            count(of as u64, "holder"),
        ))
    } else if found.exists {
        out.ending(format_args!(
            "{hops}, {total:.1} ms; {durable} of {} on disk. Fetch it: chordal get {}",
            count(found.holders.len() as u64, "copy"),
            super::put::quoted(&found.name)
        ))
    } else {
        out.ending(format_args!("{hops}, {total:.1} ms"))
    }
}

/// How many holders can be asked, and how many have to be.
fn reached(found: &Where) -> (usize, usize) {
    let of = found.holders.len();
    let silent = found.holders.iter().filter(|holder| is_silent(holder));
    (of - silent.count(), quorum(of).min(of))
}

fn is_silent(holder: &Holder) -> bool {
    holder.copy == "unreachable"
}
