use super::{Event, Plan};

#[test]
fn a_seed_makes_the_same_choices_again() {
    let events = |seed| {
        let mut plan = Plan::new(seed, 12, 1);
        (0..50).map(|_| plan.next(12)).collect::<Vec<_>>()
    };
    assert_eq!(events(3), events(3));
    assert_ne!(events(3), events(4));
}

#[test]
fn the_ring_stays_about_as_large_as_it_was_asked_to_be() {
    let mut plan = Plan::new(1, 5, 1);
    let mut running = 5;
    for _ in 0..1000 {
        match plan.next(running) {
            Some(Event::Join) => running += 1,
            Some(Event::Leave | Event::Death) => running -= 1,
            _ => {}
        }
        assert!((4..=7).contains(&running), "{running} nodes");
    }
}

#[test]
fn a_small_ring_loses_no_machine_for_good() {
    let mut plan = Plan::new(1, 3, 1);
    for _ in 0..1000 {
        let event = plan.next(3);
        let for_good = matches!(event, Some(Event::Leave | Event::Death | Event::Wipe(_)));
        assert!(!for_good, "{event:?}");
    }
}

#[test]
fn where_two_may_be_down_both_return() {
    let mut plan = Plan::new(1, 5, 2);
    assert!((0..100).all(|_| matches!(plan.next(5), Some(Event::TwinCrash(..)))));
}

#[test]
fn where_none_may_be_down_nothing_happens() {
    assert_eq!(Plan::new(1, 5, 0).next(5), None);
}
