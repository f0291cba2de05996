//! What is refused since too many holders are silent: soon, and only while they are.

use std::time::Duration;

use chordal_proto::Settings;
use chordal_proto::effect::{Answer, Failure};
use chordal_proto::input::Command;

use crate::cluster::{Cluster, Machine};

/// What nobody should have to wait for longer than.
const SOON: Duration = Duration::from_secs(6);

/// Three nodes with a file, of which two died ten seconds ago.
fn one_of_three() -> (Cluster, Vec<Machine>) {
    let mut cluster = Cluster::ring(Settings::default(), 3);
    cluster.write(0, "a", b"x").unwrap();
    let disks = [1, 2].map(|index| cluster.kill(index)).into();
    cluster.rest(Duration::from_secs(10));
    (cluster, disks)
}

fn list() -> Command {
    Command::List {
        space: "main".into(),
        prefix: String::new(),
        after: None,
        limit: 10,
    }
}

#[test]
fn what_silent_holders_would_have_to_decide_is_refused_soon() {
    let (mut cluster, _disks) = one_of_three();
    let mut soon = |command: Command| {
        let begun = cluster.now;
        let answer = cluster.ask(0, command);
        let waited = cluster.now.since(begun);
        assert!(waited < SOON, "{waited:?}");
        answer
    };
    let read = Command::ReadRecord("a".parse().unwrap());
    for command in [read, Cluster::draft("b", b"x")] {
        let refused = soon(command);
        assert!(
            matches!(refused, Err(Failure::TooFewCopies { .. })),
            "{refused:?}"
        );
    }
    match soon(list()) {
        Ok(Answer::Listed { missing, .. }) => assert_eq!(missing.len(), 2),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_holder_that_returns_in_time_is_waited_for() {
    let (mut cluster, mut disks) = one_of_three();
    let write = cluster.begin(0, Cluster::draft("b", b"x"));
    cluster.rest(Duration::from_secs(2));
    cluster.restart(1, disks.remove(0));
    let written = cluster.outcome(write);
    assert!(matches!(written, Ok(Answer::Written { .. })), "{written:?}");
}
