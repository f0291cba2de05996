//! The operating assumption: which deaths may happen (Zave 2017, guard of *Fail*).
//!
//! Beyond her words, lists in flight count as lists: an answer that was given and not yet heard is
//! a list that somebody may have in a moment. A member that has returned counts as dead in the
//! list of whoever has not heard of that, and is no principal until all have: somebody may still
//! take it off a list.

use chordal_proto::certificate;
use chordal_proto::certificate::TokenView;

use super::moves::Known;
use super::setting::Setting;
use super::world::{Asking, Id, Ids, Stand, World, bit, ids, token};

/// Whether `dying` may die: every other list, in hand or in flight, keeps a live entry; and where
/// principals are asked for, r + 1 of them remain.
pub(crate) fn may_die(setting: &Setting, world: &World, dying: Id) -> bool {
    let lists = lists(setting, world);
    let left = world.standing(Stand::On) & !bit(dying);
    let mut others = lists.iter().filter(|list| list.of != dying);
    let ends = |list: &&List| {
        let alone = list.entries == bit(list.of);
        let doubted = world.doubted_by(list.of) & !list.vouched;
        !alone && list.entries & left & !doubted == 0
    };
    if others.any(|list| ends(&list)) {
        return false;
    }
    if !setting.principals {
        return left != 0;
    }
    let sound_now = world.standing(Stand::On) & !world.doubted();
    let left = principals(world, &lists, sound_now) & !bit(dying);
    left.count_ones() as usize > setting.list_length
}

/// A list in hand or in flight.
struct List {
    of: Id,
    entries: Ids,
    /// Entries of whose life it brings the news.
    vouched: Ids,
}

/// Every list in hand, and every list that an answer in flight would make.
fn lists(setting: &Setting, world: &World) -> Vec<List> {
    let mut lists = Vec::new();
    for id in world.ids() {
        let seat = world.seat(id);
        if seat.stand == Stand::On {
            lists.push(List {
                of: id,
                entries: seat.list,
                vouched: 0,
            });
        }
        let Some(flight) = seat.flight else { continue };
        let mut pointers = world.pointers(id);
        let everybody = Known::all_but(0);
        match seat.asking {
            Asking::Nothing => {}
            Asking::Successor(of) | Asking::Candidate(of, _) => {
                let list = world.tokens(of, flight.list);
                let heard = super::moves::heard(of, id, &list);
                let _step = pointers.answered(&heard, None, setting.rule(), &everybody);
                lists.push(List {
                    of: id,
                    entries: ids(&pointers.successors),
                    vouched: flight.vouched,
                });
            }
            Asking::Place(of) => {
                let list = world.tokens(of, flight.list);
                let heard = super::moves::heard(of, id, &list);
                if pointers.join(&heard, setting.rule(), &everybody) {
                    lists.push(List {
                        of: id,
                        entries: ids(&pointers.successors),
                        vouched: flight.vouched,
                    });
                }
            }
        }
    }
    lists
}

/// Those of `among` that no list skips over.
fn principals(world: &World, lists: &[List], among: Ids) -> Ids {
    let mut open = among;
    for list in lists {
        let mut before = list.of;
        let entries = list.entries;
        for next in world.after(before).filter(|&next| entries & bit(next) != 0) {
            for skipped in world.after(before).take_while(|&skipped| skipped != next) {
                open &= !bit(skipped);
            }
            before = next;
        }
    }
    open
}

/// What is wrong with a world, if anything.
pub(crate) fn check(setting: &Setting, world: &World) -> Result<(), String> {
    let views: Vec<TokenView> = world.views();
    if setting.principals {
        certificate::invariant(&views, setting.list_length).map_err(|flaw| flaw.to_string())
    } else {
        for view in &views {
            certificate::ordered(view).map_err(|flaw| flaw.to_string())?;
        }
        certificate::one_live_successor(&views).map_err(|flaw| flaw.to_string())
    }
}

/// Whether a predecessor that is a live member gave way to one farther back.
pub(crate) fn stepped_back(before: &World, after: &World) -> Option<String> {
    let sound = before.standing(Stand::On) & !before.doubted();
    before.ids().find_map(|id| {
        let (old, new) = (before.seat(id).predecessor, after.seat(id).predecessor);
        let same_life = sound & bit(id) != 0 && after.seat(id).stand == Stand::On;
        let kept = old == new || token(new).key.between(token(old).key, token(id).key);
        let back = same_life && old != id && sound & bit(old) != 0 && !kept;
        back.then(|| format!("{id} forgot its live predecessor {old} and has {new}"))
    })
}
