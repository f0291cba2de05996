//! Prints what the dashboard of a made-up ring is told, as JSON in the API's own shapes: the browser
//! tests show it rings of a size that no test starts.
//!
//! `cargo run -p chordal-web --example canned -- 300`

use std::io::Write as _;

use chordal_web::api::{
    Flow, Holder, Hop, NodeHealth, PicturedNode, PicturedToken, Repair, RingPicture, Risk,
    RiskOfDeaths, Scene, Scrub, Timeline, TimelineEvent, Where,
};
use chordal_web::pace::Progress;
use chordal_web::safety::Safety;
use serde_json::json;

const TOKENS: usize = 8;

/// Numbers that look random and are the same every time.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u32 {
        let step = self.0.wrapping_mul(6_364_136_223_846_793_005);
        self.0 = step.wrapping_add(1_442_695_040_888_963_407);
        u32::try_from(self.0 >> 32).unwrap_or_default()
    }

    /// 0 to below 1.
    fn part(&mut self) -> f64 {
        f64::from(self.next()) / 4_294_967_296.0
    }
}

fn main() -> std::io::Result<()> {
    let count = std::env::args().nth(1).and_then(|text| text.parse().ok());
    let mut numbers = Numbers(7);
    let nodes = nodes(count.unwrap_or(300), &mut numbers);
    let told = json!({
        "risk": risk(&nodes),
        "timeline": timeline(&nodes),
        "where": whereabouts(&nodes, &mut numbers),
        "scene": scene(nodes),
    });
    writeln!(std::io::stdout(), "{told}")
}

fn state(index: usize) -> &'static str {
    match index % 60 {
        7 | 23 => "suspect",
        31 => "leaving",
        44 => "gone",
        52 => "left",
        _ => "alive",
    }
}

fn nodes(count: usize, numbers: &mut Numbers) -> Vec<PicturedNode> {
    let mut nodes: Vec<PicturedNode> = (0..count).map(|index| node(index, numbers)).collect();
    nodes.sort_by(|one, other| one.health.id.cmp(&other.health.id));
    share(&mut nodes);
    nodes
}

fn node(index: usize, numbers: &mut Numbers) -> PicturedNode {
    let state = state(index);
    let is_member = ["alive", "suspect", "leaving"].contains(&state);
    let answers = ["alive", "leaving"].contains(&state);
    let offered_bytes = (u64::from(numbers.next() % 8) + 1) << 39;
    let digits: Vec<String> = (0..8).map(|_| format!("{:08x}", numbers.next())).collect();
    let tokens = (0..TOKENS).filter(|_| is_member).map(|_| {
        let at = numbers.part();
        PicturedToken {
            key: format!("{:08x}{:024x}", numbers.next(), index),
            at,
        }
    });
    PicturedNode {
        tokens: tokens.collect(),
        share: 0.0,
        copies_wanted: answers.then_some(if index % 37 == 5 { 1200 } else { 0 }),
        handing_off: answers.then_some(if state == "leaving" { 340 } else { 0 }),
        health: NodeHealth {
            id: digits.concat(),
            addr: format!("10.0.{}.{}:2000", index / 250, index % 250 + 1),
            state: state.to_owned(),
            used_bytes: answers.then(|| offered_bytes / 10 * u64::from(numbers.next() % 9)),
            offered_bytes,
            scrub: answers.then(|| Scrub {
                round_ended: Some("2026-01-01T00:00:00Z".to_owned()),
                found: 0,
                mended: 0,
            }),
        },
    }
}

/// Gives every node the part of the ring before its tokens.
fn share(nodes: &mut [PicturedNode]) {
    let tokens = nodes.iter().enumerate();
    let mut tokens: Vec<(f64, usize)> = tokens
        .flat_map(|(index, node)| node.tokens.iter().map(move |token| (token.at, index)))
        .collect();
    tokens.sort_by(|one, other| one.0.total_cmp(&other.0));
    let mut before = tokens.last().map_or(0.0, |last| last.0 - 1.0);
    for (at, index) in tokens {
        nodes[index].share += at - before;
        before = at;
    }
}

