use chordal_net::{Authority, NodeKey, PeerId};

use super::*;

fn known(authority: &Authority) -> Expulsions {
    let own = authority.issue(NodeKey::generate().peer_id(), 0);
    let admission = Arc::new(Admission::new(authority.id(), own));
    Expulsions::new(Home::at("nowhere"), admission)
}

#[test]
fn two_nodes_that_told_each_other_know_the_same() {
    let authority = Authority::generate();
    let (one, other) = (known(&authority), known(&authority));
    assert_eq!(one.digest(), other.digest());
    for id in [3, 1, 2] {
        let expulsion = authority.expel(PeerId([id; 32]), 7);
        one.admission().expel(expulsion).unwrap();
    }
    assert_ne!(one.digest(), other.digest());
    other.learn(&one.encode()).unwrap();
    assert_eq!(one.digest(), other.digest());
    assert_eq!(one.encode(), other.encode());
}

#[test]
fn what_another_ring_or_nobody_signed_expels_nobody() {
    let authority = Authority::generate();
    let node = known(&authority);
    let strange = Authority::generate().expel(PeerId([1; 32]), 7).encode();
    assert_eq!(node.learn(&strange), Err(NotExpulsions));
    let good = authority.expel(PeerId([1; 32]), 7).encode();
    assert_eq!(node.learn(&good[..100]), Err(NotExpulsions));
    let mut altered = good.clone();
    altered[40] ^= 1;
    assert_eq!(node.learn(&altered), Err(NotExpulsions));
    assert_eq!(node.admission().expulsions(), []);
    node.learn(&good).unwrap();
    assert!(node.admission().is_refused(&PeerId([1; 32])));
}
