//! `node`: runs a node in the foreground, with the menu or for scripts.
//!
//! For scripts standard output carries the line that begins with `ready` and nothing else. A
//! signal to end is a pause: copies stay on this disk and count when the node returns.

use std::io::IsTerminal;
use std::net::SocketAddr;

use chordal_node::{Force, Home, NodeConfig, Phase};

use super::Context;
use super::join::Place;
use crate::cli::NodeArgs;
use crate::find;
use crate::menu::{Menu, MenuEnd};
use crate::out::short;
use crate::service::Manager;
use crate::settings::RunArgs;
use crate::trouble::{Exit, Trouble};

pub(super) mod serving;
mod signals;

use serving::Serving;
pub(crate) use signals::Signals;

/// Whether a menu would have a terminal to itself.
pub(super) fn has_menu_terminal() -> bool {
    std::io::stdin().is_terminal() && std::io::stdout().is_terminal()
}

pub(super) async fn run(context: Context, args: NodeArgs) -> Result<(), Trouble> {
    let mut signals = signals()?;
    if args.until_stdin_ends {
        signals.end_with_stdin();
    }
    let listen = SocketAddr::new(args.ip, args.port);
    let config = config(&context, &args.run, listen).await?;
    let serving = start(&config, args.run.http, &mut signals).await?;
    if args.no_menu {
        announce(&context, &serving)?;
        return serve(serving, signals).await;
    }
    if !has_menu_terminal() {
        announce(&context, &serving)?;
    }
    let menu = Menu::open(context.out);
    with_menu(config, args.run.http, serving, menu, signals).await
}

/// Listens to the signals that ask to end.
pub(super) fn signals() -> Result<Signals, Trouble> {
    Signals::listen()
}

/// Starts the node, unless a signal says otherwise first: another machine may be waited for.
pub(super) async fn start(
    config: &NodeConfig,
    http: Option<SocketAddr>,
    signals: &mut Signals,
) -> Result<Serving, Trouble> {
    tokio::select! {
        serving = Serving::start(config, http) => serving,
        () = signals.next() => Err(Trouble::failed("interrupted", "stopped before it had started")
            .still("No copy was touched.")),
    }
}

/// What the settings say to the node.
pub(super) async fn config(
    context: &Context,
    args: &RunArgs,
    listen: SocketAddr,
) -> Result<NodeConfig, Trouble> {
    let home: Home = find::home(&context.common)?;
    let mut config = NodeConfig::new(home, listen);
    let mut unknown = None;
    for text in &args.join {
        let place = match Place::of(text).await {
            // Another one may do; and one that does not start for this is no better off.
            Err(trouble) if trouble.code == "unknown_host" => {
                tracing::warn!(place = %text, "leads nowhere now; the others are tried");
                unknown = Some(trouble);
                continue;
            }
            place => place?,
        };
        match place {
            Place::Addrs(addrs) => config.join.extend(addrs),
            Place::Code(_) if config.invite.is_some() => {
                return Err(
                    Trouble::usage("there are two join codes, and a node has one ring")
                        .advice("Give one --join CODE; addresses may be several."),
                );
            }
            Place::Code(code) => config.invite = Some(code),
        }
    }
    if let Some(trouble) = unknown.filter(|_| config.join.is_empty() && config.invite.is_none()) {
        return Err(trouble);
    }
    config.data.clone_from(&args.data);
    config.offer = args.offer;
    config.nearby = args.nearby;
    config.classic = args.classic;
    config.bits = args.bits;
    config.ring_name.clone_from(&args.ring_name);
    config.record.clone_from(&args.record);
    config.scrub.period = args.scrub_period;
    config.scrub.bytes_per_second_max = args.scrub_rate;
    config.repair.bytes_per_second_max = args.repair_rate;
    config.timing.grace = args.grace;
    Ok(config)
}

