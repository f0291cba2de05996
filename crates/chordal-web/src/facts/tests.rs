use chordal_node::model::{Bits, Profile};

use super::*;

fn blackboard() -> Settings {
    Settings {
        bits: Bits::CLASSIC,
        profile: Profile::Classic,
        ..Settings::default()
    }
}

#[test]
fn the_parts_of_the_ring_sum_up_to_one() {
    let settings = blackboard();
    let all = [Key::new(88), Key::new(631), Key::new(797)];
    let parts = all.map(|token| owned_part(token, &all, &settings));
    assert!((parts.iter().sum::<f64>() - 1.0).abs() < 1e-9, "{parts:?}");
    // 88 owns what comes after 797, across zero.
    assert!((parts[0] - (1024.0 - 797.0 + 88.0) / 1024.0).abs() < 1e-9);
}

#[test]
fn a_token_alone_owns_the_whole_ring() {
    let alone = [Key::new(797)];
    assert!((owned_part(alone[0], &alone, &blackboard()) - 1.0).abs() < f64::EPSILON);
}

#[test]
fn times_are_written_for_programs_and_people() {
    assert_eq!(time(0), "1970-01-01T00:00:00Z");
    assert_eq!(time(1_700_000_000_123), "2023-11-14T22:13:20.123Z");
    assert_eq!(time(i64::MAX), "1970-01-01T00:00:00Z");
}

#[test]
fn hops_tell_their_time_to_the_microsecond() {
    assert!((milliseconds(Duration::from_nanos(1_234_567)) - 1.235).abs() < 1e-9);
}
