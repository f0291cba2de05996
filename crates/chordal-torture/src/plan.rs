//! Which event comes next. Chosen by the seed alone, from what the ring's size allows.

use std::time::Duration;

use chordal_sim::dice::Dice;

#[cfg(test)]
mod tests;

/// Something done to a machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Event {
    /// Killed, started again after a while.
    Crash(Duration),
    /// Stopped in the middle of whatever it does, continued after a while.
    Freeze(Duration),
    /// Ended in order, started again after a while.
    Pause(Duration),
    /// Killed for good; a new node is started on the machine after a while.
    Wipe(Duration),
    /// Killed for good.
    Death,
    /// Told to hand everything over.
    Leave,
    /// A new machine joins.
    Join,
    /// Two holders of one file are killed at once, and started again one after the other.
    TwinCrash(Duration, Duration),
}

/// Chooses events.
#[derive(Debug)]
pub(crate) struct Plan {
    dice: Dice,
    nodes: usize,
    down: u8,
}

/// How far the ring's size may go from what was asked for.
const SPREAD: usize = 2;

/// The fewest machines that are left when one is taken away for good.
const LEFT_MIN: usize = 4;

impl Plan {
    /// The plan of a seed.
    pub(crate) fn new(seed: u64, nodes: usize, down: u8) -> Self {
        Self {
            dice: Dice::new(seed, "events"),
            nodes,
            down,
        }
    }

    /// Further choices about events: which machine, for example.
    pub(crate) const fn dice(&mut self) -> &mut Dice {
        &mut self.dice
    }

    /// The next event in a ring of so many nodes; nothing where none may be down.
    pub(crate) fn next(&mut self, running: usize) -> Option<Event> {
        if self.down == 0 {
            return None;
        }
        let away = self.dice.time(Duration::ZERO, Duration::from_secs(8));
        if self.down > 1 {
            let again = self.dice.time(Duration::ZERO, Duration::from_secs(3));
            return Some(Event::TwinCrash(away / 4, again));
        }
        let may_grow = running < self.nodes + SPREAD;
        let may_shrink = running > LEFT_MIN.max(self.nodes.saturating_sub(SPREAD));
        loop {
            let event = match self.dice.below(100) {
                0..25 => Event::Crash(away),
                25..40 => Event::Freeze(away),
                40..50 => Event::Pause(away / 2),
                50..60 => Event::Wipe(away),
                60..70 => Event::Death,
                70..80 => Event::Leave,
                _ => Event::Join,
            };
            let allowed = match event {
                Event::Join => may_grow,
                Event::Leave | Event::Death => may_shrink,
                // The others are three at least, so that there are three copies.
                Event::Wipe(_) => running >= LEFT_MIN,
                Event::Crash(_) | Event::Freeze(_) | Event::Pause(_) | Event::TwinCrash(..) => true,
            };
            if allowed {
                return Some(event);
            }
        }
    }
}
