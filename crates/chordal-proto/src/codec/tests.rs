//! What is said arrives as it was said, and nothing else gets through.

pub(crate) mod arbitrary;
mod bounds;
mod golden;

use std::mem::discriminant;
use std::net::{Ipv4Addr, SocketAddr};

use bytes::Bytes;
use chordal_object::{Key, NodeId};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

use super::*;
use crate::member::{Standing, Token};
use crate::message::TokenState;

const PROTO: &str = include_str!("../../../../proto/peer.proto");

/// An ordinary member: IPv4, eight tokens, a terabyte on offer.
fn plain_member(number: u8) -> Member {
    Member {
        node: NodeId::new([number; 32]),
        addr: SocketAddr::from((Ipv4Addr::new(192, 168, 1, number), 2000)),
        incarnation: 1_790_000_000_000,
        standing: Standing::Present,
        offered_bytes: 1 << 40,
        salts: vec![7; 8],
    }
}

fn plain_token(number: u8) -> Token {
    Token {
        key: Key::new(u128::MAX - u128::from(number)),
        node: NodeId::new([number; 32]),
    }
}

fn envelope_of(message: Message) -> Envelope {
    Envelope {
        request: 123_456_789,
        incarnation: 1_790_000_000_000,
        message,
    }
}

/// The bytes of an envelope that the domain types could not express.
fn wire_bytes(body: Body) -> Bytes {
    let envelope = wire::Envelope {
        version: WIRE_VERSION,
        request: 1,
        incarnation: 1,
        body: Some(body),
    };
    Bytes::from(envelope.encode_to_vec())
}

/// Whatever decodes must say the same after another trip.
fn check_any_bytes(bytes: Bytes) {
    if let Ok(envelope) = decode(bytes) {
        assert_eq!(decode(encode(&envelope)), Ok(envelope));
    }
}

#[test]
fn there_is_a_strategy_for_every_message_of_the_schema() {
    let (_, after) = PROTO.split_once("oneof body {").unwrap();
    let (block, _) = after.split_once("\n  }\n").unwrap();
    let in_schema = block
        .lines()
        .filter(|line| !line.trim_start().starts_with("//") && line.ends_with(';'))
        .count();

    let mut runner = TestRunner::deterministic();
    let strategies = arbitrary::messages();
    let kinds: Vec<_> = strategies
        .iter()
        .map(|strategy| discriminant(&strategy.new_tree(&mut runner).unwrap().current()))
        .collect();
    for (at, kind) in kinds.iter().enumerate() {
        assert!(
            !kinds[..at].contains(kind),
            "two strategies for one message"
        );
    }
    assert_eq!(kinds.len(), in_schema);
}

#[test]
fn every_message_reads_back_as_it_was() {
    for strategy in arbitrary::messages() {
        let mut runner = TestRunner::new(ProptestConfig::with_cases(64));
        runner
            .run(&strategy, |message| {
                let envelope = envelope_of(message);
                prop_assert_eq!(decode(encode(&envelope)), Ok(envelope));
                Ok(())
            })
            .unwrap();
    }
}

proptest! {
    #[test]
    fn members_on_disk_read_back_as_they_were(members in arbitrary::members()) {
        prop_assert_eq!(decode_members(encode_members(&members)), Ok(members));
    }

    #[test]
    fn envelopes_keep_their_numbers(envelope in arbitrary::envelope()) {
        prop_assert_eq!(decode(encode(&envelope)), Ok(envelope));
    }

    #[test]
    fn arbitrary_bytes_never_panic(bytes in vec(any::<u8>(), 0..256)) {
        decode_members(Bytes::from(bytes.clone())).ok();
        check_any_bytes(Bytes::from(bytes));
    }

    #[test]
    fn arbitrary_bytes_inside_a_good_envelope_never_panic(
        number in 8..70u64,
        body in vec(any::<u8>(), 0..200),
    ) {
        let mut bytes = vec![0x08, 0x01];
        prost::encode_length_delimiter(usize::try_from(number << 3 | 2).unwrap(), &mut bytes).unwrap();
        prost::encode_length_delimiter(body.len(), &mut bytes).unwrap();
        bytes.extend(body);
        check_any_bytes(Bytes::from(bytes));
    }

    #[test]
    fn changed_bytes_never_panic(
        envelope in arbitrary::envelope(),
        changes in vec((any::<Index>(), any::<u8>()), 1..4),
        cut in any::<Index>(),
        is_cut in any::<bool>(),
    ) {
        let mut bytes = encode(&envelope).to_vec();
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        if is_cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        check_any_bytes(Bytes::from(bytes));
    }

    #[test]
    fn changed_members_on_disk_never_panic(
        members in arbitrary::members(),
        at in any::<Index>(),
        byte in any::<u8>(),
    ) {
        let mut bytes = encode_members(&members).to_vec();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        decode_members(Bytes::from(bytes)).ok();
    }
}

