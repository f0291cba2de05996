//! Rings for the tests of this folder.

use std::net::SocketAddr;

use chordal_object::NodeId;

use crate::effect::{NodeReport, NodeState, RepairState, RingStatus};
use crate::member::{Member, Standing};
use crate::message::{Care, NodeStatus};

/// A node of eight tokens and 1 GiB.
pub(super) fn node(number: u8, answers: bool) -> NodeReport {
    let member = Member {
        node: NodeId::new([number; 32]),
        addr: SocketAddr::from(([127, 0, 0, 1], 4000 + u16::from(number))),
        incarnation: 1,
        standing: Standing::Present,
        offered_bytes: 1 << 30,
        salts: vec![0; 8],
    };
    let status = NodeStatus {
        member: member.clone(),
        tokens: Vec::new(),
        used_bytes: 0,
        copies_wanted: 0,
        copies_unreachable: 0,
        arcs_incomplete: 0,
        handing_off: 0,
        suspects: Vec::new(),
        care: Care::default(),
    };
    NodeReport {
        member,
        state: if answers {
            NodeState::Alive
        } else {
            NodeState::Suspect
        },
        status: answers.then_some(status),
    }
}

/// A ring of these.
pub(super) fn ring(nodes: Vec<NodeReport>) -> RingStatus {
    RingStatus {
        ring_name: "x".into(),
        own: nodes[0].status.clone().unwrap(),
        nodes,
        whole: true,
        problems: Vec::new(),
        copies_missing: 0,
        repair: RepairState::Idle,
    }
}
