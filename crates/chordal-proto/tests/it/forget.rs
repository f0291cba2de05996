//! Nodes that an operator forgets.

use std::time::Duration;

use chordal_object::Name;
use chordal_proto::effect::{Answer, Failure};
use chordal_proto::input::Command;
use chordal_proto::member::Standing;

use crate::cluster::{Cluster, Machine, addr, node};

const GRACE: Duration = Duration::from_mins(1);

/// Long enough to be suspected, and for copies to be made; well below the grace time.
const MOMENT: Duration = Duration::from_secs(10);

fn forget(cluster: &mut Cluster, asked: u16, gone: u16, force: bool) -> Result<Answer, Failure> {
    let node = node(addr(gone));
    cluster.ask(asked, Command::Forget { node, force })
}

fn all_copies(cluster: &Cluster) -> usize {
    let copies = (0..20).map(|index| cluster.copies(&format!("file {index}")));
    copies.sum()
}

fn standings(cluster: &Cluster, of: u16) -> Vec<Standing> {
    let of = node(addr(of));
    let peers = cluster.machines.values().map(|machine| &machine.peer);
    let entries = peers.flat_map(chordal_proto::Peer::members);
    let entries = entries.filter(|member| member.node == of);
    entries.map(|member| member.standing).collect()
}

#[test]
fn copies_of_a_forgotten_node_are_made_again_at_once_and_everybody_knows() {
    let mut cluster = Cluster::filled(5);
    cluster.kill(4);
    cluster.rest(MOMENT);
    assert!(all_copies(&cluster) < 60, "the dead node had some");
    assert_eq!(forget(&mut cluster, 0, 4, false), Ok(Answer::Forgotten));
    cluster.rest(MOMENT);
    assert_eq!(all_copies(&cluster), 60);
    assert_eq!(standings(&cluster, 4), vec![Standing::Forgotten; 4]);
    assert_eq!(
        forget(&mut cluster, 1, 4, false),
        Ok(Answer::Forgotten),
        "once more is no harm"
    );
}

#[test]
fn a_node_that_answers_or_left_or_is_unknown_is_not_forgotten_by_force_either() {
    let mut cluster = Cluster::filled(5);
    for (asked, named) in [(0, 3), (3, 3)] {
        let refused = forget(&mut cluster, asked, named, true);
        assert!(
            matches!(refused, Err(Failure::NotForgotten(_))),
            "{refused:?}"
        );
    }
    assert_eq!(forget(&mut cluster, 0, 77, true), Err(Failure::UnknownNode));
    cluster.ask(4, Command::Leave { force: false }).unwrap();
    cluster.kill(4);
    let refused = forget(&mut cluster, 0, 4, true);
    assert!(
        matches!(refused, Err(Failure::NotForgotten(_))),
        "{refused:?}"
    );
    assert_eq!(standings(&cluster, 3), vec![Standing::Present; 4]);
}

#[test]
fn a_node_that_was_heard_a_moment_ago_is_not_forgotten() {
    let mut cluster = Cluster::filled(5);
    cluster.kill(4);
    let early = forget(&mut cluster, 0, 4, false);
    let known = standings(&cluster, 4);
    // It takes the neighbours seconds to be sure; either they are by now, or nothing happened.
    match early {
        Ok(Answer::Forgotten) => assert_eq!(known, vec![Standing::Forgotten; 4]),
        Err(Failure::NotForgotten(_)) => assert_eq!(known, vec![Standing::Present; 4]),
        other => panic!("{other:?}"),
    }
}

#[test]
fn forgetting_is_refused_while_others_are_silent_unless_forced() {
    let mut cluster = Cluster::filled(6);
    cluster.kill(4);
    cluster.kill(5);
    cluster.rest(Duration::from_secs(4));
    let refused = forget(&mut cluster, 0, 4, false);
    assert!(
        matches!(&refused, Err(Failure::UnsafeForget(why)) if why.contains("127.0.0.1")),
        "{refused:?}"
    );
    assert_eq!(forget(&mut cluster, 0, 4, true), Ok(Answer::Forgotten));
    assert_eq!(forget(&mut cluster, 1, 5, true), Ok(Answer::Forgotten));
    cluster.rest(MOMENT);
    for index in 0..20 {
        let name = format!("file {index}");
        assert_eq!(cluster.copies(&name), 3, "{name}");
        assert!(cluster.read(2, &name).is_some(), "{name} counts at once");
    }
}

