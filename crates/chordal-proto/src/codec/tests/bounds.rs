//! Every limit refuses what is over it and takes what is not.

use std::num::NonZeroU8;

use bytes::Bytes;
use chordal_object::{Arc, ChunkId, Key, Name, NodeId, Record, Version};

use super::*;
use crate::certificate::TokenView;
use crate::history::History;
use crate::limits::{
    CANDIDATES_MAX, CHUNK_QUESTION_MAX, COUNTS_QUESTION_MAX, DIGESTS_MAX, KNOWN_POINTERS_MAX,
    LIST_ROWS_MAX, RECONCILE_BYTES_MAX, SUCCESSORS_MAX, TABLE_TAGS_MAX, TOKENS_MAX, VIEWS_MAX,
};
use crate::message::{
    ArcCompared, AskReferences, AskRing, Care, Closer, GetState, Kind, KnownPointers, List, Listed,
    NodePointers, NodeStatus, OwnerFound, Reconcile, Reconciled, References, Row, TableTags,
    TokenPointers, Via, Word,
};
use crate::settings::Settings;

/// `make(max)` passes and `make(max + 1)` is refused for this field.
fn check_limit(max: usize, field: &str, make: impl Fn(usize) -> Message) {
    let fits = envelope_of(make(max));
    assert_eq!(decode(encode(&fits)), Ok(fits), "{field}: the limit itself");
    check_refused(encode(&envelope_of(make(max + 1))), field);
}

fn check_refused(bytes: Bytes, expected: &str) {
    match decode(bytes) {
        Err(CodecError::Field { field, .. }) => assert_eq!(field, expected),
        other => panic!("{expected}: {other:?}"),
    }
}

fn version() -> Version {
    Version {
        counter: 1,
        incarnation: 1,
        node: NodeId::new([1; 32]),
    }
}

fn tombstone() -> Record {
    Record {
        name: Name::in_main("a").unwrap(),
        version: version(),
        modified_ms: 0,
        file: None,
        original: None,
        promised: None,
        replaced: None,
    }
}

#[test]
fn lists_of_the_ring_are_bounded() {
    check_limit(MEMBERS_MAX, "members", |count| Message::Table {
        members: vec![plain_member(1); count],
        want_yours: false,
        want: vec![],
    });
    check_limit(MEMBERS_MAX, "members", |count| Message::Spread {
        members: vec![plain_member(1); count],
        until: Key::new(1),
    });
    check_limit(SUCCESSORS_MAX, "tokens", |count| {
        Message::State(TokenState {
            token: Key::new(1),
            predecessor: plain_token(1),
            successors: vec![plain_token(2); count],
            members: vec![],
        })
    });
    check_limit(SUCCESSORS_MAX, "tokens", |count| {
        Message::Owner(OwnerFound {
            owner: plain_token(1),
            predecessor: plain_token(1),
            successors: vec![plain_token(2); count],
            members: vec![],
        })
    });
    let view = |count| TokenView {
        token: plain_token(1),
        predecessor: plain_token(2),
        successors: vec![plain_token(2); count],
    };
    check_limit(SUCCESSORS_MAX, "lengths", |count| {
        Message::Pointers(NodePointers {
            tokens: vec![view(count)],
            members: vec![],
        })
    });
    check_limit(TOKENS_MAX, "tokens", |count| {
        Message::Pointers(NodePointers {
            tokens: vec![view(1); count],
            members: vec![],
        })
    });
    check_limit(CANDIDATES_MAX, "tokens", |count| {
        Message::Closer(Closer {
            candidates: vec![(plain_token(2), Via::Table); count],
            members: vec![],
        })
    });
    check_limit(TOKENS_MAX, "tokens", |count| Message::AskPlaces {
        offered_bytes: 1 << 40,
        tokens: u8::try_from(count).unwrap(),
    });
    check_limit(TOKENS_MAX, "salts", |count| Message::Places(vec![0; count]));
    check_limit(TOKENS_MAX, "member.salts", |count| Message::Table {
        members: vec![Member {
            salts: vec![0; count],
            ..plain_member(1)
        }],
        want_yours: true,
        want: vec![],
    });
    check_limit(127, "via", |index| {
        let via = Via::Finger(u8::try_from(index).unwrap());
        Message::Closer(Closer {
            candidates: vec![(plain_token(2), via)],
            members: vec![],
        })
    });
}

