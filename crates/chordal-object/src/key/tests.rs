use proptest::prelude::*;

use super::*;

#[test]
fn classic_keys_equal_the_seeds() {
    let key = |text| Bits::CLASSIC.classic_key(text).position();
    assert_eq!(key("127.0.0.1:5000"), 797);
    assert_eq!(key("127.0.0.1:5001"), 88);
    assert_eq!(key("127.0.0.1:5002"), 631);
}

#[test]
fn equal_ends_leave_everything_else_between() {
    let end = Key::new(5);
    assert!(Key::new(6).between(end, end));
    assert!(Key::new(4).between(end, end));
    assert!(!end.between(end, end));
}

#[test]
fn finger_starts_double_and_wrap() {
    let bits = Bits::CLASSIC;
    let starts: Vec<u128> = (0..10)
        .map(|i| bits.finger_start(Key::new(797), i).position())
        .collect();
    assert_eq!(starts, [798, 799, 801, 805, 813, 829, 861, 925, 29, 285]);
    assert_eq!(Bits::MAX.finger_start(Key::new(u128::MAX), 0), Key::new(0));
}

#[test]
fn names_are_placed_by_space_and_path_without_ambiguity() {
    let bits = Bits::MAX;
    let one = Name::new("abc", "def").unwrap();
    let other = Name::new("abcd", "ef").unwrap();
    assert_ne!(bits.name_key(&one), bits.name_key(&other));
}

proptest! {
    #[test]
    fn an_arc_holds_what_its_ranges_hold(after in 0u128..16, upto in 0u128..16, key in 0u128..16) {
        let arc = Arc::new(Key::new(after), Key::new(upto));
        let last = Bits::new(4).unwrap().last_key();
        let in_ranges =
            arc.ranges(last).iter().any(|&(from, to)| from <= Key::new(key) && Key::new(key) <= to);
        prop_assert_eq!(arc.contains(Key::new(key)), in_ranges);
    }

    #[test]
    fn an_arc_covers_another_when_it_holds_all_its_keys(
        a in 0u128..16, b in 0u128..16, c in 0u128..16, d in 0u128..16
    ) {
        let outer = Arc::new(Key::new(a), Key::new(b));
        let inner = Arc::new(Key::new(c), Key::new(d));
        let all = (0..16).map(Key::new).filter(|&key| inner.contains(key)).all(|key| outer.contains(key));
        // Arcs of one ring lie on its keys only: a full inner arc is covered by a full outer one.
        if inner.is_full() {
            prop_assert_eq!(outer.covers(inner), outer.is_full());
        } else {
            prop_assert_eq!(outer.covers(inner), all);
        }
    }
}
