use std::collections::BTreeSet;

use chordal_node::NoWord;
use chordal_node::model::NodeId;

use super::*;
use crate::receipt::example::receipt;

fn node(seed: usize) -> NodeId {
    NodeId::new([u8::try_from(seed).unwrap(); 32])
}

/// Chunks on so many nodes each, and what nodes have of the record.
fn found(chunks: &[usize], record: &[RecordCopy]) -> Found {
    Found {
        wanted: 3,
        chunks: chunks
            .iter()
            .map(|&count| (0..count).map(node).collect())
            .collect(),
        record: record
            .iter()
            .enumerate()
            .map(|(at, copy)| (node(at), *copy))
            .collect(),
        ..Found::default()
    }
}

const SAME: RecordCopy = RecordCopy::Same;
const NONE: RecordCopy = RecordCopy::Missing;

fn nobody_knows() -> Now {
    Now::Unknown(Trouble::failed(
        "too_few_copies",
        "1 of the 2 copies needed",
    ))
}

fn judged(found: &Found, now: &Now) -> Verdict {
    Verdict::of(&receipt(), found, now)
}

fn exit(verdict: &Verdict, now: &Now) -> Exit {
    match verdict.end(&found(&[], &[]), now) {
        Ok(()) => Exit::Done,
        Err(trouble) => trouble.exit(),
    }
}

#[test]
fn a_majority_of_everything_is_enough_and_less_is_not() {
    for now in [Now::Same, nobody_knows()] {
        for good in [
            found(&[3, 3, 3], &[SAME, SAME, SAME]),
            found(&[2, 3, 2], &[SAME, SAME, NONE]),
            found(&[], &[SAME, SAME]),
        ] {
            assert_eq!(judged(&good, &now), Verdict::Held);
        }
        for (bad, chunks, nowhere, record) in [
            (found(&[3, 1, 3], &[SAME, SAME, SAME]), 1, 0, false),
            (found(&[0, 1, 3], &[SAME, SAME, SAME]), 2, 1, false),
            (found(&[3, 3, 3], &[SAME, NONE, NONE]), 0, 0, true),
            (found(&[0, 0, 0], &[]), 3, 3, true),
        ] {
            let lacking = Lacking {
                record,
                is_lost: false,
                chunks,
                nowhere,
            };
            let verdict = judged(&bad, &now);
            assert_eq!(verdict, Verdict::TooFew(lacking));
            assert_eq!(exit(&verdict, &now), Exit::TooFewCopies);
        }
    }
    assert_eq!(exit(&Verdict::Held, &Now::Same), Exit::Done);
}

#[test]
fn a_receipt_alone_ends_well_only_where_enough_signed_for_every_part() {
    let all = Copies::of(&receipt(), &BTreeSet::new());
    assert!(alone(&all).is_ok());
    let few = Copies { record: 1, ..all };
    let trouble = alone(&few).unwrap_err();
    assert_eq!(trouble.exit(), Exit::TooFewCopies);
    assert!(
        trouble.message.contains("1 where 2 are enough"),
        "{}",
        trouble.message
    );
}

#[test]
fn who_has_no_time_is_not_to_be_brought_back() {
    let advice = |whys: &[Why]| {
        let mut few = found(&[1], &[SAME]);
        for (seed, &why) in whys.iter().enumerate() {
            let node = node(seed + 1);
            let addr = None;
            few.unheard.insert(node, NoWord { node, addr, why });
        }
        let ended = judged(&few, &Now::Same).end(&few, &Now::Same);
        ended.unwrap_err().paragraph()
    };
    let (later, back) = ("verify again later", "Bring these nodes back");
    assert!(advice(&[Why::Busy, Why::Busy]).contains(later));
    assert!(advice(&[Why::Busy, Why::Silent]).contains(back));
    assert!(!advice(&[]).contains(later));
}

#[test]
fn a_change_is_told_as_a_change_and_going_back_as_a_loss() {
    let version = receipt().version;
    let newer = format!("{}-1-00000000", version.counter + 1);
    let nothing = found(&[0, 0, 0], &[RecordCopy::Newer; 3]);
    let now = Now::Other(newer.clone());
    let verdict = judged(&nothing, &now);
    assert_eq!(verdict, Verdict::Replaced(newer));
    assert_eq!(exit(&verdict, &now), Exit::NotFound);

    let deleted = found(&[0, 0, 0], &[RecordCopy::Deleted, NONE]);
    let verdict = judged(&deleted, &Now::Absent);
    assert_eq!(verdict, Verdict::Deleted);
    assert_eq!(exit(&verdict, &Now::Absent), Exit::NotFound);

    let older = Now::Other(format!("{}-9-ffffffff", version.counter - 1));
    for (found, now) in [
        (found(&[3, 3, 3], &[RecordCopy::Older; 3]), older),
        (found(&[3, 3, 3], &[NONE; 3]), Now::Absent),
    ] {
        let Verdict::TooFew(lacking) = judged(&found, &now) else {
            panic!("{now:?}");
        };
        assert!(lacking.is_lost && lacking.record);
    }
}

#[test]
fn versions_are_compared_by_numbers() {
    let than = Version {
        counter: 9,
        incarnation: 9,
        node: NodeId::new([0x55; 32]),
    };
    for text in ["10-1-00000000", "9-10-00000000", "9-9-66666666"] {
        assert!(is_newer(text, than), "{text}");
    }
    for text in ["9-9-55555555", "8-10-ffffffff", "9-8-ffffffff", "x", ""] {
        assert!(!is_newer(text, than), "{text}");
    }
}

#[test]
fn the_silent_ones_are_named() {
    let mut few = found(&[1], &[SAME]);
    let words = [
        (1, Why::Silent),
        (2, Why::Left),
        (3, Why::Expelled),
        (4, Why::Failed),
    ];
    for (seed, why) in words {
        let (node, addr) = (node(seed), Some(([127, 0, 0, 1], 2000).into()));
        few.unheard.insert(node, NoWord { node, addr, why });
    }
    let Err(trouble) = judged(&few, &Now::Same).end(&few, &Now::Same) else {
        panic!("it is too few");
    };
    let named: Vec<&str> = trouble.missing.iter().map(|it| it.node.as_str()).collect();
    assert_eq!(named, [node(1).to_string(), node(4).to_string()]);
    assert!(
        trouble.message.contains("1 chunk is on fewer than 2 nodes"),
        "{}",
        trouble.message
    );
}
