use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::bail;

use super::at_once;

#[test]
fn every_job_is_done_once() {
    let mut results = Vec::new();
    let end = at_once(
        1..=100_u64,
        |job| job * 2,
        |result| {
            results.push(result);
            Ok(())
        },
    );
    end.unwrap();
    results.sort_unstable();
    let wanted: Vec<u64> = (1..=100).map(|job| job * 2).collect();
    assert_eq!(results, wanted);
}

#[test]
fn nothing_is_begun_any_more_when_nobody_takes_the_results() {
    let begun = AtomicU64::new(0);
    let work = |_| begun.fetch_add(1, Ordering::Relaxed);
    let end = at_once(0.., work, |_| bail!("full"));
    end.unwrap_err();
    assert!(begun.load(Ordering::Relaxed) > 0);
}
