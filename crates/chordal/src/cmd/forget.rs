//! `forget`: a silent node will not come back, and its copies are made again at once.

use super::Context;
use crate::cli::ForgetArgs;
use crate::out::short;
use crate::trouble::Trouble;

pub(super) async fn run(context: Context, args: ForgetArgs) -> Result<(), Trouble> {
    let forgotten = context.client()?.forget(args.which, args.force).await?;
    context.out.either(&forgotten, |out| {
        out.line(format_args!(
            "node {} at {} is {}: no node of the ring waits for it any more",
            short(&forgotten.node),
            forgotten.addr,
            out.paint().yellow("forgotten")
        ))
    })?;
    context.out.ending(
        "Its copies are made again now; `chordal status` tells when all are there. \
         Should it come back after all, it joins again like a node that was away for long.",
    )
}
