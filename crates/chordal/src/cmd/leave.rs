//! `leave`: the node hands everything over and goes for good.

use super::Context;
use crate::cli::LeaveArgs;
use crate::trouble::Trouble;

pub(super) async fn run(context: Context, args: LeaveArgs) -> Result<(), Trouble> {
    let client = context.client()?;
    let left = client.leave(args.force).await?;
    context.out.either(&left, |out| {
        out.line(format_args!(
            "{} the ring; everything it held is with the other nodes",
            out.paint().green("left")
        ))
    })?;
    context
        .out
        .ending("The node stops now, and this machine may be switched off.")
}
