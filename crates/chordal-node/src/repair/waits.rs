//! How long clients wait for one kind of work, and whether that is longer than usual.

use std::time::Duration;

/// Waits that are looked at together at least; fewer wait for more.
const ENOUGH: usize = 8;

/// Waits remembered between two looks at most.
const WAITS_MAX: usize = 512;

/// What is no longer wait, however short the usual one is: a disk has its moods.
const TRIFLE: Duration = Duration::from_millis(5);

/// What a look weighs against all before it, of [`WHOLE`].
const WELL: u32 = 64;
const SLOWLY: u32 = 1;
const WHOLE: u32 = 512;

/// Waits since the last look, and the usual one.
#[derive(Debug, Default)]
pub(super) struct Waits {
    lately: Vec<Duration>,
    usual: Option<Duration>,
}

/// What a look at the waits teaches of the usual one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Learnt {
    /// This is the usual one: nothing else goes on.
    Well,
    /// It may be the usual one, in the long run.
    Slowly,
    /// It is longer than the usual one, or as long.
    IfShorter,
}

/// How clients fare.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Judgement {
    /// As usual, or there are too few to tell.
    Usual,
    /// They wait more than twice as long as usual.
    Longer,
}

impl Waits {
    pub(super) fn note(&mut self, waited: Duration) {
        if self.lately.len() < WAITS_MAX {
            self.lately.push(waited);
        }
    }

    /// Compares what was noted with the usual wait, by the quarter that waited longest, and learns.
    pub(super) fn judge(&mut self, learnt: Learnt) -> Judgement {
        if self.lately.len() < ENOUGH {
            return Judgement::Usual;
        }
        let place = self.lately.len() * 3 / 4;
        let (_, wait, _) = self.lately.select_nth_unstable(place);
        let wait = *wait;
        self.lately.clear();
        let usual = *self.usual.get_or_insert(wait);
        let weight = match learnt {
            Learnt::Well => WELL,
            _ if wait < usual => WELL,
            Learnt::Slowly => SLOWLY,
            Learnt::IfShorter => 0,
        };
        self.usual = Some((usual * (WHOLE - weight) + wait * weight) / WHOLE);
        if wait > (usual * 2).max(usual + TRIFLE) {
            Judgement::Longer
        } else {
            Judgement::Usual
        }
    }
}
