use std::net::SocketAddr;
use std::sync::{Arc, RwLock};

use bytes::Bytes;
use chordal_net::{Admission, Authority, Config, Endpoint, Event, Limits, MemoryNetwork, NodeKey};
use chordal_object::{Bits, Chunk};
use chordal_proto::effect::{Destination, Transfer};
use chordal_proto::input::{Completion, EffectId, OperationId, TransferError};
use chordal_proto::{Input, Settings};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::Transfers;
use crate::acquaintances::Acquaintances;
use crate::attest::Attestor;
use crate::bulk::Verdict;
use crate::counters::{Counters, Counting};
use crate::exec::{self, Disk, Keeper, Server};
use crate::expulsions::Expulsions;
use crate::held::Held;
use crate::home::Home;
use crate::inbox::{Duty, Inbox};
use crate::limits::{BULK_CONNECTIONS_MAX, BULK_COPIES_MAX};
use crate::repair::{Repair, RepairPace};
use crate::scrub::ScrubPace;

/// Everything of a node but its core.
struct Side {
    endpoint: Endpoint,
    disk: Disk,
    transfers: Transfers,
    held: Arc<Held>,
    inbox: Arc<Inbox>,
    counting: Arc<Counting>,
    _folder: TempDir,
}

/// What a side does with requests.
enum Manner {
    Serves,
    /// Takes them and never answers.
    Hangs,
    /// Answers with a body of its own.
    Answers(Verdict, Bytes),
}

fn side(
    network: &MemoryNetwork,
    authority: &Authority,
    manner: Manner,
    offer: Option<u64>,
) -> Side {
    let key = NodeKey::generate();
    let certificate = authority.issue(key.peer_id(), 0);
    let admission = Arc::new(Admission::new(authority.id(), certificate));
    let config = Config {
        listen: SocketAddr::from(([127, 0, 0, 1], 0)),
        key: key.clone(),
        admission: Arc::clone(&admission),
        limits: Limits {
            bulk_connections_max: BULK_CONNECTIONS_MAX,
            ..Limits::default()
        },
    };
    let (endpoint, mut events) = network.bind(config).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let (counting, held) = (Arc::new(Counting::default()), Arc::new(Held::default()));
    let tasks = TaskTracker::new();
    let keeper = Keeper::open(folder.path(), offer, Arc::clone(&counting), Arc::default()).unwrap();
    let disk = Disk::new(
        keeper,
        Acquaintances::new(folder.path(), Arc::default()),
        &tasks,
    );
    let settings = Arc::new(RwLock::new(Settings::default()));
    let repair = Repair::new(RepairPace::default());
    let attestor = Attestor::new(
        (key, endpoint.local_addr(), Arc::clone(&admission)),
        &disk,
        &settings,
        ScrubPace::default(),
    );
    let server = Server::new(
        disk.clone(),
        settings,
        (
            Expulsions::new(Home::at(folder.path()), admission),
            attestor,
        ),
        (Arc::clone(&counting), Arc::clone(&repair)),
        tasks.clone(),
    );
    tasks.spawn(async move {
        let mut unanswered = Vec::new();
        while let Some(event) = events.next().await {
            if let Event::Request(request) = event {
                match &manner {
                    Manner::Serves => server.serve(request),
                    Manner::Hangs => unanswered.push(request),
                    Manner::Answers(verdict, body) => {
                        request.respond(verdict.encode(), Some(body.clone()));
                    }
                }
            }
        }
    });
    Side {
        transfers: Transfers::new(
            endpoint.clone(),
            disk.clone(),
            Arc::clone(&held),
            (Arc::clone(&counting), repair),
            (tasks, CancellationToken::new()),
        ),
        endpoint,
        disk,
        held,
        inbox: Arc::default(),
        counting,
        _folder: folder,
    }
}

fn pair(manner: Manner, offer: Option<u64>) -> (Side, Side) {
    let (network, authority) = (MemoryNetwork::new(), Authority::generate());
    (
        side(&network, &authority, Manner::Serves, None),
        side(&network, &authority, manner, offer),
    )
}

impl Side {
    fn destination(&self) -> Destination {
        Destination {
            addr: self.endpoint.local_addr(),
            node: Some(exec::node(self.endpoint.local_id())),
        }
    }

    fn begin(&self, transfer: Transfer) {
        let duty = Duty::transfer(Arc::clone(&self.inbox), EffectId(0));
        self.transfers.start(transfer, Bits::MAX, duty);
    }

    async fn end(&self) -> Result<(), TransferError> {
        self.inbox.filled().await;
        let inputs = self.inbox.take(Vec::new());
        let [Input::Completion { completion, .. }] = &inputs[..] else {
            panic!("{inputs:?}");
        };
        let Completion::Transfer(end) = completion else {
            panic!("{completion:?}");
        };
        *end
    }

    async fn run(&self, transfer: Transfer) -> Result<(), TransferError> {
        self.begin(transfer);
        self.end().await
    }

    async fn store(&self, chunk: &Chunk) {
        let kept = self.disk.keep(chunk.id(), chunk.bytes().clone(), Bits::MAX);
        kept.await.unwrap();
    }

    fn counters(&self) -> Counters {
        self.counting.snapshot(chordal_net::Counters::default())
    }
}

fn chunk() -> Chunk {
    Chunk::new(Bytes::from(vec![7; 300_000]))
}

const OPERATION: OperationId = OperationId(1);

