use std::collections::BTreeMap;

use chordal_object::{Bits, Key, NodeId};

use super::{Share, Shares};

fn node(seed: u64, number: u64) -> NodeId {
    let mut name = seed.to_be_bytes().to_vec();
    name.extend(number.to_be_bytes());
    NodeId::new(*blake3::hash(&name).as_bytes())
}

/// A number below `most`, from the hash of the node's id.
fn offer(node: NodeId, most: u64) -> u64 {
    let bytes = node.as_bytes();
    1000 + (u64::from(bytes[0]) << 8 | u64::from(bytes[1])) * (most - 1) * 1000 / 0xffff
}

/// Nodes join in turn; after each, what all of them have.
fn grow(seed: u64, count: u64, most: u64, mut look: impl FnMut(&[Share])) -> Shares {
    let mut shares = Shares::new(Bits::MAX, 3);
    for number in 0..count {
        let joins = node(seed, number);
        shares.join(joins, offer(joins, most), 8, |_| false);
        look(&shares.shares());
    }
    shares
}

fn most_loaded(shares: &[Share]) -> f64 {
    let of_owned = shares.iter().map(|share| share.owned / share.fair_owned);
    of_owned.fold(0.0, f64::max)
}

#[test]
fn the_most_loaded_of_equal_nodes_has_at_most_a_quarter_too_much() {
    for seed in 0..3 {
        grow(seed, 40, 1, |shares| {
            let held = shares.iter().map(|share| share.held / share.fair_held);
            let held = held.fold(0.0, f64::max);
            if shares.len() >= 3 {
                assert!(most_loaded(shares) <= 1.15, "{seed}: {shares:?}");
                assert!(held <= 1.3, "{seed}: {shares:?}");
            }
        });
    }
}

#[test]
fn nodes_of_different_offers_come_within_15_percent_of_their_shares() {
    for seed in 0..2 {
        grow(seed, 40, 10, |shares| {
            for share in shares.iter().filter(|_| shares.len() >= 3) {
                let has = share.owned / share.fair_owned;
                assert!(
                    (0.85..=1.15).contains(&has),
                    "{seed}: {share:?} of {shares:?}"
                );
            }
        });
    }
}

#[test]
fn nodes_of_equal_offers_take_as_many_tokens_as_they_wish() {
    grow(7, 9, 1, |shares| {
        assert!(shares.iter().all(|share| share.tokens == 8), "{shares:?}");
    });
}

#[test]
fn who_offers_more_takes_more_tokens_and_nobody_fewer_than_four() {
    let mut shares = Shares::new(Bits::MAX, 3);
    for (number, offered) in [(0, 100), (1, 100), (2, 1000), (3, 1), (4, u64::MAX), (5, 0)] {
        shares.join(node(1, number), offered, 8, |_| false);
    }
    let tokens: Vec<usize> = shares.shares().iter().map(|share| share.tokens).collect();
    assert_eq!(tokens[..2], [8, 8]);
    assert!(tokens[2] > 8);
    assert_eq!(tokens[3], 4);
    assert_eq!(tokens[4], 64);
    assert_eq!(tokens[5], 4);
}

#[test]
fn loads_kept_along_are_those_computed_anew() {
    for (replicas, bits) in [(1, 128), (3, 128), (5, 64), (3, 9)] {
        let bits = Bits::new(bits).unwrap();
        let mut shares = Shares::new(bits, replicas);
        let mut members = Vec::new();
        for number in 0..12u32 {
            let joins = node(3, u64::from(number));
            let offered = offer(joins, 5);
            let salts = shares.join(joins, offered, 4, |_| false);
            let keys = (0u16..)
                .zip(salts)
                .map(|(index, salt)| bits.token(joins, index, salt));
            members.push((joins, offered, keys.collect::<Vec<Key>>()));
            let anew = Shares::of(bits, replicas, members.clone()).shares();
            for (kept, anew) in shares.shares().iter().zip(&anew) {
                assert_eq!((kept.node, kept.tokens), (anew.node, anew.tokens));
                assert!((kept.owned - anew.owned).abs() < 1e-9, "{kept:?} {anew:?}");
                assert!((kept.held - anew.held).abs() < 1e-9, "{kept:?} {anew:?}");
            }
            let owned: f64 = anew.iter().map(|share| share.owned).sum();
            let copies: f64 = anew.iter().map(|share| share.held).sum();
            assert!((owned - 1.0).abs() < 1e-9);
            assert!((copies - f64::from(replicas).min(f64::from(number) + 1.0)).abs() < 1e-9);
        }
    }
}

#[test]
fn no_token_is_put_where_another_is() {
    let bits = Bits::new(6).unwrap();
    let mut shares = Shares::new(bits, 3);
    let mut owners: BTreeMap<Key, NodeId> = BTreeMap::new();
    for number in 0..5 {
        let joins = node(5, number);
        let reserved = Key::new(17);
        let salts = shares.join(joins, 1000, 8, |key| key == reserved);
        for (index, salt) in (0u16..).zip(salts) {
            let key = bits.token(joins, index, salt);
            assert_ne!(key, reserved);
            assert_eq!(owners.insert(key, joins), None, "{key}");
        }
    }
}

#[test]
fn a_liar_about_its_offer_takes_no_more_than_sixteen_others() {
    let mut shares = Shares::new(Bits::MAX, 3);
    for number in 0..10 {
        shares.join(node(8, number), 1 << 40, 8, |_| false);
    }
    shares.join(node(8, 10), u64::MAX, 8, |_| false);
    let liar = shares.shares()[10];
    assert!((liar.fair_owned - 16.0 / 26.0).abs() < 1e-9, "{liar:?}");
}
