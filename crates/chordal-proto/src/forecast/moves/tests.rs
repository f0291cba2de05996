use super::super::example::{node, ring};
use super::*;

const GIB: u64 = 1 << 30;

fn filled(count: u8) -> RingStatus {
    let mut nodes: Vec<_> = (1..=count).map(|number| node(number, true)).collect();
    for node in &mut nodes {
        node.status.as_mut().unwrap().used_bytes = GIB / 2;
    }
    ring(nodes)
}

fn moves(ring: &RingStatus, change: &Change) -> Moves {
    Moves::of(ring, &Settings::default(), change)
}

fn leave(ring: &RingStatus, nodes: &[u8]) -> Moves {
    let nodes = nodes.iter().map(|&number| NodeId::new([number; 32]));
    moves(ring, &Change::Leave(nodes.collect()))
}

const JOIN: Change = Change::Join {
    offered_bytes: GIB,
    tokens: 8,
};

#[test]
fn what_a_leaving_node_stores_is_fetched_by_others_byte_for_byte() {
    let moves = leave(&filled(6), &[2]);
    let gets: u64 = moves.nodes.iter().map(|node| node.gets).sum();
    assert!(gets.abs_diff(GIB / 2) < 100, "{gets}");
    let left = &moves.nodes[1];
    assert_eq!((left.gets, left.used), (0, Some(GIB / 2)));
    assert!(left.then() < Some(100), "{left:?}");
    assert_eq!((moves.copies_now, moves.copies_then), (3, 3));
    assert!(moves.flows.iter().all(|flow| flow.to != Some(flow.from)));
    let sent: u64 = moves.flows.iter().map(|flow| flow.bytes).sum();
    assert!(sent.abs_diff(gets) < 100);
}

#[test]
fn of_three_nodes_nothing_moves_when_one_leaves_but_copies_become_fewer() {
    let moves = leave(&filled(3), &[1]);
    assert!(moves.flows.is_empty());
    assert_eq!((moves.copies_now, moves.copies_then), (3, 2));
}

#[test]
fn a_fourth_node_takes_what_others_drop_and_a_second_one_a_copy_of_everything() {
    let fourth = moves(&filled(3), &JOIN);
    let newcomer = fourth.nodes.last().unwrap();
    assert_eq!(newcomer.node, None);
    let dropped: u64 = fourth.nodes.iter().map(|node| node.drops).sum();
    assert!(newcomer.gets.abs_diff(dropped) < 100, "{fourth:?}");
    // Three quarters of everything, as the three others then have.
    assert!(newcomer.gets.abs_diff(GIB * 3 / 8) < GIB / 50, "{fourth:?}");
    let (least, most) = fourth.range.unwrap();
    assert!((least..=most).contains(&newcomer.gets) && least < most);
    let second = moves(&filled(1), &JOIN);
    assert_eq!(second.nodes[1].gets, GIB / 2);
    assert_eq!(second.nodes[0].drops, 0);
    assert_eq!((second.copies_now, second.copies_then), (1, 2));
}

#[test]
fn nodes_leave_one_after_the_other() {
    let ring = filled(6);
    let both = leave(&ring, &[2, 5]);
    let gets: u64 = both.nodes.iter().map(|node| node.gets).sum();
    // The second one hands on what it took over from the first.
    assert!(gets > GIB, "{gets}");
    let stored: u64 = both.nodes.iter().filter_map(NodeMoves::then).sum();
    assert!(stored.abs_diff(3 * GIB) < 1000, "{stored}");
}

#[test]
fn who_does_not_say_what_it_stores_is_taken_for_one_of_the_others() {
    let mut ring = filled(6);
    ring.nodes[1].status = None;
    let moves = leave(&ring, &[2]);
    let gets: u64 = moves.nodes.iter().map(|node| node.gets).sum();
    assert!(gets.abs_diff(GIB / 2) < GIB / 4, "{gets}");
    assert_eq!(moves.nodes[1].used, None);
    let silent = NodeId::new([2; 32]);
    assert!(moves.flows.iter().all(|flow| flow.from != silent));
}
