//! Forecasts: what deaths would lose, and what a change would move. Nothing is changed by asking.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::{RawQuery, State};
use chordal_node::model::{Change, Fate, Flow, Loss, Member, Moves, NodeId, RingStatus, Settings};
use chordal_node::{Fetched, FileLoss, Node};
use chordal_object::DEFAULT_SPACE;

use crate::api;
use crate::failure::{self, Wish, missing_node};
use crate::limits::{FORECAST_NODES_MAX, PLAN_FLOWS_MAX};
use crate::problem::{Code, Problem};
use crate::query::Query;
use crate::routes::{Shared, check_space, limit};
use crate::which;

/// `GET /v1/whatif?node=&space=&prefix=&after=&limit=`: what would become of a page of files.
pub(crate) async fn whatif(
    State(shared): State<Shared>,
    RawQuery(query): RawQuery,
) -> Result<Json<api::WhatIf>, Problem> {
    let query = Query::parse(query.as_deref())?;
    let space = query.get("space").unwrap_or(DEFAULT_SPACE);
    check_space(space)?;
    let (prefix, limit) = (query.get("prefix").unwrap_or_default(), limit(&query)?);
    let (ring, nodes) = ring_and_nodes(&shared.node, &query, "node").await?;
    let dead: Vec<NodeId> = nodes.iter().map(|member| member.node).collect();
    let settings = shared.node.settings();
    let loss = judged(move || Loss::new(&ring, &settings, &dead)).await?;
    let page = shared
        .node
        .losses(&loss, space, prefix, query.get("after"), limit);
    let page = page
        .await
        .map_err(|error| failure::problem(&error, Wish::Look))?;
    let shares = loss.shares();
    let share = |fate: Fate| shares.get(&fate).copied().unwrap_or(0.0);
    Ok(Json(api::WhatIf {
        nodes: nodes.iter().map(named).collect(),
        copies: loss.copies(),
        minority: loss.minority().map(|(left, of)| api::Minority { left, of }),
        shares: api::FateShares {
            whole: share(Fate::Whole),
            short: share(Fate::Short),
            in_doubt: share(Fate::InDoubt),
            lost: share(Fate::Lost),
        },
        files: page.files.into_iter().map(file).collect(),
        next: page.next,
        missing: page.missing.iter().map(missing_node).collect(),
    }))
}

/// `GET /v1/plan?join=BYTES` or `?leave=NODE&leave=NODE`: what that would move.
pub(crate) async fn plan(
    State(shared): State<Shared>,
    RawQuery(query): RawQuery,
) -> Result<Json<api::Plan>, Problem> {
    let query = Query::parse(query.as_deref())?;
    let settings = shared.node.settings();
    let offered = query.get("join").map(|text| {
        let bytes = text.parse::<u64>();
        bytes.map_err(|_| bad("'join' is not a number of bytes".to_owned()))
    });
    let leaves = query.all("leave").next().is_some();
    let (ring, leaving, change) = match offered.transpose()? {
        Some(_) if leaves => return Err(bad("'join' and 'leave' are two plans".to_owned())),
        Some(bytes) => {
            let ring = shared.node.status().await;
            let ring = ring.map_err(|error| failure::problem(&error, Wish::Look))?;
            (ring, Vec::new(), Node::newcomer(bytes))
        }
        None => {
            let (ring, nodes) = ring_and_nodes(&shared.node, &query, "leave").await?;
            let leaving = nodes.iter().map(|member| member.node);
            let change = Change::Leave(leaving.collect());
            (ring, nodes, change)
        }
    };
    let pace = (
        shared.node.fetched(),
        shared.node.counters().copying_bytes_per_second,
    );
    judged(move || Json(planned(&ring, &settings, &leaving, &change, pace))).await
}

