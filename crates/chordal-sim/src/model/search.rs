//! The search: all worlds in breadth, so that the first counterexample is a shortest one.

use super::assumption;
use super::calm::Calm;
use super::moves::{Broken, Move, Next, moves};
use super::seen::{Seen, fingerprint};
use super::setting::Setting;
use super::words;
use super::world::World;

/// The most worlds that are remembered: 16 bytes each at the worst.
const WORLDS_MAX: usize = 700_000_000;

/// Worlds that the threads take at once.
const BATCH: usize = 1 << 17;

/// What an exploration found.
#[derive(Debug)]
pub struct Findings {
    /// Which one.
    pub name: &'static str,
    /// Distinct worlds, those that differ only by where zero is counted once.
    pub worlds: usize,
    /// Moves between them.
    pub moves: u64,
    /// Distinct sets of pointers, from each of which the ring was seen to become ideal.
    pub shapes: usize,
    /// Moves of the longest shortest way.
    pub depth: usize,
    /// The most rounds until the ring was ideal.
    pub rounds: u8,
    /// Worlds expected to have been missed, since two had one fingerprint.
    pub missed: f64,
    /// What came out.
    pub outcome: Outcome,
}

/// How an exploration ended.
#[derive(Debug)]
pub enum Outcome {
    /// Every world is right.
    Right,
    /// There are more worlds than can be remembered; those seen are right.
    Unfinished,
    /// A world is wrong: what is wrong, and the shortest way there, a line for each move.
    Wrong {
        /// What is wrong.
        flaw: String,
        /// How it came about.
        trace: Vec<String>,
    },
}

/// Visits every world of a setting. Takes all processors, and memory for the worlds.
pub fn explore(setting: &Setting) -> Findings {
    let mut search = Search::new(setting);
    let (depth, outcome) = search.run();
    let worlds = search.seen.len();
    Findings {
        name: setting.name,
        worlds,
        moves: search.moves,
        shapes: search.shapes.len(),
        depth,
        rounds: search.calm.rounds_max,
        missed: missed(worlds),
        outcome,
    }
}

#[expect(clippy::cast_precision_loss, reason = "an estimate")]
fn missed(worlds: usize) -> f64 {
    let worlds = worlds as f64;
    worlds * worlds / 2.0_f64.powi(65)
}

struct Search<'a> {
    setting: &'a Setting,
    seen: Seen,
    shapes: Seen,
    calm: Calm,
    moves: u64,
}

/// What threads make of a part of the frontier.
type Expanded = (u64, Vec<(u64, World)>);

impl<'a> Search<'a> {
    fn new(setting: &'a Setting) -> Self {
        Self {
            setting,
            seen: Seen::new(),
            shapes: Seen::new(),
            calm: Calm::default(),
            moves: 0,
        }
    }

    fn run(&mut self) -> (usize, Outcome) {
        let starts = self.setting.starts().map(|world| world.canonical());
        let starts: Vec<(u64, World)> = starts.map(|w| (fingerprint(w.packed()), w)).collect();
        let mut frontier = Vec::new();
        if self.take(starts, &mut frontier).is_err() {
            return (0, self.explain());
        }
        let mut depth = 0;
        while !frontier.is_empty() {
            if self.seen.len() > WORLDS_MAX {
                return (depth, Outcome::Unfinished);
            }
            let mut next = Vec::new();
            for batch in frontier.chunks(BATCH) {
                let Ok((moves, found)) = self.expand(batch) else {
                    return (depth + 1, self.explain());
                };
                self.moves += moves;
                if self.take(found, &mut next).is_err() {
                    return (depth + 1, self.explain());
                }
            }
            frontier = next;
            depth += usize::from(!frontier.is_empty());
        }
        (depth, Outcome::Right)
    }

    /// All worlds one move from these.
    fn expand(&self, batch: &[World]) -> Result<Expanded, Box<Broken>> {
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        let part = batch.len().div_ceil(threads).max(1);
        let setting = self.setting;
        let parts: Vec<Result<Expanded, Box<Broken>>> = std::thread::scope(|scope| {
            let started: Vec<_> = batch
                .chunks(part)
                .map(|part| scope.spawn(move || expand(setting, part)))
                .collect();
            let ended = started.into_iter();
            ended
                .map(|thread| thread.join().expect("moves do not panic"))
                .collect()
        });
        let mut all: Expanded = (0, Vec::new());
        for part in parts {
            let (moves, found) = part?;
            all.0 += moves;
            all.1.extend(found);
        }
        Ok(all)
    }

