use chordal_object::Key;

use super::*;
use crate::member::{Member, Standing};

fn node(number: u8) -> NodeId {
    NodeId::new([number; 32])
}

fn token(number: u8) -> Token {
    Token {
        key: Key::new(u128::from(number)),
        node: node(number),
    }
}

fn member(number: u8) -> Member {
    Member {
        node: node(number),
        addr: SocketAddr::from(([127, 0, 0, 1], 2000 + u16::from(number))),
        incarnation: 1,
        standing: Standing::Present,
        offered_bytes: 1,
        salts: vec![0],
    }
}

/// What the node with this number answers on a ring of `count` nodes.
fn pointers(number: u8, count: u8) -> NodePointers {
    let before = (number + count - 1) % count;
    let after = (number + 1) % count;
    NodePointers {
        tokens: vec![TokenView {
            token: token(number),
            predecessor: token(before),
            successors: vec![token(after)],
        }],
        members: vec![member(before), member(after)],
    }
}

#[test]
fn a_walk_follows_pointers_round_a_ring_of_which_it_knew_one_node() {
    let mut walk = Walk::default();
    walk.ahead.insert(node(0));
    walk.addrs.insert(node(0), member(0).addr);
    let mut steps = 0;
    while let Some((asked, addr)) = walk.next() {
        steps += 1;
        let number = asked.as_bytes()[0];
        assert_eq!(addr, member(number).addr);
        walk.asked.remove(&asked);
        walk.hear(asked, pointers(number, 9));
    }
    assert!(walk.is_over());
    assert_eq!(steps, 9);
    assert!(walk.certificate(1).is_ideal());
    assert_eq!(walk.certificate(1).tokens, 9);
}

#[test]
fn a_node_speaks_of_its_own_tokens_alone() {
    let mut walk = Walk::default();
    let mut said = pointers(1, 5);
    said.tokens.push(TokenView {
        token: token(3),
        predecessor: token(1),
        successors: vec![token(1)],
    });
    walk.hear(node(1), said);
    assert_eq!(walk.certificate(1).tokens, 1);
    assert!(!walk.ahead.contains(&node(1)));
}

#[test]
fn nodes_without_an_address_and_beyond_the_limit_are_counted_as_not_asked() {
    let mut walk = Walk::default();
    let mut said = pointers(1, 5);
    said.members.clear();
    walk.hear(node(1), said);
    assert_eq!(walk.next(), None);
    assert_eq!(walk.unasked, BTreeSet::from([node(0), node(2)]));
    assert!(walk.is_over());
}

#[test]
fn so_many_nodes_are_asked_at_once_and_no_more() {
    let mut walk = Walk::default();
    for number in 0..=200 {
        walk.meet(node(number));
        walk.addrs.insert(node(number), member(number).addr);
    }
    let asked = std::iter::from_fn(|| walk.next()).count();
    assert_eq!(asked, WALK_AT_ONCE_MAX);
    assert!(!walk.is_over());
}

#[test]
fn pointers_to_a_silent_node_are_counted() {
    let mut walk = Walk::default();
    walk.hear(node(1), pointers(1, 3));
    walk.hear(node(0), pointers(0, 3));
    walk.silent.insert(node(2));
    assert_eq!(walk.pointers_to(node(2)), 2);
    let certificate = walk.certificate(2);
    assert!(!certificate.is_ideal());
    assert!(walk.named(&certificate).contains(&token(2)));
}
