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
        threads: 2,
    });
    assert_eq!(report.quiet.right, 300, "{report}");
    assert!(report.is_right(), "{report}");
    assert!(
        report.quiet.mean_hops() < report.expected_hops() + 1.0,
        "{report}"
    );
}

#[test]
fn the_number_of_threads_changes_nothing() {
    let [one, three] = [1, 3].map(|threads| {
        run(ScaleOptions {
            nodes: 200,
            lookups: 100,
            churn: Duration::from_secs(10),
            changes: 8,
            seed: 7,
            threads,
        })
    });
    assert_eq!(one.events, three.events);
    assert_eq!(one.quiet, three.quiet);
    assert_eq!(one.churning, three.churning);
    assert_eq!(one.pointers, three.pointers);
}