/// Prints the line that scripts wait for.
pub(super) fn announce(context: &Context, serving: &Serving) -> Result<(), Trouble> {
    let (node, ring, http) = (serving.node.id(), serving.node.addr(), serving.http());
    tracing::info!(%http, "the dashboard is here: run `chordal open`");
    if context.out.json {
        return context.out.object(&serde_json::json!({
            "ready": true,
            "node": node.to_string(),
            "ring": ring.to_string(),
            "http": http.to_string(),
        }));
    }
    context
        .out
        .line(format_args!("ready node={node} ring={ring} http={http}"))
}

/// Serves until a signal, or until the node has left the ring.
pub(super) async fn serve(serving: Serving, mut signals: Signals) -> Result<(), Trouble> {
    let manager = Manager::of_environment();
    let phase = tokio::select! {
        () = signals.next() => Phase::Stopping,
        phase = serving.node.wait_left() => phase,
        never = manager.inform(&serving.node) => match never {},
    };
    manager.stopping(match phase {
        Phase::Left => "left the ring",
        Phase::Expelled => "expelled from the ring",
        Phase::Running | Phase::Stopping | Phase::Stopped => "a pause: its copies stay on its disk",
    });
    if phase == Phase::Left {
        tracing::info!("left the ring: nothing of it is on this machine any more");
    }
    stop(serving, &mut signals).await?;
    end_of(phase)
}

/// Whether a node that has come to this phase ended well.
fn end_of(phase: Phase) -> Result<(), Trouble> {
    if phase != Phase::Expelled {
        return Ok(());
    }
    let what = "this node was expelled from its ring by the ring's authority";
    Err(Trouble::ending(Exit::Refused, "expelled", what)
        .still(
            "What it kept is on its disk as it was, and no node of the ring talks to it any more.",
        )
        .advice("As another node it may enter with a new code, from another --data folder."))
}

/// Stops in order, or at once at a second signal.
async fn stop(serving: Serving, signals: &mut Signals) -> Result<(), Trouble> {
    tokio::select! {
        () = serving.stop() => Ok(()),
        () = signals.next() => Err(Trouble::failed("interrupted", "stopped at once")
            .still("What was acknowledged is safe on disk.")
            .advice("The next start may take a moment longer.")),
    }
}

/// Serves and shows the menu. After a leave the node begins anew, alone on a ring of its own.
async fn with_menu(
    mut config: NodeConfig,
    http: Option<SocketAddr>,
    mut serving: Serving,
    mut menu: Menu,
    mut signals: Signals,
) -> Result<(), Trouble> {
    menu.greet(&serving.node)?;
    loop {
        let client = serving.client()?;
        let end = tokio::select! {
            () = signals.next() => break,
            phase = serving.node.wait_left() => {
                if phase != Phase::Expelled {
                    break;
                }
                menu.close();
                stop(serving, &mut signals).await?;
                return end_of(phase);
            }
            end = menu.run(&serving.node, &client) => end?,
        };
        match end {
            MenuEnd::Quit => break,
            // Nobody types any more, but the node is still of use to the others.
            MenuEnd::InputEnded => {
                menu.close();
                return serve(serving, signals).await;
            }
            MenuEnd::Leave => {
                let addr = serving.node.addr();
                let left = tokio::select! {
                    () = signals.next() => break,
                    left = serving.node.leave(Force::No) => left,
                };
                if let Err(error) = left {
                    menu.refused(&error)?;
                    continue;
                }
                config.listen = serving.node.listening();
                config.join.clear();
                config.invite = None;
                let http = http.unwrap_or_else(|| serving.http());
                serving.stop().await;
                serving = Serving::start(&config, Some(http))
                    .await
                    .map_err(|trouble| {
                        trouble
                            .still("The node has left the ring, and everything it held is there.")
                    })?;
                menu.left(addr, &serving.node)?;
            }
        }
    }
    menu.close();
    let id = serving.node.id().to_string();
    stop(serving, &mut signals).await?;
    menu.farewell(short(&id))
}
