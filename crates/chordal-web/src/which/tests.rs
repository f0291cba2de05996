use chordal_node::model::{Member, NodeId, Standing};

use super::*;

fn report(first: u8, port: u16, state: NodeState) -> NodeReport {
    let mut id = [0xab; 32];
    id[0] = first;
    NodeReport {
        member: Member {
            node: NodeId::new(id),
            addr: ([127, 0, 0, 1], port).into(),
            incarnation: 1,
            standing: Standing::Present,
            offered_bytes: 0,
            salts: Vec::new(),
        },
        state,
        status: None,
    }
}

fn meant(nodes: &[NodeReport], text: &str) -> Result<u8, Code> {
    node(nodes, text)
        .map(|node| node.member.node.as_bytes()[0])
        .map_err(|problem| problem.code)
}

#[test]
fn a_node_is_named_by_its_id_its_beginning_or_its_address() {
    let nodes = [
        report(1, 5000, NodeState::Alive),
        report(2, 5001, NodeState::Suspect),
    ];
    let whole = nodes[1].member.node.to_string();
    for text in ["127.0.0.1:5001", "02ab", "02ABab", &whole] {
        assert_eq!(meant(&nodes, text), Ok(2), "{text}");
    }
    assert_eq!(meant(&nodes, "127.0.0.1:5002"), Err(Code::UnknownNode));
    assert_eq!(meant(&nodes, "77ab"), Err(Code::UnknownNode));
    for text in ["", "02a", "node two", "127.0.0.1"] {
        assert_eq!(meant(&nodes, text), Err(Code::BadRequest), "{text}");
    }
}

#[test]
fn of_two_at_one_address_the_silent_one_is_meant() {
    let mut nodes = vec![
        report(1, 5000, NodeState::Gone),
        report(2, 5000, NodeState::Alive),
    ];
    assert_eq!(meant(&nodes, "127.0.0.1:5000"), Ok(1));
    nodes.push(report(3, 5000, NodeState::Suspect));
    assert_eq!(meant(&nodes, "127.0.0.1:5000"), Err(Code::BadRequest));
}
