//! `up`: a node for real use, on all addresses of this machine.

use std::io::IsTerminal as _;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use chordal_node::NodeConfig;

use super::Context;
use super::invite::{span, unreachable_elsewhere};
use super::join::Place;
use super::node::{self, Signals, serving::Serving};
use super::status::members;
use crate::cli::UpArgs;
use crate::client::Client;
use crate::out::{Out, count, short, size, visible};
use crate::settings::{JoinRunArgs, RunArgs};
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
    serve(context, args.0, Some(place)).await
}

async fn serve(context: Context, run: RunArgs, place: Option<Place>) -> Result<(), Trouble> {
    let mut signals = node::signals()?;
    let listen = SocketAddr::from((Ipv4Addr::UNSPECIFIED, FIRST_PORT));
    let mut config = node::config(&context, &run, listen).await?;
    match place {
        Some(Place::Code(_)) if config.invite.is_some() => {
            return Err(Trouble::usage("there are two join codes"));
        }
        Some(Place::Code(code)) => config.invite = Some(code),
        Some(Place::Addrs(addrs)) => config.join.extend(addrs),
        None => {}
    }
    let serving = start(config, run.http, &mut signals).await?;
    node::announce(&context, &serving)?;
    if !context.out.json {
        welcome(&context, &serving).await?;
    }
    node::serve(serving, signals).await
}

/// Starts the node at the first port that is free. A node whose port another program has taken keeps
/// its folder, and with it its identity, at the next one; where the folder's node runs, this is one
/// more node.
async fn start(
    mut config: NodeConfig,
    http: Option<SocketAddr>,
    signals: &mut Signals,
) -> Result<Serving, Trouble> {
    let home = config.home.clone();
    let chosen = config.data.take();
    let mut folder = FIRST_PORT;
    let mut beside = None;
    loop {
        let port = config.listen.port();
        let key = home.node_folder(folder).join("node.key");
        if !key.try_exists().unwrap_or(true) {
            folder = port;
        }
        let data = chosen.clone().unwrap_or_else(|| home.node_folder(folder));
        config.data = Some(data);
        let trouble = match node::start(&config, http, signals).await {
            Ok(serving) => return Ok(serving),
            Err(trouble) => trouble,
        };
        match trouble.code.as_str() {
            "port_in_use" if port < FIRST_PORT + PORTS => config.listen.set_port(port + 1),
            "locked" if chosen.is_none() && port < FIRST_PORT + PORTS => {
                beside = beside.or(Some(folder));
                if folder == port {
                    config.listen.set_port(port + 1);
                }
                folder = config.listen.port();
            }
            "refused" => {
                return Err(match beside {
                    Some(folder) => trouble.with(&format!(
                        "a node of this machine runs already ({}), and this would be a second one",
                        home.node_folder(folder).display()
                    )),
                    None => trouble,
                });
            }
            _ => return Err(trouble),
        }
    }
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
    let nodes = members(&status.ring.nodes).count() as u64;
    out.line(format_args!(
        "ring {} · {} · this node: {} at {addr}, offers {}",
        paint.bold(visible(&status.ring.name)),
        count(nodes, "node"),
        short(id),
        size(offered)
    ))?;
    if nodes == 1 && serving.node.may_invite() {
        offer(out, &serving.client()?).await?;
    }
    out.ending(
        "Store a file: chordal put FILE. See the ring: chordal open. Ctrl-C pauses this node; its copies stay on its disk.",
    )
}

/// Says how a second machine gets in. A code is a secret: it is made where somebody looks, and not
/// into the log of a service.
async fn offer(out: Out, client: &Client) -> Result<(), Trouble> {
    if !std::io::stdout().is_terminal() {
        return out.line(format_args!(
            "1 copy only. To be safe add a second machine: `chordal invite` prints what to run there"
        ));
    }
    match client.invite(1, INVITED_FOR.as_secs()).await {
        Ok(invited) => {
            out.line(format_args!(
                "1 copy only. To be safe add a second machine: within {}, run there",
                span(INVITED_FOR)
            ))?;
            out.line(format_args!("    chordal join {}", invited.code))?;
            match unreachable_elsewhere(&invited) {
                Some(warning) => out.line(warning),
                None => Ok(()),
            }
        }
        Err(trouble) => out.line(format_args!("1 copy only. {}", trouble.paragraph())),
    }
}
