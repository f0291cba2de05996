//! From a node's facts to the shapes of the API.

use std::time::Duration;

use chordal_node::model::{
    Care, Copies, CopyState, Deaths, Flaw, Hop, Key, NodeReport, NodeState, Reached, Record,
    RepairState, RingCheck, RingStatus, Risk, Settings, SilentNode, TokenFingers, Verdict, Via,
    Whereabouts,
};
use chordal_node::{Chronicle, FileInfo, Happening, ListPage, PutResult, Removed, RingEvent};
use jiff::Timestamp;

use crate::api;
use crate::failure::missing_node;

/// 32 bytes as hexadecimal digits.
pub(crate) fn hash(bytes: &[u8; 32]) -> String {
    bytes
        .iter()
        .fold(String::with_capacity(64), |mut text, byte| {
            for half in [byte >> 4, byte & 15] {
                text.extend(char::from_digit(u32::from(half), 16));
            }
            text
        })
}

/// A file's time, as RFC 3339 in UTC. A time that no calendar holds is shown as the epoch.
pub(crate) fn time(unix_ms: i64) -> String {
    Timestamp::from_millisecond(unix_ms)
        .unwrap_or(Timestamp::UNIX_EPOCH)
        .to_string()
}

/// A time in Unix seconds, as RFC 3339 in UTC.
pub(crate) fn unix_time(seconds: u64) -> String {
    let millis = i64::try_from(seconds)
        .unwrap_or(i64::MAX)
        .saturating_mul(1000);
    time(millis)
}

pub(crate) fn stored(put: &PutResult) -> api::Stored {
    api::Stored {
        name: put.name.to_string(),
        size: put.size,
        hash: hash(&put.hash),
        version: put.version.to_string(),
        copies: copies(put.copies),
    }
}

fn copies(copies: Copies) -> api::Copies {
    api::Copies {
        durable: copies.durable,
        wanted: copies.wanted,
    }
}

pub(crate) fn removed(name: String, removed: Removed) -> api::Removed {
    api::Removed {
        name,
        version: removed.version.to_string(),
        copies: copies(removed.copies),
    }
}

pub(crate) fn stat(info: FileInfo, settings: &Settings) -> api::Stat {
    api::Stat {
        key: settings.name_key(&info.name).to_string(),
        name: info.name.to_string(),
        size: info.size,
        hash: hash(&info.hash),
        modified: time(info.modified_ms),
        version: info.version.to_string(),
        chunks: info.chunks,
        content_type: info.content_type,
        metadata: info.metadata,
    }
}

pub(crate) fn page(page: ListPage) -> api::Page {
    let files = page.rows.iter().filter_map(|row| {
        let (size, content) = row.file?;
        Some(api::Row {
            name: row.name.to_string(),
            size,
            hash: hash(&content),
            modified: time(row.modified_ms),
        })
    });
    api::Page {
        files: files.collect(),
        next: page.last.filter(|_| page.more),
        missing: page.missing.iter().map(missing_node).collect(),
    }
}

pub(crate) fn whereabouts(name: String, found: &Whereabouts, settings: &Settings) -> api::Where {
    api::Where {
        name,
        key: found.key.to_string(),
        at: part_of_ring(found.key.position(), settings),
        exists: found.record.as_ref().is_some_and(|r| !r.is_tombstone()),
        deleted: found.record.as_ref().is_some_and(Record::is_tombstone),
        hops: found.hops.iter().map(hop).collect(),
        holders: found
            .holders
            .iter()
            .map(|holder| api::Holder {
                node: holder.node.to_string(),
                addr: holder.addr.to_string(),
                copy: copy_state(holder.copy).to_owned(),
            })
            .collect(),
    }
}

fn hop(hop: &Hop) -> api::Hop {
    api::Hop {
        node: hop.node.to_string(),
        addr: hop.addr.to_string(),
        via: via(hop.via),
        ms: milliseconds(hop.took),
    }
}

/// To the microsecond.
fn milliseconds(time: Duration) -> f64 {
    (time.as_secs_f64() * 1e6).round() / 1e3
}

fn via(via: Via) -> String {
    match via {
        Via::Own => "own".to_owned(),
        Via::Table => "table".to_owned(),
        Via::Finger(index) => format!("finger {index}"),
        Via::Successor => "successor".to_owned(),
        Via::Predecessor => "predecessor".to_owned(),
    }
}

