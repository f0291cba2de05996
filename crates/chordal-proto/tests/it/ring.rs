//! Membership, pointers, lookups.

use std::time::Duration;

use bytes::Bytes;
use chordal_object::{Bits, Key};
use chordal_proto::effect::{Answer, Failure};
use chordal_proto::input::{Command, Input};
use chordal_proto::member::Standing;
use chordal_proto::message::JoinRefusal;
use chordal_proto::{Profile, Settings};

use crate::cluster::{Cluster, addr, node};

fn classic() -> Settings {
    Settings {
        bits: Bits::CLASSIC,
        profile: Profile::Classic,
        ..Settings::default()
    }
}

/// All tokens in order with their pointers, checked to be one ideal ring.
pub(crate) fn assert_ideal(cluster: &Cluster) {
    let mut tokens: Vec<_> = cluster
        .machines
        .values()
        .flat_map(|machine| machine.peer.tokens())
        .collect();
    tokens.sort_by_key(|token| token.key);
    let keys: Vec<Key> = tokens.iter().map(|token| token.key).collect();
    for (index, token) in tokens.iter().enumerate() {
        let next = keys[(index + 1) % keys.len()];
        let before = keys[(index + keys.len() - 1) % keys.len()];
        assert_eq!(token.successor.key, next, "successor of {}", token.key);
        assert_eq!(
            token.predecessor.key, before,
            "predecessor of {}",
            token.key
        );
        let list: Vec<Key> = cluster
            .machines
            .values()
            .flat_map(|machine| machine.peer.successors(token.key))
            .map(|token| token.key)
            .collect();
        let expected: Vec<Key> = keys
            .iter()
            .cycle()
            .skip(index + 1)
            .take(list.len())
            .copied()
            .collect();
        assert_eq!(list, expected, "successor list of {}", token.key);
    }
}

#[test]
fn rings_of_any_size_become_ideal() {
    for count in [1, 2, 3, 5, 12] {
        assert_ideal(&Cluster::ring(Settings::default(), count));
    }
}

#[test]
fn a_ring_without_room_for_its_lists_becomes_ideal_too() {
    let settings = Settings {
        successors: 2,
        ..Settings::default()
    };
    assert_ideal(&Cluster::ring(settings, 6));
}

#[test]
fn nodes_that_join_at_once_become_one_ring() {
    let mut cluster = Cluster::new(Settings::default());
    for index in 0..10 {
        cluster.start(index, None);
    }
    for index in 1..10 {
        cluster.join(index, index - 1).unwrap();
    }
    cluster.rest(Duration::from_secs(20));
    assert_ideal(&cluster);
}

#[test]
fn two_rings_that_meet_become_one() {
    let mut cluster = Cluster::new(Settings::default());
    for index in 0..8 {
        cluster.start(index, None);
        if index % 4 != 0 {
            cluster.join(index, index - index % 4).unwrap();
        }
    }
    cluster.rest(Duration::from_secs(10));
    cluster.join(0, 5).unwrap();
    cluster.rest(Duration::from_secs(30));
    assert_ideal(&cluster);
}

#[test]
fn the_ring_closes_over_dead_nodes() {
    let mut cluster = Cluster::ring(Settings::default(), 8);
    cluster.kill(2);
    cluster.kill(5);
    cluster.rest(Duration::from_secs(10));
    assert_ideal(&cluster);
}

#[test]
fn a_node_that_restarts_finds_its_ring_by_memory_alone() {
    let mut cluster = Cluster::ring(Settings::default(), 5);
    let disk = cluster.kill(3);
    cluster.rest(Duration::from_secs(5));
    cluster.restart(3, disk);
    cluster.rest(Duration::from_secs(20));
    assert_ideal(&cluster);
}

#[test]
fn a_ring_that_lost_its_power_finds_itself_again() {
    let mut cluster = Cluster::ring(Settings::default(), 6);
    let disks: Vec<_> = (0..6).map(|index| cluster.kill(index)).collect();
    for (index, disk) in disks.into_iter().enumerate() {
        cluster.restart(u16::try_from(index).unwrap(), disk);
    }
    cluster.rest(Duration::from_secs(30));
    assert_ideal(&cluster);
}

#[test]
fn joining_nobody_or_oneself_changes_nothing() {
    let mut cluster = Cluster::ring(Settings::default(), 1);
    let nobody = cluster.ask(0, Command::Join(vec![addr(99)]));
    assert!(matches!(nobody, Err(Failure::Unjoinable(_))), "{nobody:?}");
    let itself = cluster.ask(0, Command::Join(vec![addr(0)]));
    assert!(matches!(itself, Err(Failure::Unjoinable(_))), "{itself:?}");
    assert_ideal(&cluster);
}

#[test]
fn a_ring_of_other_bits_refuses() {
    let mut cluster = Cluster::ring(Settings::default(), 2);
    cluster.settings = classic();
    cluster.start(7, None);
    let refused = cluster.join(7, 0);
    assert_eq!(
        refused,
        Err(Failure::JoinRefused(JoinRefusal::OtherSettings))
    );
}

