//! The simulator from outside: runs that pass, runs that repeat, and mistakes that are caught.

use std::time::Duration;

use chordal_sim::{Faults, Options, Plant, Report, Twins, run};

mod ring;

/// A small ring for a short time.
fn small(seed: u64) -> Options {
    Options {
        seed,
        nodes: 3..=6,
        fault_time: Duration::from_secs(30),
        ..Options::default()
    }
}

fn passes(options: &Options) -> Report {
    let report = run(options, None);
    assert!(report.outcome.is_ok(), "{report}");
    report
}

#[test]
fn a_quiet_ring_keeps_every_promise() {
    let options = Options {
        faults: Faults::NONE,
        loss: Some(0.0),
        ..small(1)
    };
    let report = passes(&options);
    assert!(report.written > 20, "{report}");
    assert!(report.got > 20, "{report}");
}

#[test]
fn one_node_is_a_ring() {
    passes(&Options {
        nodes: 1..=1,
        faults: Faults::NONE,
        ..small(1)
    });
}

#[test]
fn a_ring_survives_crashes() {
    for seed in 1..=3 {
        passes(&Options {
            faults: Faults {
                crashes: true,
                ..Faults::NONE
            },
            ..small(seed)
        });
    }
}

#[test]
fn a_ring_survives_what_hinders_its_machines() {
    for (seed, kind) in (1..).zip(["cuts", "slow", "freezes", "clocks", "rot", "full", "syncs"]) {
        let mut faults = Faults::NONE;
        assert!(faults.allow(kind), "{kind} is a kind");
        passes(&Options {
            faults,
            down_max: 2,
            ..small(seed)
        });
    }
}

#[test]
fn what_any_node_decides_is_decided_again_from_its_recording() {
    for seed in 1..=2 {
        passes(&Options {
            faults: Faults::ALL,
            twins: Twins::Beside,
            ..small(seed)
        });
    }
}

#[test]
fn the_same_seed_is_the_same_run() {
    for seed in 1..=2 {
        let (one, two) = (run(&small(seed), None), run(&small(seed), None));
        assert_eq!(one, two);
        assert_ne!(one.trace, run(&small(seed + 100), None).trace);
    }
}

#[test]
fn a_trace_does_not_change_the_run() {
    let traced = run(&small(1), Some(Box::new(std::io::sink())));
    assert_eq!(traced, run(&small(1), None));
}

#[test]
fn rot_that_is_overlooked_is_caught() {
    let mut faults = Faults::NONE;
    assert!(faults.allow("rot"), "rot is a kind");
    assert!(caught(Plant::OverlookRot, faults));
}

/// Whether a mistake fails the run of some seed that passes without it.
fn caught(plant: Plant, faults: Faults) -> bool {
    (1..=10).any(|seed| {
        let without = Options {
            faults,
            nodes: 3..=5,
            loss: Some(0.0),
            ..small(seed)
        };
        let planted = Options {
            plant,
            ..without.clone()
        };
        run(&planted, None).outcome.is_err() && run(&without, None).outcome.is_ok()
    })
}

#[test]
fn a_disk_that_loses_records_is_caught() {
    assert!(caught(Plant::LoseRecords, Faults::NONE));
}

#[test]
fn a_machine_that_throws_chunks_away_is_caught() {
    assert!(caught(Plant::LoseChunks, Faults::NONE));
}

#[test]
fn a_disk_that_reads_old_versions_is_caught() {
    assert!(caught(Plant::StaleReads, Faults::NONE));
}

#[test]
fn a_disk_that_never_says_what_it_refers_to_is_caught_when_space_is_given_back() {
    assert!(caught(Plant::CollectUnasked, Faults::NONE));
}

#[test]
fn a_disk_that_ignores_promises_is_caught() {
    assert!(caught(Plant::IgnorePromises, Faults::NONE));
}

#[test]
fn a_disk_that_acknowledges_what_is_not_durable_is_caught_when_the_power_goes() {
    let power = Faults {
        power: true,
        ..Faults::NONE
    };
    assert!(caught(Plant::AckBeforeDurable, power));
}
