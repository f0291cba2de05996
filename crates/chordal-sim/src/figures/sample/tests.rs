use super::Sample;

#[test]
fn mean_and_percentiles_are_those_of_the_counts() {
    let sample = Sample::new((1..=100).rev());
    assert!((sample.mean() - 50.5).abs() < 1e-9);
    assert_eq!((sample.percentile(1), sample.percentile(99)), (2, 100));
}

#[test]
fn a_sample_of_nothing_is_zero() {
    let sample = Sample::new(std::iter::empty());
    assert!(sample.mean().abs() < 1e-9);
    assert_eq!(sample.range(), "0 to 0");
}
