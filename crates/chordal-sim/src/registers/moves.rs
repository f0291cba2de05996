//! Everything that can happen next in a world.

use super::world::{Id, Past, Read, Table, World, Write, bit, holders, is_majority, members};
use super::{Mistake, REPLICAS, Setting};

/// Something that happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Move {
    /// A node joins, is given up, leaves or returns, as another node is the first to know.
    Change { of: Id, at: Id },
    /// A node takes over another one's table.
    Learn { by: Id, from: Id },
    /// A node takes over one entry of another one's table.
    LearnOne { by: Id, from: Id, of: Id },
    /// What a node keeps for its next life becomes durable.
    Save(Id),
    /// A node begins its next life.
    Restart(Id),
    /// A holder compares with another node, and fetches what it lacks.
    Sync { by: Id, with: Id },
    /// A node that is no holder any more hears that a majority of the holders count, and forgets
    /// what it went through.
    Forget(Id),
    /// A client begins to write under a node's view.
    BeginWrite { at: Id },
    /// A holder takes what is written.
    Take(Id),
    /// A client begins to read under a node's view.
    BeginRead { at: Id },
    /// A holder answers.
    Answer(Id),
}

/// Calls `next` for every move and the world after it; the error is what is wrong there.
pub(super) fn moves(
    setting: &Setting,
    world: &World,
    mut next: impl FnMut(Move, World, Result<(), String>),
) {
    if world.is_over() {
        return;
    }
    for by in 0..setting.nodes {
        tables(setting, world, by, &mut next);
        lives(setting, world, by, &mut next);
        for with in (0..setting.nodes).filter(|&with| with != by) {
            if let Some(after) = sync(setting, world, by, with) {
                next(Move::Sync { by, with }, after, Ok(()));
            }
        }
        operations(setting, world, by, &mut next);
    }
}

fn tables(
    setting: &Setting,
    world: &World,
    by: Id,
    next: &mut impl FnMut(Move, World, Result<(), String>),
) {
    let own = world.node(by).table;
    for of in 0..setting.nodes {
        if world.changes > 0 {
            let mut table = own;
            table[usize::from(of)] += 1;
            let known = (0..setting.nodes).any(|id| {
                let other = world.node(id).table;
                other[usize::from(of)] >= table[usize::from(of)]
            });
            // Smaller rings promise less.
            let full = holders(setting, table).count_ones() as usize == REPLICAS;
            if !known && full {
                let mut after = world.learned(setting, by, table);
                after.changes -= 1;
                next(Move::Change { of, at: by }, after, Ok(()));
            }
        }
    }
    for from in (0..setting.nodes).filter(|&from| from != by) {
        let other = world.node(from).table;
        let merged: Table = std::array::from_fn(|id| own[id].max(other[id]));
        if merged == own {
            continue;
        }
        let after = world.learned(setting, by, merged);
        next(Move::Learn { by, from }, after, Ok(()));
        for of in 0..setting.nodes {
            let mut table = own;
            table[usize::from(of)] = merged[usize::from(of)];
            if setting.piecewise && table != own && table != merged {
                let after = world.learned(setting, by, table);
                next(Move::LearnOne { by, from, of }, after, Ok(()));
            }
        }
    }
}

fn lives(
    setting: &Setting,
    world: &World,
    by: Id,
    next: &mut impl FnMut(Move, World, Result<(), String>),
) {
    let node = world.node(by);
    if node.saved != (node.table, node.past) {
        let mut after = *world;
        after.node_mut(by).saved = (node.table, node.past);
        after.consider(setting, by);
        next(Move::Save(by), after, Ok(()));
    }
    if let Some(after) = forget(setting, world, by) {
        next(Move::Forget(by), after, Ok(()));
    }
    if world.restarts > 0 {
        let mut after = *world;
        after.restarts -= 1;
        let node = after.node_mut(by);
        (node.table, node.past) = node.saved;
        // The present holders are former ones in the next life.
        let view = holders(setting, node.table);
        if node.past.held {
            node.past.passed |= 1 << view;
        }
        node.settled = false;
        node.forget_heard();
        next(Move::Restart(by), after, Ok(()));
    }
}

