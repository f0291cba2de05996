use super::*;

#[test]
fn the_pace_is_that_of_late_and_tells_the_rest() {
    let (mut pace, begin) = (Pace::default(), Instant::now());
    let at = |seconds| begin + Duration::from_secs(seconds);
    assert_eq!(pace.see(at(0), 100).per_second, None);
    let progress = pace.see(at(10), 60);
    assert_eq!(progress.per_second, Some(4.0));
    assert_eq!((progress.left_s, progress.most_missing), (Some(15), 100));
    let later = at(10) + PACE_WINDOW;
    assert_eq!(pace.see(later, 60).per_second, None, "it stands still");
}

#[test]
fn when_more_are_missing_than_before_it_begins_anew() {
    let (mut pace, begin) = (Pace::default(), Instant::now());
    pace.see(begin, 10);
    pace.see(begin + Duration::from_secs(1), 5);
    let progress = pace.see(begin + Duration::from_secs(2), 50);
    assert_eq!((progress.per_second, progress.most_missing), (None, 50));
}

#[test]
fn nothing_missing_is_the_end_of_it() {
    let (mut pace, begin) = (Pace::default(), Instant::now());
    pace.see(begin, 10);
    let second = Duration::from_secs(1);
    assert_eq!(pace.see(begin + second, 0), Progress::default());
    let progress = pace.see(begin + second * 2, 3);
    assert_eq!((progress.most_missing, progress.per_second), (3, None));
}
