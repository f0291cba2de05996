use std::time::Duration;

use super::ScrubPace;
use crate::exec::{Progress, ScrubStep};
use crate::limits::{SCRUB_REST, SCRUB_REST_PER_WORK};

const DAY: Duration = Duration::from_hours(24);

fn pace() -> ScrubPace {
    ScrubPace {
        period: DAY * 10,
        bytes_per_second_max: 1 << 20,
    }
}

fn further(done_bytes: u64, left_bytes: u64, age: Duration) -> ScrubStep {
    ScrubStep::Further(Progress {
        done_bytes,
        left_bytes,
        age,
    })
}

#[test]
fn what_is_left_is_spread_over_the_time_that_is_left() {
    let half_a_day = pace().pause_after(further(1 << 20, 9 << 20, DAY * 9 / 2), Duration::ZERO);
    assert_eq!(half_a_day, DAY / 2);
    let late = pace().pause_after(further(1 << 20, 9 << 20, DAY * 20), Duration::ZERO);
    assert_eq!(late, Duration::from_secs(1), "as fast as it may");
}

#[test]
fn a_walk_over_everything_takes_no_longer_than_its_period() {
    let (mut left, mut age) = (10_000_u64 << 20, Duration::ZERO);
    while left > 0 {
        left -= 1 << 20;
        age += pace().pause_after(further(1 << 20, left, age), Duration::from_millis(10));
    }
    assert!(age <= DAY * 10, "{age:?}");
    assert!(age >= DAY * 8, "and never hurries: {age:?}");
}

#[test]
fn a_busy_disk_is_given_more_rest() {
    let slow = Duration::from_secs(1);
    let step = further(1, 1 << 40, Duration::ZERO);
    assert_eq!(pace().pause_after(step, slow), slow * SCRUB_REST_PER_WORK);
    assert_eq!(pace().pause_after(ScrubStep::Failed, slow), SCRUB_REST);
}

#[test]
fn a_round_that_ended_early_is_followed_by_the_next_when_its_time_is_over() {
    let step = ScrubStep::Round(Progress {
        done_bytes: 0,
        left_bytes: 0,
        age: DAY,
    });
    assert_eq!(pace().pause_after(step, Duration::ZERO), DAY * 8);
}
