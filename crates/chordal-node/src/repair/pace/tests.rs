use std::time::Duration;

use super::super::{Flow, Work};
use super::Pace;

const MIB: u64 = 1 << 20;
const BUDGET: u64 = 32 * MIB;

/// Moves copies of so many bytes, one after the other as soon as they may, while a client's reads each
/// take what `wait` says; how many copies were begun in the time.
fn moved(
    pace: &mut Pace,
    (from, until): (Duration, Duration),
    bytes: u64,
    wait: impl Fn(Duration) -> Duration,
) -> u64 {
    let (mut now, mut copies, mut read) = (from, 0, from);
    loop {
        let (booked, at) = pace.book(now, Flow::Taken);
        now = at;
        while read < now {
            read += Duration::from_millis(20);
            pace.waited(read, Work::ReadChunk, wait(read));
        }
        if now >= until {
            return copies;
        }
        copies += 1;
        pace.settle(Flow::Taken, booked, bytes);
    }
}

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn quick(_: Duration) -> Duration {
    Duration::from_millis(2)
}

#[test]
fn the_budget_is_kept_and_used() {
    for bytes in [4096, MIB / 3, MIB, 4 * MIB] {
        let mut pace = Pace::new(BUDGET);
        // The weight of a copy is learnt from the first ones.
        moved(&mut pace, (Duration::ZERO, seconds(10)), bytes, quick);
        let moved = moved(&mut pace, (seconds(10), seconds(20)), bytes, quick) * bytes;
        assert!(
            moved <= BUDGET * 10 + BUDGET / 2 + 2 * bytes,
            "{moved} in copies of {bytes}"
        );
        assert!(
            moved >= BUDGET * 10 * 9 / 10,
            "{moved} in copies of {bytes}"
        );
    }
}

#[test]
fn copies_give_way_to_clients_that_wait_longer_but_never_wholly() {
    let mut pace = Pace::new(BUDGET);
    for at in 0..200 {
        pace.waited(
            Duration::from_millis(at * 10),
            Work::ReadChunk,
            quick(seconds(0)),
        );
    }
    assert_eq!(pace.bytes_per_second(), BUDGET);
    let slow = |_| Duration::from_millis(30);
    moved(&mut pace, (seconds(2), seconds(7)), MIB, slow);
    assert_eq!(pace.bytes_per_second(), BUDGET / 8);
}

#[test]
fn the_pace_comes_back_when_clients_are_served_as_usual() {
    let mut pace = Pace::new(BUDGET);
    let wait = |at: Duration| Duration::from_millis(if at < seconds(10) { 2 } else { 30 });
    moved(&mut pace, (Duration::ZERO, seconds(12)), MIB, wait);
    assert!(pace.bytes_per_second() < BUDGET / 2);
    moved(&mut pace, (seconds(12), seconds(20)), MIB, quick);
    assert_eq!(pace.bytes_per_second(), BUDGET);
}

#[test]
fn clients_whom_the_least_pace_does_not_help_are_in_time_the_usual() {
    let mut pace = Pace::new(BUDGET);
    moved(&mut pace, (Duration::ZERO, seconds(5)), MIB, quick);
    let slow = |_| Duration::from_millis(30);
    moved(&mut pace, (seconds(5), seconds(60)), MIB, slow);
    assert_eq!(pace.bytes_per_second(), BUDGET / 8);
    moved(&mut pace, (seconds(60), seconds(300)), MIB, slow);
    assert_eq!(pace.bytes_per_second(), BUDGET);
}

#[test]
fn of_a_pause_half_a_second_is_caught_up_on() {
    let mut pace = Pace::new(BUDGET);
    moved(&mut pace, (Duration::ZERO, seconds(1)), MIB, quick);
    let moved = moved(&mut pace, (seconds(100), seconds(101)), MIB, quick);
    assert!((47..=50).contains(&moved), "{moved}");
}

#[test]
fn the_two_directions_do_not_wait_for_each_other() {
    let mut pace = Pace::new(BUDGET);
    for _ in 0..100 {
        pace.book(Duration::ZERO, Flow::Taken);
    }
    let (_, at) = pace.book(Duration::ZERO, Flow::Given);
    assert_eq!(at, Duration::ZERO);
}

#[test]
fn a_copy_that_could_not_be_moved_costs_nothing() {
    let mut pace = Pace::new(BUDGET);
    for _ in 0..100 {
        let (booked, _) = pace.book(seconds(1), Flow::Taken);
        pace.settle(Flow::Taken, booked, 0);
    }
    let (_, at) = pace.book(seconds(1), Flow::Taken);
    assert_eq!(at, seconds(1));
}

#[test]
fn what_was_booked_is_given_back_whatever_the_pace_is_by_then() {
    for (at_booking, later) in [(1.0, 0.125), (0.125, 1.0)] {
        let mut pace = Pace::new(BUDGET);
        pace.rate = pace.budget * at_booking;
        let (booked, first) = pace.book(seconds(1), Flow::Taken);
        let (others, _) = pace.book(seconds(1), Flow::Taken);
        pace.rate = pace.budget * later;
        pace.settle(Flow::Taken, booked, 0);
        let (_, at) = pace.book(seconds(1), Flow::Taken);
        let wanted = (first + others)
            .saturating_sub(super::SLACK)
            .max(seconds(1));
        assert_eq!(at, wanted);
    }
}
