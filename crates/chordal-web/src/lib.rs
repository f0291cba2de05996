//! The control API of a node over HTTP: what the command line speaks, and any script that can
//! read the node's token; and the dashboard, a page that speaks it from a browser.
//!
//! The API is small and versioned by its path (`/v1/...`). It takes no decision and keeps nothing:
//! a request becomes one call of the node's handle, and bodies pass through. It refuses whoever
//! does not show the token, whatever host name does not belong to it, and any name in a path.

pub mod api;
mod assets;
mod entrance;
mod facts;
mod failure;
mod files;
mod forecast;
mod guard;
mod limits;
mod live;
mod members;
pub mod pace;
pub mod problem;
mod query;
pub mod receipts;
mod routes;
pub mod safety;
mod server;
mod session;
mod which;

pub use limits::WATCH_SILENCE_MAX;
pub use server::Server;

use chordal_node::NodeError;

/// What to tell one whose node could not join when it started.
pub fn join_problem(error: &NodeError) -> problem::Problem {
    failure::problem(error, failure::Wish::Join)
}

/// What to tell one whose node may not leave.
pub fn leave_problem(error: &NodeError) -> problem::Problem {
    failure::problem(error, failure::Wish::Leave)
}
