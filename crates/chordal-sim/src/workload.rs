//! What clients wish: names that collide, files of all sizes, contents that repeat.

use std::time::Duration;

use bytes::Bytes;
use chordal_object::Name;

use crate::clients::Clients;
use crate::dice::Dice;
use crate::members::serving;
use crate::plan::Plan;
use crate::violation::Violation;
use crate::world::World;

/// The source of wishes.
#[derive(Debug)]
pub(crate) struct Workload {
    dice: Dice,
    names: Vec<Name>,
    /// Contents that are put again and again, under many names: equal chunks are one.
    favourites: Vec<Bytes>,
}

impl Workload {
    /// Wishes for this run.
    pub(crate) fn new(seed: u64, plan: &Plan) -> Self {
        let mut dice = Dice::new(seed, "clients");
        let names = (0..plan.names)
            .map(|number| {
                let space = SPACES[number % SPACES.len()];
                Name::new(space, &format!("dir {}/file-{number}", number % 3))
                    .expect("it keeps the rules of names")
            })
            .collect();
        let favourites = (0..3).map(|_| content(&mut dice, plan)).collect();
        Self {
            dice,
            names,
            favourites,
        }
    }

    /// How long until the next wish.
    pub(crate) fn pause(&mut self, plan: &Plan) -> Duration {
        self.dice.exponential(plan.client_pause)
    }

    /// A client wishes something.
    pub(crate) fn wish(
        &mut self,
        world: &mut World,
        clients: &mut Clients,
        plan: &Plan,
    ) -> Result<(), Violation> {
        let serving = serving(world);
        let Some(&node) = self.dice.pick(&serving) else {
            return Ok(());
        };
        let Some(name) = self.dice.pick(&self.names).cloned() else {
            return Ok(());
        };
        if clients.waiting() >= WAITING_MAX {
            return Ok(());
        }
        match self.dice.below(100) {
            0..45 => {
                let favourite = self.dice.chance(0.15);
                let content = match self.dice.pick(&self.favourites) {
                    Some(content) if favourite => content.clone(),
                    _ => content(&mut self.dice, plan),
                };
                // Each asks for what all know, so that some race and one wins.
                let is_conditional = self.dice.chance(0.25);
                let condition = is_conditional.then(|| clients.oracle.condition(&name));
                clients.put(world, node, &name, &content, condition)
            }
            45..83 => clients.get(world, node, &name),
            83..92 => clients.delete(world, node, &name),
            92..98 => {
                let page = *self.dice.pick(&[1, 3, 10, 1000]).expect("there are some");
                clients.list(world, node, name.space(), page)
            }
            _ => clients.lose_interest(world),
        }
    }

    /// Everybody asks every node for everything.
    pub(crate) fn roll_call(
        &mut self,
        world: &mut World,
        clients: &mut Clients,
    ) -> Result<(), Violation> {
        for node in serving(world) {
            for name in &self.names {
                clients.get(world, node, name)?;
            }
            for space in SPACES {
                clients.list(world, node, space, 7)?;
            }
        }
        Ok(())
    }
}

/// A content: as often in its record as in chunks, now and then at a boundary.
fn content(dice: &mut Dice, plan: &Plan) -> Bytes {
    let chunk = plan.settings.chunk_bytes as usize;
    let inline = plan.settings.inline_bytes as usize;
    let length = match dice.below(10) {
        0..5 => dice.between(8, inline),
        5..8 => dice.between(inline + 1, 4 * chunk),
        8 => *dice
            .pick(&[inline, inline + 1, chunk, chunk + 1, 4 * chunk])
            .expect("some"),
        _ => 0,
    };
    Bytes::from(dice.bytes(length))
}

/// Where the names are.
const SPACES: [&str; 2] = [chordal_object::DEFAULT_SPACE, "photos"];

/// Clients that wait at once; further ones go away.
const WAITING_MAX: usize = 64;
