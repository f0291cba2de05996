//! Who is waited for, and for how long.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use chordal_object::NodeId;

use crate::limits::TABLE_MAX;
use crate::member::{Member, Standing};
use crate::peer::Peer;
use crate::settings::{Config, Settings, Timing};
use crate::time::Time;

fn at(seconds: u64) -> Time {
    Time::from_nanos(0) + Duration::from_secs(seconds)
}

fn member(number: u8, standing: Standing) -> Member {
    Member {
        node: NodeId::new([number; 32]),
        addr: SocketAddr::from((Ipv4Addr::LOCALHOST, 1000 + u16::from(number))),
        incarnation: 1,
        standing,
        offered_bytes: 1,
        salts: vec![0],
    }
}

#[test]
fn who_is_given_up_in_an_emergency_is_waited_for_though_nothing_was_heard_of_it_for_long() {
    let grace = Timing::default().grace.as_secs();
    let own = member(1, Standing::Present);
    let config = Config {
        settings: Settings::default(),
        timing: Timing::default(),
        node: own.node,
        addr: own.addr,
        incarnation: 1,
        offered_bytes: 1,
        tokens: 1,
        table_nodes: TABLE_MAX,
        remembered: None,
        seed: 1,
    };
    let mut peer = Peer::new(config, at(0));
    let other = member(2, Standing::Present);
    peer.learn(at(0), other.clone());
    let given_up = at(3 * grace);
    peer.learn(given_up, member(2, Standing::Gone));
    let waited = |peer: &Peer, now| !peer.is_gone_for_good(now, other.node, Some(at(0)));
    assert!(waited(&peer, given_up + Duration::from_secs(10)));
    assert!(!waited(&peer, at(4 * grace)));
    // It was there all the time, and is given up again.
    peer.learn(
        at(5 * grace),
        Member {
            incarnation: 2,
            ..other.clone()
        },
    );
    let gone_again = Member {
        incarnation: 2,
        ..member(2, Standing::Gone)
    };
    peer.learn(at(7 * grace), gone_again);
    assert!(waited(&peer, at(7 * grace + 10)));
    assert!(!waited(&peer, at(8 * grace)));
}
