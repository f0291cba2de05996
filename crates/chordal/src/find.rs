//! Finding the node to talk to.
//!
//! `--node`, `CHORDAL_NODE` or the settings file name it by its ring address; else it is the node that runs in
//! `CHORDAL_HOME`, the one with the lowest port where there are several.

use std::net::SocketAddr;
use std::path::PathBuf;

use chordal_node::{Home, RunningNode};
use etcetera::BaseStrategy;

use crate::cli::Common;
use crate::client::Client;
use crate::trouble::Trouble;

/// The home that the flags name, else the platform's place for data.
pub(crate) fn home(common: &Common) -> Result<Home, Trouble> {
    if let Some(path) = &common.home {
        // A relative path must mean the same folder after the node changed its own.
        let path = std::path::absolute(path).map_err(|error| Trouble::file(path, &error))?;
        return Ok(Home::at(path));
    }
    platform_home().map(Home::at)
}

/// The home of a user who names none.
pub(crate) fn platform_home() -> Result<PathBuf, Trouble> {
    let strategy = etcetera::choose_base_strategy().map_err(|error| {
        Trouble::failed("no_home", format!("there is no folder for data: {error}"))
            .advice("Set CHORDAL_HOME to a folder of yours.")
    })?;
    Ok(strategy.data_dir().join("chordal"))
}

/// A client of the node that the flags name.
pub(crate) fn client(common: &Common) -> Result<Client, Trouble> {
    match running(common)? {
        Some(node) => client_of(&node),
        None => Err(no_node(common)),
    }
}

/// The node that the flags name, if it runs.
pub(crate) fn running(common: &Common) -> Result<Option<RunningNode>, Trouble> {
    let home = home(common)?;
    let nodes = home
        .running()
        .map_err(|error| Trouble::failed("io", error.to_string()))?;
    Ok(choose(nodes, common.node))
}

/// The one wanted, or the one with the lowest port.
fn choose(nodes: Vec<RunningNode>, wanted: Option<SocketAddr>) -> Option<RunningNode> {
    let is_wanted = |node: &RunningNode| {
        wanted.is_none_or(|addr| {
            // A node that listens on all addresses is known by any of them.
            let everywhere = node.ring.ip().is_unspecified() && node.ring.port() == addr.port();
            node.ring == addr || node.http == Some(addr) || everywhere
        })
    };
    let mut found: Vec<_> = nodes.into_iter().filter(is_wanted).collect();
    found.sort_by_key(|node| (Some(node.ring) != wanted, node.ring.port(), node.ring));
    found.into_iter().next()
}

/// A client of this node.
pub(crate) fn client_of(node: &RunningNode) -> Result<Client, Trouble> {
    let http = node.http.ok_or_else(|| {
        Trouble::failed(
            "no_node",
            format!("the node at {} serves no control API", node.ring),
        )
        .advice("Talk to another node with --node IP:PORT.")
    })?;
    let token = node
        .control_token()
        .map_err(|error| Trouble::failed("io", error.to_string()))?;
    Client::new(http, &token)
}

fn no_node(common: &Common) -> Trouble {
    let place = match home(common) {
        Ok(home) => home.path().display().to_string(),
        Err(_) => "CHORDAL_HOME".to_owned(),
    };
    match common.node {
        Some(addr) => Trouble::failed("no_node", format!("no node of {place} runs at {addr}"))
            .still("What the ring stores is not affected.")
            .advice(format!(
                "Start it with `chordal node {} {}`, or set CHORDAL_HOME to the home it was started with.",
                addr.ip(),
                addr.port()
            )),
        None => Trouble::failed("no_node", format!("no node runs here (home: {place})"))
            .still("What the ring stores is not affected.")
            .advice("Start one with `chordal up`, or see it work first with `chordal demo`."),
    }
}

#[cfg(test)]
mod tests;