#[test]
fn what_the_dead_may_have_had_is_waited_for_until_they_are_forgotten() {
    let mut cluster = Cluster::filled(5);
    cluster.kill(3);
    cluster.kill(4);
    // Given up in an emergency, but not forgotten: some names wait for the grace time.
    cluster.rest(MOMENT);
    let mut read = |index: u16| {
        let name: Name = format!("file {index}").parse().unwrap();
        let read = cluster.ask(0, Command::ReadRecord(name));
        matches!(read, Ok(Answer::Record(Some(_))))
    };
    assert!((0..20).any(|index| !read(index)));
    for dead in [3, 4] {
        let refused = forget(&mut cluster, 0, dead, false);
        assert!(
            matches!(refused, Err(Failure::UnsafeForget(_))),
            "{refused:?}"
        );
        assert_eq!(forget(&mut cluster, 0, dead, true), Ok(Answer::Forgotten));
    }
    cluster.rest(Duration::from_secs(2));
    for index in 0..20 {
        assert!(cluster.read(0, &format!("file {index}")).is_some());
    }
}

#[test]
fn a_ring_of_which_most_nodes_are_dead_goes_on_when_they_are_forgotten() {
    let mut cluster = Cluster::filled(7);
    for dead in 2..7 {
        cluster.kill(dead);
    }
    cluster.rest(MOMENT);
    let refused = forget(&mut cluster, 0, 3, false);
    assert!(
        matches!(
            refused,
            Err(Failure::Minority {
                reached: 2,
                known: 7
            })
        ),
        "{refused:?}"
    );
    for dead in 2..7 {
        assert_eq!(forget(&mut cluster, 0, dead, true), Ok(Answer::Forgotten));
    }
    cluster.rest(MOMENT);
    for index in 0..20 {
        let name = format!("file {index}");
        cluster
            .write(1, &name, b"y")
            .unwrap_or_else(|failure| panic!("{name}: {failure:?}"));
        assert!(cluster.read(0, &name).is_some());
    }
}

#[test]
fn of_two_nodes_the_one_that_may_have_missed_something_does_not_forget_the_other() {
    let mut cluster = Cluster::filled(2);
    let other = cluster.kill(1);
    cluster.rest(MOMENT);
    let own = cluster.kill(0);
    cluster.restart(1, other);
    cluster.rest(MOMENT);
    cluster.write(1, "late", b"x").unwrap();
    cluster.kill(1);
    cluster.restart(0, own);
    cluster.rest(MOMENT);
    let refused = forget(&mut cluster, 0, 1, false);
    assert!(
        matches!(refused, Err(Failure::UnsafeForget(_))),
        "'late' is only there: {refused:?}"
    );
}

#[test]
fn of_two_nodes_that_were_together_one_may_be_forgotten() {
    let mut cluster = Cluster::filled(2);
    cluster.kill(1);
    cluster.rest(MOMENT);
    assert_eq!(forget(&mut cluster, 0, 1, false), Ok(Answer::Forgotten));
    cluster.write(0, "alone", b"x").unwrap();
    assert_eq!(standings(&cluster, 1), vec![Standing::Forgotten]);
}

#[test]
fn who_was_down_meanwhile_or_restarts_knows_it_too() {
    let mut cluster = Cluster::filled(6);
    let away = cluster.kill(3);
    cluster.rest(MOMENT);
    cluster.kill(5);
    cluster.rest(MOMENT);
    forget(&mut cluster, 0, 5, true).unwrap();
    cluster.rest(MOMENT);
    let restarted = cluster.kill(1);
    cluster.restart(1, restarted);
    cluster.restart(3, away);
    cluster.rest(MOMENT);
    assert_eq!(standings(&cluster, 5), vec![Standing::Forgotten; 5]);
}

#[test]
fn a_forgotten_node_that_returns_is_as_after_the_grace_time() {
    let mut by_decree = Cluster::filled(5);
    let disk = by_decree.kill(4);
    by_decree.rest(MOMENT);
    forget(&mut by_decree, 0, 4, false).unwrap();
    let mut by_time = Cluster::filled(5);
    let other = by_time.kill(4);
    by_time.rest(GRACE * 2);
    for (cluster, disk) in [(&mut by_decree, disk), (&mut by_time, other)] {
        cluster.write(0, "file 3", b"newer").unwrap();
        cluster.delete(0, "file 4").unwrap();
        returns(cluster, disk);
    }
}

fn returns(cluster: &mut Cluster, disk: Machine) {
    cluster.restart(4, disk);
    cluster.rest(GRACE);
    assert_eq!(standings(cluster, 4), vec![Standing::Present; 5]);
    let newest = cluster.read(4, "file 3").unwrap();
    let hash = newest.file.expect("it was not deleted").hash;
    assert_eq!(hash, *blake3::hash(b"newer").as_bytes());
    assert_eq!(
        cluster.read(4, "file 4"),
        None,
        "nothing comes back to life"
    );
    for index in (0..20).filter(|&index| index != 4) {
        assert_eq!(cluster.copies(&format!("file {index}")), 3, "file {index}");
    }
}
