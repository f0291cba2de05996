use std::net::SocketAddr;

use chordal_net::{Authority, NodeKey};
use chordal_object::{ChunkId, Holding, Name, NodeId, RecordCopy, Version};

use super::question::{decode_answer, decode_chunks, encode_answer, encode_chunks};
use super::{Falsity, PURPOSE, Question, RecordAsked, Statement, Why};

fn ids(count: u8) -> Vec<ChunkId> {
    (0..count).map(|seed| ChunkId::of(&[seed])).collect()
}

fn addr() -> SocketAddr {
    ([127, 0, 0, 1], 2000).into()
}

/// A statement of a node of this ring that holds these of the chunks.
pub(crate) fn statement(
    authority: &Authority,
    (nonce, subject): ([u8; 32], [u8; 32]),
    chunks: &[ChunkId],
    held: &[u32],
) -> Statement {
    let key = NodeKey::from_seed([5; 32]);
    let id = key.peer_id();
    let of = held.iter().map(|&at| &chunks[usize::try_from(at).unwrap()]);
    let holding = Holding {
        authority: authority.id().0,
        node: NodeId::new(id.0),
        nonce,
        subject,
        at: 1_800_000_000,
        read: false,
        record: RecordCopy::Same,
        held: u32::try_from(held.len()).unwrap(),
        held_digest: Holding::digest_of(of),
    };
    Statement {
        signature: key.sign(PURPOSE, &holding.encode()),
        holding,
        certificate: authority.issue(id, 7),
        addr: addr(),
        held: held.to_vec(),
    }
}

#[test]
fn a_statement_counts_for_what_it_is_about_and_nothing_in_it_can_be_changed() {
    let (authority, stranger) = (Authority::from_seed([1; 32]), Authority::from_seed([2; 32]));
    let (ring, about) = (authority.id(), ([3; 32], [4; 32]));
    let chunks = ids(20);
    let good = statement(&authority, about, &chunks, &[0, 2, 19]);
    let check = |statement: &Statement| statement.check(&ring, (&about.0, &about.1), &chunks);
    assert_eq!(check(&good), Ok(()));

    let changed = |change: fn(&mut Statement)| {
        let mut bad = good.clone();
        change(&mut bad);
        check(&bad)
    };
    assert_eq!(
        changed(|it| it.holding.nonce[0] ^= 1),
        Err(Falsity::Subject)
    );
    assert_eq!(
        changed(|it| it.holding.subject[0] ^= 1),
        Err(Falsity::Subject)
    );
    assert_eq!(
        changed(|it| it.holding.authority[0] ^= 1),
        Err(Falsity::Subject)
    );
    assert_eq!(changed(|it| it.holding.at += 1), Err(Falsity::Signature));
    assert_eq!(changed(|it| it.holding.at = u64::MAX), Err(Falsity::Time));
    assert_eq!(
        changed(|it| it.holding.read = true),
        Err(Falsity::Signature)
    );
    assert_eq!(
        changed(|it| it.holding.record = RecordCopy::Newer),
        Err(Falsity::Signature)
    );
    assert_eq!(changed(|it| it.signature[63] ^= 1), Err(Falsity::Signature));
    assert_eq!(changed(|it| it.held.push(20)), Err(Falsity::Chunks));
    assert_eq!(changed(|it| it.held[1] = 3), Err(Falsity::Chunks));
    assert_eq!(changed(|it| it.held.swap(0, 1)), Err(Falsity::Chunks));
    assert_eq!(changed(|it| it.holding.held += 1), Err(Falsity::Chunks));
    assert!(matches!(
        changed(|it| it.holding.node = NodeId::new([9; 32])),
        Err(Falsity::Certificate(_))
    ));
    let all = |it: &mut Statement| it.held = (0..20).collect();
    assert_eq!(
        changed(all),
        Err(Falsity::Chunks),
        "it may not hold more than it signed"
    );

    let other_ring = statement(&stranger, about, &chunks, &[0]);
    assert!(matches!(check(&other_ring), Err(Falsity::Certificate(_))));
    let earlier = statement(&authority, ([8; 32], about.1), &chunks, &[0]);
    assert_eq!(
        check(&earlier),
        Err(Falsity::Subject),
        "an answer to an earlier question"
    );
}

#[test]
fn a_question_reads_back_as_it_was_written_and_nothing_else_does() {
    let version = Version {
        counter: 1,
        incarnation: 2,
        node: NodeId::new([3; 32]),
    };
    for name in [None, Some(("main", "a")), Some(("photos", "ü: b"))] {
        let question = Question {
            nonce: [1; 32],
            subject: [2; 32],
            read: name.is_some(),
            record: name.map(|(space, path)| RecordAsked {
                name: Name::new(space, path).unwrap(),
                version,
                size: 4,
                hash: [5; 32],
                content: [6; 32],
            }),
        };
        let bytes = question.encode();
        assert_eq!(Question::decode(&bytes), Some(question));
        let path_bytes = name.map_or(0, |(_, path)| path.len() - 1);
        for length in 0..bytes.len() - path_bytes {
            assert_eq!(Question::decode(&bytes[..length]), None, "{length}");
        }
        for at in [64, 65] {
            let mut bad = bytes.clone();
            bad[at] = 2;
            assert_eq!(Question::decode(&bad), None);
        }
    }
    assert_eq!(Question::decode(&[&[0; 66][..], &[1]].concat()), None);
}

#[test]
fn names_of_chunks_and_answers_read_back_as_they_were_written() {
    let chunks = ids(11);
    let bytes = encode_chunks(chunks.iter().copied());
    assert_eq!(decode_chunks(&bytes), Some(chunks.clone()));
    assert_eq!(decode_chunks(&bytes[1..]), None);
    let authority = Authority::from_seed([1; 32]);
    for held in [&[][..], &[0], &[10], &[0, 7, 8, 10]] {
        let said = statement(&authority, ([3; 32], [4; 32]), &chunks, held);
        let bytes = encode_answer(&said, 11);
        assert_eq!(decode_answer(&bytes, 11, addr()), Some(said));
        for length in 0..bytes.len() {
            assert_eq!(
                decode_answer(&bytes[..length], 11, addr()),
                None,
                "{length}"
            );
        }
        assert_eq!(decode_answer(&bytes, 17, addr()), None);
    }
}

#[test]
fn every_reason_has_a_word_of_its_own() {
    for name in [
        "silent", "gone", "left", "expelled", "unknown", "older", "failed", "busy", "false",
    ] {
        assert_eq!(Why::of_name(name).map(Why::name), Some(name));
    }
    assert_eq!(Why::of_name("tired"), None);
}