    /// Keeps and checks what is new.
    fn take(&mut self, found: Vec<(u64, World)>, next: &mut Vec<World>) -> Result<(), String> {
        for (fingerprint, world) in found {
            if self.seen.insert(fingerprint) {
                self.check(&world)?;
                next.push(world);
            }
        }
        Ok(())
    }

    fn check(&mut self, world: &World) -> Result<(), String> {
        let calm = world.calmed().canonical();
        if self.shapes.insert(fingerprint(calm.packed())) {
            assumption::check(self.setting, &calm)?;
            self.calm.check(self.setting, &calm)?;
        }
        Ok(())
    }

    /// Searches again, remembering the ways: what is wrong, and the shortest way there.
    fn explain(&self) -> Outcome {
        let mut trail = Trail::new(self.setting);
        trail.run()
    }
}

fn expand(setting: &Setting, worlds: &[World]) -> Result<Expanded, Box<Broken>> {
    let mut count = 0;
    let mut found = Vec::new();
    let mut next: Vec<Next> = Vec::new();
    for world in worlds {
        next.clear();
        moves(setting, world, &mut next)?;
        count += next.len() as u64;
        for Next { world, .. } in &next {
            let world = world.canonical();
            found.push((fingerprint(world.packed()), world));
        }
    }
    found.sort_unstable_by_key(|(fingerprint, _)| *fingerprint);
    found.dedup_by_key(|(fingerprint, _)| *fingerprint);
    Ok((count, found))
}

/// A search that remembers how it came to each world, and turns none.
struct Trail<'a> {
    setting: &'a Setting,
    /// Every world with the place of the one before and the move between.
    worlds: Vec<(World, Option<(usize, Move)>)>,
    seen: Seen,
    shapes: Seen,
    calm: Calm,
}

impl<'a> Trail<'a> {
    fn new(setting: &'a Setting) -> Self {
        Self {
            setting,
            worlds: Vec::new(),
            seen: Seen::new(),
            shapes: Seen::new(),
            calm: Calm::default(),
        }
    }

    fn run(&mut self) -> Outcome {
        for world in self.setting.starts() {
            if let Err(flaw) = self.note(world, None) {
                return self.tell(self.worlds.len() - 1, flaw);
            }
        }
        let mut place = 0;
        let mut next = Vec::new();
        while place < self.worlds.len() {
            next.clear();
            let world = self.worlds[place].0;
            if let Err(broken) = moves(self.setting, &world, &mut next) {
                let (by, world, flaw) = *broken;
                self.worlds.push((world, Some((place, by))));
                return self.tell(self.worlds.len() - 1, flaw);
            }
            for Next { by, world } in next.drain(..) {
                if let Err(flaw) = self.note(world, Some((place, by))) {
                    return self.tell(self.worlds.len() - 1, flaw);
                }
            }
            place += 1;
        }
        Outcome::Right
    }

    fn note(&mut self, world: World, from: Option<(usize, Move)>) -> Result<(), String> {
        if !self.seen.insert(fingerprint(world.packed())) {
            return Ok(());
        }
        self.worlds.push((world, from));
        let calm = world.calmed();
        if self.shapes.insert(fingerprint(calm.packed())) {
            assumption::check(self.setting, &calm)?;
            self.calm.check(self.setting, &calm)?;
        }
        Ok(())
    }

    fn tell(&self, last: usize, flaw: String) -> Outcome {
        let mut way = Vec::new();
        let mut place = last;
        while let (world, Some((before, by))) = &self.worlds[place] {
            way.push(words::line(*by, world));
            place = *before;
        }
        way.push(words::start(&self.worlds[place].0));
        way.reverse();
        Outcome::Wrong {
            flaw: words::lettered(&flaw),
            trace: way,
        }
    }
}