#[test]
fn pointers_that_are_known_are_bounded() {
    let known = |count: usize| KnownPointers {
        count: NonZeroU8::new(u8::try_from(count).unwrap()),
        digest: 7,
    };
    check_limit(KNOWN_POINTERS_MAX, "known", |count| {
        Message::GetState(GetState {
            token: Key::new(1),
            table: None,
            known: vec![known(1); count],
        })
    });
    check_limit(SUCCESSORS_MAX, "known.count", |count| {
        Message::GetState(GetState {
            token: Key::new(1),
            table: None,
            known: vec![known(count)],
        })
    });
}

#[test]
fn comparisons_of_tables_are_bounded() {
    check_limit(TABLE_TAGS_MAX, "want", |count| Message::Table {
        members: vec![],
        want_yours: false,
        want: vec![1; count],
    });
    let tags = |which: usize, tags: usize| {
        Message::TableTags(TableTags {
            parts: 4,
            which: vec![3; which],
            tags: vec![1; tags],
        })
    };
    check_limit(TABLE_TAGS_MAX, "tags", |count| tags(1, count));
    check_limit(4, "which", |count| tags(count, 0));
    for (parts, which, field) in [(1024, 0, "parts"), (3, 0, "parts"), (4, 4, "which")] {
        let bytes = wire_bytes(Body::TableTags(wire::TableTags {
            parts,
            which: vec![which],
            tags: vec![],
        }));
        check_refused(bytes, field);
    }
    for count in [0, 3, 1024] {
        let digests = vec![1; count];
        check_refused(
            wire_bytes(Body::TableParts(wire::TableParts { digests })),
            "digests",
        );
    }
}

#[test]
fn lists_of_records_and_chunks_are_bounded() {
    check_limit(CHUNK_QUESTION_MAX, "chunks", |count| {
        Message::AskChunks(vec![ChunkId::new([3; 32]); count])
    });
    let ids = |count| vec![ChunkId::new([3; 32]); count];
    check_limit(CHUNK_QUESTION_MAX, "chunks", |count| {
        Message::KeepChunks(ids(count))
    });
    check_limit(CHUNK_QUESTION_MAX, "chunks", |count| {
        Message::Released(ids(count))
    });
    check_limit(CHUNK_QUESTION_MAX, "chunks", |count| {
        let (table, chunks) = (1, ids(count));
        Message::AskReferences(AskReferences { table, chunks })
    });
    check_limit(CHUNK_QUESTION_MAX, "referenced", |count| {
        let (steady, referenced) = (true, vec![true; count]);
        Message::References(References { steady, referenced })
    });
    check_limit(CHUNK_QUESTION_MAX, "held", |count| {
        Message::ChunksHeld(vec![true; count])
    });
    check_limit(DIGESTS_MAX, "digests", |count| Message::FetchRecords {
        arc: Arc::FULL,
        digests: vec![[3; 32]; count],
    });
    check_limit(DIGESTS_MAX, "records", |count| {
        Message::Records(vec![tombstone(); count])
    });
    check_limit(RECONCILE_BYTES_MAX, "payload", |count| {
        Message::Reconcile(Reconcile {
            arc: Arc::FULL,
            kind: Kind::Chunks,
            view: View(1),
            payload: Bytes::from(vec![0; count]),
        })
    });
    check_limit(VIEWS_MAX, "passed", |count| {
        Message::ArcCompared(ArcCompared::Compared {
            same: true,
            word: word(count),
        })
    });
    check_limit(COUNTS_QUESTION_MAX, "arcs", |count| {
        Message::AskCounts(vec![(Arc::FULL, View(1)); count])
    });
    check_limit(COUNTS_QUESTION_MAX, "counts", |count| {
        Message::Counts(vec![true; count])
    });
    check_limit(RECONCILE_BYTES_MAX, "payload", |count| {
        Message::Reconciled(Reconciled::Step {
            payload: Bytes::from(vec![0; count]),
            word: word(0),
        })
    });
}

