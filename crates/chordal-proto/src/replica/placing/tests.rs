//! What follows from the changes alone against what follows from the whole table.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use chordal_object::{Arc, Bits, NodeId};

use super::super::{Compared, MyArc, Replica, meet};
use crate::history::History;
use crate::limits::TABLE_MAX;
use crate::member::{Member, Standing};
use crate::placement::{self, HeldArc};
use crate::rng::Rng;
use crate::settings::Settings;
use crate::table::NodeTable;
use crate::time::Time;
use crate::view::View;

/// The same decisions made anew from all arcs at each change.
#[derive(Default)]
struct FromScratch {
    all: Vec<HeldArc>,
    replica: Replica,
}

impl FromScratch {
    fn follow(&mut self, table: &NodeTable, settings: &Settings, own: NodeId) {
        let replica = &mut self.replica;
        let last = replica.last_key;
        let all: Vec<HeldArc> = placement::arcs(table, settings).collect();
        let before = std::mem::replace(&mut self.all, all);
        let was_mine = std::mem::take(&mut replica.mine);
        let (mine, others): (Vec<_>, Vec<_>) = self
            .all
            .iter()
            .partition(|held| held.holders.contains(&own));
        for held in others {
            for old in was_mine.iter().filter(|old| meet(old.held.arc, held.arc)) {
                let mut history = old.history.clone();
                history.pass(&old.held.holders);
                if let Some(past) = replica.pasts.of(held.arc, last) {
                    history.join(&past);
                }
                replica.pasts.put(held.arc, last, &history);
            }
            replica.complete.remove(held.arc, last);
        }
        for held in mine {
            let arc = inherit(replica, held, &was_mine, &before, own);
            replica.mine.push(arc);
        }
    }
}

fn agrees(all: &[HeldArc], arc: Arc, view: View) -> bool {
    all.iter()
        .any(|held| held.view == view && held.arc.covers(arc))
}

fn inherit(
    replica: &mut Replica,
    held: &HeldArc,
    was_mine: &[MyArc],
    before: &[HeldArc],
    own: NodeId,
) -> MyArc {
    let same = was_mine.iter().find(|old| old.held.arc.covers(held.arc));
    if let Some(old) = same.filter(|old| old.held.view == held.view) {
        return MyArc {
            held: held.clone(),
            ..old.clone()
        };
    }
    replica.complete.remove(held.arc, replica.last_key);
    let mut previous: BTreeSet<NodeId> = if let Some(old) = same {
        old.previous.iter().copied().collect()
    } else {
        let met = before.iter().filter(|old| {
            old.arc.covers(held.arc) || held.arc.covers(old.arc) || old.arc.contains(held.arc.upto)
        });
        met.flat_map(|old| old.holders.clone()).collect()
    };
    previous.remove(&own);
    let mut histories: Vec<History> = Vec::new();
    for old in was_mine.iter().filter(|old| meet(old.held.arc, held.arc)) {
        let mut history = old.history.clone();
        if old.held.view != held.view {
            history.pass(&old.held.holders);
        }
        histories.push(history);
    }
    histories.extend(replica.pasts.take(held.arc, replica.last_key));
    let history = History::together(histories);
    MyArc {
        held: held.clone(),
        history: history.unwrap_or_default(),
        previous: previous.into_iter().collect(),
        waits_since: same.and_then(|old| old.waits_since),
        compared: BTreeMap::new(),
    }
}

fn node(number: usize) -> NodeId {
    NodeId::new([u8::try_from(number).expect("small"); 32])
}

fn some_member(rng: &mut Rng, number: usize) -> Member {
    let standings = [
        Standing::Present,
        Standing::Present,
        Standing::Leaving,
        Standing::Gone,
        Standing::Left,
    ];
    let salts = (0..rng.below(5)).map(|_| u8::try_from(rng.below(3)).expect("small"));
    let salts = salts.collect();
    Member {
        node: node(number),
        addr: ([127, 0, 0, 1], 4000).into(),
        incarnation: rng.below(40) as u64,
        standing: standings[rng.below(5)],
        offered_bytes: 1,
        salts,
    }
}

/// Things that happen to what is held between two changes, in both alike.
fn live_on(rng: &mut Rng, replica: &mut Replica) {
    let last = replica.last_key;
    let compared = Compared {
        at: Time::from_nanos(rng.below(1000) as u64),
        told: History::default(),
        chunks: true,
        pause: Duration::from_secs(1),
    };
    let Replica { mine, complete, .. } = replica;
    for arc in mine {
        match rng.below(6) {
            0 | 1 => {
                arc.history.settle();
                complete.insert(arc.held.arc, last);
            }
            3 => {
                let other = node(rng.below(20));
                arc.compared.insert(other, compared.clone());
            }
            _ => {}
        }
    }
}