#[test]
fn classic_nodes_sit_where_the_seed_put_them() {
    let cluster = Cluster::ring(classic(), 3);
    let keys: Vec<u128> = (0..3)
        .map(|index| {
            cluster.machines[&addr(index)].peer.tokens()[0]
                .key
                .position()
        })
        .collect();
    assert_eq!(keys, [797, 88, 631]);
    assert_ideal(&cluster);
}

#[test]
fn classic_fingers_fit_on_a_blackboard() {
    let mut cluster = Cluster::ring(classic(), 3);
    let Ok(Answer::Fingers(tables)) = cluster.ask(0, Command::Fingers) else {
        panic!()
    };
    let fingers: Vec<(u128, u128)> = tables[0]
        .fingers
        .iter()
        .map(|(start, token, _)| (start.position(), token.key.position()))
        .collect();
    // 797: all starts up to 29 belong to 88 across the wrap, 285 to 631.
    assert_eq!(
        fingers,
        [
            (798, 88),
            (799, 88),
            (801, 88),
            (805, 88),
            (813, 88),
            (829, 88),
            (861, 88),
            (925, 88),
            (29, 88),
            (285, 631)
        ]
    );
}

#[test]
fn two_classic_nodes_at_one_position_are_not_both_let_in() {
    // Of the ports from 5000 on, find one that collides with the first.
    let position = |index: u16| Bits::CLASSIC.classic_key(&addr(index).to_string());
    let twin = (1..30_000)
        .find(|&index| position(index) == position(0))
        .expect("1,024 positions");
    let mut cluster = Cluster::ring(classic(), 2);
    cluster.start(twin, None);
    let refused = cluster.join(twin, 1);
    assert_eq!(
        refused,
        Err(Failure::JoinRefused(JoinRefusal::PositionTaken(position(
            0
        ))))
    );
}

#[test]
fn a_lookup_ends_at_the_owner_from_everywhere() {
    let mut cluster = Cluster::ring(Settings::default(), 7);
    for index in 0..7 {
        let Ok(Answer::Where(place)) =
            cluster.ask(index, Command::Where("some file".parse().unwrap()))
        else {
            panic!()
        };
        let mut tokens: Vec<_> = cluster
            .machines
            .iter()
            .flat_map(|(&at, m)| m.peer.tokens().into_iter().map(move |t| (t.key, node(at))))
            .collect();
        tokens.sort_unstable();
        let owner = tokens
            .iter()
            .find(|(key, _)| *key >= place.key)
            .unwrap_or(&tokens[0])
            .1;
        assert_eq!(place.hops.last().map(|hop| hop.node), Some(owner));
        assert!(
            place.hops.len() <= 2,
            "one hop with a full table: {:?}",
            place.hops
        );
    }
}

#[test]
fn garbage_from_a_member_changes_nothing() {
    let mut cluster = Cluster::ring(Settings::default(), 3);
    for bytes in [&b""[..], b"\x00", b"GET / HTTP/1.1", &[0xff; 64]] {
        let bytes = Bytes::from_static(bytes);
        let input = Input::Message {
            from: node(addr(1)),
            addr: addr(1),
            bytes,
        };
        cluster.drive(addr(0), input);
    }
    assert_ideal(&cluster);
}

#[test]
fn who_never_asked_a_silent_node_asks_another_one_first_once_several_found_it_silent() {
    let mut cluster = Cluster::new(Settings {
        successors: 4,
        ..Settings::default()
    });
    for index in 0..24 {
        cluster.start_with(index, None, 1);
        if index > 0 {
            cluster.join(index, 0).expect("the first node is there");
        }
    }
    cluster.rest(Duration::from_secs(30));
    let key = cluster.machines[&addr(5)].peer.tokens()[0].key;
    let look_up = |cluster: &mut Cluster, index: u16| {
        let Ok(Answer::Found(found)) = cluster.ask(index, Command::LookUp(key)) else {
            panic!("an answer to a lookup")
        };
        found
    };
    let disk = cluster.kill(5);
    cluster.rest(Duration::from_secs(15));
    for index in (0..24).filter(|&index| index != 5) {
        let peer = &cluster.machines[&addr(index)].peer;
        let said = peer.members();
        let dead = said.iter().find(|member| member.node == node(addr(5)));
        assert_eq!(dead.map(|dead| dead.standing), Some(Standing::Present));
        let found = look_up(&mut cluster, index);
        assert_eq!(found.silent, 0, "node {index} asked the dead one");
    }
    cluster.restart(5, disk);
    cluster.rest(Duration::from_secs(30));
    for index in (0..24).filter(|&index| index != 5) {
        let hops = look_up(&mut cluster, index).hops;
        assert_eq!(hops.first().map(|hop| hop.node), Some(node(addr(5))));
    }
}

#[test]
fn a_node_that_is_stopped_just_after_it_joined_knows_its_ring_in_its_next_life() {
    let mut cluster = Cluster::ring(Settings::default(), 4);
    cluster.start(9, None);
    cluster.join(9, 0).unwrap();
    assert_eq!(cluster.ask(9, Command::Pause), Ok(Answer::Paused));
    let saved = cluster.kill(9).saved().expect("it kept something");
    assert_eq!(chordal_proto::saved_nodes(saved).len(), 5);
}
