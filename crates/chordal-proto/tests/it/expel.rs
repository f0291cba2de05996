//! Nodes that the ring's authority expels.

use std::time::Duration;

use chordal_object::Name;
use chordal_proto::Input;
use chordal_proto::effect::{Answer, Failure};
use chordal_proto::input::Command;
use chordal_proto::member::Standing;

use crate::cluster::{Cluster, addr, node};

/// Long enough for copies to be made; well below the grace time.
const MOMENT: Duration = Duration::from_secs(10);

fn may_expel(cluster: &mut Cluster, named: u16, force: bool) -> Result<Answer, Failure> {
    let node = node(addr(named));
    cluster.ask(0, Command::MayExpel { node, force })
}

fn tell(cluster: &mut Cluster, told: u16, expelled: u16) {
    cluster.drive(addr(told), Input::Expelled(vec![node(addr(expelled))]));
}

fn standings(cluster: &Cluster, told: &[u16], of: u16) -> Vec<Standing> {
    let of = node(addr(of));
    let members = told
        .iter()
        .flat_map(|&index| cluster.machines[&addr(index)].peer.members());
    let members = members.filter(|member| member.node == of);
    members.map(|member| member.standing).collect()
}

#[test]
fn an_expelled_node_that_runs_on_is_no_member_to_those_who_know_and_copies_are_made_again() {
    let mut cluster = Cluster::filled(5);
    assert_eq!(may_expel(&mut cluster, 4, false), Ok(Answer::Expellable));
    assert_eq!(
        standings(&cluster, &[0, 1, 2, 3], 4),
        vec![Standing::Present; 4],
        "asking changes nothing"
    );
    let told = [0, 1, 2, 3];
    for index in told {
        tell(&mut cluster, index, 4);
    }
    // It speaks up again and again: nobody listens.
    cluster.rest(MOMENT);
    assert_eq!(standings(&cluster, &told, 4), vec![Standing::Forgotten; 4]);
    let outside = cluster.kill(4);
    for index in 0..20 {
        assert_eq!(cluster.copies(&format!("file {index}")), 3, "file {index}");
    }
    cluster.restart(4, outside);
    cluster.rest(MOMENT);
    assert_eq!(standings(&cluster, &told, 4), vec![Standing::Forgotten; 4]);
    cluster.write(0, "later", b"x").unwrap();
}

#[test]
fn who_does_not_know_yet_does_not_bring_an_expelled_node_back() {
    let mut cluster = Cluster::filled(5);
    // Node 3 is told late: until then it takes the word of node 4, which begins new lives.
    for index in [0, 1, 2] {
        tell(&mut cluster, index, 4);
    }
    cluster.rest(MOMENT);
    let disk = cluster.kill(4);
    cluster.restart(4, disk);
    cluster.rest(MOMENT);
    assert_eq!(
        standings(&cluster, &[0, 1, 2], 4),
        vec![Standing::Forgotten; 3]
    );
    tell(&mut cluster, 3, 4);
    cluster.rest(MOMENT);
    assert_eq!(
        standings(&cluster, &[0, 1, 2, 3], 4),
        vec![Standing::Forgotten; 4]
    );
    cluster.kill(4);
    cluster.rest(MOMENT);
    for index in 0..20 {
        let name = format!("file {index}");
        assert_eq!(cluster.copies(&name), 3, "{name}");
        let name: Name = name.parse().unwrap();
        let read = cluster.ask(3, Command::ReadRecord(name));
        assert!(matches!(read, Ok(Answer::Record(Some(_)))), "{read:?}");
    }
}

#[test]
fn an_expulsion_told_before_the_node_was_heard_of_holds() {
    let mut cluster = Cluster::filled(3);
    for index in 0..3 {
        tell(&mut cluster, index, 3);
    }
    cluster.start(3, None);
    let joined = cluster.join(3, 0);
    assert!(joined.is_err(), "{joined:?}");
    assert!(
        standings(&cluster, &[0, 1, 2], 3)
            .iter()
            .all(|standing| *standing == Standing::Forgotten)
    );
}

#[test]
fn nobody_is_expelled_whose_copies_may_be_the_last_unless_forced() {
    let mut cluster = Cluster::filled(5);
    cluster.kill(3);
    cluster.rest(Duration::from_secs(4));
    let refused = may_expel(&mut cluster, 4, false);
    assert!(
        matches!(&refused, Err(Failure::UnsafeExpel(why)) if why.contains("127.0.0.1")),
        "{refused:?}"
    );
    assert_eq!(may_expel(&mut cluster, 4, true), Ok(Answer::Expellable));
    cluster.kill(2);
    cluster.kill(1);
    cluster.rest(MOMENT);
    let refused = may_expel(&mut cluster, 4, false);
    assert!(
        matches!(refused, Err(Failure::Minority { .. })),
        "{refused:?}"
    );
}

#[test]
fn who_left_or_was_never_heard_of_may_be_expelled_at_once() {
    let mut cluster = Cluster::filled(4);
    cluster.ask(3, Command::Leave { force: false }).unwrap();
    assert_eq!(may_expel(&mut cluster, 3, false), Ok(Answer::Expellable));
    assert_eq!(may_expel(&mut cluster, 77, false), Ok(Answer::Expellable));
}