fn forget(setting: &Setting, world: &World, by: Id) -> Option<World> {
    let node = world.node(by);
    let view = holders(setting, node.table);
    let counted = (0..setting.nodes)
        .filter(|&id| world.node(id).counted >> view & 1 == 1)
        .fold(0, |some, id| some | bit(id));
    let may = is_majority(counted, view) || setting.mistake == Some(Mistake::ForgetEarly);
    if view & bit(by) != 0 || node.past.passed & !(1 << view) == 0 || !may {
        return None;
    }
    let mut after = *world;
    let node = after.node_mut(by);
    node.past.passed = 1 << view;
    node.save_at_once(setting);
    Some(after)
}

fn sync(setting: &Setting, world: &World, by: Id, with: Id) -> Option<World> {
    let (node, other) = (world.node(by), world.node(with));
    let view = holders(setting, node.table);
    let agrees = holders(setting, other.table) == view && world.is_sealed(setting, with);
    let agrees = agrees || setting.mistake == Some(Mistake::AnyView);
    if node.settled || view & bit(by) == 0 || !agrees {
        return None;
    }
    let is_news = view & bit(with) == 0 && other.past.passed >> view & 1 == 0;
    if is_news && setting.mistake != Some(Mistake::Unnoted) {
        // It notes that it was asked, before it answers.
        let mut after = *world;
        let other = after.node_mut(with);
        other.past.passed |= 1 << view;
        other.past.held = true;
        other.save_at_once(setting);
        return Some(after);
    }
    let told = match setting.mistake {
        Some(Mistake::TellNothing) => Past {
            passed: 0,
            ..other.past
        },
        _ => other.past,
    };
    let mut after = *world;
    let value = other.value;
    let node = after.node_mut(by);
    node.value = node.value.max(value);
    node.heard |= bit(with);
    node.told.based |= told.based;
    node.told.passed |= told.passed;
    after.consider(setting, by);
    (after != *world).then_some(after)
}

fn operations(
    setting: &Setting,
    world: &World,
    by: Id,
    next: &mut impl FnMut(Move, World, Result<(), String>),
) {
    let node = world.node(by);
    let view = holders(setting, node.table);
    if world.writes > 0 {
        let mut after = *world;
        after.writes -= 1;
        after.write = Some(Write {
            value: setting.writes - after.writes,
            view,
            took: 0,
        });
        next(Move::BeginWrite { at: by }, after, Ok(()));
    }
    if let Some(write) = world.write
        && write.view == view
        && view & bit(by) != 0
        && write.took & bit(by) == 0
    {
        let mut after = *world;
        after.node_mut(by).value = node.value.max(write.value);
        let took = write.took | if node.settled { bit(by) } else { 0 };
        after.write = Some(Write { took, ..write });
        if is_majority(took, view) {
            after.acknowledged = after.acknowledged.max(write.value);
            after.write = None;
        }
        if after != *world {
            next(Move::Take(by), after, Ok(()));
        }
    }
    if world.reads > 0 && world.acknowledged > 0 && world.read.is_none() {
        let mut after = *world;
        after.reads -= 1;
        after.read = Some(Read {
            floor: world.acknowledged,
            view,
            answered: 0,
            newest: 0,
        });
        next(Move::BeginRead { at: by }, after, Ok(()));
    }
    if let Some(read) = world.read
        && read.view == view
        && view & bit(by) != 0
        && node.settled
        && read.answered & bit(by) == 0
    {
        let mut after = *world;
        let answered = read.answered | bit(by);
        let newest = read.newest.max(node.value);
        after.read = Some(Read {
            answered,
            newest,
            ..read
        });
        let mut verdict = Ok(());
        if is_majority(answered, view) {
            after.read = None;
            if newest < read.floor {
                let asked: Vec<Id> = members(answered).collect();
                verdict = Err(format!(
                    "a read of {asked:?} gives value {newest}, and {} was acknowledged before",
                    read.floor
                ));
            }
        }
        next(Move::Answer(by), after, verdict);
    }
}
