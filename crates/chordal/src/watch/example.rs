//! Rings to draw.

use chordal_web::api::{Check, NodeHealth, PicturedNode, Repair, RingPicture, Scene};
use chordal_web::pace::Progress;
use chordal_web::safety::Safety;

/// A ring of so many nodes at rest.
pub(crate) fn scene(nodes: u16) -> Scene {
    let nodes: Vec<PicturedNode> = (0..nodes).map(node).collect();
    let repair = Repair {
        state: "idle".into(),
        copies_missing: 0,
    };
    Scene {
        node: nodes[0].health.id.clone(),
        addr: nodes[0].health.addr.clone(),
        safety: Safety::of(nodes.iter().map(|node| &node.health), &repair),
        ring: RingPicture {
            name: "chordal".into(),
            bits: 128,
            whole: true,
            problems: Vec::new(),
            nodes,
        },
        repair,
        progress: Progress::default(),
        flows: Vec::new(),
        noted: 0,
    }
}

fn node(number: u16) -> PicturedNode {
    PicturedNode {
        health: NodeHealth {
            id: format!("{number:04x}").repeat(16),
            addr: format!("192.168.100.200:{}", 50_000 + u32::from(number)),
            state: "alive".into(),
            used_bytes: Some(7 << 30),
            offered_bytes: 100 << 30,
            scrub: None,
        },
        tokens: Vec::new(),
        share: 0.1,
        copies_wanted: Some(0),
        handing_off: Some(0),
    }
}

/// A ring of so many nodes of which one is silent and another fetches.
pub(crate) fn mending(nodes: u16) -> Scene {
    let mut scene = scene(nodes);
    scene.ring.nodes[1].health.state = "suspect".into();
    scene.ring.nodes[1].health.used_bytes = None;
    scene.ring.nodes[2].copies_wanted = Some(30);
    scene.ring.problems = vec!["192.168.100.200:50001 does not answer".into()];
    scene.repair = Repair {
        state: "working".into(),
        copies_missing: 30,
    };
    scene.progress = Progress {
        most_missing: 120,
        per_second: Some(7.5),
        left_s: Some(4),
    };
    scene.safety = Safety::of(
        scene.ring.nodes.iter().map(|node| &node.health),
        &scene.repair,
    );
    scene
}

/// A right ring's certificate.
pub(crate) fn right(nodes: usize) -> Check {
    Check {
        ring: "chordal".into(),
        verdict: "right".into(),
        nodes,
        tokens: nodes * 8,
        on_ring: nodes * 8,
        flaws: Vec::new(),
        heard: Vec::new(),
        silent: Vec::new(),
        unasked: 0,
        walks: 1,
        ms: 3.0,
    }
}
