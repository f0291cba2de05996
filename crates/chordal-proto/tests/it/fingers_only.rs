//! Rings whose nodes know only those that their pointers name.

use std::time::Duration;

use chordal_object::{Key, NodeId};
use chordal_proto::Settings;
use chordal_proto::effect::{Answer, Failure, Found};
use chordal_proto::input::Command;
use chordal_proto::limits::TABLE_MAX;

use crate::cluster::{Cluster, node};
use crate::ring::assert_ideal;

/// A ring of one token a node, all of which joined through node 0.
fn ring(count: u16, successors: u8) -> Cluster {
    let settings = Settings {
        successors,
        ..Settings::default()
    };
    let mut cluster = Cluster::new(settings);
    cluster.table_nodes = 0;
    for index in 0..count {
        cluster.start_with(index, None, 1);
        if index > 0 {
            cluster.join(index, 0).expect("the first node is there");
        }
    }
    cluster.rest(Duration::from_mins(2));
    cluster
}

fn look_up(cluster: &mut Cluster, index: u16, key: Key) -> Found {
    match cluster.ask(index, Command::LookUp(key)) {
        Ok(Answer::Found(found)) => found,
        other => panic!("lookup of {key} through {index}: {other:?}"),
    }
}

fn owner(cluster: &Cluster, key: Key) -> NodeId {
    let mut tokens: Vec<(Key, NodeId)> = cluster
        .machines
        .iter()
        .flat_map(|(&at, m)| m.peer.tokens().into_iter().map(move |t| (t.key, node(at))))
        .collect();
    tokens.sort_unstable();
    tokens
        .iter()
        .find(|(token, _)| *token >= key)
        .unwrap_or(&tokens[0])
        .1
}

fn some_key(cluster: &Cluster, number: u32) -> Key {
    let name = format!("file {number}").parse().expect("a name");
    cluster.settings.name_key(&name)
}

#[test]
fn rings_of_any_size_become_ideal() {
    for count in [1, 2, 3, 5, 12, 24] {
        assert_ideal(&ring(count, 4));
    }
}

#[test]
fn a_node_knows_few_others() {
    let cluster = ring(40, 4);
    for machine in cluster.machines.values() {
        let known = machine.peer.members().len();
        // Predecessor, four successors and their like, fingers of 40 nodes, and itself.
        assert!(known <= 20, "knows {known} nodes");
    }
    assert_ideal(&cluster);
}

#[test]
fn lookups_end_at_the_owner_in_logarithmically_many_hops() {
    let mut cluster = ring(40, 4);
    let mut hops = 0;
    for number in 0..80 {
        let key = some_key(&cluster, number);
        let from = u16::try_from(number % 40).expect("small");
        let found = look_up(&mut cluster, from, key);
        assert_eq!(
            found.owner.map(|owner| owner.node),
            Some(owner(&cluster, key))
        );
        assert_eq!(found.silent, 0);
        hops += found.hops.len();
    }
    // Half of log2 of 40 and the owner itself, with a fourth on top for luck.
    assert!(hops <= 80 * 5, "{hops} hops for 80 lookups");
}

#[test]
fn the_ring_closes_over_dead_nodes() {
    let mut cluster = ring(30, 4);
    for index in [3, 4, 17, 29] {
        cluster.kill(index);
    }
    cluster.rest(Duration::from_mins(1));
    assert_ideal(&cluster);
    for number in 0..30 {
        let key = some_key(&cluster, number);
        let found = look_up(&mut cluster, 0, key);
        assert_eq!(
            found.owner.map(|owner| owner.node),
            Some(owner(&cluster, key))
        );
    }
}

#[test]
fn a_lookup_ends_at_the_first_node_that_answers_when_half_of_all_are_silent() {
    let mut cluster = ring(40, 8);
    for index in (0..40).filter(|index| index % 4 > 1) {
        cluster.kill(index);
    }
    for number in 0..80 {
        let key = some_key(&cluster, number);
        let from = u16::try_from(number % 10).expect("small") * 4;
        let found = look_up(&mut cluster, from, key);
        assert_eq!(
            found.owner.map(|owner| owner.node),
            Some(owner(&cluster, key)),
            "lookup {number} of {key} from {from}: {found:?}"
        );
    }
}