#[test]
fn listings_and_status_are_bounded() {
    let row = Row {
        name: Name::in_main("a").unwrap(),
        version: version(),
        modified_ms: 0,
        file: None,
    };
    let listed = |rows: usize, arcs: usize| {
        Message::Listed(Listed {
            rows: vec![row.clone(); rows],
            more: false,
            complete: vec![Arc::FULL; arcs],
            failed: false,
        })
    };
    check_limit(LIST_ROWS_MAX, "rows", |count| listed(count, 0));
    check_limit(4096, "complete", |count| listed(0, count));

    let list = |prefix: usize, after: usize, limit: usize| {
        Message::List(List {
            space: "main".to_owned(),
            prefix: "p".repeat(prefix),
            after: Some("a".repeat(after)),
            limit: u32::try_from(limit).unwrap(),
        })
    };
    check_limit(1024, "prefix", |count| list(count, 0, 1));
    check_limit(1024, "after", |count| list(0, count, 1));
    check_limit(LIST_ROWS_MAX, "limit", |count| list(0, 0, count));

    let pointers = TokenPointers {
        key: Key::new(1),
        predecessor: plain_token(1),
        successor: plain_token(2),
    };
    let status = |tokens: usize, suspects: usize| {
        Message::Status(NodeStatus {
            member: plain_member(1),
            tokens: vec![pointers; tokens],
            used_bytes: 0,
            copies_wanted: 0,
            copies_unreachable: 0,
            arcs_incomplete: 0,
            handing_off: 0,
            suspects: vec![NodeId::new([9; 32]); suspects],
            care: Care::default(),
        })
    };
    check_limit(TOKENS_MAX, "tokens", |count| status(count, 0));
    check_limit(MEMBERS_MAX, "suspects", |count| status(0, count));
}

#[test]
fn settings_are_bounded() {
    let asks = |change: &dyn Fn(&mut Settings)| {
        let mut settings = Settings::default();
        change(&mut settings);
        Message::AskRing(AskRing {
            member: plain_member(1),
            settings,
        })
    };
    check_limit(255, "settings.ring_name", |count| {
        asks(&|settings| settings.ring_name = "n".repeat(count))
    });
    check_limit(SUCCESSORS_MAX, "settings.successors", |count| {
        asks(&|settings| settings.successors = u8::try_from(count).unwrap())
    });
    check_limit(4 << 20, "settings.chunk_bytes", |count| {
        asks(&|settings| settings.chunk_bytes = u32::try_from(count).unwrap())
    });
    check_limit(256 << 10, "settings.inline_bytes", |count| {
        asks(&|settings| settings.inline_bytes = u32::try_from(count).unwrap())
    });
    for (field, change) in [
        (
            "settings.chunk_bytes",
            (|settings| settings.chunk_bytes = 0) as fn(&mut Settings),
        ),
        ("settings.replicas", |settings| settings.replicas = 0),
        ("settings.successors", |settings| settings.successors = 0),
    ] {
        check_refused(encode(&envelope_of(asks(&change))), field);
    }
}

#[test]
fn bits_of_a_ring_are_3_to_128() {
    for (bits, works) in [
        (2, false),
        (3, true),
        (128, true),
        (129, false),
        (259, false),
    ] {
        let envelope = envelope_of(Message::AskRing(AskRing {
            member: plain_member(1),
            settings: Settings::default(),
        }));
        let mut message = wire::Envelope::decode(encode(&envelope)).unwrap();
        let Some(Body::AskRing(asked)) = &mut message.body else {
            panic!("another message came out");
        };
        asked.settings.as_mut().unwrap().bits = bits;
        let decoded = decode(Bytes::from(message.encode_to_vec()));
        assert_eq!(decoded.is_ok(), works, "{bits} bits");
    }
}

#[test]
fn longer_messages_than_any_may_be_are_not_looked_at() {
    let bytes = Bytes::from(vec![0; MESSAGE_BYTES_MAX + 1]);
    let refused = CodecError::TooLong(MESSAGE_BYTES_MAX + 1);
    assert_eq!(decode(bytes.clone()), Err(refused.clone()));
    assert_eq!(decode_members(bytes), Err(refused));
}

