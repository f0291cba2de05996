//! What follows from the changes alone against what follows from the whole table.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use chordal_object::{Arc, Bits, NodeId};

use super::super::{Compared, MyArc, Replica};
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
        let all = &self.all;
        replica
            .retired
            .retain(|&(arc, view)| agrees(all, arc, view));
        for held in all {
            if held.holders.contains(&own) {
                let is_complete = replica.complete.covers(held.arc, last);
                let mine = inherit(held, &was_mine, &before, own, is_complete);
                replica.mine.push(mine);
            } else {
                if replica.complete.covers(held.arc, last) {
                    replica.retired.push((held.arc, held.view));
                }
                replica.complete.remove(held.arc, last);
                replica.stale.remove(held.arc, last);
            }
        }
    }
}

fn agrees(all: &[HeldArc], arc: Arc, view: View) -> bool {
    all.iter()
        .any(|held| held.view == view && held.arc.covers(arc))
}

fn inherit(
    held: &HeldArc,
    was_mine: &[MyArc],
    before: &[HeldArc],
    own: NodeId,
    is_complete: bool,
) -> MyArc {
    let same = was_mine.iter().find(|old| old.held.arc.covers(held.arc));
    let mut previous: BTreeSet<NodeId> = BTreeSet::new();
    match same {
        _ if is_complete => {}
        Some(old) => {
            previous.extend(&old.previous);
            if old.held.view != held.view {
                previous.extend(&old.held.holders);
            }
        }
        None => {
            let met = before.iter().filter(|old| {
                old.arc.covers(held.arc)
                    || held.arc.covers(old.arc)
                    || old.arc.contains(held.arc.upto)
            });
            previous.extend(met.flat_map(|old| &old.holders));
        }
    }
    previous.remove(&own);
    let compared = same
        .filter(|old| old.held.view == held.view)
        .map(|old| old.compared.clone())
        .unwrap_or_default();
    MyArc {
        held: held.clone(),
        previous: previous.into_iter().collect(),
        compared,
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
        source_complete: rng.below(2) == 0,
        source_once: true,
        chunks: true,
        pause: Duration::from_secs(1),
    };
    let Replica {
        mine,
        complete,
        stale,
        ..
    } = replica;
    for arc in mine {
        match rng.below(6) {
            0 | 1 => complete.insert(arc.held.arc, last),
            2 => stale.insert(arc.held.arc, last),
            3 => {
                arc.compared.insert(node(rng.below(20)), compared);
            }
            _ => {}
        }
    }
}

fn state(replica: &Replica) -> BTreeMap<&'static str, String> {
    BTreeMap::from([
        ("mine", format!("{:#?}", replica.mine)),
        ("complete", format!("{:?}", replica.complete)),
        ("stale", format!("{:?}", replica.stale)),
        ("retired", format!("{:?}", replica.retired)),
    ])
}

/// How many arcs this node held at most, and how many times something of it was retired.
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
        assert_eq!(state(&replica), state(&scratch.replica), "{context}");
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
        seen.1 += replica.retired.len();
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
        let (held, retired) = check_changes(seed, &Settings::default(), 16, 120);
        assert!(held > 4 && retired > 0, "{held} {retired}");
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