#[test]
fn a_lookup_finds_a_node_that_most_lists_do_not_name_yet() {
    let mut cluster = ring(40, 8);
    cluster.start_with(40, None, 1);
    cluster.join(40, 0).expect("the first node is there");
    let newcomer = &cluster.machines[&crate::cluster::addr(40)];
    let key = newcomer.peer.tokens()[0].key;
    for from in 0..40 {
        let found = look_up(&mut cluster, from, key);
        assert_eq!(
            found.owner.map(|owner| owner.node),
            Some(owner(&cluster, key)),
            "lookup from {from}"
        );
    }
}

#[test]
fn nodes_that_join_at_once_become_one_ring() {
    let mut cluster = ring(1, 4);
    for index in 1..24 {
        cluster.start_with(index, None, 1);
    }
    for index in 1..24 {
        cluster.join(index, index - 1).expect("it answers");
    }
    cluster.rest(Duration::from_mins(2));
    assert_ideal(&cluster);
}

#[test]
fn a_small_ring_that_meets_a_large_one_does_not_walk_to_its_places_there() {
    let mut cluster = ring(100, 4);
    cluster.start_with(100, None, 1);
    cluster.start_with(101, None, 1);
    cluster.join(101, 100).expect("the other one is there");
    cluster.rest(Duration::from_mins(1));
    cluster.join(101, 0).expect("the first node is there");
    // From predecessor to predecessor they would take more than two seconds.
    cluster.rest(Duration::from_secs(1));
    assert_ideal(&cluster);
}

#[test]
fn a_node_that_restarts_finds_its_ring_by_memory_alone() {
    let mut cluster = ring(12, 4);
    let disk = cluster.kill(3);
    cluster.rest(Duration::from_secs(20));
    let saved = disk.saved();
    cluster.start_with(3, saved, 1);
    cluster.rest(Duration::from_mins(1));
    assert_ideal(&cluster);
}

#[test]
fn nodes_that_all_restart_at_once_are_one_ring_soon_though_many_are_gone() {
    let mut cluster = ring(40, 4);
    let disks: Vec<_> = (0..40).map(|index| cluster.kill(index)).collect();
    for (index, disk) in (0..).zip(disks) {
        if index % 3 > 0 {
            cluster.start_with(index, disk.saved(), 1);
        }
    }
    cluster.rest(Duration::from_secs(8));
    assert_ideal(&cluster);
}

#[test]
fn a_node_leaves_with_notice() {
    let mut cluster = ring(12, 4);
    assert_eq!(
        cluster.ask(5, Command::Leave { force: false }),
        Ok(Answer::Left)
    );
    cluster.kill(5);
    cluster.rest(Duration::from_mins(2));
    assert_ideal(&cluster);
}

#[test]
fn data_is_refused_rather_than_misplaced() {
    let mut cluster = ring(12, 4);
    let written = cluster.write(0, "a file", b"content");
    assert_eq!(written, Err(Failure::RingTooLarge));
    let read = cluster.ask(0, Command::ReadRecord("a file".parse().unwrap()));
    assert_eq!(read, Err(Failure::RingTooLarge));
}

#[test]
fn a_table_over_its_bound_keeps_the_ring_right() {
    let mut cluster = Cluster::new(Settings {
        successors: 4,
        ..Settings::default()
    });
    cluster.table_nodes = 2;
    for index in 0..10 {
        cluster.start_with(index, None, 1);
        if index > 0 {
            cluster.join(index, 0).expect("the first node is there");
        }
    }
    cluster.rest(Duration::from_mins(1));
    assert_ideal(&cluster);
}

#[test]
fn a_newcomer_is_in_every_list_that_should_name_it_after_a_few_seconds() {
    let mut cluster = ring(24, 8);
    cluster.start_with(24, None, 1);
    cluster.join(24, 0).expect("the first node is there");
    // At the pace of a quiet ring's rounds the eighth list before it would take two minutes.
    cluster.rest(Duration::from_secs(5));
    assert_ideal(&cluster);
}

#[test]
fn a_node_that_joins_a_ring_larger_than_a_table_does_not_take_what_it_is_told_for_all_of_it() {
    let mut cluster = ring(12, 4);
    cluster.table_nodes = TABLE_MAX;
    cluster.start_with(12, None, 1);
    cluster.join(12, 0).expect("the first node is there");
    let written = cluster.write(12, "a file", b"content");
    assert_eq!(written, Err(Failure::RingTooLarge));
    // Nor do those that join by way of it.
    cluster.start_with(13, None, 1);
    cluster.join(13, 12).expect("the one before is there");
    let written = cluster.write(13, "a file", b"content");
    assert_eq!(written, Err(Failure::RingTooLarge));
}
