use std::net::Ipv4Addr;

use super::*;

const RING_OURS: Fingerprint = Fingerprint([7; 12]);
const OTHERS: Wanted = Wanted::Members(PeerId([9; 32]));

fn said(node: u8, invites: bool) -> ResolvedService {
    let presence = Presence {
        node: PeerId([node; 32]),
        ring: RING_OURS,
        listens: (Ipv4Addr::new(192, 0, 2, 1), 2000).into(),
        invites,
    };
    service(&presence).unwrap().as_resolved_service()
}

#[test]
fn what_a_node_says_is_what_another_one_looks_for() {
    let there: SocketAddr = ([192, 0, 2, 1], 2000).into();
    assert_eq!(usable(&said(1, false), RING_OURS, OTHERS), [there]);
    assert_eq!(usable(&said(1, true), RING_OURS, Wanted::Inviters), [there]);
    assert_eq!(usable(&said(1, false), RING_OURS, Wanted::Inviters), []);
    assert_eq!(usable(&said(9, true), RING_OURS, OTHERS), [], "itself");
    let strange = Fingerprint([8; 12]);
    assert_eq!(usable(&said(1, true), strange, Wanted::Inviters), []);
}

#[test]
fn a_node_of_the_loopback_is_of_no_use_to_anybody() {
    assert!(!is_of_use(([127, 0, 0, 1], 2000).into()));
    assert!(is_of_use(([0, 0, 0, 0], 2000).into()));
    assert!(is_of_use(([192, 0, 2, 1], 2000).into()));
}
