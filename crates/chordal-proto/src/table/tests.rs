//! The table's maps against what follows from its entries, after any order of changes.

use std::collections::BTreeMap;

use chordal_object::{Bits, Key, NodeId};

use super::{Learned, NodeTable};
use crate::limits::TABLE_MAX;
use crate::member::{Member, Standing, Token};
use crate::rng::Rng;
use crate::settings::Settings;

/// Positions so few that nodes share some.
fn crowded() -> Settings {
    Settings {
        bits: Bits::new(6).expect("a small ring"),
        ..Settings::default()
    }
}

fn some_member(rng: &mut Rng, nodes: usize) -> Member {
    let number = u8::try_from(rng.below(nodes)).expect("small");
    let standings = [
        Standing::Present,
        Standing::Leaving,
        Standing::Gone,
        Standing::Left,
    ];
    Member {
        node: NodeId::new([number; 32]),
        addr: ([127, 0, 0, 1], 4000 + u16::from(number)).into(),
        incarnation: rng.below(6) as u64,
        standing: standings[rng.below(4)],
        offered_bytes: 1,
        salts: vec![u8::try_from(rng.below(3)).expect("small"); rng.below(4)],
    }
}

/// Routes, holders and cuts as they follow from the entries.
fn expected(table: &NodeTable) -> [BTreeMap<Key, NodeId>; 3] {
    let [mut routes, mut holds, mut cuts] = [BTreeMap::new(), BTreeMap::new(), BTreeMap::new()];
    for (&node, entry) in table.iter() {
        for &key in entry.tokens.iter() {
            cuts.entry(key).or_insert(node);
            if entry.member.standing.is_member() {
                routes.entry(key).or_insert(node);
            }
            if entry.member.standing.holds() {
                holds.entry(key).or_insert(node);
            }
        }
    }
    [routes, holds, cuts]
}

fn as_map(tokens: impl Iterator<Item = Token>) -> BTreeMap<Key, NodeId> {
    tokens.map(|token| (token.key, token.node)).collect()
}

#[test]
fn every_change_leaves_the_maps_that_follow_from_the_entries() {
    for seed in 0..30 {
        check_changes(seed, &crowded(), 24, 200);
    }
}

#[test]
fn a_large_table_is_as_right_as_a_small_one() {
    for seed in 0..4 {
        check_changes(seed, &Settings::default(), 240, 900);
    }
}

fn check_changes(seed: u64, settings: &Settings, nodes: usize, changes: usize) {
    let mut rng = Rng::new(seed);
    let mut table = NodeTable::new(TABLE_MAX);
    for change in 0..changes {
        let before = (table.placement_epoch(), expected(&table)[1].clone());
        // The table swells, then shrinks.
        let forgets = if change > changes / 2 { 3 } else { 1 };
        if rng.below(5) < forgets {
            table.forget(&[some_member(&mut rng, nodes).node]);
        } else {
            table.learn(settings, &some_member(&mut rng, nodes));
        }
        let [routes, holds, cuts] = expected(&table);
        let middle = Key::new(u128::from(rng.below(usize::MAX) as u64) << (seed % 64));
        assert_eq!(as_map(table.tokens_from(middle)), routes);
        assert_eq!(as_map(table.tokens_before(middle)), routes);
        assert_eq!(as_map(table.holding_from(middle)), holds);
        let first = table.tokens_from(middle).next().map(|token| token.key);
        let next = routes.range(middle..).chain(&routes).next();
        assert_eq!(first, next.map(|(&key, _)| key));
        let last = table.tokens_before(middle).next().map(|token| token.key);
        let previous = routes.range(..middle).next_back();
        assert_eq!(
            last,
            previous
                .or_else(|| routes.iter().next_back())
                .map(|(&key, _)| key)
        );
        let keys = table.cuts_from(Key::default()).map(|cut| cut.key);
        assert!(keys.eq(cuts.keys().copied()));
        let keys = table.cuts_before(Key::default()).map(|cut| cut.key);
        assert!(keys.eq(cuts.keys().rev().copied()));
        let holds_copies = |standing: Standing| standing.holds();
        let holding = table
            .iter()
            .filter(|(_, entry)| holds_copies(entry.member.standing) && !entry.tokens.is_empty());
        assert_eq!(table.holding_nodes(), holding.count());
        if before.1 != holds && table.is_whole() {
            assert_ne!(table.placement_epoch(), before.0);
        }
        assert!(table.iter().is_sorted_by_key(|(node, _)| node));
        assert_eq!(table.digest(), told_afresh(settings, &table).digest());
    }
}

/// A table that is told the same entries in one go.
fn told_afresh(settings: &Settings, table: &NodeTable) -> NodeTable {
    let mut fresh = NodeTable::new(TABLE_MAX);
    for (_, entry) in table.iter() {
        assert_eq!(fresh.learn(settings, &entry.to_member()), Learned::Changed);
    }
    fresh
}

#[test]
fn an_entry_that_changes_no_position_changes_no_placement() {
    let settings = Settings::default();
    let mut rng = Rng::new(7);
    let mut member = some_member(&mut rng, 24);
    member.standing = Standing::Present;
    member.salts = vec![0, 1];
    let mut table = NodeTable::new(TABLE_MAX);
    table.learn(&settings, &member);
    let before = table.placement_epoch();
    member.incarnation += 1;
    assert_eq!(table.learn(&settings, &member), Learned::Changed);
    assert_eq!(table.placement_epoch(), before);
}
