//! `join`: the running node enters another ring. Where none runs, one is started.

use std::io::{BufRead as _, Read as _};
use std::net::SocketAddr;

use chordal_node::{InviteCode, ParseInviteError};

use super::{Context, up};
use crate::cli::JoinArgs;
use crate::find;
use crate::out::count;
use crate::trouble::{Exit, Trouble};

/// What is read of standard input for a code.
const LINE_BYTES_MAX: u64 = 4096;

pub(super) async fn run(context: Context, args: JoinArgs) -> Result<(), Trouble> {
    let place = Place::of(&args.place).await?;
    let Some(node) = find::running(&context.common)? else {
        if context.common.node.is_some() {
            // It was named and does not run: this says so.
            return context.client().map(drop);
        }
        return up::run_and_join(context, place, args.run).await;
    };
    let addrs = match place {
        Place::Addrs(addrs) => addrs,
        Place::Code(_) => {
            return Err(Trouble::ending(
                Exit::Refused,
                "refused",
                format!("a node of this machine runs already, at {}", node.ring),
            )
            .still("It goes on undisturbed, and the code was not used.")
            .advice("A code is for a machine without a ring. Stop that node, and join with an empty --home."));
        }
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

/// Where to join.
#[derive(Clone, Debug)]
pub(super) enum Place {
    /// At one of these addresses, as a member.
    Addrs(Vec<SocketAddr>),
    /// As somebody who was invited.
    Code(InviteCode),
}

impl Place {
    /// What was typed: a join code, or HOST:PORT; or `-` for either on standard input, where the
    /// list of the machine's processes does not show it.
    pub(super) async fn of(text: &str) -> Result<Self, Trouble> {
        let typed = match text {
            "-" => first_line().await?,
            text => text.to_owned(),
        };
        let text = typed.trim();
        // The whole line that `chordal invite` prints may be pasted.
        let text = text.strip_prefix("chordal join ").unwrap_or(text);
        if text.contains([':', '.']) {
            return resolve(text).await.map(Self::Addrs);
        }
        text.parse().map(Self::Code).map_err(|error: ParseInviteError| {
            Trouble::usage(error.to_string())
                .advice("Paste the whole code that `chordal invite` printed, or name a node as IP:PORT.")
        })
    }
}

/// The first line of standard input.
async fn first_line() -> Result<String, Trouble> {
    let reading = tokio::task::spawn_blocking(|| {
        let mut line = String::new();
        let input = std::io::stdin().lock();
        input
            .take(LINE_BYTES_MAX)
            .read_line(&mut line)
            .map(|_| line)
    });
    match reading.await {
        Ok(Ok(line)) if !line.trim().is_empty() => Ok(line),
        Ok(Err(error)) => Err(Trouble::failed("io", format!("standard input: {error}"))),
        Ok(Ok(_)) | Err(_) => Err(Trouble::usage("there is no join code on standard input")
            .advice("Pass it on: echo CODE | chordal join -")),
    }
}

/// The addresses that `HOST:PORT` stands for.
async fn resolve(place: &str) -> Result<Vec<SocketAddr>, Trouble> {
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
    let found = tokio::net::lookup_host(place).await.map_err(|error| {
        Trouble::failed("unknown_host", format!("'{place}' leads nowhere: {error}")).advice(
            "Look whether this machine's name service works, or name the node by its address.",
        )
    })?;
    Ok(found.collect())
}
