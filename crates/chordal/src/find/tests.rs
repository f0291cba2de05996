use super::*;

fn node(ring: &str) -> RunningNode {
    RunningNode {
        ring: ring.parse().unwrap(),
        http: None,
        pid: 1,
        folder: "x".into(),
    }
}

fn chosen(nodes: &[&str], wanted: Option<&str>) -> Option<String> {
    let nodes = nodes.iter().map(|ring| node(ring)).collect();
    let wanted = wanted.map(|addr| addr.parse().unwrap());
    choose(nodes, wanted).map(|node| node.ring.to_string())
}

#[test]
fn of_several_nodes_the_lowest_port_is_taken() {
    let nodes = ["127.0.0.1:5001", "10.0.0.1:5000", "127.0.0.1:5002"];
    assert_eq!(chosen(&nodes, None).as_deref(), Some("10.0.0.1:5000"));
    assert_eq!(chosen(&[], None), None);
}

#[test]
fn a_named_node_is_that_one_or_none() {
    let nodes = ["127.0.0.1:5001", "127.0.0.1:5000"];
    assert_eq!(
        chosen(&nodes, Some("127.0.0.1:5001")).as_deref(),
        Some("127.0.0.1:5001")
    );
    assert_eq!(chosen(&nodes, Some("127.0.0.1:5003")), None);
    assert_eq!(chosen(&nodes, Some("10.0.0.1:5001")), None);
}

#[test]
fn a_node_on_all_addresses_is_found_by_any_of_them() {
    let nodes = ["0.0.0.0:2000", "127.0.0.1:2000"];
    for addr in ["127.0.0.1:2000", "192.168.1.5:2000"] {
        assert_eq!(
            chosen(&nodes[..1], Some(addr)).as_deref(),
            Some("0.0.0.0:2000")
        );
    }
    assert_eq!(
        chosen(&nodes, Some("127.0.0.1:2000")).as_deref(),
        Some("127.0.0.1:2000")
    );
    assert_eq!(chosen(&nodes[..1], Some("127.0.0.1:2001")), None);
}
