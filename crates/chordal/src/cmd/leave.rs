//! `leave`: the node hands everything over and goes for good.

use super::Context;
use super::status::members;
use crate::cli::LeaveArgs;
use crate::client::Client;
use crate::out::short;
use crate::trouble::{Exit, Trouble};

pub(super) async fn run(context: Context, args: LeaveArgs) -> Result<(), Trouble> {
    let client = context.client()?;
    if !args.force {
        refuse_alone(&client).await?;
    }
    let left = client.leave(args.force).await?;
    context.out.either(&left, |out| {
        out.line(format_args!(
            "node {} at {} has {} the ring; everything it held is with the other nodes",
            short(&left.node),
            left.addr,
            out.paint().green("left")
        ))
    })?;
    context
        .out
        .ending("That node stops now; nothing on it is needed any more.")
}

/// A node alone has nobody to hand anything to.
pub(crate) async fn refuse_alone(client: &Client) -> Result<(), Trouble> {
    let status = client.status().await?;
    if members(&status.ring.nodes).count() > 1 {
        return Ok(());
    }
    Err(Trouble::ending(
        Exit::Refused,
        "refused",
        "this node is alone on its ring: there is nobody to hand its files to",
    )
    .still("The node is as it was.")
    .advice("To stop it for a while use Ctrl-C; its files stay on its disk."))
}
