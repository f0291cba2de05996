use std::time::Duration;

use super::patience_for;
use crate::limits::{ATTEST_PATIENCE, ATTEST_PATIENCE_MAX};

#[test]
fn who_tells_of_a_long_pause_is_waited_for_but_not_for_ever() {
    let pause = ATTEST_PATIENCE + Duration::from_secs(1);
    assert!(patience_for(pause) > pause);
    assert_eq!(patience_for(Duration::ZERO), ATTEST_PATIENCE);
    assert_eq!(patience_for(Duration::MAX), ATTEST_PATIENCE_MAX);
}
