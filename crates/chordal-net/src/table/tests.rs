use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::{Batch, Joined, LaneKey, Link, Queued, Table};
use crate::endpoint::Target;
use crate::error::ConnectError;
use crate::identity::PeerId;
use crate::limits::Limits;

const LOW: PeerId = PeerId([1; 32]);
const HIGH: PeerId = PeerId([2; 32]);

fn addr(port: u16) -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], port))
}

fn target(peer: PeerId, port: u16) -> Target {
    Target {
        addr: addr(port),
        expect: Some(peer),
    }
}

fn link(number: u64, dialled: Option<u16>, instance: u64) -> Link {
    Link {
        number,
        addr: addr(1),
        dialled: dialled.map(addr),
        instance,
        since: 0,
        usable: true,
        wake: Arc::new(Notify::new()),
        end: CancellationToken::new(),
    }
}

fn join(table: &mut Table, peer: PeerId, link: Link) -> Joined {
    table.join(peer, link, None, &Limits::default())
}

fn queue(table: &mut Table, target: Target) -> Queued {
    table.queue(target, Bytes::from_static(b"m"), &Limits::default())
}

/// The link of this table that may write to `peer`.
fn active(table: &mut Table, peer: PeerId) -> Vec<u64> {
    let writes = |number: &u64| !matches!(table.batch(peer, *number, 1), Batch::Spare);
    (0..10).filter(writes).collect()
}

#[test]
fn both_sides_of_a_double_connection_choose_the_same_one() {
    for order in [[1, 2], [2, 1]] {
        let (mut low, mut high) = (Table::new(LOW), Table::new(HIGH));
        for number in order {
            // Connection 1 was dialled by the lower node, connection 2 by the higher one.
            let (by_low, by_high) = match number {
                1 => (Some(5), None),
                _ => (None, Some(5)),
            };
            join(&mut low, HIGH, link(number, by_low, 7));
            join(&mut high, LOW, link(number, by_high, 7));
        }
        assert_eq!(active(&mut low, HIGH), [1]);
        assert_eq!(active(&mut high, LOW), [1]);
    }
}

#[test]
fn the_spare_takes_over_when_the_other_link_ends() {
    let mut table = Table::new(LOW);
    join(&mut table, HIGH, link(1, Some(5), 7));
    join(&mut table, HIGH, link(2, None, 7));
    assert_eq!(queue(&mut table, target(HIGH, 5)), Queued::Waiting);
    table.disuse(HIGH, 1);
    assert_eq!(active(&mut table, HIGH), [2]);
    let parted = table.part(HIGH, 1);
    assert!(!parted.last && parted.dial.is_none());
    assert!(table.part(HIGH, 2).last);
    assert_eq!(table.lanes.len(), 0);
}

#[test]
fn a_link_with_waiting_messages_does_not_retire() {
    let mut table = Table::new(LOW);
    join(&mut table, HIGH, link(1, Some(5), 7));
    queue(&mut table, target(HIGH, 5));
    assert!(!table.retire(HIGH, 1));
    assert!(matches!(table.batch(HIGH, 1, 100), Batch::Write(batch) if batch.len() == 1));
    assert!(table.retire(HIGH, 1));
    assert_eq!(active(&mut table, HIGH), []);
    // A message that comes while the link says goodbye gets a connection of its own.
    let dial = Queued::Dial(LaneKey::Peer(HIGH));
    assert_eq!(queue(&mut table, target(HIGH, 5)), dial);
}

#[test]
fn messages_that_outlive_their_link_are_dialled_for() {
    let mut table = Table::new(LOW);
    join(&mut table, HIGH, link(1, Some(5), 7));
    queue(&mut table, target(HIGH, 5));
    let parted = table.part(HIGH, 1);
    assert!(parted.last);
    assert_eq!(parted.dial, Some(target(HIGH, 5)));
}

