//! The ring's certificate, as a walk over the network finds it.

use std::time::Duration;

use bytes::Bytes;
use chordal_proto::certificate::Flaw;
use chordal_proto::codec;
use chordal_proto::effect::{Answer, RingCheck, Verdict};
use chordal_proto::input::{Command, Input};
use chordal_proto::message::{Envelope, Message};
use chordal_proto::{Profile, Settings};

use crate::cluster::{Cluster, addr, node};

fn check(cluster: &mut Cluster, index: u16) -> RingCheck {
    match cluster.ask(index, Command::Check) {
        Ok(Answer::Checked(check)) => check,
        other => panic!("a check through {index}: {other:?}"),
    }
}

#[test]
fn a_ring_at_rest_is_certified_from_every_node() {
    for count in [1, 2, 5] {
        let mut cluster = Cluster::ring(Settings::default(), count);
        for index in 0..count {
            let check = check(&mut cluster, index);
            assert_eq!(check.verdict(), Verdict::Right, "{check:?}");
            assert_eq!(check.certificate.nodes, usize::from(count));
            assert_eq!(check.certificate.tokens, 4 * usize::from(count));
            assert_eq!(check.certificate.on_ring, check.certificate.tokens);
            assert_eq!((check.walks, check.unasked), (1, 0));
            assert!(check.silent.is_empty());
        }
    }
}

#[test]
fn a_node_without_tokens_is_heard_and_is_no_flaw() {
    let mut cluster = Cluster::ring(Settings::default(), 3);
    cluster.start_with(3, None, 0);
    cluster.join(3, 0).unwrap();
    cluster.rest(Duration::from_secs(10));
    for index in [0, 3] {
        let check = check(&mut cluster, index);
        assert_eq!(check.verdict(), Verdict::Right, "{check:?}");
        assert_eq!((check.heard.len(), check.certificate.nodes), (4, 3));
    }
}

#[test]
fn a_dead_node_is_a_flaw_while_pointers_lead_to_it() {
    let settings = Settings {
        profile: Profile::Classic,
        bits: chordal_object::Bits::CLASSIC,
        ..Settings::default()
    };
    let mut cluster = Cluster::ring(settings, 6);
    drop(cluster.kill(2));
    let first = check(&mut cluster, 0);
    assert_eq!(first.silent.len(), 1);
    assert_eq!(first.silent[0].addr, addr(2));
    // Either it was found wrong, or the ring mended itself between two walks.
    assert!(first.walks > 1, "{first:?}");
    if first.verdict() == Verdict::Wrong {
        assert!(first.silent[0].pointers > 0);
        assert!(first.named.iter().any(|token| token.node == node(addr(2))));
    }
    cluster.rest(Duration::from_secs(30));
    let healed = check(&mut cluster, 0);
    assert_eq!(healed.verdict(), Verdict::Right, "{healed:?}");
    assert_eq!((healed.silent[0].pointers, healed.walks), (0, 1));
    assert_eq!(healed.certificate.nodes, 5);
}

#[test]
fn half_of_the_nodes_certify_nothing() {
    let mut cluster = Cluster::ring(Settings::default(), 6);
    for index in 3..6 {
        drop(cluster.kill(index));
    }
    cluster.rest(Duration::from_secs(20));
    let check = check(&mut cluster, 0);
    assert_eq!(check.verdict(), Verdict::Unknown, "{check:?}");
    assert_eq!((check.heard.len(), check.silent.len()), (3, 3));
    assert!(check.certificate.is_ideal());
}

#[test]
fn a_second_ring_of_which_the_table_knows_is_found() {
    let mut cluster = Cluster::new(Settings::default());
    for index in 0..6 {
        cluster.start(index, None);
    }
    for (index, contact) in [(1, 0), (2, 0), (4, 3), (5, 3)] {
        cluster.join(index, contact).unwrap();
    }
    cluster.rest(Duration::from_secs(20));
    let other = cluster.machines[&addr(3)].peer.member().clone();
    let news = Message::Table {
        want: vec![],
        members: vec![other],
        want_yours: false,
    };
    let bytes: Bytes = codec::encode(&Envelope {
        request: 0,
        incarnation: cluster.machines[&addr(1)].peer.member().incarnation,
        message: news,
    });
    let news = Input::Message {
        from: node(addr(1)),
        addr: addr(1),
        bytes,
    };
    let operation = chordal_proto::input::OperationId(u64::MAX);
    let command = Command::Check;
    cluster.drive(addr(0), news);
    let ask = Input::Command { operation, command };
    cluster.drive(addr(0), ask);
    // The first walk saw two rings; while it waits to look again, they become one.
    assert!(!cluster.replies.contains_key(&operation));
    cluster.rest(Duration::from_secs(30));
    let Some(Ok(Answer::Checked(seen))) = cluster.replies.remove(&operation) else {
        panic!("no answer");
    };
    assert!(seen.walks > 1);
    assert_eq!(seen.heard.len(), 6);
    let merged = check(&mut cluster, 4);
    assert_eq!(merged.verdict(), Verdict::Right, "{merged:?}");
    let wrong = seen.verdict() == Verdict::Wrong;
    let named = seen.certificate.flaws.first();
    assert!(!wrong || !matches!(named, Some(Flaw::SharedPosition)));
}

/// Virtual time until the ring of so many nodes is right, seen through the first one.
fn right_after(cluster: &mut Cluster, nodes: usize) -> Duration {
    let begun = cluster.now;
    loop {
        let check = check(cluster, 0);
        let took = cluster.now.since(begun);
        if check.verdict() == Verdict::Right && check.certificate.nodes == nodes {
            return took;
        }
        assert!(took < Duration::from_mins(1), "{check:?}");
        cluster.rest(Duration::from_millis(50));
    }
}

#[test]
fn many_nodes_that_join_at_once_are_right_soon_and_so_are_those_that_survive_a_quarter() {
    let mut cluster = Cluster::new(Settings::default());
    for index in 0..16 {
        cluster.start_with(index, None, 8);
    }
    for index in 1..16 {
        let operation = chordal_proto::input::OperationId(1 << 32 | u64::from(index));
        let command = Command::Join(vec![addr(0)]);
        cluster.drive(addr(index), Input::Command { operation, command });
    }
    let joined = right_after(&mut cluster, 16);
    assert!(joined < Duration::from_secs(4), "{joined:?}");
    cluster.rest(Duration::from_mins(1));
    for index in 12..16 {
        drop(cluster.kill(index));
    }
    let healed = right_after(&mut cluster, 12);
    assert!(healed < Duration::from_secs(4), "{healed:?}");
}
