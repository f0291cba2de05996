use chordal_object::NodeId;
use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

fn last() -> Key {
    Key::new(99)
}

fn arc(after: u128, upto: u128) -> Arc {
    Arc::new(Key::new(after), Key::new(upto))
}

fn passed(node: u8) -> History {
    History {
        based: true,
        passed: vec![vec![NodeId::new([node; 32])]],
    }
}

#[test]
fn a_part_is_cut_out_and_the_rest_stays() {
    let mut pasts = Pasts::beginning(last());
    assert_eq!(pasts.take(arc(10, 20), last()), Some(History::beginning()));
    assert_eq!(pasts.take(arc(10, 20), last()), None);
    assert_eq!(pasts.of(arc(10, 21), last()), Some(History::beginning()));
    assert_eq!(pasts.of(arc(12, 18), last()), None);
    let ranges: Vec<Arc> = pasts.iter(last()).map(|(arc, _)| arc).collect();
    assert_eq!(ranges, [arc(99, 10), arc(20, 99)]);
}

#[test]
fn a_change_concerns_the_keys_of_its_arc_only() {
    let mut pasts = Pasts::beginning(last());
    let holders = [NodeId::new([7; 32])];
    pasts.change(arc(90, 5), last(), |history| history.pass(&holders));
    assert_eq!(pasts.of(arc(95, 2), last()), Some(passed(7)));
    assert_eq!(pasts.of(arc(5, 90), last()), Some(History::beginning()));
}

#[test]
fn the_newest_word_replaces_older_ones() {
    let mut pasts = Pasts::default();
    pasts.put(arc(10, 30), last(), &passed(1));
    pasts.put(arc(20, 40), last(), &passed(2));
    assert_eq!(pasts.of(arc(10, 20), last()), Some(passed(1)));
    assert_eq!(pasts.of(arc(20, 40), last()), Some(passed(2)));
}

#[test]
fn an_arc_of_several_ranges_has_what_is_true_of_all_of_them() {
    let mut pasts = Pasts::default();
    pasts.put(arc(10, 20), last(), &passed(1));
    let never_based = History {
        based: false,
        ..passed(2)
    };
    pasts.put(arc(20, 30), last(), &never_based);
    let both = pasts.of(arc(10, 30), last()).expect("it is known");
    assert!(!both.based);
    assert_eq!(both.passed.len(), 2);
}

#[test]
fn a_view_is_noted_of_every_part_and_once() {
    let mut pasts = Pasts::default();
    pasts.put(arc(10, 20), last(), &passed(1));
    pasts.put(arc(30, 40), last(), &passed(7));
    let holders = [NodeId::new([7; 32])];
    assert!(pasts.note(arc(90, 40), last(), &holders));
    for upto in [99, 0, 10, 20, 30, 40] {
        let noted = pasts.of(arc(upto - upto.min(1), upto), last());
        let noted = noted.expect("it was noted everywhere").passed;
        assert!(noted.contains(&holders.to_vec()), "{upto}");
    }
    assert!(!pasts.note(arc(90, 40), last(), &holders));
    assert!(!pasts.note(arc(95, 5), last(), &holders));
    assert!(pasts.note(arc(35, 41), last(), &holders), "41 is news");
    // Where nothing was known nothing is claimed.
    let gap = pasts.of(arc(20, 30), last()).expect("it was noted");
    assert!(!gap.based);
    let known = pasts.of(arc(10, 20), last()).expect("it was noted");
    assert!(known.based && known.passed.len() == 2);
}

#[test]
fn neighbours_of_which_the_same_is_known_become_one() {
    let last = Key::new(1 << 20);
    let mut pasts = Pasts::default();
    let ranges = u128::try_from(FORMER_ARCS_MAX).unwrap() + 1;
    pasts.put(arc(0, 10), last, &passed(9));
    for number in 1..ranges {
        pasts.put(arc(number * 10, number * 10 + 10), last, &passed(1));
    }
    assert_eq!(
        pasts.of(arc(0, 10), last),
        Some(passed(9)),
        "it is not lost"
    );
    assert_eq!(pasts.of(arc(10, ranges * 10), last), Some(passed(1)));
    assert_eq!(pasts.iter(last).count(), 2);
}

/// What is done with an arc: put, take, change or note, and the node that it is about.
type Step = (u8, u128, u128, u8);

proptest! {
    #[test]
    fn it_knows_of_every_key_what_was_last_said_of_it(
        steps in vec((0_u8..4, 0_u128..100, 0_u128..100, 0_u8..4), 1..40),
    ) {
        let mut pasts = Pasts::default();
        let mut keys: Vec<Option<History>> = vec![None; 100];
        for step in steps {
            do_step(&mut pasts, &mut keys, step);
            for (key, known) in (0_u128..).zip(&keys) {
                let only = arc(if key == 0 { 99 } else { key - 1 }, key);
                prop_assert_eq!(&pasts.of(only, last()), known, "of {}", key);
            }
            let ranges: Vec<_> = pasts.iter(last()).collect();
            for pair in ranges.windows(2) {
                prop_assert!(pair[0].0.upto != pair[1].0.after || pair[0].1 != pair[1].1);
            }
        }
    }
}

/// Does it with the ranges, and with every key by itself.
fn do_step(pasts: &mut Pasts, keys: &mut [Option<History>], (kind, after, upto, node): Step) {
    let arc = arc(after, upto);
    let holders = [NodeId::new([node; 32])];
    let mut known: Vec<&mut Option<History>> = (0_u128..)
        .zip(keys)
        .filter_map(|(key, known)| arc.contains(Key::new(key)).then_some(known))
        .collect();
    match kind {
        0 => {
            pasts.put(arc, last(), &passed(node));
            for known in &mut known {
                **known = Some(passed(node));
            }
        }
        1 => {
            drop(pasts.take(arc, last()));
            for known in &mut known {
                **known = None;
            }
        }
        2 => {
            pasts.change(arc, last(), History::settle);
            for known in known.into_iter().flatten() {
                known.settle();
            }
        }
        _ => {
            let is_news = pasts.note(arc, last(), &holders);
            let mut was_news = false;
            for known in known {
                let known = known.get_or_insert_default();
                was_news |= !known.passed.contains(&holders.to_vec());
                known.pass(&holders);
            }
            assert_eq!(is_news, was_news);
        }
    }
}