fn push(to: &Side) -> Transfer {
    Transfer::Push {
        operation: OPERATION,
        chunk: chunk().id(),
        to: to.destination(),
    }
}

fn fetch(from: &Side) -> Transfer {
    Transfer::Fetch {
        operation: OPERATION,
        chunk: chunk().id(),
        from: from.destination(),
    }
}

fn copy(from: &Side) -> Transfer {
    Transfer::Copy {
        chunk: chunk().id(),
        key: Bits::MAX.chunk_key(chunk().id()),
        from: from.destination(),
    }
}

#[tokio::test]
async fn pushed_bytes_are_on_the_other_disk_when_the_push_has_ended() {
    let (one, other) = pair(Manner::Serves, None);
    one.held.keep(OPERATION, chunk());
    assert_eq!(one.run(push(&other)).await, Ok(()));
    assert_eq!(other.disk.read(chunk().id()).await, Ok(Some(chunk())));
    assert_eq!(one.counters().chunks_pushed, 1);
}

#[tokio::test]
async fn fetched_bytes_are_in_hand_and_copied_ones_on_this_disk() {
    let (one, other) = pair(Manner::Serves, None);
    other.store(&chunk()).await;
    one.held.want(OPERATION);
    assert_eq!(one.run(fetch(&other)).await, Ok(()));
    assert_eq!(one.held.take(OPERATION), Some(chunk()));
    assert_eq!(one.disk.read(chunk().id()).await, Ok(None));
    assert_eq!(one.run(copy(&other)).await, Ok(()));
    assert_eq!(one.disk.read(chunk().id()).await, Ok(Some(chunk())));
    assert_eq!(other.counters().chunks_served, 2);
}

#[tokio::test]
async fn a_chunk_that_the_other_side_lacks_is_not_there() {
    let (one, other) = pair(Manner::Serves, None);
    one.held.want(OPERATION);
    let not_there = Err(TransferError::NotThere);
    assert_eq!(one.run(fetch(&other)).await, not_there);
    assert_eq!(one.run(copy(&other)).await, not_there);
    assert_eq!(one.counters().transfers_failed, 2);
}

#[tokio::test]
async fn other_bytes_than_asked_for_are_refused() {
    let lie = Bytes::from_static(b"lie");
    let (one, liar) = pair(Manner::Answers(Verdict::Done, lie), None);
    one.held.want(OPERATION);
    let not_there = Err(TransferError::NotThere);
    assert_eq!(one.run(fetch(&liar)).await, not_there);
    assert_eq!(one.held.take(OPERATION), None);
    assert_eq!(one.run(copy(&liar)).await, not_there);
    assert_eq!(one.disk.read(chunk().id()).await, Ok(None));
}

#[tokio::test]
async fn a_full_disk_over_there_is_told_as_full() {
    let (one, full) = pair(Manner::Serves, Some(1000));
    one.held.keep(OPERATION, chunk());
    assert_eq!(one.run(push(&full)).await, Err(TransferError::Full));
}

#[tokio::test]
async fn nobody_there_is_a_broken_transfer() {
    let (one, other) = pair(Manner::Serves, None);
    let gone = push(&other);
    other.endpoint.close(std::time::Duration::ZERO).await;
    one.held.keep(OPERATION, chunk());
    assert_eq!(one.run(gone).await, Err(TransferError::Broken));
}

#[tokio::test]
async fn a_push_whose_operation_is_over_sends_nothing() {
    let (one, other) = pair(Manner::Serves, None);
    let end = one.run(push(&other)).await;
    assert_eq!(end, Err(TransferError::NotThere));
    assert_eq!(other.endpoint.counters().requests_in, 0);
}

#[tokio::test]
async fn a_node_that_hangs_holds_up_nobody_else() {
    let (network, authority) = (MemoryNetwork::new(), Authority::generate());
    let one = side(&network, &authority, Manner::Serves, None);
    let hanging = side(&network, &authority, Manner::Hangs, None);
    let other = side(&network, &authority, Manner::Serves, None);
    one.held.keep(OPERATION, chunk());
    for _ in 0..10 * BULK_CONNECTIONS_MAX {
        one.begin(push(&hanging));
    }
    assert_eq!(one.run(push(&other)).await, Ok(()));
    assert_eq!(other.disk.read(chunk().id()).await, Ok(Some(chunk())));
}

#[tokio::test]
async fn a_road_is_forgotten_when_nobody_uses_it() {
    let (one, other) = pair(Manner::Serves, None);
    for _ in 0..3 {
        one.held.keep(OPERATION, chunk());
        one.run(push(&other)).await.unwrap();
    }
    tokio::task::yield_now().await;
    assert!(one.transfers.roads.by_addr.lock().unwrap().is_empty());
}

#[tokio::test]
async fn copies_leave_connections_to_clients() {
    let (one, hanging) = pair(Manner::Hangs, None);
    let requests = async |wanted| {
        while hanging.endpoint.counters().requests_in < wanted {
            tokio::task::yield_now().await;
        }
    };
    for _ in 0..10 * BULK_CONNECTIONS_MAX {
        one.begin(copy(&hanging));
    }
    let copies = u64::try_from(BULK_COPIES_MAX).unwrap();
    requests(copies).await;
    one.held.keep(OPERATION, chunk());
    one.begin(push(&hanging));
    requests(copies + 1).await;
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    assert_eq!(hanging.endpoint.counters().requests_in, copies + 1);
}
