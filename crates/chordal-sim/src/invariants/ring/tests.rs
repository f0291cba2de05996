use std::collections::{BTreeMap, BTreeSet};

use chordal_object::{Key, NodeId};
use chordal_proto::member::Token;

use super::{Pointers, check_ideal, check_one_live_successor, check_order, holders};

fn node(number: u8) -> NodeId {
    NodeId::new([number; 32])
}

/// The token at this position; node 1 has 10 and 11, node 2 has 20 and 21, and so on.
fn token(position: u8) -> Token {
    Token {
        key: Key::new(position.into()),
        node: node(position / 10),
    }
}

fn pointers(own: u8, before: u8, after: &[u8]) -> Pointers {
    Pointers {
        token: token(own),
        predecessor: token(before),
        successors: after.iter().map(|&position| token(position)).collect(),
    }
}

#[test]
fn an_ideal_ring_is_ideal() {
    let ring = [
        pointers(10, 30, &[20, 30]),
        pointers(20, 10, &[30, 10]),
        pointers(30, 20, &[10, 20]),
    ];
    assert_eq!(check_ideal(&ring, 2), Ok(()));
    assert_eq!(
        check_ideal(&ring, 16),
        Ok(()),
        "three tokens cannot have lists of sixteen"
    );
    assert_eq!(check_ideal(&[pointers(10, 10, &[10])], 16), Ok(()));
    assert_eq!(check_ideal(&[pointers(10, 10, &[])], 16), Ok(()));
}

#[test]
fn two_rings_are_not_ideal() {
    let ring = [
        pointers(10, 20, &[20]),
        pointers(20, 10, &[10]),
        pointers(30, 40, &[40]),
        pointers(40, 30, &[30]),
    ];
    check_ideal(&ring, 2).expect_err("two rings");
}

#[test]
fn a_wrong_predecessor_or_a_short_list_is_not_ideal() {
    let ring = [
        pointers(10, 20, &[20, 30]),
        pointers(20, 10, &[30, 10]),
        pointers(30, 20, &[10, 20]),
    ];
    check_ideal(&ring, 2).expect_err("10's predecessor is 30");
    let ring = [
        pointers(10, 30, &[20]),
        pointers(20, 10, &[30, 10]),
        pointers(30, 20, &[10, 20]),
    ];
    check_ideal(&ring, 2).expect_err("10's list is short");
}

#[test]
fn a_list_goes_once_round_the_ring() {
    assert_eq!(check_order(&pointers(20, 10, &[30, 40, 10])), Ok(()));
    check_order(&pointers(20, 10, &[30, 10, 40])).expect_err("40 lies behind 10");
    check_order(&pointers(20, 10, &[30, 30])).expect_err("30 is there twice");
    check_order(&pointers(20, 10, &[30, 20, 40])).expect_err("it passes itself");
}

#[test]
fn a_list_of_the_dead_is_noticed() {
    let ring = [pointers(10, 30, &[20, 30])];
    let some: BTreeSet<NodeId> = [node(1), node(3)].into();
    assert_eq!(check_one_live_successor(&ring, &some), Ok(()));
    let others: BTreeSet<NodeId> = [node(1), node(4)].into();
    check_one_live_successor(&ring, &others).expect_err("20 and 30 are dead");
}

#[test]
fn holders_are_distinct_nodes_round_the_ring() {
    let ring: BTreeMap<Key, NodeId> = [10, 11, 20, 30, 31]
        .map(|at| (token(at).key, token(at).node))
        .into();
    assert_eq!(holders(&ring, Key::new(10), 2), [node(1), node(2)]);
    assert_eq!(holders(&ring, Key::new(30), 3), [node(3), node(1), node(2)]);
    assert_eq!(holders(&ring, Key::new(99), 5), [node(1), node(2), node(3)]);
}
