//! `up`: a node for real use, on all addresses of this machine.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use super::Context;
use super::invite::span;
use super::join::Place;
use super::node::{self, serving::Serving};
use crate::cli::{JoinRunArgs, RunArgs, UpArgs};
use crate::out::{count, short, size, visible};
use crate::trouble::Trouble;

/// The port that people expect, the seed's.
const FIRST_PORT: u16 = 2000;

/// How long the code is good for that a new ring prints.
const INVITED_FOR: Duration = Duration::from_hours(1);

/// Ports tried, from the first one on.
const PORTS: u16 = 100;

pub(super) async fn run(context: Context, args: UpArgs) -> Result<(), Trouble> {
    serve(context, args.run, None).await
}

/// Starts a node that joins there, or does not stay.
pub(super) async fn run_and_join(
    context: Context,
    place: Place,
    args: JoinRunArgs,
) -> Result<(), Trouble> {
    let run = RunArgs {
        offer: args.offer,
        data: args.data,
        ..RunArgs::default()
    };
    serve(context, run, Some(place)).await
}

async fn serve(context: Context, run: RunArgs, place: Option<Place>) -> Result<(), Trouble> {
    let signals = node::signals()?;
    let listen = SocketAddr::from((Ipv4Addr::UNSPECIFIED, FIRST_PORT));
    let mut config = node::config(&context, &run, listen).await?;
    let join = match place {
        Some(Place::Code(code)) => {
            config.invite = Some(code);
            None
        }
        Some(Place::Addrs(addrs)) => Some(addrs),
        None => None,
    };
    let serving = loop {
        match Serving::start(&config, run.http).await {
            Ok(serving) => break serving,
            Err(trouble)
                if ["port_in_use", "locked"].contains(&trouble.code.as_str())
                    && config.listen.port() < FIRST_PORT + PORTS =>
            {
                let next = config.listen.port() + 1;
                config.listen.set_port(next);
            }
            Err(trouble) => return Err(trouble),
        }
    };
    if let Some(addrs) = join
        && let Err(error) = serving.node.join(addrs).await
    {
        serving.stop().await;
        return Err(Trouble::from(chordal_web::join_problem(&error))
            .still("The node that was started for it is stopped again."));
    }
    node::announce(&context, &serving)?;
    if !context.out.json {
        welcome(&context, &serving).await?;
    }
    node::serve(serving, signals).await
}

/// Where the node is, how safe its ring is, and what to do next.
async fn welcome(context: &Context, serving: &Serving) -> Result<(), Trouble> {
    let out = context.out;
    let paint = out.paint();
    let addr = serving.node.addr();
    let status = serving.client()?.status().await?;
    let id = &status.node.id;
    let offered = status
        .ring
        .nodes
        .iter()
        .find(|node| node.id == *id)
        .map_or(0, |node| node.offered_bytes);
    let nodes = status.ring.nodes.len() as u64;
    out.line(format_args!(
        "ring {} · {} · this node: {} at {addr}, offers {}",
        paint.bold(visible(&status.ring.name)),
        count(nodes, "node"),
        short(id),
        size(offered)
    ))?;
    if nodes == 1 && serving.node.may_invite() {
        match serving.client()?.invite(1, INVITED_FOR.as_secs()).await {
            Ok(invited) => {
                out.line(format_args!(
                    "1 copy only. To be safe add a second machine: within {}, run there",
                    span(INVITED_FOR)
                ))?;
                out.line(format_args!("    chordal join {}", invited.code))?;
            }
            Err(trouble) => out.line(format_args!("1 copy only. {}", trouble.paragraph()))?,
        }
    }
    out.ending(
        "Store a file: chordal put FILE. Ctrl-C pauses this node; its copies stay on its disk.",
    )
}