#[test]
fn a_flood_of_empty_entries_is_refused_before_it_is_decoded() {
    let entries = [0x0a, 0x00].repeat(3 * MEMBERS_MAX);
    let mut bytes = vec![0x08, 0x01, 0xd2, 0x01];
    prost::encode_length_delimiter(entries.len(), &mut bytes).unwrap();
    bytes.extend(&entries);
    let refused = Err(CodecError::Malformed("too many fields".to_owned()));
    assert_eq!(decode(Bytes::from(bytes)), refused);

    let on_disk = [&[MEMBERS_FORMAT], entries.as_slice()].concat();
    assert!(matches!(
        decode_members(Bytes::from(on_disk)),
        Err(CodecError::Malformed(_))
    ));
}

#[test]
fn a_flood_spread_over_several_messages_in_one_envelope_is_refused() {
    let entries = [0x0a, 0x00].repeat(60);
    let mut bytes = vec![0x08, 0x01];
    for _ in 0..200 {
        bytes.extend([0xd2, 0x01, 120]);
        bytes.extend(&entries);
    }
    let refused = Err(CodecError::Malformed("too many fields".to_owned()));
    assert_eq!(decode(Bytes::from(bytes)), refused);
}

#[test]
fn parts_of_the_wrong_size_are_refused() {
    let get_state = |bytes: usize| {
        wire_bytes(Body::GetState(wire::GetState {
            key: Bytes::from(vec![0; bytes]),
            table: None,
            known: vec![],
        }))
    };
    assert!(decode(get_state(16)).is_ok());
    check_refused(get_state(17), "key");

    let table = |change: &dyn Fn(&mut wire::Member)| {
        let mut entry = member::to_wire(&plain_member(1));
        change(&mut entry);
        wire_bytes(Body::Table(wire::Table {
            members: vec![entry],
            want_yours: false,
            want: vec![],
        }))
    };
    assert!(decode(table(&|_| {})).is_ok());
    for bytes in [0, 31, 33] {
        let node = Bytes::from(vec![1; bytes]);
        check_refused(table(&|entry| entry.node = node.clone()), "node");
    }
    for bytes in [0, 1, 2, 5, 7, 17, 19] {
        let addr = Bytes::from(vec![1; bytes]);
        check_refused(table(&|entry| entry.addr = addr.clone()), "addr");
    }
    check_refused(
        wire_bytes(Body::AskChunks(wire::AskChunks {
            chunks: Bytes::from(vec![0; 33]),
        })),
        "chunks",
    );
}

#[test]
fn missing_parts_are_refused() {
    check_refused(wire_bytes(Body::State(wire::State::default())), "token");
    check_refused(wire_bytes(Body::Notify(wire::Notify::default())), "token");
    check_refused(
        wire_bytes(Body::AskRing(wire::AskRing::default())),
        "member",
    );
    check_refused(
        wire_bytes(Body::AskConfirm(wire::AskConfirm::default())),
        "arc",
    );
    check_refused(
        wire_bytes(Body::WriteRecord(wire::WriteRecord::default())),
        "record",
    );
    check_refused(
        wire_bytes(Body::RecordWritten(wire::RecordWritten::default())),
        "newest",
    );
    check_refused(
        wire_bytes(Body::ReadRecord(wire::ReadRecord::default())),
        "name",
    );
    check_refused(
        wire_bytes(Body::List(wire::List {
            space: "Not a space".to_owned(),
            ..wire::List::default()
        })),
        "space",
    );
}

#[test]
fn an_index_must_point_at_a_member() {
    let closer = |nodes: Vec<u32>, keys: usize, via: usize| {
        wire_bytes(Body::Closer(wire::Closer {
            candidates: Some(wire::Tokens {
                keys: Bytes::from(vec![1; keys]),
                nodes,
                others: Bytes::from(vec![7; 32]),
            }),
            via: vec![1; via],
            members: vec![member::to_wire(&plain_member(1))],
        }))
    };
    assert!(decode(closer(vec![0, 1], 8, 2)).is_ok());
    check_refused(closer(vec![0, 2], 8, 2), "tokens.nodes");
    check_refused(closer(vec![0, u32::MAX], 8, 2), "tokens.nodes");
    check_refused(
        closer(vec![0, 1], 9, 2),
        "keys are not as many as their nodes",
    );
    check_refused(closer(vec![], 9, 0), "keys are not as many as their nodes");
    check_refused(closer(vec![0, 1], 34, 2), "key");
    check_refused(closer(vec![0, 1], 8, 1), "via");

    let token = |who| {
        wire_bytes(Body::Notify(wire::Notify {
            of: Some(wire::Token {
                key: Bytes::new(),
                who,
            }),
            to: Bytes::new(),
        }))
    };
    check_refused(token(Some(wire::token::Who::Member(0))), "token.member");
    check_refused(token(None), "token without a node");
}

