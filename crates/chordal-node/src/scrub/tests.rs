use std::time::Duration;

use super::pause_after;
use crate::exec::ScrubStep;
use crate::limits::{SCRUB_PAUSE, SCRUB_REST, SCRUB_REST_PER_WORK};

#[test]
fn a_busy_disk_is_given_more_rest() {
    let further = ScrubStep::Further;
    assert_eq!(pause_after(further, Duration::ZERO), SCRUB_PAUSE);
    let slow = Duration::from_secs(1);
    let expected = slow * SCRUB_REST_PER_WORK;
    assert_eq!(pause_after(further, slow), expected);
    assert_eq!(pause_after(ScrubStep::Round, slow), SCRUB_REST);
    assert_eq!(pause_after(ScrubStep::Failed, slow), SCRUB_REST);
}
