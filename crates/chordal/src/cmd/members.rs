//! `members`: who is in the ring, since when, and by which invitation.

use chordal_web::api::{Members, Membership};

use super::Context;
use crate::out::{Out, short, size};
use crate::trouble::Trouble;

pub(super) async fn run(context: Context) -> Result<(), Trouble> {
    let members = context.client()?.members().await?;
    context.out.either(&members, |out| tell(out, &members))?;
    context.out.ending(if members.authority {
        "Let another machine in: chordal invite. Put one out: chordal expel NODE"
    } else {
        "Only the machine where the ring was founded lets others in, puts them out, and knows which \
         invitation let them in."
    })
}

fn tell(out: Out, members: &Members) -> Result<(), Trouble> {
    let paint = out.paint();
    let heads = format!(
        "{:8}  {:21}  {:8}  {:10}  {:20}  {}",
        "node", "address", "state", "offers", "member since", "by"
    );
    out.line(paint.dim(heads))?;
    for one in &members.members {
        let state = format!("{:8}", one.state);
        let state = match one.state.as_str() {
            "alive" => paint.green(state),
            "suspect" | "leaving" | "unseen" => paint.yellow(state),
            _ => paint.red(state),
        };
        let offers = one.offered_bytes.map_or_else(|| "-".to_owned(), size);
        out.line(format_args!(
            "{:8}  {:21}  {state}  {offers:10}  {:20}  {}",
            short(&one.id),
            one.addr.as_deref().unwrap_or("-"),
            one.since.as_deref().unwrap_or("?"),
            by(one)
        ))?;
    }
    Ok(())
}

fn by(one: &Membership) -> String {
    let by = match (one.by.as_deref(), &one.invitation) {
        (_, Some(label)) => format!("invitation {label}"),
        (Some(_), None) => "own".to_owned(),
        (None, None) => "?".to_owned(),
    };
    match &one.expelled {
        Some(since) => format!("{by}, expelled {since}"),
        None => by,
    }
}
