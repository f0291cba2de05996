//! The search: all worlds in breadth, so that the first counterexample is a shortest one.

use std::hash::{DefaultHasher, Hash, Hasher};

use super::Setting;
use super::moves::{Move, moves};
use super::world::World;
use crate::model::seen::Seen;

/// The most worlds that are remembered, of some 250 bytes each.
const WORLDS_MAX: usize = 30_000_000;

/// What an exploration found.
#[derive(Debug)]
pub struct Findings {
    /// Distinct worlds.
    pub worlds: usize,
    /// Moves between them.
    pub moves: u64,
    /// Whether there are more worlds than can be remembered.
    pub unfinished: bool,
    /// What is wrong, and the shortest way there, a line for each move.
    pub wrong: Option<(String, Vec<String>)>,
}

/// Visits every world of a setting.
pub fn explore(setting: &Setting) -> Findings {
    let mut worlds = vec![World::beginning(setting)];
    let mut from: Vec<Option<(usize, Move)>> = vec![None];
    let mut seen = Seen::new();
    seen.insert(fingerprint(&worlds[0]));
    let mut count = 0;
    let mut place = 0;
    let mut wrong = None;
    while place < worlds.len() && wrong.is_none() && worlds.len() < WORLDS_MAX {
        let world = worlds[place];
        moves(setting, &world, |by, after, verdict| {
            count += 1;
            if let Err(flaw) = verdict
                && wrong.is_none()
            {
                wrong = Some((flaw, by));
            }
            if seen.insert(fingerprint(&after)) {
                worlds.push(after);
                from.push(Some((place, by)));
            }
        });
        place += usize::from(wrong.is_none());
    }
    Findings {
        worlds: worlds.len(),
        moves: count,
        unfinished: place < worlds.len() && wrong.is_none(),
        wrong: wrong.map(|(flaw, last)| (flaw, way(&from, place, last))),
    }
}

fn fingerprint(world: &World) -> u64 {
    let mut hasher = DefaultHasher::new();
    world.hash(&mut hasher);
    hasher.finish()
}

/// The moves that lead to a world, and the one after it.
fn way(from: &[Option<(usize, Move)>], mut place: usize, last: Move) -> Vec<String> {
    let mut way = vec![format!("{last:?}")];
    while let Some((before, by)) = from[place] {
        way.push(format!("{by:?}"));
        place = before;
    }
    way.reverse();
    way
}
