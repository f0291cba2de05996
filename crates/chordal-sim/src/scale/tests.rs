//! A large ring in the small: what a million nodes do, a thousand do too.

use std::time::Duration;

use super::{ScaleOptions, run};

#[test]
fn a_ring_that_begins_ideal_answers_and_heals() {
    let report = run(ScaleOptions {
        nodes: 600,
        lookups: 300,
        churn: Duration::from_secs(24),
        changes: 12,
        seed: 1,
    });
    assert_eq!(report.quiet.right, 300, "{report}");
    assert!(report.is_right(), "{report}");
    assert!(
        report.quiet.mean_hops() < report.expected_hops() + 1.0,
        "{report}"
    );
}
