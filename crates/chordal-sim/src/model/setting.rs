//! What is explored: how many seats, which rings to begin with, and what bounds the worlds.

use super::mistake::Mistake;
use super::world::{Ids, World, bit};

/// One exploration.
#[derive(Clone, Debug)]
pub struct Setting {
    /// What it is called.
    pub name: &'static str,
    /// Positions on the ring, at most 6.
    pub seats: u8,
    /// r: entries of a full successor list.
    pub list_length: usize,
    /// Members of the ideal rings to begin with: every choice of so many seats.
    pub members: std::ops::RangeInclusive<u32>,
    /// Whether Zave's whole invariant is asked for, and r + 1 principals are left alive; without
    /// it only what holds in rings of any size.
    pub principals: bool,
    /// Whether predecessors and notifications are part of the world. Without them any member may
    /// be heard of at any time, which is more than predecessors can tell.
    pub predecessors: bool,
    /// Whether the table may offer any member at any time.
    pub offers: bool,
    /// Tokens that may die or leave.
    pub crashes: u8,
    /// Tokens that may return under a new incarnation.
    pub returns: u8,
    /// Answers under way at once; the other questions are answered and heard in one step.
    pub flights: usize,
    /// A mistake made on purpose.
    pub mistake: Option<Mistake>,
}

impl Setting {
    /// Whether the merge step goes on when churn has stopped: the table offers the next member.
    pub(crate) fn merges(&self) -> bool {
        self.offers && !self.principals
    }

    /// The worlds to begin with.
    pub(crate) fn starts(&self) -> impl Iterator<Item = World> {
        let choices: std::ops::Range<Ids> = 0..bit(self.seats);
        let some = choices.filter(|members| self.members.contains(&members.count_ones()));
        some.map(|members| World {
            crashes: self.crashes,
            returns: self.returns,
            ..World::ideal(self.seats, members, self.list_length)
        })
    }
}

const BASE: Setting = Setting {
    name: "",
    seats: 5,
    list_length: 2,
    members: 3..=5,
    principals: true,
    predecessors: false,
    offers: true,
    crashes: 2,
    returns: 0,
    flights: 1,
    mistake: None,
};

/// What shows with predecessors and notifications, nobody being offered by the table.
const CLASSIC: Setting = Setting {
    seats: 4,
    members: 3..=4,
    predecessors: true,
    offers: false,
    ..BASE
};

/// The same with offers: both ways to hear of a closer successor at once.
const BOTH_WAYS: Setting = Setting {
    offers: true,
    ..CLASSIC
};

/// Rings of any size, with the merge step.
const SMALL: Setting = Setting {
    seats: 4,
    members: 1..=2,
    principals: false,
    flights: 2,
    ..BASE
};

/// The explorations of the gate: about a minute.
pub fn bounded() -> Vec<Setting> {
    vec![
        named("five seats, r = 2", in_flight(2, five(2))),
        named("five seats, r = 3", in_flight(2, returning(five(3)))),
        named("five seats with returns, r = 2", returning(five(2))),
        named("six seats, r = 2", six(2)),
        named("predecessors, r = 2", in_flight(2, CLASSIC)),
        named("predecessors and the table, r = 2", in_flight(2, BOTH_WAYS)),
        named("small rings, r = 2", SMALL),
        named("small rings, r = 3", small_three()),
    ]
}

/// The explorations of the proof, the longest last: some minutes on two quiet processors.
pub fn full() -> Vec<Setting> {
    let mut all = bounded();
    all.extend([
        named("five seats in flight, r = 2", in_flight(5, five(2))),
        named("five seats in flight, r = 3", in_flight(5, five(3))),
        named("six seats, r = 3", six(3)),
        named("six seats with returns, r = 3", returning(six(3))),
        named("six seats in flight, r = 3", in_flight(2, six(3))),
        named("predecessors with returns, r = 2", returning(CLASSIC)),
        named(
            "five seats, predecessors, r = 3",
            Setting {
                seats: 5,
                list_length: 3,
                members: 4..=5,
                ..CLASSIC
            },
        ),
        named(
            "small rings with returns, r = 2",
            Setting {
                crashes: 1,
                flights: 1,
                ..returning(SMALL)
            },
        ),
        named(
            "five seats, predecessors and the table, r = 2",
            Setting {
                seats: 5,
                members: 4..=5,
                ..BOTH_WAYS
            },
        ),
        named(
            "five seats in flight with returns, r = 2",
            in_flight(2, returning(five(2))),
        ),
        named("six seats in flight, r = 2", in_flight(2, six(2))),
        named("six seats with returns, r = 2", returning(six(2))),
    ]);
    all
}

const fn named(name: &'static str, setting: Setting) -> Setting {
    Setting { name, ..setting }
}

const fn in_flight(flights: usize, setting: Setting) -> Setting {
    Setting { flights, ..setting }
}

const fn returning(setting: Setting) -> Setting {
    Setting {
        returns: 1,
        ..setting
    }
}

const fn five(list_length: u32) -> Setting {
    Setting {
        list_length: list_length as usize,
        members: list_length + 1..=5,
        ..BASE
    }
}

const fn six(list_length: u32) -> Setting {
    Setting {
        seats: 6,
        list_length: list_length as usize,
        members: list_length + 1..=6,
        ..BASE
    }
}

const fn small_three() -> Setting {
    Setting {
        list_length: 3,
        members: 1..=3,
        ..SMALL
    }
}

/// The exploration in which a mistake shows soonest.
pub fn demonstration(mistake: Mistake) -> Setting {
    let setting = match mistake {
        Mistake::ForgetPredecessor => Setting {
            flights: 1,
            crashes: 0,
            ..CLASSIC
        },
        Mistake::StartAloneWithoutMerging => Setting {
            members: 1..=1,
            flights: 1,
            crashes: 0,
            ..CLASSIC
        },
        Mistake::JoinWithOneSuccessor
        | Mistake::AdoptUnasked
        | Mistake::AccuseOnLoss
        | Mistake::JoinPastTheEnd => Setting { flights: 2, ..BASE },
    };
    Setting {
        name: mistake.name(),
        mistake: Some(mistake),
        ..setting
    }
}

impl std::fmt::Display for Setting {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self {
            seats,
            list_length,
            members,
            crashes,
            returns,
            flights,
            ..
        } = self;
        write!(
            out,
            "{seats} seats, r = {list_length}, {} to {} members at first, {crashes} deaths, {returns} \
             returns, {flights} answers in flight",
            members.start(),
            members.end(),
        )?;
        if self.predecessors {
            write!(out, ", predecessors")?;
        }
        if self.offers {
            write!(out, ", the table offers anybody")?;
        }
        Ok(())
    }
}