fn planned(
    ring: &RingStatus,
    settings: &Settings,
    leaving: &[Member],
    change: &Change,
    (fetched, budget): (Fetched, u64),
) -> api::Plan {
    let moves = Moves::of(ring, settings, change);
    let members = ring.nodes.iter().map(|node| &node.member);
    let addrs: BTreeMap<NodeId, String> = members
        .map(|member| (member.node, member.addr.to_string()))
        .collect();
    let nodes = moves.nodes.iter().map(|node| api::PlanNode {
        id: node.node.map(|id| id.to_string()),
        addr: node.node.and_then(|id| addrs.get(&id).cloned()),
        offered_bytes: node.offered,
        used_bytes: node.used,
        gets: node.gets,
        gives: node.gives,
        drops: node.drops,
        then_bytes: node.then(),
    });
    let flow = |flow: &Flow| api::PlanFlow {
        from: flow.from.to_string(),
        to: flow.to.map(|id| id.to_string()),
        bytes: flow.bytes,
    };
    let change = match change {
        Change::Join { .. } => "join",
        Change::Leave(_) => "leave",
    };
    api::Plan {
        change: change.to_owned(),
        leaving: leaving.iter().map(named).collect(),
        copies_now: moves.copies_now,
        copies_then: moves.copies_then,
        bytes: moves.nodes.iter().map(|node| node.gets).sum(),
        nodes: nodes.collect(),
        flows: moves.flows.iter().take(PLAN_FLOWS_MAX).map(flow).collect(),
        range: moves.range,
        measured: measured(fetched),
        budget_bytes_per_s: budget,
    }
}

/// A rate, from so many bytes as tell one.
fn measured(fetched: Fetched) -> Option<api::Measured> {
    let millis = u64::try_from(fetched.time.as_millis()).ok()?;
    let enough = fetched.bytes >= MEASURED_BYTES_MIN && millis > 0;
    let per_s = fetched.bytes.saturating_mul(1000).checked_div(millis)?;
    enough.then_some(api::Measured {
        bytes_per_s: per_s.max(1),
        of_bytes: fetched.bytes,
    })
}

/// Bytes below which a measured rate tells of the first seconds only.
const MEASURED_BYTES_MIN: u64 = 64 << 20;

/// The ring, and the members that the parameters of this name mean, each once.
async fn ring_and_nodes(
    node: &Node,
    query: &Query,
    parameter: &str,
) -> Result<(RingStatus, Vec<Member>), Problem> {
    let ring = node.status().await;
    let ring = ring.map_err(|error| failure::problem(&error, Wish::Look))?;
    let mut nodes: Vec<Member> = Vec::new();
    for text in query.all(parameter) {
        let member = &which::node(&ring.nodes, text)?.member;
        if !member.standing.is_member() {
            return Err(
                bad(format!("{} is no member of the ring any more", member.addr))
                    .advice("See the nodes and their ids with `chordal status --json`."),
            );
        }
        if nodes.iter().all(|known| known.node != member.node) {
            nodes.push(member.clone());
        }
    }
    if nodes.is_empty() || nodes.len() > FORECAST_NODES_MAX {
        let why = format!("1 to {FORECAST_NODES_MAX} nodes are needed as '{parameter}'");
        return Err(bad(why));
    }
    Ok((ring, nodes))
}

/// Computes where it holds nobody up.
async fn judged<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Problem> {
    let judging = tokio::task::spawn_blocking(work).await;
    judging.map_err(|_| Problem::new(Code::Busy, "the node is stopping"))
}

fn named(member: &Member) -> api::NamedNode {
    api::NamedNode {
        id: member.node.to_string(),
        addr: member.addr.to_string(),
    }
}

fn file(file: FileLoss) -> api::FileFate {
    api::FileFate {
        name: file.name.to_string(),
        size: file.size,
        fate: word(file.fate).to_owned(),
        copies: file.now,
        left: file.left,
        parts: file.parts,
        parts_lost: file.parts_lost,
        seen_whole: file.seen_whole,
    }
}

const fn word(fate: Fate) -> &'static str {
    match fate {
        Fate::Whole => "whole",
        Fate::Short => "short",
        Fate::InDoubt => "in_doubt",
        Fate::Lost => "lost",
    }
}

fn bad(message: String) -> Problem {
    Problem::new(Code::BadRequest, message)
}
