use std::time::Duration;

use super::Dice;

#[test]
fn the_same_seed_and_stream_say_the_same() {
    let (mut one, mut two) = (Dice::new(7, "network"), Dice::new(7, "network"));
    let (mut other_stream, mut other_seed) = (Dice::new(7, "faults"), Dice::new(8, "network"));
    let said = one.number();
    assert_eq!(said, two.number());
    assert_ne!(said, other_stream.number());
    assert_ne!(said, other_seed.number());
}

#[test]
fn exponential_times_have_the_mean_asked_for() {
    let mut dice = Dice::new(1, "test");
    let mean = Duration::from_millis(10);
    let total: Duration = (0..20_000).map(|_| dice.exponential(mean)).sum();
    let measured = total / 20_000;
    // The straight lines between the powers of one half make it 1.04 times the mean.
    assert!(measured > mean * 95 / 100, "{measured:?}");
    assert!(measured < mean * 110 / 100, "{measured:?}");
}

#[test]
fn a_chance_comes_as_often_as_it_says() {
    let mut dice = Dice::new(1, "test");
    let hits = (0..10_000).filter(|_| dice.chance(0.2)).count();
    assert!((1_800..2_200).contains(&hits), "{hits}");
    assert!((0..1_000).all(|_| !dice.chance(0.0)));
    assert!((0..1_000).all(|_| dice.chance(1.0)));
}
