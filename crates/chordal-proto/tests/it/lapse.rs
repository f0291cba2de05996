//! Nodes that forget what they went through with arcs that others hold by now.

use std::time::Duration;

use chordal_proto::Settings;
use chordal_proto::effect::Answer;
use chordal_proto::input::Command;

use crate::cluster::{Cluster, addr};

/// Arcs on which a node does not count yet, by its own word.
fn arcs_incomplete(cluster: &mut Cluster, of: u16) -> u32 {
    let Ok(Answer::Status(status)) = cluster.ask(of, Command::Status) else {
        panic!("a node knows how it is");
    };
    let node = crate::cluster::node(addr(of));
    let report = status
        .nodes
        .iter()
        .find(|report| report.member.node == node);
    let own = report.and_then(|report| report.status.as_ref());
    own.expect("it told of itself").arcs_incomplete
}

#[test]
fn a_newcomer_waits_for_nobody_who_left_long_ago() {
    let mut cluster = Cluster::ring(Settings::default(), 12);
    for index in 0..20 {
        cluster.write(0, &format!("file {index}"), b"x").unwrap();
    }
    for index in 2..6 {
        let left = cluster.ask(index, Command::Leave { force: false });
        assert_eq!(left, Ok(Answer::Left));
        cluster.kill(index);
        cluster.rest(Duration::from_secs(2));
    }
    cluster.rest(Duration::from_secs(30));
    for newcomer in 12..15 {
        cluster.start(newcomer, None);
        cluster.join(newcomer, 0).unwrap();
        cluster.rest(Duration::from_secs(5));
        assert_eq!(arcs_incomplete(&mut cluster, newcomer), 0, "{newcomer}");
    }
    for index in 0..20 {
        assert!(cluster.read(13, &format!("file {index}")).is_some());
    }
}

#[test]
fn whoever_leaves_goes_when_the_others_count_without_it() {
    let mut cluster = Cluster::ring(Settings::default(), 12);
    for index in 2..7 {
        let left = cluster.ask(index, Command::Leave { force: false });
        assert_eq!(left, Ok(Answer::Left));
        cluster.kill(index);
    }
    cluster.rest(Duration::from_secs(3));
    for of in [0, 1, 7, 8, 9, 10, 11] {
        assert_eq!(arcs_incomplete(&mut cluster, of), 0, "{of}");
    }
}
