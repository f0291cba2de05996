//! What differs is found, and no more than that is sent.

use std::net::{Ipv4Addr, SocketAddr};

use super::*;
use crate::codec;
use crate::effect::Effect;
use crate::member::Standing;
use crate::settings::{Config, Settings, Timing};

const NODES: u16 = 300;

fn member(number: u16) -> Member {
    let mut id = [7; 32];
    id[..2].copy_from_slice(&number.wrapping_mul(40_503).to_be_bytes());
    Member {
        node: NodeId::new(id),
        addr: SocketAddr::from((Ipv4Addr::LOCALHOST, 1000 + number)),
        incarnation: 1,
        standing: Standing::Present,
        offered_bytes: 1,
        salts: vec![0],
    }
}

/// A peer that knows the others of this many nodes.
fn peer(number: u16, known: u16) -> Peer {
    let own = member(number);
    let mut peer = Peer::new(
        Config {
            settings: Settings::default(),
            timing: Timing::default(),
            node: own.node,
            addr: own.addr,
            incarnation: 1,
            offered_bytes: 1,
            tokens: 1,
            table_nodes: crate::limits::TABLE_MAX,
            remembered: None,
            seed: 1,
        },
        Time::from_nanos(0),
    );
    let others: Vec<Member> = (0..known).filter(|&n| n != number).map(member).collect();
    peer.learn_members(Time::from_nanos(0), &others);
    while peer.poll().is_some() {}
    peer
}

/// Carries what two peers say to each other of their tables until both are silent; how many bytes
/// it took.
fn talk(now: Time, one: &mut Peer, other: &mut Peer) -> usize {
    let mut said = 0;
    for _ in 0..4 {
        said += carry(now, one, other);
        said += carry(now, other, one);
    }
    said
}

fn carry(now: Time, from: &mut Peer, to: &mut Peer) -> usize {
    let asker = Asker {
        node: from.me.node,
        addr: from.me.addr,
        request: 0,
    };
    let mut said = 0;
    while let Some(effect) = from.poll() {
        let Effect::Send { to: whom, bytes } = effect else {
            continue;
        };
        if whom.node != Some(to.me.node) {
            continue;
        }
        let length = bytes.len();
        let message = codec::decode(bytes).unwrap().message;
        if let Message::TableDigest { digest, disagreed } = message {
            to.compare_tables(now, &asker, digest, disagreed);
        } else if let Message::TableParts(parts) = message {
            to.compare_parts(&asker, &parts);
        } else if let Message::TableTags(tags) = message {
            to.compare_tags(&asker, &tags);
        } else if let Message::Table { members, want, .. } = message {
            to.learn_table(now, &asker, &members, false, &want);
        } else {
            continue;
        }
        said += length;
    }
    said
}

fn later() -> Time {
    Time::from_nanos(0) + ON_ITS_WAY * 2
}

#[test]
fn two_tables_that_differ_become_the_same_for_few_bytes() {
    let (mut one, mut other) = (peer(0, NODES), peer(1, NODES));
    other.learn_members(Time::from_nanos(0), &[member(NODES + 5)]);
    let mut gone = member(9);
    gone.standing = Standing::Gone;
    one.learn_members(Time::from_nanos(0), &[gone.clone()]);
    let now = later();
    one.compare_with(now, other.me.node);
    let bytes = talk(now, &mut one, &mut other);
    assert_eq!(one.table.digest(), other.table.digest());
    assert!(one.members().contains(&member(NODES + 5)));
    assert!(other.members().contains(&gone));
    assert!(bytes < 1500, "{bytes} bytes");
}

#[test]
fn small_tables_that_share_nothing_become_the_same() {
    let (mut one, mut other) = (peer(0, 2), peer(1, 2));
    one.learn_members(Time::from_nanos(0), &[member(5), member(6)]);
    other.learn_members(Time::from_nanos(0), &[member(7)]);
    let now = later();
    one.compare_with(now, other.me.node);
    talk(now, &mut one, &mut other);
    assert_eq!(one.members().len(), 5);
    assert_eq!(one.table.digest(), other.table.digest());
}

#[test]
fn a_table_that_was_the_same_a_moment_ago_is_not_compared_unless_the_two_disagreed() {
    let mut peer = peer(0, 9);
    let old = peer.table.digest();
    let now = later();
    peer.learn_members(now, &[member(12)]);
    let asker = Asker {
        node: member(1).node,
        addr: member(1).addr,
        request: 0,
    };
    let answers = |peer: &mut Peer, now: Time, disagreed: bool| {
        while peer.poll().is_some() {}
        peer.compare_tables(now, &asker, old, disagreed);
        peer.poll().is_some()
    };
    assert!(!answers(&mut peer, now, false));
    assert!(answers(&mut peer, now, true));
    assert!(answers(&mut peer, now + ON_ITS_WAY, false));
}
