use super::{Arrival, Balance, Offers, growing, grown, keys_per_choosing_node, keys_per_node};

fn worst(rings: &[Balance], of: impl Fn(&Balance) -> f64) -> f64 {
    rings.iter().map(of).fold(0.0, f64::max)
}

#[test]
fn equal_nodes_own_at_most_a_quarter_too_much_at_every_size() {
    for seed in 0..2 {
        let rings = growing(seed, 60, Offers::Equal);
        assert!(worst(&rings, |ring| ring.owned_most) <= 1.25, "seed {seed}");
    }
}

#[test]
fn unequal_nodes_own_their_shares_within_15_percent_at_every_size() {
    for seed in 0..2 {
        let rings = growing(seed, 40, Offers::OneToTen);
        let off = |ring: &Balance| (ring.owned_most - 1.0).max(1.0 - ring.owned_least);
        assert!(worst(&rings, off) <= 0.15, "seed {seed}");
    }
}

#[test]
fn who_chooses_without_knowing_the_others_comes_out_uneven() {
    let known = grown(1, 16, Offers::Equal, Arrival::InTurn);
    let unknown = grown(1, 16, Offers::Equal, Arrival::Unknown);
    assert!(known.owned_most < 1.15, "{known:?}");
    assert!(unknown.owned_most > 1.3, "{unknown:?}");
}

#[test]
fn random_tokens_are_as_uneven_as_the_paper_says() {
    let most = |tokens| *keys_per_node(1, 1000, 100_000, tokens).last().unwrap();
    assert!(most(1) > 400, "{}", most(1));
    assert!(most(20) < 200, "{}", most(20));
    let chosen = keys_per_choosing_node(1, 60, 6000);
    assert!(*chosen.last().unwrap() < 150, "{chosen:?}");
    assert_eq!(chosen.iter().sum::<u64>(), 6000);
}
