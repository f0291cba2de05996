//! `join`: the running node enters another ring. Where none runs, one is started.

use std::net::SocketAddr;

use super::{Context, up};
use crate::cli::JoinArgs;
use crate::find;
use crate::out::count;
use crate::trouble::Trouble;

pub(super) async fn run(context: Context, args: JoinArgs) -> Result<(), Trouble> {
    let addrs = resolve(&args.place).await?;
    let Some(node) = find::running(&context.common)? else {
        if context.common.node.is_some() {
            // It was named and does not run: this says so.
            return context.client().map(drop);
        }
        return up::run_and_join(context, addrs).await;
    };
    let client = find::client_of(&node)?;
    let texts = addrs.iter().map(ToString::to_string).collect();
    let joined = client.join(texts).await?;
    let nodes = joined.nodes as u64;
    context.out.either(&joined, |out| {
        out.line(format_args!(
            "{} the ring of {}",
            out.paint().green("joined"),
            args.place
        ))
    })?;
    let copies = nodes.min(3);
    context.out.ending(format_args!(
        "{} now, so {} of everything. Look: chordal ring",
        count(nodes, "node"),
        count(copies, "copy")
    ))
}

/// The addresses that `HOST:PORT` stands for.
pub(super) async fn resolve(place: &str) -> Result<Vec<SocketAddr>, Trouble> {
    let wrong = |reason: String| {
        Trouble::usage(reason)
            .advice("Name a node of the ring as IP:PORT; it prints its address when it starts.")
    };
    if place
        .rsplit_once(':')
        .is_none_or(|(_, port)| port.parse::<u16>().is_err())
    {
        return Err(wrong(format!("'{place}' is not IP:PORT")));
    }
    let found = tokio::net::lookup_host(place)
        .await
        .map_err(|error| wrong(format!("'{place}' leads nowhere: {error}")))?;
    Ok(found.collect())
}
