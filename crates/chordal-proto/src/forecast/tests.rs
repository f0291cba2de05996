use chordal_object::Bits;

use super::*;

fn settings(bits: u8) -> Settings {
    Settings {
        bits: Bits::new(bits).unwrap(),
        ..Settings::default()
    }
}

#[test]
fn arcs_that_make_up_a_ring_make_exactly_all_of_it_in_any_order() {
    for bits in [8, 51, 52, 53, 128] {
        let settings = settings(bits);
        let mut ends: Vec<Key> = (0..64_u128)
            .map(|at| {
                settings
                    .bits
                    .reduce((at * at * at + at).wrapping_mul(u128::MAX / 7919))
            })
            .collect();
        ends.sort_unstable();
        ends.dedup();
        let following = ends.iter().cycle().skip(1);
        let mut shares: Vec<f64> = ends
            .iter()
            .zip(following)
            .map(|(&after, &upto)| share(Arc::new(after, upto), &settings))
            .collect();
        for _ in 0..shares.len() {
            shares.rotate_left(1);
            let sum: f64 = shares.iter().sum();
            assert_eq!(sum.to_bits(), 1.0_f64.to_bits(), "{sum} of {bits} bits");
        }
    }
}

#[test]
fn an_arc_without_ends_is_the_whole_ring() {
    let settings = settings(128);
    let key = settings.bits.reduce(77);
    let whole = share(Arc::new(key, key), &settings);
    assert_eq!(whole.to_bits(), 1.0_f64.to_bits());
}