fn scene(nodes: Vec<PicturedNode>) -> Scene {
    let missing: u64 = nodes.iter().filter_map(|node| node.copies_wanted).sum();
    let repair = Repair {
        state: if missing > 0 { "working" } else { "idle" }.to_owned(),
        copies_missing: missing,
    };
    let flow = |node: &PicturedNode| Flow {
        node: node.health.id.clone(),
        fetched: 3,
        given: 0,
    };
    let silent = nodes.iter().filter(|node| node.health.state == "suspect");
    let problems = silent.map(|node| format!("{} does not answer", node.health.addr));
    Scene {
        node: nodes[0].health.id.clone(),
        addr: nodes[0].health.addr.clone(),
        safety: Safety::of(nodes.iter().map(|node| &node.health), &repair),
        progress: Progress {
            most_missing: missing * 2,
            per_second: (missing > 0).then_some(118.5),
            left_s: (missing > 0).then_some(missing / 118),
        },
        repair,
        noted: nodes.len() as u64,
        flows: nodes.iter().skip(3).step_by(61).map(flow).collect(),
        ring: RingPicture {
            name: "made-up".to_owned(),
            bits: 128,
            whole: true,
            problems: problems.collect(),
            nodes,
        },
    }
}

fn timeline(nodes: &[PicturedNode]) -> Timeline {
    let event = |(index, node): (usize, &PicturedNode)| TimelineEvent {
        at: format!("2026-01-01T{:02}:{:02}:00Z", index / 60 % 24, index % 60),
        node: node.health.id.clone(),
        addr: Some(node.health.addr.clone()),
        what: match node.health.state.as_str() {
            "suspect" => "suspected",
            "gone" => "gone",
            "left" => "left",
            _ => "appeared",
        }
        .to_owned(),
        tokens: node.tokens.iter().map(|token| token.at).collect(),
    };
    Timeline {
        since: "2026-01-01T00:00:00Z".to_owned(),
        now: "2026-01-02T00:00:00Z".to_owned(),
        events: nodes.iter().enumerate().map(event).collect(),
    }
}

fn risk(nodes: &[PicturedNode]) -> Risk {
    let deaths = |count: usize, groups, share| RiskOfDeaths {
        count,
        groups,
        choices: 40_000,
        worst: nodes
            .iter()
            .take(count)
            .map(|node| node.health.id.clone())
            .collect(),
        share,
    };
    Risk {
        copies: 3,
        counted: nodes.len(),
        shares: vec![0.0, 0.002, 0.1, 0.898],
        deaths: vec![
            deaths(1, 3, 0.001),
            deaths(2, 310, 0.003),
            deaths(3, 2101, 0.008),
        ],
    }
}

/// A lookup of five hops.
fn whereabouts(nodes: &[PicturedNode], numbers: &mut Numbers) -> Where {
    let mut alive = nodes.iter().filter(|node| node.health.state == "alive");
    let hops = alive.by_ref().step_by(41).take(5);
    let hops: Vec<Hop> = hops
        .enumerate()
        .map(|(index, node)| Hop {
            node: node.health.id.clone(),
            addr: node.health.addr.clone(),
            via: format!("finger {}", 127 - index),
            ms: 4.2,
        })
        .collect();
    let copies = ["durable", "missing", "unreachable"];
    let holders = nodes.iter().skip(50).step_by(70).zip(copies);
    Where {
        name: "photos/cat.jpg".to_owned(),
        key: "5eed".repeat(8),
        at: numbers.part(),
        exists: true,
        deleted: false,
        hops,
        holders: holders
            .map(|(node, copy)| Holder {
                node: node.health.id.clone(),
                addr: node.health.addr.clone(),
                copy: copy.to_owned(),
            })
            .collect(),
    }
}