#[test]
fn a_node_s_pointers_are_as_many_as_its_tokens_and_lists_say() {
    let pointers = |before: usize, after: usize, lengths: &[u32]| {
        let column = |count: usize| wire::Tokens {
            keys: Bytes::from(vec![1; 2 * count]),
            nodes: vec![0; count],
            others: Bytes::new(),
        };
        wire_bytes(Body::Pointers(wire::Pointers {
            tokens: Some(column(2)),
            predecessors: Some(column(before)),
            successors: Some(column(after)),
            lengths: lengths.to_vec(),
            members: vec![member::to_wire(&plain_member(1))],
        }))
    };
    assert!(decode(pointers(2, 5, &[3, 2])).is_ok());
    check_refused(pointers(1, 5, &[3, 2]), "predecessors");
    check_refused(pointers(2, 5, &[5]), "lengths");
    check_refused(pointers(2, 5, &[3, 1]), "lengths");
    check_refused(pointers(2, 5, &[3, 3]), "lengths");
}

#[test]
fn columns_of_a_status_are_equally_long() {
    let status = |keys: usize, before: usize, after: usize| {
        let column = |count: usize| wire::Tokens {
            keys: Bytes::from(vec![1; 2 * count]),
            nodes: vec![0; count],
            others: Bytes::new(),
        };
        wire_bytes(Body::Status(wire::Status {
            member: Some(member::to_wire(&plain_member(1))),
            tokens: Bytes::from(vec![1; 2 * keys]),
            predecessors: Some(column(before)),
            successors: Some(column(after)),
            ..wire::Status::default()
        }))
    };
    assert!(decode(status(3, 3, 3)).is_ok());
    check_refused(status(3, 3, 2), "successors");
    check_refused(status(4, 3, 3), "keys are not as many as their nodes");
}

#[test]
fn unknown_kinds_of_refusal_are_never_taken_for_consent() {
    let unknown = 99;
    let bodies = [
        Body::RecordRead(wire::RecordRead {
            refusal: unknown,
            ..wire::RecordRead::default()
        }),
        Body::RecordWritten(wire::RecordWritten {
            refusal: unknown,
            ..wire::RecordWritten::default()
        }),
        Body::ChunkOffered(wire::ChunkOffered {
            refusal: unknown,
            ..wire::ChunkOffered::default()
        }),
        Body::Reconciled(wire::Reconciled {
            refusal: unknown,
            ..wire::Reconciled::default()
        }),
        Body::RingInfo(wire::RingInfo {
            refusal: unknown,
            ..wire::RingInfo::default()
        }),
    ];
    for body in bodies {
        check_refused(wire_bytes(body), "refusal");
    }
    check_refused(
        wire_bytes(Body::Confirm(wire::Confirm { says: unknown })),
        "says",
    );
}

#[test]
fn a_record_must_be_whole_unless_it_says_otherwise() {
    let answer = |size: u64, without_content: bool| {
        let mut record = tombstone().to_wire();
        record.file = Some(chordal_object::wire::File {
            size,
            hash: Bytes::from(vec![1; 32]),
            ..chordal_object::wire::File::default()
        });
        wire_bytes(Body::RecordRead(wire::RecordRead {
            record: Some(record),
            without_content,
            ..wire::RecordRead::default()
        }))
    };
    assert!(decode(answer(0, false)).is_ok());
    assert!(decode(answer(256 << 10, true)).is_ok());
    check_refused(answer(5, false), "record");
    check_refused(answer(0, true), "without_content");
    check_refused(answer((256 << 10) + 1, true), "without_content");
}

fn word(passed: usize) -> Word {
    let holders = |number: usize| vec![NodeId::new([u8::try_from(number % 256).unwrap(); 32])];
    Word {
        agrees: true,
        history: History {
            based: true,
            passed: (0..passed).map(holders).collect(),
        },
    }
}
