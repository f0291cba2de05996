use super::*;

#[test]
fn a_programs_name_may_hold_anything() {
    let line = "12 (a) b (c) S 1 2 3 4 5 6 7 8 9 10 40 2 0 0 20";
    assert_eq!(ticks_in(line), Some(42));
    assert_eq!(ticks_in("12 (x) S 1"), None);
}

#[test]
fn what_was_used_is_a_difference() {
    let then = Used {
        nodes: None,
        own: Some(Duration::from_secs(1)),
    };
    let now = Used {
        nodes: Some(Duration::from_secs(9)),
        own: Some(Duration::from_secs(3)),
    };
    let used = now.since(then);
    assert_eq!((used.nodes, used.own), (None, Some(Duration::from_secs(2))));
}