fn copy_state(copy: CopyState) -> &'static str {
    match copy {
        CopyState::Durable => "durable",
        CopyState::Missing => "missing",
        CopyState::Unreachable => "unreachable",
    }
}

pub(crate) fn status(ring: &RingStatus) -> api::Status {
    let own = &ring.own;
    api::Status {
        node: api::OwnNode {
            id: own.member.node.to_string(),
            addr: own.member.addr.to_string(),
            tokens: own
                .tokens
                .iter()
                .map(|token| api::OwnToken {
                    key: token.key.to_string(),
                    predecessor: token.predecessor.key.to_string(),
                    successor: token.successor.key.to_string(),
                    predecessor_node: token.predecessor.node.to_string(),
                    successor_node: token.successor.node.to_string(),
                })
                .collect(),
        },
        ring: api::RingHealth {
            name: ring.ring_name.clone(),
            nodes: ring.nodes.iter().map(health).collect(),
            whole: ring.whole,
            problems: ring.problems.clone(),
        },
        repair: api::Repair {
            state: match ring.repair {
                RepairState::Idle => "idle",
                RepairState::Waiting => "waiting",
                RepairState::Working => "working",
            }
            .to_owned(),
            copies_missing: ring.copies_missing,
        },
    }
}

/// A node's state, for the API.
pub(crate) fn state(state: NodeState) -> String {
    match state {
        NodeState::Alive => "alive",
        NodeState::Suspect => "suspect",
        NodeState::Leaving => "leaving",
        NodeState::Gone => "gone",
        NodeState::Left => "left",
    }
    .to_owned()
}

fn health(node: &NodeReport) -> api::NodeHealth {
    api::NodeHealth {
        id: node.member.node.to_string(),
        addr: node.member.addr.to_string(),
        state: state(node.state),
        used_bytes: node.status.as_ref().map(|status| status.used_bytes),
        offered_bytes: node.member.offered_bytes,
        scrub: node.status.as_ref().map(|status| scrub(&status.care)),
    }
}

fn scrub(care: &Care) -> api::Scrub {
    let ended_ms = i64::try_from(care.round_ended_s).map_or(0, |s| s.saturating_mul(1000));
    api::Scrub {
        round_ended: (ended_ms > 0).then(|| time(ended_ms)),
        found: care.found,
        mended: care.mended,
    }
}

pub(crate) fn fingers(tables: &[TokenFingers]) -> api::Fingers {
    let table = |table: &TokenFingers| {
        let fingers = table
            .fingers
            .iter()
            .map(|(start, token, addr)| api::Finger {
                start: start.to_string(),
                node: token.node.to_string(),
                addr: addr.to_string(),
                key: token.key.to_string(),
            });
        (table.token.to_string(), fingers.collect())
    };
    api::Fingers(tables.iter().map(table).collect())
}

pub(crate) fn check(check: &RingCheck) -> api::Check {
    let certificate = &check.certificate;
    api::Check {
        ring: check.ring_name.clone(),
        verdict: match check.verdict() {
            Verdict::Right => "right",
            Verdict::Wrong => "wrong",
            Verdict::Unknown => "unknown",
        }
        .to_owned(),
        nodes: certificate.nodes,
        tokens: certificate.tokens,
        on_ring: certificate.on_ring,
        flaws: certificate
            .flaws
            .iter()
            .map(|flaw| api::CheckFlaw {
                kind: flaw.kind().to_owned(),
                message: flaw.to_string(),
                tokens: named(check, flaw),
            })
            .collect(),
        heard: check.heard.iter().map(heard).collect(),
        silent: check.silent.iter().map(silent).collect(),
        unasked: check.unasked,
        walks: check.walks,
        ms: milliseconds(check.took),
    }
}

fn heard(node: &Reached) -> api::HeardNode {
    api::HeardNode {
        id: node.node.to_string(),
        addr: node.addr.to_string(),
        tokens: node.tokens,
    }
}

fn silent(node: &SilentNode) -> api::SilentNode {
    api::SilentNode {
        id: node.node.to_string(),
        addr: node.addr.to_string(),
        pointers: node.pointers,
    }
}

