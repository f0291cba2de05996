use chordal_object::Arc;

use super::super::example::{node, ring};
use super::*;
use crate::effect::NodeReport;
use crate::placement::placed;

fn risk(nodes: Vec<NodeReport>) -> Risk {
    Risk::of(&ring(nodes), &Settings::default())
}

fn near(one: f64, other: f64) -> bool {
    (one - other).abs() < 1e-9
}

#[test]
fn three_whole_nodes_lose_nothing_but_all_together() {
    let risk = risk((1..=3).map(|number| node(number, true)).collect());
    assert_eq!((risk.copies, risk.counted), (3, 3));
    assert!(near(risk.shares[3], 1.0), "{:?}", risk.shares);
    assert!(near(risk.deaths[0].share, 0.0) && near(risk.deaths[1].share, 0.0));
    let all = &risk.deaths[2];
    assert_eq!((all.groups, all.choices, all.worst.len()), (1, 1, 3));
    assert!(near(all.share, 1.0));
}

#[test]
fn a_lonely_node_holds_everything_alone() {
    let risk = risk(vec![node(1, true)]);
    assert_eq!(risk.deaths.len(), 1);
    assert_eq!(risk.deaths[0].worst, [NodeId::new([1; 32])]);
    assert!(near(risk.deaths[0].share, 1.0));
}

#[test]
fn who_still_fetches_does_not_count() {
    let mut nodes: Vec<_> = (1..=3).map(|number| node(number, true)).collect();
    nodes[1].status.as_mut().unwrap().copies_wanted = 1;
    nodes[2].status.as_mut().unwrap().arcs_incomplete = 1;
    let risk = risk(nodes);
    assert_eq!(risk.counted, 1);
    assert!(near(risk.shares[1], 1.0) && near(risk.deaths[0].share, 1.0));
}

#[test]
fn what_two_deaths_lose_is_what_trying_all_pairs_finds() {
    let nodes: Vec<_> = (1..=9)
        .map(|number| node(number, number % 4 != 0))
        .collect();
    let settings = Settings::default();
    let held = placed(nodes.iter().map(|node| &node.member), &settings);
    let dead = |node: &NodeId, pair: [u8; 2]| {
        let number = node.as_bytes()[0];
        number.is_multiple_of(4) || pair.contains(&number)
    };
    let lost_by = |pair: [u8; 2]| -> f64 {
        let gone = |held: &&(Arc, Vec<NodeId>)| {
            let counted = held.1.iter().any(|node| node.as_bytes()[0] % 4 != 0);
            counted && held.1.iter().all(|node| dead(node, pair))
        };
        held.iter()
            .filter(gone)
            .map(|(arc, _)| share(*arc, &settings))
            .sum()
    };
    let pairs = (1..=9).flat_map(|one| (1..one).map(move |other| [one, other]));
    let worst = pairs.map(lost_by).fold(0.0, f64::max);
    let risk = risk(nodes);
    assert!(
        worst > 0.0 && near(risk.deaths[1].share, worst),
        "{worst} {risk:?}"
    );
    assert!(near(risk.shares.iter().sum::<f64>(), 1.0));
}
