use super::*;

#[test]
fn copies_under_way_together_are_one_stretch_of_time() {
    let meter = Meter::default();
    let (mut one, mut other) = (meter.begin(), meter.begin());
    one.came(5);
    drop(one);
    assert_eq!(
        meter.read().time,
        Duration::ZERO,
        "the other one is not over"
    );
    other.came(7);
    drop(other);
    let first = meter.read();
    assert_eq!(first.bytes, 12);
    assert!(first.time > Duration::ZERO);
    drop(meter.begin());
    assert_eq!(
        meter.read().bytes,
        12,
        "one that did not come brings nothing"
    );
    assert!(meter.read().time >= first.time);
}