#[test]
fn a_restarted_peer_replaces_its_former_links() {
    let mut table = Table::new(LOW);
    let former = link(1, Some(5), 7);
    let end = former.end.clone();
    assert!(join(&mut table, HIGH, former).first);
    let joined = join(&mut table, HIGH, link(2, None, 8));
    assert_eq!((joined.superseded, joined.first), (Some(addr(1)), true));
    assert!(end.is_cancelled());
    assert_eq!(active(&mut table, HIGH), [2]);
    assert!(!table.part(HIGH, 1).last, "it does not count any more");
    assert!(table.part(HIGH, 2).last);
}

#[test]
fn links_of_one_peer_are_bounded() {
    let mut table = Table::new(LOW);
    let limits = Limits::default();
    let mut ends = Vec::new();
    for number in 0..10 {
        let link = link(number, None, 7);
        ends.push(link.end.clone());
        let joined = join(&mut table, HIGH, link);
        assert_eq!(joined.first, number == 0);
        assert_eq!(joined.superseded, None);
    }
    let open = ends.iter().filter(|end| !end.is_cancelled()).count();
    assert_eq!(open, limits.control_connections_max);
    assert!(!ends[9].is_cancelled(), "the oldest go");
}

#[test]
fn what_waits_for_an_address_moves_to_the_peer_found_there() {
    let mut table = Table::new(LOW);
    let by_address = Target {
        addr: addr(5),
        expect: None,
    };
    let origin = LaneKey::Addr(addr(5));
    assert_eq!(queue(&mut table, by_address), Queued::Dial(origin));
    assert_eq!(queue(&mut table, by_address), Queued::Waiting);
    let limits = Limits::default();
    table.join(HIGH, link(1, Some(5), 7), Some(origin), &limits);
    assert!(matches!(table.batch(HIGH, 1, 100), Batch::Write(batch) if batch.len() == 2));
    assert_eq!(queue(&mut table, by_address), Queued::Waiting);
    assert_eq!(table.lanes.len(), 1);
}

#[test]
fn a_peer_that_moved_is_dialled_at_its_other_address() {
    let mut table = Table::new(LOW);
    let key = LaneKey::Peer(HIGH);
    assert_eq!(queue(&mut table, target(HIGH, 5)), Queued::Dial(key));
    assert_eq!(queue(&mut table, target(HIGH, 6)), Queued::Waiting);
    assert_eq!(table.dial_failed(key, addr(5)), Some(target(HIGH, 6)));
    assert_eq!(table.dial_failed(key, addr(6)), None);
    assert_eq!(table.lanes.len(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_pause_holds_for_its_target_and_ends_with_success() {
    let mut table = Table::new(LOW);
    let limits = Limits::default();
    table.pause(target(HIGH, 5), ConnectError::TimedOut, &limits);
    let pausing = Queued::Pausing(ConnectError::TimedOut);
    assert_eq!(queue(&mut table, target(HIGH, 5)), pausing);
    let elsewhere = queue(&mut table, target(HIGH, 6));
    assert_eq!(elsewhere, Queued::Dial(LaneKey::Peer(HIGH)));
    join(&mut table, HIGH, link(1, None, 7));
    assert_eq!(table.paused(&target(HIGH, 5)), None);
}

#[tokio::test(start_paused = true)]
async fn pauses_and_lanes_are_bounded() {
    let mut table = Table::new(LOW);
    let limits = Limits {
        peers_max: 3,
        ..Limits::default()
    };
    for port in 1..100 {
        table.pause(target(HIGH, port), ConnectError::TimedOut, &limits);
        let by_address = Target {
            addr: addr(port),
            expect: None,
        };
        let queued = table.queue(by_address, Bytes::new(), &limits);
        assert_eq!(queued == Queued::Full, port > 3);
    }
    assert_eq!((table.pauses.len(), table.lanes.len()), (3, 3));
    tokio::time::advance(limits.backoff_first + limits.backoff_max).await;
    table.sweep_pauses(&limits);
    assert_eq!(table.pauses.len(), 0);
}
