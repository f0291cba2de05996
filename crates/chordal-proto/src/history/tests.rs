use std::collections::BTreeMap;

use super::*;

fn node(number: u8) -> NodeId {
    NodeId::new([number; 32])
}

fn holders(numbers: &[u8]) -> Holders {
    numbers.iter().copied().map(node).collect()
}

fn past(based: bool, views: &[&[u8]]) -> History {
    let mut history = History {
        based,
        ..History::default()
    };
    for view in views {
        history.pass(&holders(view));
    }
    history
}

fn settles(own: u8, present: &[u8], history: &History, heard: &[(u8, History)]) -> bool {
    let heard: BTreeMap<NodeId, History> = heard
        .iter()
        .map(|(number, told)| (node(*number), told.clone()))
        .collect();
    let words = heard.iter().map(|(&node, told)| (node, told));
    is_settled(node(own), &holders(present), history, words, |_, _| false)
}

#[test]
fn a_newcomer_needs_a_majority_of_those_before_it() {
    let fresh = History::default();
    let sealed = past(true, &[&[1, 2, 3]]);
    let one = [(2, sealed.clone())];
    assert!(!settles(4, &[2, 3, 4], &fresh, &one));
    let two = [(2, sealed.clone()), (3, sealed.clone())];
    assert!(settles(4, &[2, 3, 4], &fresh, &two));
    let former = [(1, sealed.clone()), (2, sealed)];
    assert!(settles(4, &[2, 3, 4], &fresh, &former));
}

#[test]
fn a_view_in_between_is_asked_about_too() {
    // 1, 2, 3 held it, then 2, 3, 4, then 3, 4, 5: something may be on 2 and 4 alone.
    let of_all = past(true, &[&[1, 2, 3], &[2, 3, 4]]);
    let mut heard = vec![(1, of_all.clone()), (3, of_all)];
    assert!(!settles(5, &[3, 4, 5], &History::default(), &heard));
    heard.push((4, past(false, &[&[2, 3, 4]])));
    assert!(settles(5, &[3, 4, 5], &History::default(), &heard));
}

#[test]
fn who_never_left_a_view_that_came_back_is_not_believed_alone() {
    // 1 never heard that 3, 4, 5 held it meanwhile; 2 came back and has.
    let unaware = past(true, &[]);
    let returned = past(true, &[&[1, 2, 3], &[3, 4, 5]]);
    assert!(!settles(2, &[1, 2, 3], &returned, &[(1, unaware.clone())]));
    let four = past(true, &[]);
    let heard = [(1, unaware), (3, returned.clone()), (4, four)];
    assert!(settles(2, &[1, 2, 3], &returned, &heard));
}

#[test]
fn nobody_counts_before_somebody_has_ever_had_everything() {
    let fresh = History::default();
    let heard = [(1, fresh.clone()), (2, fresh.clone())];
    assert!(!settles(3, &[1, 2, 3], &fresh, &heard));
    let heard = [(1, past(true, &[])), (2, fresh.clone())];
    assert!(settles(3, &[1, 2, 3], &fresh, &heard));
}

#[test]
fn a_node_that_forgets_views_counts_as_one_that_never_had_anything() {
    let mut history = past(true, &[]);
    for number in 0..u8::try_from(VIEWS_MAX).unwrap() {
        history.pass(&holders(&[number, 200]));
        assert!(history.based);
    }
    history.pass(&holders(&[100, 200]));
    assert!(!history.based);
    assert_eq!(history.passed.len(), VIEWS_MAX);
}

#[test]
fn any_two_that_hear_enough_hear_one_in_common() {
    for count in 1..20 {
        assert!(2 * enough(count) > count);
        assert!(enough(count) + crate::placement::quorum(count) > count);
    }
}
