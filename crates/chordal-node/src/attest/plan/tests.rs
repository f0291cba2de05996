use std::collections::{BTreeMap, BTreeSet};

use chordal_object::{ChunkId, Name, NodeId, Version};
use chordal_proto::Settings;
use chordal_proto::effect::{NodeReport, NodeState, RepairState, RingStatus};
use chordal_proto::member::{Member, Standing};
use chordal_proto::message::{Care, NodeStatus};

use super::Plan;
use crate::attest::{Inquiry, RecordAsked, Why};

fn node(seed: u8) -> NodeId {
    NodeId::new([seed; 32])
}

/// A ring of so many nodes, of which these are not alive.
fn ring(nodes: u8, others: &[(u8, NodeState)]) -> RingStatus {
    let report = |seed: u8| {
        let state = others.iter().find(|(other, _)| *other == seed);
        let state = state.map_or(NodeState::Alive, |(_, state)| *state);
        let standing = match state {
            NodeState::Alive | NodeState::Suspect => Standing::Present,
            NodeState::Leaving => Standing::Leaving,
            NodeState::Gone => Standing::Gone,
            NodeState::Left => Standing::Left,
        };
        NodeReport {
            member: Member {
                node: node(seed),
                addr: ([127, 0, 0, 1], u16::from(seed)).into(),
                incarnation: 1,
                standing,
                offered_bytes: 1,
                salts: vec![0; 8],
            },
            state,
            status: None,
        }
    };
    let nodes: Vec<NodeReport> = (1..=nodes).map(report).collect();
    RingStatus {
        ring_name: String::new(),
        own: NodeStatus {
            member: nodes[0].member.clone(),
            tokens: Vec::new(),
            used_bytes: 0,
            copies_wanted: 0,
            copies_unreachable: 0,
            arcs_incomplete: 0,
            handing_off: 0,
            suspects: Vec::new(),
            care: Care::default(),
        },
        nodes,
        whole: true,
        problems: Vec::new(),
        copies_missing: 0,
        repair: RepairState::Idle,
    }
}

fn inquiry(chunks: u8) -> Inquiry {
    Inquiry {
        nonce: [0; 32],
        subject: [0; 32],
        record: Some(RecordAsked {
            name: Name::in_main("a").unwrap(),
            version: Version::NONE,
            size: 0,
            hash: [0; 32],
            content: [0; 32],
        }),
        chunks: (0..chunks).map(|seed| ChunkId::of(&[seed])).collect(),
        named: BTreeMap::new(),
        named_for_record: BTreeSet::new(),
        read: false,
    }
}

/// How many nodes are asked about each chunk, and how many about the record.
fn askings(plan: &Plan, chunks: u8) -> (Vec<usize>, usize) {
    let parts = || plan.asked.values().map(|(_, part)| part);
    let about = |chunk: u32| parts().filter(|part| part.chunks.contains(&chunk)).count();
    let counts = (0..u32::from(chunks)).map(about).collect();
    (counts, parts().filter(|part| part.record).count())
}

fn plan(ring: &RingStatus, inquiry: &Inquiry) -> Plan {
    Plan::new(ring, &Settings::default(), &BTreeSet::new(), inquiry)
}

#[test]
fn three_nodes_are_asked_about_everything_and_no_more() {
    let plan = plan(&ring(7, &[]), &inquiry(50));
    assert_eq!(plan.wanted, 3);
    assert_eq!(askings(&plan, 50), (vec![3; 50], 3));
    assert_eq!(plan.unheard, []);
}

#[test]
fn of_a_small_ring_everybody_is_asked_about_everything() {
    let plan = plan(&ring(2, &[]), &inquiry(5));
    assert_eq!((plan.wanted, askings(&plan, 5)), (2, (vec![2; 5], 2)));
}

#[test]
fn for_a_silent_holder_the_one_behind_is_asked() {
    let plan = plan(&ring(7, &[(3, NodeState::Suspect)]), &inquiry(50));
    assert_eq!(askings(&plan, 50), (vec![3; 50], 3));
    let silent: Vec<_> = plan.unheard.iter().map(|it| (it.node, it.why)).collect();
    assert_eq!(silent, [(node(3), Why::Silent)]);
}

#[test]
fn who_is_said_to_hold_something_is_asked_for_that_too() {
    let mut inquiry = inquiry(4);
    inquiry.named.extend([
        (node(1), vec![0, 1, 2, 3, 4, u32::MAX]),
        (node(4), vec![0]),
        (node(5), vec![0]),
        (node(9), vec![0]),
    ]);
    let ring = ring(5, &[(4, NodeState::Gone), (5, NodeState::Left)]);
    let expelled = BTreeSet::from([node(2)]);
    let plan = Plan::new(&ring, &Settings::default(), &expelled, &inquiry);
    let (_, part) = &plan.asked[&node(1)];
    assert!(part.record);
    assert_eq!(
        part.chunks,
        BTreeSet::from([0, 1, 2, 3]),
        "only what there is"
    );
    let unheard: Vec<_> = plan.unheard.iter().map(|it| (it.node, it.why)).collect();
    let expected = [
        (node(2), Why::Expelled),
        (node(4), Why::GivenUp),
        (node(5), Why::Left),
        (node(9), Why::Unknown),
    ];
    assert_eq!(unheard, expected);
}

#[test]
fn who_is_said_to_hold_the_record_is_asked_for_it_too() {
    let (ring, mut inquiry) = (ring(7, &[]), inquiry(50));
    let in_duty = plan(&ring, &inquiry);
    let is_not = |node: &NodeId| !in_duty.asked[node].1.record;
    let further = *in_duty.asked.keys().find(|node| is_not(node)).unwrap();
    inquiry.named_for_record.insert(further);
    let plan = plan(&ring, &inquiry);
    assert_eq!(askings(&plan, 50), (vec![3; 50], 4));
    assert!(plan.asked[&further].1.record);
}
