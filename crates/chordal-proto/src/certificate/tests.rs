use std::net::{Ipv4Addr, SocketAddr};

use chordal_object::{Bits, Key, NodeId};

use super::{Certificate, Flaw, TokenView, ideal, invariant, principals};
use crate::member::Token;

const R: usize = 2;

fn token(position: u8) -> Token {
    Token {
        key: Key::new(u128::from(position)),
        node: NodeId::from_slice(&[position; 32]).expect("it has 32 bytes"),
    }
}

fn view(own: u8, predecessor: u8, successors: &[u8]) -> TokenView {
    TokenView {
        token: token(own),
        predecessor: token(predecessor),
        successors: successors.iter().copied().map(token).collect(),
    }
}

fn ring_of_four() -> Vec<TokenView> {
    vec![
        view(10, 40, &[20, 30]),
        view(20, 10, &[30, 40]),
        view(30, 20, &[40, 10]),
        view(40, 30, &[10, 20]),
    ]
}

#[test]
fn an_ideal_ring_has_no_flaw() {
    let ring = ring_of_four();
    assert_eq!(invariant(&ring, R), Ok(()));
    assert_eq!(principals(&ring), 4);
    let certificate = Certificate::of(&ring, R);
    assert!(certificate.is_ideal(), "{certificate:?}");
    assert_eq!(
        (certificate.nodes, certificate.tokens, certificate.on_ring),
        (4, 4, 4)
    );
}

#[test]
fn a_token_alone_is_an_ideal_ring() {
    assert_eq!(ideal(&[view(10, 10, &[10])], R), Ok(()));
    assert_eq!(invariant(&[view(10, 10, &[10])], R), Ok(()));
}

#[test]
fn a_newcomer_is_an_appendage_and_no_violation() {
    let mut ring = ring_of_four();
    ring.push(view(15, 10, &[20, 30]));
    assert_eq!(invariant(&ring, R), Ok(()));
    let flaws = Certificate::of(&ring, R).flaws;
    assert!(
        flaws.contains(&Flaw::Appendage { token: token(15) }),
        "{flaws:?}"
    );
    assert_eq!(principals(&ring), 4);
}

#[test]
fn a_list_out_of_order_is_named() {
    let mut ring = ring_of_four();
    ring[0] = view(10, 40, &[30, 20]);
    assert_eq!(
        invariant(&ring, R),
        Err(Flaw::Disordered {
            token: token(10),
            entry: token(20).key
        })
    );
    ring[0] = view(10, 40, &[20, 20]);
    assert!(matches!(invariant(&ring, R), Err(Flaw::Disordered { .. })));
}

#[test]
fn a_token_whose_successors_are_all_dead_is_named() {
    let mut ring = ring_of_four();
    ring[1] = view(20, 10, &[25, 26]);
    assert_eq!(
        invariant(&ring, R),
        Err(Flaw::NoLiveSuccessor { token: token(20) })
    );
}

#[test]
fn two_rings_are_told_from_one() {
    let ring = [
        view(10, 30, &[30]),
        view(20, 40, &[40]),
        view(30, 10, &[10]),
        view(40, 20, &[20]),
    ];
    let flaw = invariant(&ring, R).expect_err("there are two");
    assert!(
        matches!(flaw, Flaw::SeparateRings { rings: 2, .. }),
        "{flaw}"
    );
}

#[test]
fn a_ring_that_goes_round_twice_is_disordered() {
    let ring = [
        view(10, 40, &[30]),
        view(20, 30, &[40]),
        view(30, 10, &[20]),
        view(40, 20, &[10]),
    ];
    let flaw = invariant(&ring, R).expect_err("it goes round twice");
    assert!(matches!(flaw, Flaw::DisorderedRing { .. }), "{flaw}");
}

#[test]
fn too_few_principals_are_counted() {
    let ring = [
        view(10, 40, &[20, 40]),
        view(20, 10, &[30, 10]),
        view(30, 20, &[40, 20]),
        view(40, 30, &[10, 30]),
    ];
    let found = principals(&ring);
    assert!(found < 3, "{found}");
    assert_eq!(
        invariant(&ring, R),
        Err(Flaw::FewPrincipals { found, need: 3 })
    );
}

#[test]
fn every_way_of_not_being_ideal_is_named() {
    let mut ring = ring_of_four();
    ring[2].predecessor = token(10);
    assert!(matches!(ideal(&ring, R), Err(Flaw::Predecessor { .. })));
    let mut ring = ring_of_four();
    ring[2].successors.pop();
    assert_eq!(
        ideal(&ring, R),
        Err(Flaw::ListLength {
            token: token(30),
            has: 1,
            need: 2
        })
    );
    let mut ring = ring_of_four();
    ring[2].successors[1] = token(20);
    assert!(matches!(
        ideal(&ring, R),
        Err(Flaw::Successor { place: 2, .. })
    ));
    let mut ring = ring_of_four();
    ring.push(view(10, 40, &[20, 30]));
    assert_eq!(ideal(&ring, R), Err(Flaw::SharedPosition));
}

#[test]
fn flaws_are_sentences_with_positions() {
    let addr = SocketAddr::from((Ipv4Addr::LOCALHOST, 5000));
    let key = Bits::CLASSIC.classic_key(&addr.to_string());
    let node = token(1).node;
    let flaw = Flaw::NoLiveSuccessor {
        token: Token { key, node },
    };
    assert!(flaw.to_string().contains("797"), "{flaw}");
}