fn state(replica: &Replica) -> BTreeMap<&'static str, String> {
    BTreeMap::from([
        ("mine", format!("{:#?}", replica.mine)),
        ("complete", format!("{:#?}", replica.complete)),
        ("pasts", format!("{:#?}", replica.pasts)),
    ])
}

/// How many arcs this node held at most, and how many ranges of its past it knew in all.
fn check_changes(seed: u64, settings: &Settings, nodes: usize, changes: usize) -> (usize, usize) {
    let mut rng = Rng::new(seed);
    let own = node(0);
    let mut table = NodeTable::new(TABLE_MAX);
    let (mut replica, mut scratch) = (Replica::default(), FromScratch::default());
    let last = settings.bits.last_key();
    replica.last_key = last;
    scratch.replica.last_key = last;
    let mut seen = (0, 0);
    for change in 0..changes {
        for _ in 0..=rng.below(3) {
            if rng.below(12) == 0 {
                let me = some_member(&mut rng, 0);
                table.set_own(settings, &me);
            } else {
                let number = 1 + rng.below(nodes - 1);
                let mut member = some_member(&mut rng, number);
                member.incarnation += change as u64;
                table.learn(settings, &member);
            }
        }
        let moved = table.take_moved();
        replica.follow(&table, settings, own, &moved);
        scratch.follow(&table, settings, own);
        let context = format!("seed {seed}, change {change}");
        for (what, seen) in state(&replica) {
            let expected = &state(&scratch.replica)[what];
            if seen == *expected {
                continue;
            }
            let differing = seen.lines().zip(expected.lines());
            let differing = differing.enumerate().find(|(_, (one, other))| one != other);
            assert_eq!(differing, None, "{context}, {what}");
            assert_eq!(seen.len(), expected.len(), "{context}, {what}");
        }
        for held in &scratch.all {
            assert!(placement::agrees(&table, settings, held.arc, held.view));
            let other = scratch.all[rng.below(scratch.all.len())].clone();
            assert_eq!(
                placement::agrees(&table, settings, other.arc, held.view),
                agrees(&scratch.all, other.arc, held.view),
                "{context}"
            );
        }
        seen.0 = seen.0.max(replica.mine.len());
        seen.1 += replica.pasts.iter(last).count();
        let mut same = Rng::new(seed ^ change as u64);
        live_on(&mut same, &mut replica);
        let mut same = Rng::new(seed ^ change as u64);
        live_on(&mut same, &mut scratch.replica);
    }
    seen
}

#[test]
fn what_follows_from_the_changes_is_what_follows_from_the_whole_table() {
    for seed in 0..12 {
        let (held, past) = check_changes(seed, &Settings::default(), 16, 120);
        assert!(held > 4 && past > 0, "{held} {past}");
    }
}

#[test]
fn it_does_where_nodes_share_positions() {
    let settings = Settings {
        bits: Bits::new(5).expect("a small ring"),
        ..Settings::default()
    };
    for seed in 0..12 {
        check_changes(seed, &settings, 12, 120);
    }
}

#[test]
fn it_does_in_rings_that_shrink_to_nobody() {
    for seed in 0..30 {
        check_changes(seed, &Settings::default(), 4, 120);
    }
}

#[test]
fn a_change_far_away_concerns_nobody() {
    let settings = Settings::default();
    let mut table = NodeTable::new(TABLE_MAX);
    let member = |number: usize| Member {
        standing: Standing::Present,
        incarnation: 0,
        salts: vec![0],
        ..some_member(&mut Rng::new(1), number)
    };
    for number in 0..100 {
        table.learn(&settings, &member(number));
    }
    let own = node(0);
    let key = table.get(own).expect("known").tokens[0];
    let mut replica = Replica {
        last_key: settings.bits.last_key(),
        ..Replica::default()
    };
    let moved = table.take_moved();
    assert!(replica.follow(&table, &settings, own, &moved));
    let order: Vec<NodeId> = table.holding_from(key).map(|token| token.node).collect();
    let mut go = |number: NodeId| {
        let mut member = table.get(number).expect("known").to_member();
        member.standing = Standing::Gone;
        table.learn(&settings, &member);
        let moved = table.take_moved();
        replica.follow(&table, &settings, own, &moved)
    };
    assert!(!go(order[50]));
    assert!(go(order[1]));
}
