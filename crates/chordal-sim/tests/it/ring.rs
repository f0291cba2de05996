//! The ring by itself: quiet runs pass, mistakes are caught and repeat exactly.

use std::time::Duration;

use chordal_sim::ring_run::{RingFault, RingReport, RingRun, run};
use chordal_sim::ring_world::RingPlant;

/// A small ring on a good network for a short time.
fn small(seed: u64) -> RingRun {
    RingRun {
        seed,
        nodes: 5..=9,
        time: Some(Duration::from_secs(20)),
        churn: Some(Duration::ZERO),
        loss: Some(0.0),
        latency: Some(Duration::from_millis(5)),
        faults: Some(Vec::new()),
        ..RingRun::default()
    }
}

/// The first seed with this mistake that breaks a promise.
fn caught(plant: RingPlant, faults: &[RingFault]) -> RingReport {
    let reports = (1..=20).map(|seed| {
        let run_of_seed = RingRun {
            plant,
            faults: Some(faults.to_vec()),
            time: Some(Duration::from_mins(1)),
            ..small(seed)
        };
        run(&run_of_seed, None)
    });
    let mut broken = reports.filter(|report| report.outcome.is_err());
    broken.next().expect("the mistake is caught")
}

#[test]
fn a_quiet_ring_is_right_all_the_time() {
    for seed in 1..=5 {
        let report = run(&small(seed), None);
        assert!(report.outcome.is_ok(), "{report}");
        assert_eq!(report.findings.accused, 0, "{report}");
    }
}

#[test]
fn joins_and_leaves_break_nothing() {
    for seed in 1..=5 {
        let report = run(
            &RingRun {
                faults: Some(vec![RingFault::Join, RingFault::Leave]),
                ..small(seed)
            },
            None,
        );
        assert!(report.outcome.is_ok(), "{report}");
    }
}

#[test]
fn a_node_that_notifies_nobody_is_caught_and_the_run_repeats_exactly() {
    let report = caught(RingPlant::DropNotify, &[RingFault::Crash]);
    let again = run(&report.run, None);
    assert_eq!(again, report);
}

#[test]
fn a_node_that_comes_back_with_its_old_pointers_is_caught_and_the_run_repeats_exactly() {
    let report = caught(RingPlant::Undead, &[RingFault::Crash, RingFault::Join]);
    let again = run(&report.run, None);
    assert_eq!(again, report);
    let told = report.to_string();
    assert!(
        told.contains("repeat with: chordal sim ring --seed"),
        "{told}"
    );
    assert!(told.contains("--plant undead"), "{told}");
}

#[test]
fn a_trace_does_not_change_the_run() {
    let (one, two) = (
        run(&small(3), None),
        run(&small(3), Some(Box::new(std::io::sink()))),
    );
    assert_eq!(one.trace, two.trace);
}
