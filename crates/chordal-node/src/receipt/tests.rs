use chordal_net::{Authority, CertificateError, NodeKey};
use chordal_object::{ChunkId, Name, NodeId, Version};

use super::{FalseReceipt, PURPOSE, Receipt};
use crate::attest::tests::statement;
use crate::attest::{Falsity, NoWord, Why};

const NONCE: [u8; 32] = [3; 32];

fn signed(mut receipt: Receipt, key: &NodeKey) -> Receipt {
    receipt.signature = key.sign(PURPOSE, &receipt.digest());
    receipt
}

fn maker() -> NodeKey {
    NodeKey::from_seed([6; 32])
}

fn receipt(authority: &Authority) -> Receipt {
    let mut receipt = Receipt {
        ring: "chordal".to_owned(),
        authority: authority.id(),
        name: Name::in_main("a").unwrap(),
        version: Version {
            counter: 1,
            incarnation: 2,
            node: NodeId::new([3; 32]),
        },
        size: 25,
        hash: [4; 32],
        chunk_bytes: 10,
        chunks: (0..3).map(|seed| ChunkId::of(&[seed])).collect(),
        lists: vec![ChunkId::of(b"list")],
        made: 1_800_000_001,
        nonce: NONCE,
        wanted: 3,
        statements: Vec::new(),
        unheard: vec![NoWord {
            node: NodeId::new([9; 32]),
            addr: Some(([127, 0, 0, 1], 9).into()),
            why: Why::Silent,
        }],
        certificate: authority.issue(maker().peer_id(), 5),
        signature: [0; 64],
    };
    let about = (NONCE, receipt.subject());
    let said = statement(authority, about, &receipt.all_chunks(), &[0, 1, 3]);
    receipt.statements.push(said);
    signed(receipt, &maker())
}

#[test]
fn whatever_is_changed_in_a_receipt_is_noticed() {
    let authority = Authority::from_seed([1; 32]);
    let good = receipt(&authority);
    let check = |receipt: &Receipt| receipt.check(&authority.id());
    assert_eq!(check(&good), Ok(()));
    let changes: [fn(&mut Receipt); 22] = [
        |it| it.ring.push('x'),
        |it| it.name = Name::in_main("b").unwrap(),
        |it| it.name = Name::new("photos", "a").unwrap(),
        |it| it.version.counter += 1,
        |it| it.version.incarnation += 1,
        |it| it.version.node = NodeId::new([9; 32]),
        |it| it.size += 1,
        |it| it.hash[31] ^= 1,
        |it| it.chunks.swap(0, 1),
        |it| it.chunks[2] = ChunkId::of(b"other"),
        |it| it.lists.clear(),
        |it| it.made += 1,
        |it| it.nonce[0] ^= 1,
        |it| it.wanted = 1,
        |it| it.statements.clear(),
        |it| it.statements[0].held = vec![0, 1, 2],
        |it| it.statements[0].holding.at -= 1,
        |it| it.statements[0].addr.set_port(9),
        |it| it.unheard.clear(),
        |it| it.unheard[0].why = Why::Left,
        |it| it.unheard[0].addr = None,
        |it| it.signature[0] ^= 1,
    ];
    for (at, change) in changes.iter().enumerate() {
        let mut bad = good.clone();
        change(&mut bad);
        let checked = check(&bad);
        assert!(checked.is_err(), "change {at} passes");
        // Who signs anew what was changed cannot make the holders say it.
        let checked = check(&signed(bad, &maker()));
        let is_of_maker_alone = matches!(at, 0 | 11 | 13 | 14 | 17..=21);
        assert_eq!(
            checked.is_ok(),
            is_of_maker_alone,
            "change {at}: {checked:?}"
        );
    }
}

#[test]
fn only_members_of_the_trusted_ring_make_receipts_and_statements_that_count() {
    let (authority, stranger) = (Authority::from_seed([1; 32]), Authority::from_seed([2; 32]));
    let other = receipt(&stranger);
    let (of, known) = (stranger.id(), authority.id());
    assert_eq!(
        other.check(&known),
        Err(FalseReceipt::OtherRing { of, known })
    );
    assert_eq!(other.check(&of), Ok(()));

    let mut lying = other.clone();
    lying.authority = known;
    let checked = signed(lying, &maker()).check(&known);
    assert_eq!(
        checked,
        Err(FalseReceipt::Maker(CertificateError::OtherAuthority))
    );

    let mut mixed = receipt(&authority);
    mixed.statements = other.statements;
    let checked = signed(mixed, &maker()).check(&known);
    let why = Falsity::Certificate(CertificateError::OtherAuthority);
    assert!(matches!(checked, Err(FalseReceipt::Statement { why: it, .. }) if it == why));

    let by_another = signed(receipt(&authority), &NodeKey::from_seed([7; 32]));
    assert_eq!(by_another.check(&known), Err(FalseReceipt::Changed));
}

#[test]
fn a_receipt_whose_chunks_do_not_fit_the_size_is_no_receipt() {
    let authority = Authority::from_seed([1; 32]);
    let mut short = receipt(&authority);
    short.chunks.pop();
    let checked = signed(short, &maker()).check(&authority.id());
    assert!(
        matches!(checked, Err(FalseReceipt::Contradiction(_))),
        "{checked:?}"
    );
}
