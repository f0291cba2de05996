//! The flags of `whatif` and `plan`.

use clap::{Args, Subcommand};

use crate::amounts::{parse_rate, parse_size};

/// `chordal whatif`.
#[derive(Clone, Debug, Args)]
pub(crate) struct WhatIfArgs {
    /// The nodes that are thought dead: addresses IP:PORT, ids, or the first digits of ids
    #[arg(required = true, value_name = "NODE")]
    pub(crate) nodes: Vec<String>,
    /// Only files whose names begin with this; `SPACE:` for another space
    #[arg(
        long = "in",
        value_name = "PREFIX",
        default_value = "",
        hide_default_value = true
    )]
    pub(crate) prefix: String,
    /// Look at the first N names only
    #[arg(long, value_name = "N", default_value_t = 100_000, value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) names: u64,
    /// Show every file that would not stay whole, not only the first ones
    #[arg(long)]
    pub(crate) all: bool,
}

/// `chordal plan`.
#[derive(Clone, Debug, Args)]
pub(crate) struct PlanArgs {
    #[command(subcommand)]
    pub(crate) change: Change,
    /// How many bytes a second one node fetches, for the time it would take; else as fast as the node
    /// asked has fetched until now
    #[arg(long, global = true, value_name = "SIZE", value_parser = parse_rate)]
    pub(crate) rate: Option<u64>,
}

/// What is thought to change.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum Change {
    /// A node joins and offers so much
    Join {
        /// How much of its disk the ring may use, for example 100GB
        #[arg(long, value_name = "SIZE", value_parser = parse_size)]
        offer: u64,
    },
    /// Nodes leave, one after the other
    Leave {
        /// The nodes: addresses IP:PORT, ids, or the first digits of ids
        #[arg(required = true, value_name = "NODE")]
        nodes: Vec<String>,
    },
}
