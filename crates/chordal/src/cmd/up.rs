//! `up`: a node for real use, on all addresses of this machine.

use std::net::{Ipv4Addr, SocketAddr};

use super::Context;
use super::node::{self, serving::Serving};
use crate::cli::{RunArgs, UpArgs};
use crate::find;
use crate::out::{count, short, size, visible};
use crate::trouble::Trouble;

/// The port that people expect, the seed's.
const FIRST_PORT: u16 = 2000;

/// Ports tried, from the first one on.
const PORTS: u16 = 100;

pub(super) async fn run(context: Context, args: UpArgs) -> Result<(), Trouble> {
    serve(context, args.run, None).await
}

/// Starts a node that joins the ring of whoever answers at one of these addresses, or does not
/// stay.
pub(super) async fn run_and_join(context: Context, addrs: Vec<SocketAddr>) -> Result<(), Trouble> {
    serve(context, RunArgs::default(), Some(addrs)).await
}

async fn serve(
    context: Context,
    run: RunArgs,
    join: Option<Vec<SocketAddr>>,
) -> Result<(), Trouble> {
    let signals = node::signals()?;
    let listen = SocketAddr::from((Ipv4Addr::UNSPECIFIED, FIRST_PORT));
    let mut config = node::config(&context, &run, listen).await?;
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
    if nodes == 1 {
        let home = find::home(&context.common)?;
        let key = home.path().join("authority.key");
        out.line(
            "1 copy only: add a second machine to be safe. It needs this ring's secret: copy",
        )?;
        out.line(format_args!("    {}", key.display()))?;
        out.line("into its CHORDAL_HOME by a safe way, and run there:")?;
        out.line(format_args!("    chordal join {addr}"))?;
    }
    out.ending(
        "Store a file: chordal put FILE. Ctrl-C pauses this node; its copies stay on its disk.",
    )
}