#[test]
fn neighbouring_versions_are_read_and_distant_ones_are_not() {
    for (version, works) in [
        (0, false),
        (1, true),
        (2, true),
        (3, false),
        (u32::MAX, false),
    ] {
        let envelope = wire::Envelope {
            version,
            request: 5,
            incarnation: 6,
            body: Some(Body::Ping(wire::Ping {})),
        };
        let decoded = decode(Bytes::from(envelope.encode_to_vec()));
        let expected = if works {
            Ok(Envelope {
                request: 5,
                incarnation: 6,
                message: Message::Ping,
            })
        } else {
            Err(CodecError::UnknownVersion(version))
        };
        assert_eq!(decoded, expected);
    }
}

#[test]
fn a_message_of_a_newer_version_is_told_apart_from_garbage() {
    // Version 2 says something with number 100, in which field 1 is 300.
    let newer = Bytes::from_static(&[0x08, 2, 0xa2, 0x06, 3, 0x08, 0xac, 2]);
    assert_eq!(decode(newer), Err(CodecError::UnknownMessage(100)));

    let silent = Bytes::from_static(&[0x08, 1, 0x10, 7]);
    assert!(matches!(decode(silent), Err(CodecError::Malformed(_))));
    let garbage = Bytes::from_static(b"GET / HTTP/1.1\r\n\r\n");
    assert!(matches!(decode(garbage), Err(CodecError::Malformed(_))));
}

#[test]
fn a_distant_version_is_named_whatever_it_says() {
    let distant = Bytes::from_static(&[0x08, 9, 0xa2, 0x06, 0]);
    assert_eq!(decode(distant), Err(CodecError::UnknownVersion(9)));
}

#[test]
fn fields_added_by_a_newer_version_are_skipped() {
    // Number 7 of the envelope, 30 of the message, 30 of the member inside it.
    let member = arbitrary_member_with_unknown_field();
    let mut table = vec![0x0a, u8::try_from(member.len()).unwrap()];
    table.extend(&member);
    table.extend([0x10, 1, 0xf0, 0x01, 42]);
    let mut bytes = vec![0x08, 2, 0x10, 9, 0x18, 8, 0x3a, 2, 0xff, 0xff, 0xd2, 0x01];
    bytes.push(u8::try_from(table.len()).unwrap());
    bytes.extend(table);

    let decoded = decode(Bytes::from(bytes)).unwrap();
    assert_eq!(
        decoded,
        Envelope {
            request: 9,
            incarnation: 8,
            message: Message::Table {
                want: vec![],
                members: vec![plain_member(1)],
                want_yours: true,
            },
        }
    );
}

fn arbitrary_member_with_unknown_field() -> Vec<u8> {
    let mut bytes = member::to_wire(&plain_member(1)).encode_to_vec();
    bytes.extend([0xf2, 0x01, 3, b'n', b'e', b'w']);
    bytes
}

#[test]
fn a_ping_is_under_24_bytes() {
    let bytes = encode(&envelope_of(Message::Ping));
    assert!(bytes.len() < 24, "{} bytes", bytes.len());
}

#[test]
fn the_state_of_a_token_with_sixteen_distinct_successors_stays_small() {
    let state = Message::State(TokenState {
        token: plain_token(20).key,
        predecessor: plain_token(17),
        successors: (1..=16).map(plain_token).collect(),
        members: (1..=17).map(plain_member).collect(),
    });
    let bytes = encode(&envelope_of(state));
    assert!(bytes.len() < 1638, "{} bytes", bytes.len());
}

#[test]
fn keys_of_a_small_ring_take_few_bytes() {
    let find_owner = |key| Message::FindOwner {
        key: Key::new(key),
        table: None,
    };
    let wide = encode(&envelope_of(find_owner(u128::MAX)));
    let small = encode(&envelope_of(find_owner(797)));
    assert_eq!(wide.len() - small.len(), 14);
}

#[test]
fn a_node_that_is_not_among_the_members_keeps_its_id() {
    let state = TokenState {
        token: Key::new(1),
        predecessor: plain_token(9),
        successors: vec![
            plain_token(1),
            plain_token(8),
            plain_token(8),
            plain_token(7),
        ],
        members: vec![plain_member(2), plain_member(1)],
    };
    let envelope = envelope_of(Message::State(state));
    assert_eq!(decode(encode(&envelope)), Ok(envelope));
}

#[test]
fn the_scope_of_an_ipv6_address_stays_at_home() {
    let mut member = plain_member(1);
    member.addr = "[fe80::1%3]:2000".parse().unwrap();
    let read = decode_members(encode_members(std::slice::from_ref(&member))).unwrap();
    assert_eq!(read[0].addr, "[fe80::1]:2000".parse().unwrap());
}

#[test]
fn members_of_an_unknown_format_are_refused() {
    assert!(matches!(
        decode_members(Bytes::new()),
        Err(CodecError::Malformed(_))
    ));
    assert_eq!(
        decode_members(Bytes::from_static(&[2])),
        Err(CodecError::UnknownVersion(2))
    );
}

#[test]
fn errors_name_the_message_and_the_field() {
    let error = decode(wire_bytes(Body::GetState(wire::GetState {
        key: Bytes::from_static(&[1; 17]),
        table: None,
        known: vec![],
    })));
    assert_eq!(error.unwrap_err().to_string(), "bad message GetState: key");
}
