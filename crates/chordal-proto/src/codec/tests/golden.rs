//! Bytes that every version of this program must go on reading, and this one writes.

use std::fmt::Write as _;
use std::num::NonZeroU8;

use chordal_object::{Arc, ChunkId, Content, File, Key, Name, NodeId, Record, Version};

use super::*;
use crate::certificate::TokenView;
use crate::message::{
    ChunkOffered, Closer, CompareArc, GetState, Kind, KnownPointers, List, NodePointers,
    OfferChunk, ReadRecord, Reconcile, Silent, TableTags, Via, WriteRecord,
};

/// One message a line: a name, a colon, hexadecimal digits.
const MESSAGES: &str = include_str!("../../../tests/golden/messages-v1.txt");

/// The same for members on disk.
const MEMBERS: &str = include_str!("../../../tests/golden/members-v1.txt");

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    })
}

fn unhex(text: &str) -> Bytes {
    let digits = text.as_bytes().chunks_exact(2);
    digits
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect()
}

fn record() -> Record {
    Record {
        name: Name::new("photos", "sea/1.jpg").unwrap(),
        version: Version {
            counter: 3,
            incarnation: 1_790_000_000_000,
            node: NodeId::new([2; 32]),
        },
        modified_ms: 1_790_000_000_123,
        file: Some(File {
            size: 5,
            hash: *blake3::hash(b"hello").as_bytes(),
            content_type: "text/plain".to_owned(),
            metadata: [("colour".to_owned(), "blue".to_owned())].into(),
            content: Content::Inline(Bytes::from_static(b"hello")),
        }),
        original: None,
        promised: None,
        replaced: None,
    }
}

fn ring_cases() -> Vec<(&'static str, Message)> {
    let state = TokenState {
        token: Key::new(797),
        predecessor: plain_token(1),
        successors: vec![plain_token(2), plain_token(1), plain_token(9)],
        members: vec![plain_member(1), plain_member(2)],
    };
    let mut first = plain_member(3);
    first.addr = "[2001:db8::7]:2001".parse().unwrap();
    first.standing = Standing::Left;
    let closer = Closer {
        candidates: vec![
            (plain_token(3), Via::Finger(127)),
            (plain_token(4), Via::Successor),
        ],
        members: vec![first],
    };
    let pointers = NodePointers {
        tokens: vec![
            TokenView {
                token: plain_token(1),
                predecessor: plain_token(9),
                successors: vec![plain_token(2), plain_token(9)],
            },
            TokenView {
                token: plain_token(1),
                predecessor: plain_token(1),
                successors: vec![plain_token(1)],
            },
        ],
        members: vec![plain_member(1), plain_member(2)],
    };
    vec![
        ("ping", Message::Ping),
        (
            "find_owner",
            Message::FindOwner {
                key: Key::new(797),
                table: Some(0x0102_0304_0506_0708),
            },
        ),
        (
            "get_state",
            Message::GetState(GetState {
                token: Key::new(797),
                table: Some(1),
                known: vec![KnownPointers {
                    count: NonZeroU8::new(15),
                    digest: 0x0102_0304_0506_0708,
                }],
            }),
        ),
        (
            "silent",
            Message::Silent(Silent {
                node: NodeId::new([9; 32]),
                rumour: None,
            }),
        ),
        ("pointers_changed", Message::PointersChanged(Key::new(797))),
        (
            "table_tags",
            Message::TableTags(TableTags {
                parts: 64,
                which: vec![3, 40],
                tags: vec![1, u64::MAX],
            }),
        ),
        ("state", Message::State(state)),
        ("closer", Message::Closer(closer)),
        ("pointers", Message::Pointers(pointers)),
    ]
}

fn record_cases() -> Vec<(&'static str, Message)> {
    let record = record();
    vec![
        (
            "read_record",
            Message::ReadRecord(ReadRecord {
                name: record.name.clone(),
                view: Some(View(0x0102_0304_0506_0708)),
                head: true,
                promise: None,
            }),
        ),
        (
            "write_record",
            Message::WriteRecord(WriteRecord {
                record,
                view: None,
                exact: false,
            }),
        ),
        (
            "offer_chunk",
            Message::OfferChunk(OfferChunk {
                chunk: ChunkId::of(b"hello"),
                bytes: 1 << 20,
                view: Some(View(1)),
            }),
        ),
        (
            "chunk_offered",
            Message::ChunkOffered(ChunkOffered::Full { free: 4096 }),
        ),
        (
            "compare_arc",
            Message::CompareArc(CompareArc {
                arc: Arc::new(Key::new(0), Key::new(1 << 100)),
                view: View(u64::MAX),
                digest: [7; 16],
            }),
        ),
        (
            "reconcile",
            Message::Reconcile(Reconcile {
                arc: Arc::new(Key::new(0), Key::new(1 << 100)),
                kind: Kind::Chunks,
                view: View(u64::MAX),
                payload: Bytes::from_static(&[0x61, 0, 0, 2]),
            }),
        ),
        (
            "list",
            Message::List(List {
                space: "photos".to_owned(),
                prefix: "sea/".to_owned(),
                after: Some(String::new()),
                limit: 1000,
            }),
        ),
    ]
}

fn cases() -> Vec<(&'static str, Message)> {
    [ring_cases(), record_cases()].concat()
}

#[test]
fn messages_are_the_golden_bytes() {
    let mut written = String::new();
    for (name, message) in cases() {
        let bytes = encode(&envelope_of(message));
        writeln!(written, "{name}: {}", hex(&bytes)).unwrap();
    }
    assert_eq!(written, MESSAGES);
}

#[test]
fn golden_bytes_read_as_the_messages() {
    let cases = cases();
    assert_eq!(MESSAGES.lines().count(), cases.len());
    for (line, (name, message)) in MESSAGES.lines().zip(cases) {
        let (said, digits) = line.split_once(": ").unwrap();
        assert_eq!(said, name);
        assert_eq!(decode(unhex(digits)), Ok(envelope_of(message)), "{name}");
    }
}

#[test]
fn members_on_disk_are_the_golden_bytes() {
    let members = [plain_member(1), plain_member(2)];
    assert_eq!(hex(&encode_members(&members)), MEMBERS.trim_end());
    assert_eq!(
        decode_members(unhex(MEMBERS.trim_end())),
        Ok(members.to_vec())
    );
}
