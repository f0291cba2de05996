//! Machines that share nothing but a join code: each node has a home of its own.

use std::time::Duration;

use chordal_node::{Home, InviteError, Node, NodeConfig, StartError};

use crate::cluster::{Cluster, content, get, put, timing, until};

const HOUR: Duration = Duration::from_hours(1);

/// A node on a machine of its own.
fn machine(cluster: &Cluster, number: usize) -> NodeConfig {
    let home = cluster.folder.path().join(format!("machine-{number}"));
    let mut config = NodeConfig::new(Home::at(home), ([127, 0, 0, 1], 0).into());
    config.data = Some(cluster.data(number));
    config.timing = timing();
    config
}

fn refused(error: &StartError) -> bool {
    matches!(error, StartError::Enrol { .. })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_machine_with_a_code_holds_copies_and_comes_back_without_it() {
    let mut cluster = Cluster::of(1).await;
    let code = cluster.nodes[0].invite(1, HOUR).await.unwrap();
    let mut config = machine(&cluster, 1);
    config.invite = Some(code.clone());
    cluster.nodes.push(Node::start(config).await.unwrap());
    cluster.settle(2).await;
    let letter = content(1, 3 << 20);
    put(&cluster.nodes[0], "letter", &letter).await.unwrap();
    assert_eq!(get(&cluster.nodes[1], "letter").await.unwrap(), letter);

    // The answer was lost: the same node asks again.
    let again = cluster.nodes.pop().unwrap();
    again.shutdown(Duration::from_secs(1)).await;
    drop(again);
    std::fs::remove_file(cluster.data(1).join("admission")).unwrap();
    let mut config = machine(&cluster, 1);
    config.invite = Some(code.clone());
    cluster.nodes.push(Node::start(config).await.unwrap());
    cluster.settle(2).await;

    let mut late = machine(&cluster, 2);
    late.invite = Some(code);
    let error = Node::start(late).await.unwrap_err();
    assert!(
        refused(&error) && error.to_string().contains("used already"),
        "{error}"
    );

    let invited = cluster.nodes.pop().unwrap();
    let invites = invited.invite(1, HOUR).await;
    assert!(matches!(invites, Err(InviteError::NotFounder(Some(_)))) && !invited.may_invite());
    let addr = invited.addr();
    invited.shutdown(Duration::from_secs(1)).await;
    let mut config = machine(&cluster, 1);
    config.listen = addr;
    cluster.nodes.push(Node::start(config).await.unwrap());
    cluster.settle(2).await;
    cluster.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn codes_that_are_wrong_or_old_let_nobody_in_and_change_nothing() {
    let cluster = Cluster::of(1).await;
    let old = cluster.nodes[0].invite(1, Duration::ZERO).await.unwrap();
    let mut wrong = cluster.nodes[0].invite(1, HOUR).await.unwrap();
    wrong.secret[0] ^= 1;
    for (code, why) in [(old, "too old"), (wrong, "no such invitation")] {
        let mut config = machine(&cluster, 1);
        config.invite = Some(code);
        let error = Node::start(config).await.unwrap_err();
        let said = error.to_string();
        assert!(refused(&error) && said.contains(why), "{said}");
        let folder = cluster.data(1).display().to_string();
        assert!(
            said.contains("no copy was touched") && said.contains(&folder),
            "{said}"
        );
    }
    // It may still found a ring of its own, or be invited properly.
    let mut config = machine(&cluster, 1);
    config.invite = Some(cluster.nodes[0].invite(1, HOUR).await.unwrap());
    let node = Node::start(config).await.unwrap();
    node.shutdown(Duration::ZERO).await;
    cluster.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_invitation_for_two_lets_two_in() {
    let mut cluster = Cluster::of(1).await;
    let code = cluster.nodes[0].invite(2, HOUR).await.unwrap();
    for number in 1..=2 {
        let mut config = machine(&cluster, number);
        config.invite = Some(code.clone());
        cluster.nodes.push(Node::start(config).await.unwrap());
    }
    cluster.settle(3).await;
    let mut config = machine(&cluster, 3);
    config.invite = Some(code);
    assert!(refused(&Node::start(config).await.unwrap_err()));
    cluster.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_machine_of_one_ring_does_not_slip_into_another() {
    let (ours, theirs) = (Cluster::of(1).await, Cluster::of(1).await);
    let founder = theirs.nodes[0].addr();
    let code = ours.nodes[0].invite(1, HOUR).await.unwrap();
    let mut config = theirs.config(1);
    config.invite = Some(code.clone());
    let error = Node::start(config).await.unwrap_err();
    assert!(matches!(error, StartError::OtherRing { .. }), "{error}");

    // Without an invitation an address is of no use, and the machine stays free to take a code.
    let mut config = machine(&theirs, 2);
    config.join = vec![founder];
    let error = Node::start(config.clone()).await.unwrap_err();
    assert!(matches!(error, StartError::NoMember { .. }), "{error}");
    assert!(!theirs.data(2).exists() && !config.home.path().exists());
    config.join = Vec::new();
    config.invite = Some(theirs.nodes[0].invite(1, HOUR).await.unwrap());
    Node::start(config)
        .await
        .unwrap()
        .shutdown(Duration::ZERO)
        .await;

    // A second node of an invited machine needs one, too.
    let mut config = machine(&ours, 3);
    config.invite = Some(code);
    let invited = Node::start(config).await.unwrap();
    let mut config = machine(&ours, 3);
    config.data = Some(ours.data(4));
    let error = Node::start(config).await.unwrap_err();
    assert!(matches!(error, StartError::NotAdmitted { .. }), "{error}");
    assert!(!ours.data(4).exists(), "nothing was changed, as it says");
    invited.shutdown(Duration::ZERO).await;
    ours.stop().await;
    theirs.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_invited_node_whose_index_is_lost_is_left_as_it_is_until_it_has_a_code() {
    let mut cluster = Cluster::of(1).await;
    let mut config = machine(&cluster, 1);
    config.invite = Some(cluster.nodes[0].invite(1, HOUR).await.unwrap());
    let guest = Node::start(config).await.unwrap();
    let (former, listen) = (guest.id(), guest.listening());
    cluster.nodes.push(guest);
    cluster.settle(2).await;
    let letter = content(1, 3 << 20);
    put(&cluster.nodes[0], "letter", &letter).await.unwrap();
    let guest = cluster.nodes.pop().unwrap();
    guest.shutdown(Duration::from_secs(1)).await;
    drop(guest);
    let index = cluster.data(1).join("store/index.redb");
    std::fs::write(&index, b"no index at all").unwrap();

    let key = || std::fs::read(cluster.data(1).join("node.key")).unwrap();
    let before = key();
    let mut config = machine(&cluster, 1);
    config.listen = listen;
    config.join = vec![cluster.nodes[0].addr()];
    let error = Node::start(config.clone()).await.unwrap_err();
    assert!(matches!(error, StartError::Another { .. }), "{error}");
    let said = error.to_string();
    let founder = cluster.nodes[0].addr().to_string();
    assert!(
        said.contains("nothing was changed") && said.contains(&founder),
        "{said}"
    );
    assert_eq!(key(), before);
    assert_eq!(std::fs::read(&index).unwrap(), b"no index at all");

    config.invite = Some(cluster.nodes[0].invite(1, HOUR).await.unwrap());
    let guest = Node::start(config).await.unwrap();
    assert_ne!(guest.id(), former);
    until("it reads", async || {
        get(&guest, "letter")
            .await
            .is_ok_and(|found| found == letter)
    })
    .await;
    cluster.nodes.push(guest);
    cluster.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_invited_node_that_stops_as_soon_as_it_was_let_in_finds_its_ring_again() {
    let cluster = Cluster::of(1).await;
    let mut config = machine(&cluster, 1);
    config.invite = Some(cluster.nodes[0].invite(1, HOUR).await.unwrap());
    let guest = Node::start(config).await.unwrap();
    let id = guest.id();
    guest.shutdown(Duration::ZERO).await;
    drop(guest);
    // At another address, so that nobody finds it either.
    let guest = Node::start(machine(&cluster, 1)).await.unwrap();
    assert_eq!(guest.id(), id);
    until("they are two again", async || {
        let status = guest.status().await.unwrap();
        status.whole && status.nodes.len() == 2
    })
    .await;
    guest.leave(chordal_node::Force::No).await.unwrap();
    guest.shutdown(Duration::ZERO).await;
    drop(guest);
    // Whoever left does not come back by itself.
    let alone = Node::start(machine(&cluster, 1)).await.unwrap();
    assert_eq!(alone.status().await.unwrap().nodes.len(), 1);
    alone.shutdown(Duration::ZERO).await;
    cluster.stop().await;
}
