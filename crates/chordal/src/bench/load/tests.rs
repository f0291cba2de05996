use super::*;

#[test]
fn percentiles_are_those_of_the_definition() {
    let times: Vec<_> = (1..=200).map(Duration::from_millis).collect();
    assert_eq!(percentile(&times, 50), Duration::from_millis(100));
    assert_eq!(percentile(&times, 99), Duration::from_millis(198));
    assert_eq!(percentile(&times[..1], 99), Duration::from_millis(1));
    assert_eq!(percentile(&[], 99), Duration::ZERO);
}

#[test]
fn no_two_chunks_of_the_load_are_equal() {
    let mut bytes = Vec::new();
    Pattern::new(1, (3 << 20) + 5)
        .read_to_end(&mut bytes)
        .unwrap();
    assert_eq!(bytes.len(), (3 << 20) + 5);
    let mut other = Vec::new();
    Pattern::new(2, 1 << 20).read_to_end(&mut other).unwrap();
    let chunks: Vec<_> = bytes.chunks(1 << 20).take(3).chain([&other[..]]).collect();
    for (index, chunk) in chunks.iter().enumerate() {
        assert!(!chunks[..index].contains(chunk), "{index}");
    }
}
