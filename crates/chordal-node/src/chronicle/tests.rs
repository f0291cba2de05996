use super::*;

const DAY_MS: i64 = 86_400_000;

fn node(number: u8) -> NodeId {
    NodeId::new([number; 32])
}

#[test]
fn what_is_older_than_a_day_is_dropped_and_no_longer_claimed() {
    let log = Log::new(0);
    log.note(1000, (node(1), Happening::Appeared), None);
    log.note(DAY_MS, (node(2), Happening::Suspected), None);
    assert_eq!(log.read(DAY_MS).since_ms, 0);
    assert_eq!(log.read(DAY_MS).events.len(), 2);
    let later = log.read(DAY_MS + 2000);
    assert_eq!(later.since_ms, 2000);
    assert_eq!(later.events.len(), 1);
    assert_eq!(later.events[0].what, Happening::Suspected);
}

#[test]
fn of_too_many_events_the_newest_are_kept() {
    let log = Log::new(0);
    for at in 0..=CHRONICLE_EVENTS_MAX {
        let at_ms = i64::try_from(at).unwrap();
        log.note(at_ms + 1, (node(1), Happening::Recovered), None);
    }
    let kept = log.read(DAY_MS / 2);
    assert_eq!(kept.events.len(), CHRONICLE_EVENTS_MAX);
    assert_eq!(log.noted(), CHRONICLE_EVENTS_MAX as u64 + 1);
    assert_eq!((kept.since_ms, kept.events[0].at_ms), (1, 2));
}

#[test]
fn only_what_happens_to_nodes_is_noted() {
    let own = node(9);
    let placed = Notice::Placed {
        incarnation: 1,
        tokens: 8,
    };
    assert_eq!(happening(&placed, own), Some((own, Happening::Appeared)));
    assert_eq!(
        happening(&Notice::Left(node(1)), own),
        Some((node(1), Happening::Left))
    );
    assert_eq!(happening(&Notice::Collected { dropped: 1 }, own), None);
}