/// The tokens that a flaw's words name, with their nodes' addresses.
fn named(check: &RingCheck, flaw: &Flaw) -> Vec<api::NamedToken> {
    let positions = flaw.positions();
    let tokens = check.named.iter();
    let mut tokens: Vec<_> = tokens
        .filter(|token| positions.contains(&token.key))
        .collect();
    tokens.sort_by_key(|token| positions.iter().position(|&key| key == token.key));
    let addr = |node| {
        let heard = check.heard.iter().map(|heard| (heard.node, heard.addr));
        let silent = check.silent.iter().map(|silent| (silent.node, silent.addr));
        let mut known = heard.chain(silent);
        known.find_map(|(other, addr)| (other == node).then(|| addr.to_string()))
    };
    tokens
        .into_iter()
        .map(|token| api::NamedToken {
            key: token.key.to_string(),
            node: token.node.to_string(),
            addr: addr(token.node),
            answers: check.heard.iter().any(|heard| heard.node == token.node),
        })
        .collect()
}

/// The ring with everybody's places. A node that is no member any more has none.
pub(crate) fn picture(ring: &RingStatus, settings: &Settings) -> api::RingPicture {
    let tokens_of = |node: &NodeReport| {
        if node.member.standing.is_member() {
            node.member.tokens(settings)
        } else {
            Vec::new()
        }
    };
    let mut all: Vec<Key> = ring.nodes.iter().flat_map(tokens_of).collect();
    all.sort();
    let nodes = ring.nodes.iter().map(|node| {
        let tokens = tokens_of(node);
        api::PicturedNode {
            health: health(node),
            share: tokens
                .iter()
                .map(|&token| owned_part(token, &all, settings))
                .sum(),
            tokens: tokens
                .iter()
                .map(|&token| api::PicturedToken {
                    key: token.to_string(),
                    at: part_of_ring(token.position(), settings),
                })
                .collect(),
            copies_wanted: node.status.as_ref().map(|status| status.copies_wanted),
            handing_off: node.status.as_ref().map(|status| status.handing_off),
        }
    });
    api::RingPicture {
        name: ring.ring_name.clone(),
        bits: settings.bits.get(),
        whole: ring.whole,
        problems: ring.problems.clone(),
        nodes: nodes.collect(),
    }
}

pub(crate) fn risk(risk: &Risk) -> api::Risk {
    let deaths = |deaths: &Deaths| api::RiskOfDeaths {
        count: deaths.count,
        groups: deaths.groups,
        choices: deaths.choices,
        worst: deaths.worst.iter().map(ToString::to_string).collect(),
        share: deaths.share,
    };
    api::Risk {
        copies: risk.copies,
        counted: risk.counted,
        shares: risk.shares.clone(),
        deaths: risk.deaths.iter().map(deaths).collect(),
    }
}

/// What happened in the ring, at this moment of the node's clock.
pub(crate) fn timeline(chronicle: &Chronicle, now_ms: i64, settings: &Settings) -> api::Timeline {
    let event = |event: &RingEvent| api::TimelineEvent {
        at: time(event.at_ms),
        node: event.node.to_string(),
        addr: event.addr.map(|addr| addr.to_string()),
        what: match event.what {
            Happening::Appeared => "appeared",
            Happening::Suspected => "suspected",
            Happening::Recovered => "recovered",
            Happening::Gone => "gone",
            Happening::Left => "left",
        }
        .to_owned(),
        tokens: event
            .tokens
            .iter()
            .map(|token| part_of_ring(token.position(), settings))
            .collect(),
    };
    api::Timeline {
        since: time(chronicle.since_ms),
        now: time(now_ms),
        events: chronicle.events.iter().map(event).collect(),
    }
}

/// Which part of the ring's keys a token owns, among all tokens in order.
fn owned_part(token: Key, all: &[Key], settings: &Settings) -> f64 {
    let before = match all.binary_search(&token) {
        Ok(0) | Err(0) => all.last(),
        Ok(index) | Err(index) => all.get(index - 1),
    };
    match before {
        Some(&before) if before != token => {
            part_of_ring(settings.bits.distance(before, token), settings)
        }
        _ => 1.0,
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "a picture needs no more than the leading digits"
)]
fn part_of_ring(keys: u128, settings: &Settings) -> f64 {
    keys as f64 / 2_f64.powi(i32::from(settings.bits.get()))
}

#[cfg(test)]
mod tests;
