//! What becomes of a world when nothing happens any more: rounds in which every member in turn
//! asks, hears and notifies, until the ring is ideal.
//!
//! All messages in flight are lost first; every death has been noticed and every return believed.
//! What messages in flight may still do is another world, which is checked by itself.

use std::collections::BTreeMap;

use chordal_proto::certificate;
use chordal_proto::ring::{Pointers, Step};

use super::moves::{Known, heard};
use super::seen::fingerprint;
use super::setting::Setting;
use super::world::{Id, Ids, Stand, World, bit, id_of, token};

/// The most rounds that a ring is given.
const ROUNDS_MAX: u8 = 30;

/// The orders in which members take their turns.
const ORDERS: [Order; 2] = [Order::Ascending, Order::Descending];

#[derive(Clone, Copy, Debug)]
enum Order {
    Ascending,
    Descending,
}

/// How many rounds worlds need, as far as asked.
#[derive(Debug, Default)]
pub(crate) struct Calm {
    rounds: [BTreeMap<u64, u8>; 2],
    /// The most that any world needed.
    pub(crate) rounds_max: u8,
}

impl Calm {
    /// Sees to it that the ring becomes ideal from `world`, which is calm, and that it then rests.
    pub(crate) fn check(&mut self, setting: &Setting, world: &World) -> Result<(), String> {
        for (place, order) in ORDERS.into_iter().enumerate() {
            if setting.predecessors {
                self.follow(setting, *world, place, order)?;
            } else {
                for start in strangers(world) {
                    self.follow(setting, start, place, order)?;
                }
            }
        }
        Ok(())
    }

    fn follow(
        &mut self,
        setting: &Setting,
        start: World,
        place: usize,
        order: Order,
    ) -> Result<(), String> {
        let mut path = Vec::new();
        let mut world = start;
        let mut rounds = loop {
            let fingerprint = fingerprint(world.packed());
            if let Some(&known) = self.rounds[place].get(&fingerprint) {
                break known;
            }
            path.push(fingerprint);
            let next = round(setting, &world, order);
            if certificate::ideal(&world.views(), setting.list_length).is_ok() {
                if next != world {
                    return Err("an ideal ring does not rest".to_owned());
                }
                path.pop();
                self.rounds[place].insert(fingerprint, 0);
                break 0;
            }
            if path.len() > usize::from(ROUNDS_MAX) {
                let flaw = certificate::ideal(&world.views(), setting.list_length);
                let flaw = flaw.err().map(|flaw| flaw.to_string()).unwrap_or_default();
                return Err(format!(
                    "the ring is not ideal {ROUNDS_MAX} rounds after the last event: {flaw}"
                ));
            }
            world = next;
        };
        for fingerprint in path.into_iter().rev() {
            rounds += 1;
            self.rounds[place].insert(fingerprint, rounds);
        }
        self.rounds_max = self.rounds_max.max(rounds);
        Ok(())
    }
}

/// The world with predecessors as wrong as they can be: nobody heard of anybody, and everybody
/// heard of the farthest.
fn strangers(world: &World) -> [World; 2] {
    let on = world.standing(Stand::On);
    let (mut nobody, mut farthest) = (*world, *world);
    for id in world.ids().filter(|&id| on & bit(id) != 0) {
        nobody.seat_mut(id).predecessor = id;
        let next = world.after(id).find(|&other| on & bit(other) != 0);
        farthest.seat_mut(id).predecessor = next.unwrap_or(id);
    }
    [nobody, farthest]
}

/// One round: every member takes its turn.
fn round(setting: &Setting, start: &World, order: Order) -> World {
    let mut world = *start;
    for turn in 0..start.count {
        let id = match order {
            Order::Ascending => turn,
            Order::Descending => start.count - 1 - turn,
        };
        if world.seat(id).stand == Stand::On {
            take_turn(setting, &mut world, id);
        }
    }
    world
}

/// One member's whole round, every message of it delivered.
fn take_turn(setting: &Setting, world: &mut World, id: Id) {
    let on = world.standing(Stand::On);
    let dead: Ids = !on;
    let next = world.after(id).find(|&other| on & bit(other) != 0);
    let offer = next.filter(|_| setting.merges()).map(token);
    let mut pointers = world.pointers(id);
    let mut step = pointers.stabilise(offer, &Known::all_but(dead));
    // A round asks the successors one by one, then a candidate: more steps than seats are none.
    for _ in 0..=2 * world.count {
        match step {
            Step::Rest => break,
            Step::Ask(of) if on & bit(id_of(of)) == 0 => step = pointers.refused(of),
            Step::Ask(of) => {
                let asked = asked(world, id, id_of(of), &pointers);
                let predecessor = id_of(asked.predecessor);
                let heard = heard(id_of(of), predecessor, &asked.successors);
                step = pointers.answered(&heard, offer, setting.rule(), &Known::all_but(dead));
            }
            Step::Notify(to) => {
                let to = id_of(to);
                let mut told = world.pointers(to);
                let present = told.notified(token(id), &Known::all_but(dead));
                if let Some(present) = present.filter(|&token| on & bit(id_of(token)) == 0) {
                    told.predecessor_lost(present, token(id));
                }
                world.put(to, &told);
                break;
            }
        }
    }
    world.put(id, &pointers);
}

/// The pointers of the token that is asked, which may be the asking one itself.
fn asked(world: &World, id: Id, of: Id, own: &Pointers) -> Pointers {
    if of == id {
        own.clone()
    } else {
        world.pointers(of)
    }
}
