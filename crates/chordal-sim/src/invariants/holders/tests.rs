use super::*;

fn node(number: u8) -> NodeId {
    NodeId::new([number; 32])
}

#[test]
fn holders_are_distinct_nodes_round_the_ring() {
    let tokens = [(10, 1), (11, 1), (20, 2), (30, 3), (31, 3)];
    let ring: BTreeMap<Key, NodeId> = tokens
        .map(|(position, number)| (Key::new(position), node(number)))
        .into();
    assert_eq!(holders(&ring, Key::new(10), 2), [node(1), node(2)]);
    assert_eq!(holders(&ring, Key::new(30), 3), [node(3), node(1), node(2)]);
    assert_eq!(holders(&ring, Key::new(99), 5), [node(1), node(2), node(3)]);
}
