//! `expel`: a node is not welcome any more, and never will be.

use super::Context;
use crate::cli::ExpelArgs;
use crate::out::{count, short};
use crate::trouble::Trouble;

pub(super) async fn run(context: Context, args: ExpelArgs) -> Result<(), Trouble> {
    let expelled = context.client()?.expel(args.which, args.force).await?;
    let at = match &expelled.addr {
        Some(addr) => format!(" at {addr}"),
        None => String::new(),
    };
    let told = match expelled.told {
        0 => "no other node is there to be told".to_owned(),
        some => format!(
            "{} told, which tell the others",
            count(some as u64, "other node")
        ),
    };
    context.out.either(&expelled, |out| {
        out.line(format_args!(
            "node {}{at} is {}: {told}",
            short(&expelled.node),
            out.paint().yellow("expelled")
        ))
    })?;
    context.out.ending(
        "Its copies are made again elsewhere; `chordal status` tells when all are there. What is on its \
         disk stays there, and nobody can take back what it has read. Whoever still has an open code \
         may enter as another node: codes end by use or by time.",
    )
}
