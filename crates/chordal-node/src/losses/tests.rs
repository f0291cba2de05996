use std::sync::{Arc, Mutex};

use bytes::Bytes;
use chordal_object::NodeId;
use chordal_proto::Settings;
use chordal_proto::effect::{NodeReport, NodeState, RepairState, RingStatus};
use chordal_proto::member::{Member, Standing};
use chordal_proto::message::{Care, NodeStatus};
use futures_util::stream;

use super::*;
use crate::client::fake::{self, Kept};
use crate::files::PutRequest;
use crate::put;

/// A ring of nine that answer, all of them thought dead but these.
fn loss(alive: &[u8]) -> Loss {
    let nodes: Vec<NodeReport> = (1..=9).map(node).collect();
    let dead = nodes.iter().map(|node| node.member.node);
    let dead = dead.filter(|node| !alive.contains(&node.as_bytes()[0]));
    let dead: Vec<NodeId> = dead.collect();
    let ring = RingStatus {
        ring_name: "x".into(),
        own: nodes[0].status.clone().unwrap(),
        nodes,
        whole: true,
        problems: Vec::new(),
        copies_missing: 0,
        repair: RepairState::Idle,
    };
    Loss::new(&ring, &settings(), &dead)
}

fn node(number: u8) -> NodeReport {
    let member = Member {
        node: NodeId::new([number; 32]),
        addr: ([127, 0, 0, 1], 4000 + u16::from(number)).into(),
        incarnation: 1,
        standing: Standing::Present,
        offered_bytes: 1 << 30,
        salts: vec![0; 8],
    };
    NodeReport {
        status: Some(NodeStatus {
            member: member.clone(),
            tokens: Vec::new(),
            used_bytes: 0,
            copies_wanted: 0,
            copies_unreachable: 0,
            arcs_incomplete: 0,
            handing_off: 0,
            suspects: Vec::new(),
            care: Care::default(),
        }),
        state: NodeState::Alive,
        member,
    }
}

/// Small chunks, so that many fit a small file.
fn settings() -> Settings {
    Settings {
        chunk_bytes: 64,
        inline_bytes: 16,
        ..Settings::default()
    }
}

async fn stored(name: &str, size: usize) -> (Arc<Client>, Arc<Mutex<Kept>>, ListPage) {
    let (client, kept) = fake::client(settings());
    // No two chunks of it are equal.
    let content: Vec<u8> = (0..size)
        .map(|at| u8::try_from((at / 64 + at * at) % 251).unwrap())
        .collect();
    let body = stream::iter([Ok::<_, NodeError>(Bytes::from(content.clone()))]);
    let name: Name = name.parse().unwrap();
    let put = put::put(&client, PutRequest::new(name.clone()), body).await;
    let put = put.unwrap();
    let page = ListPage {
        rows: vec![Row {
            name,
            version: put.version,
            modified_ms: 0,
            file: Some((put.size, put.hash)),
        }],
        more: false,
        last: None,
        missing: Vec::new(),
    };
    (client, kept, page)
}

#[tokio::test]
async fn a_file_is_as_lost_as_its_worst_chunk() {
    let (client, kept, page) = stored("file", 6400).await;
    let record = settings().name_key(&page.rows[0].name);
    let all: Vec<u8> = (1..=9).collect();
    let whole = judge(&client, &loss(&all), page.clone()).await.unwrap();
    let file = &whole.files[0];
    let chunks = kept.lock().unwrap().chunks.len();
    assert_eq!((file.fate, file.now, file.left), (Fate::Whole, 3, 3));
    assert_eq!((file.parts, file.parts_lost), (chunks as u64 + 1, 0));
    // The record's own holders live, and no one else.
    let alive = |number: &u8| loss(&[*number]).part(record).left > 0;
    let alive: Vec<u8> = (1..=9).filter(alive).collect();
    let some = loss(&alive);
    let lost = judge(&client, &some, page).await.unwrap();
    let file = &lost.files[0];
    assert_eq!(some.part(record).fate, Fate::Whole);
    assert_eq!((file.fate, file.left), (Fate::Lost, 0));
    let keys = kept.lock().unwrap();
    let keys = keys.chunks.keys().map(|&id| settings().bits.chunk_key(id));
    let gone = keys
        .filter(|&key| some.part(key).fate == Fate::Lost)
        .count();
    assert!(gone > 0 && file.parts_lost == gone as u64, "{file:?}");
}

#[tokio::test]
async fn a_file_whose_record_cannot_be_read_is_in_doubt_and_one_in_its_record_needs_no_reading() {
    let (client, kept, page) = stored("file", 640).await;
    let all: Vec<u8> = (1..=9).collect();
    kept.lock().unwrap().unreadable = true;
    let judged = judge(&client, &loss(&all), page).await.unwrap();
    let file = &judged.files[0];
    assert_eq!((file.fate, file.seen_whole), (Fate::InDoubt, false));
    let (client, kept, page) = stored("small", 16).await;
    kept.lock().unwrap().unreadable = true;
    let judged = judge(&client, &loss(&all), page).await.unwrap();
    let file = &judged.files[0];
    assert_eq!((file.fate, file.parts), (Fate::Whole, 1));
}
