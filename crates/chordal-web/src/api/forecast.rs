//! The shapes of forecasts: what deaths would lose, and what a change would move.

use serde::{Deserialize, Serialize};

use crate::problem::Missing;

/// What would be lost if some nodes died now: a page of files, and what is true of the whole ring.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WhatIf {
    /// The nodes that are thought dead.
    pub nodes: Vec<NamedNode>,
    /// Of how many nodes each key's copies are, if all are there.
    pub copies: usize,
    /// Where those left would be too few to go on without the others.
    pub minority: Option<Minority>,
    /// What would become of all keys, of whatever space.
    pub shares: FateShares,
    /// The page's files, in order of their paths.
    pub files: Vec<FileFate>,
    /// Where the next page begins: its `after`. Nothing when this is the last page.
    pub next: Option<String>,
    /// Nodes whose silence makes the page incomplete; empty when it is complete.
    pub missing: Vec<Missing>,
}

/// A node and where it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NamedNode {
    /// Its id.
    pub id: String,
    /// Its address.
    pub addr: String,
}

/// Too few nodes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Minority {
    /// So many would be left that answer.
    pub left: usize,
    /// Of so many that are on the ring.
    pub of: usize,
}

/// Parts of all keys by their fate, 0 to 1, together 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct FateShares {
    /// All copies would be left.
    pub whole: f64,
    /// Some would be.
    pub short: f64,
    /// If any, only on nodes that do not answer now, or lack something.
    pub in_doubt: f64,
    /// None.
    pub lost: f64,
}

/// What would become of a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileFate {
    /// Its name.
    pub name: String,
    /// Its size in bytes.
    pub size: u64,
    /// `whole`, `short`, `in_doubt` or `lost`: that of its worst part.
    pub fate: String,
    /// Copies of that part that count now.
    pub copies: usize,
    /// How many of them would be left.
    pub left: usize,
    /// Its parts that were looked at: the record, lists of chunks, and chunks.
    pub parts: u64,
    /// How many of them would be lost.
    pub parts_lost: u64,
    /// Whether that is all of them; if not, the file is at least in doubt.
    pub seen_whole: bool,
}

/// What would move if a node joined or nodes left.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// `join` or `leave`.
    pub change: String,
    /// The nodes that would leave, in this order.
    pub leaving: Vec<NamedNode>,
    /// Copies of everything now.
    pub copies_now: usize,
    /// And then.
    pub copies_then: usize,
    /// Bytes that would be fetched in all.
    pub bytes: u64,
    /// Every node that stores something, now or then; one that would join is last, without an id.
    pub nodes: Vec<PlanNode>,
    /// From whom to whom, the most first, a thousand at most.
    pub flows: Vec<PlanFlow>,
    /// Between how many bytes a newcomer would fetch, by the id that it happens to have.
    pub range: Option<(u64, u64)>,
    /// How fast the node asked has fetched copies since it started; nothing where it has not.
    pub measured: Option<Measured>,
    /// Bytes a second that the node asked lets itself fetch, or give, to make copies.
    pub budget_bytes_per_s: u64,
}

/// What a change would be to one node, in bytes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlanNode {
    /// Its id; nothing for one that would join.
    pub id: Option<String>,
    /// Its address; nothing for one that would join.
    pub addr: Option<String>,
    /// What it offers.
    pub offered_bytes: u64,
    /// What it stores now; nothing when it did not say.
    pub used_bytes: Option<u64>,
    /// What it would fetch.
    pub gets: u64,
    /// What others would fetch from it.
    pub gives: u64,
    /// What it would drop once others have it.
    pub drops: u64,
    /// What it would store in the end; nothing when it did not say what it stores now.
    pub then_bytes: Option<u64>,
}

/// Bytes from one node to another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlanFlow {
    /// The id of the node that has them.
    pub from: String,
    /// The id of the one that would fetch them; nothing for one that would join.
    pub to: Option<String>,
    /// So many.
    pub bytes: u64,
}

/// How fast a node has fetched copies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Measured {
    /// So many bytes in a second in which it fetched any.
    pub bytes_per_s: u64,
    /// From so many bytes that is known.
    pub of_bytes: u64,
}
