use std::time::Duration;

use super::human::{share, time};
use super::range;

#[test]
fn times_are_numbers_with_a_unit() {
    assert_eq!(time("250ms").unwrap(), Duration::from_millis(250));
    assert_eq!(time("1.5s").unwrap(), Duration::from_millis(1500));
    assert_eq!(time("20").unwrap(), Duration::from_secs(20));
    assert_eq!(time("2m").unwrap(), Duration::from_mins(2));
    assert!(time("soon").is_err());
    assert!(time("5 parsecs").is_err());
    assert!(time("-1s").is_err());
}

#[test]
fn shares_are_between_nothing_and_everything() {
    assert!((share("1%").unwrap() - 0.01).abs() < 1e-12);
    assert!((share("0.25").unwrap() - 0.25).abs() < 1e-12);
    assert!(share("101%").is_err());
    assert!(share("-1").is_err());
    assert!(share("NaN").is_err());
}

#[test]
fn ranges_have_a_first_and_a_last() {
    assert_eq!(range::<u64>("3..=9").unwrap(), 3..=9);
    assert_eq!(range::<u64>("3").unwrap(), 3..=3);
    assert!(range::<u64>("9..=3").is_err());
}
