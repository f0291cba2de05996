use super::*;
use crate::cmd::verify::example::checked;

/// The answers that are in the receipt, to the question that was asked for it.
fn answered(checked: &Checked) -> (Inquiry, Attested) {
    let all = checked.receipt.all_chunks();
    let mut inquiry = part(checked, &all, 0..all.len(), false);
    inquiry.nonce = checked.receipt.nonce;
    let attested = Attested {
        wanted: 3,
        statements: checked.receipt.statements.clone(),
        unheard: Vec::new(),
    };
    (inquiry, attested)
}

fn found(checked: &Checked) -> Found {
    Found {
        wanted: checked.receipt.wanted,
        chunks: vec![Vec::new(); checked.receipt.all_chunks().len()],
        ..Found::default()
    }
}

#[test]
fn parts_of_a_question_name_who_is_said_to_have_those_chunks() {
    let checked = checked();
    let all = checked.receipt.all_chunks();
    let first = part(&checked, &all, 0..2, true);
    assert!(first.record.is_some() && first.read);
    assert_eq!(first.named_for_record.len(), 3);
    let last = part(&checked, &all, 2..3, true);
    assert!(last.record.is_none() && last.named_for_record.is_empty());
    assert_eq!(last.chunks, [all[2]]);
    assert!(last.named.values().all(|places| *places == [0]));
    assert_ne!(first.nonce, last.nonce);
    assert_eq!(first.subject, last.subject);
}

#[test]
fn answers_count_once_and_only_to_the_question_that_was_asked() {
    let checked = checked();
    let (inquiry, attested) = answered(&checked);
    let mut good = found(&checked);
    good.take(&checked, &inquiry, 0, attested.clone());
    // Whoever passes answers on may say them twice.
    good.take(&checked, &inquiry, 0, attested.clone());
    assert_eq!(
        good.chunks.iter().map(Vec::len).collect::<Vec<_>>(),
        [3, 3, 3]
    );
    assert_eq!(good.record_copies(), 3);
    assert_eq!(
        good.chunks_of(checked.receipt.statements[0].holding.node),
        3
    );

    let asked_now = Inquiry {
        nonce: nonce(),
        ..inquiry.clone()
    };
    let deep = Inquiry {
        read: true,
        ..inquiry
    };
    for question in [asked_now, deep] {
        let mut bad = found(&checked);
        bad.take(&checked, &question, 0, attested.clone());
        assert!(bad.chunks.iter().all(Vec::is_empty), "an earlier answer");
        assert_eq!((bad.record_copies(), bad.heard.len()), (0, 0));
        assert!(bad.unheard.values().all(|word| word.why == Why::False));
    }
}

#[test]
fn the_word_of_one_who_was_expelled_does_not_count_whoever_passes_it_on() {
    let mut checked = checked();
    let (inquiry, attested) = answered(&checked);
    let node = checked.receipt.statements[0].holding.node;
    checked.expelled.insert(node);
    let mut now = found(&checked);
    now.take(&checked, &inquiry, 0, attested);
    assert_eq!(now.unheard[&node].why, Why::Expelled);
    assert_eq!((now.record_copies(), now.chunks_of(node)), (2, 0));
    assert!(!now.heard.contains_key(&node));
}

#[test]
fn no_fewer_copies_are_wanted_than_when_the_receipt_was_made() {
    let checked = checked();
    let (inquiry, mut attested) = answered(&checked);
    for (told, wanted) in [(1, 3), (5, 5)] {
        let mut now = found(&checked);
        attested.wanted = told;
        now.take(&checked, &inquiry, 0, attested.clone());
        assert_eq!((now.told, now.wanted), (told, wanted));
    }
}
