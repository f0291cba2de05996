//! The counts are those of rings that are right.

use std::time::Duration;

use chordal_proto::Settings;

use super::{Options, measure};

fn options(session: Option<Duration>) -> Options {
    Options {
        seed: 1,
        nodes: 12,
        tokens: 4,
        settings: Settings::default(),
        session,
        settle: Duration::from_secs(30),
        measure: Duration::from_mins(2),
        loss: 0.0,
    }
}

#[test]
fn an_idle_ring_knows_itself_and_suspects_nobody() {
    let report = measure(options(None)).unwrap();
    assert_eq!(report.false_suspicions, 0);
    assert!(report.kinds["ping"].messages > 0);
    let all = report.bytes_per_node_second();
    assert!((1.0..500.0).contains(&all), "{report}");
}

#[test]
fn nodes_that_crash_are_suspected_within_seconds_by_most() {
    let report = measure(options(Some(Duration::from_mins(3)))).unwrap();
    let most = report.suspected_at(50).unwrap();
    assert!(most < Duration::from_secs(5), "{report}");
}
