//! A world: a few seats at fixed positions, and the messages between those who sit there.

use chordal_object::{Key, NodeId};
use chordal_proto::certificate::TokenView;
use chordal_proto::member::Token;
use chordal_proto::ring::{Pointers, Question};

/// The most seats of a world.
pub(crate) const SEATS_MAX: usize = 6;

/// A seat's number; its position on the ring grows with it.
pub(crate) type Id = u8;

/// A set of seats, one bit each. A successor list is one too: lists are ordered, so the set says
/// it all.
pub(crate) type Ids = u8;

/// Whether somebody sits there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Stand {
    /// Nobody yet.
    #[default]
    Absent,
    /// Somebody died or left there.
    Down,
    /// A member of the ring.
    On,
}

/// The open question of a token.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Asking {
    #[default]
    Nothing,
    /// To the first successor.
    Successor(Id),
    /// To a closer one, and whom to ask if that one is not there.
    Candidate(Id, Option<Id>),
    /// A joining token's, to the token before its place.
    Place(Id),
}

/// An answer under way: what the asked token's pointers were when it answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Flight {
    pub(crate) predecessor: Id,
    pub(crate) list: Ids,
    /// Those named, and the one who answers, that the answerer knew to be alive in the life they
    /// still have: an answer brings its own entries of all it names.
    pub(crate) vouched: Ids,
}

/// One position and the token there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Seat {
    pub(crate) stand: Stand,
    /// Who may still hold it for dead, since it has returned and not all have heard.
    pub(crate) doubters: Ids,
    pub(crate) predecessor: Id,
    pub(crate) list: Ids,
    pub(crate) asking: Asking,
    pub(crate) flight: Option<Flight>,
}

/// Everything at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct World {
    pub(crate) seats: [Seat; SEATS_MAX],
    /// How many of the seats there are.
    pub(crate) count: u8,
    /// Notifications under way, the bit `6 * of + to` for each.
    pub(crate) notifies: u64,
    /// Deaths that may still happen.
    pub(crate) crashes: u8,
    /// Returns that may still happen.
    pub(crate) returns: u8,
}

pub(crate) const fn bit(id: Id) -> Ids {
    1 << id
}

pub(crate) fn token(id: Id) -> Token {
    Token {
        key: Key::new(u128::from(id) << 96),
        node: NodeId::new([id; 32]),
    }
}

pub(crate) fn id_of(token: Token) -> Id {
    token.node.as_bytes()[0]
}

impl World {
    /// An ideal ring of these members with lists of `length`.
    pub(crate) fn ideal(count: u8, members: Ids, length: usize) -> Self {
        let mut world = Self {
            count,
            ..Self::default()
        };
        for id in 0..count {
            if members & bit(id) == 0 {
                continue;
            }
            let others: Vec<Id> = world.after(id).filter(|i| members & bit(*i) != 0).collect();
            let seat = &mut world.seats[usize::from(id)];
            seat.stand = Stand::On;
            seat.predecessor = others.last().copied().unwrap_or(id);
            seat.list = others.iter().take(length).fold(0, |set, &i| set | bit(i));
            if others.is_empty() {
                seat.list = bit(id);
            }
        }
        world
    }

    pub(crate) fn seat(&self, id: Id) -> &Seat {
        &self.seats[usize::from(id)]
    }

    pub(crate) fn seat_mut(&mut self, id: Id) -> &mut Seat {
        &mut self.seats[usize::from(id)]
    }

    /// All seats after one, clockwise.
    pub(crate) fn after(&self, id: Id) -> impl Iterator<Item = Id> + use<> {
        let count = self.count;
        (1..count).map(move |step| (id + step) % count)
    }

    pub(crate) fn ids(&self) -> impl Iterator<Item = Id> + use<> {
        0..self.count
    }

    /// Seats of this standing.
    pub(crate) fn standing(&self, stand: Stand) -> Ids {
        let all = self.ids().filter(|&id| self.seat(id).stand == stand);
        all.fold(0, |set, id| set | bit(id))
    }

    /// Members that somebody may still hold for dead.
    pub(crate) fn doubted(&self) -> Ids {
        let all = self.ids().filter(|&id| self.seat(id).doubters != 0);
        all.fold(0, |set, id| set | bit(id))
    }

    /// Members that `by` may still hold for dead.
    pub(crate) fn doubted_by(&self, by: Id) -> Ids {
        let all = self
            .ids()
            .filter(|&id| self.seat(id).doubters & bit(by) != 0);
        all.fold(0, |set, id| set | bit(id))
    }

    /// How many answers are under way.
    pub(crate) fn flights(&self) -> usize {
        self.seats.iter().filter(|s| s.flight.is_some()).count()
    }

    /// A list as tokens, as seen from `id`.
    pub(crate) fn tokens(&self, id: Id, list: Ids) -> Vec<Token> {
        if list == bit(id) {
            return vec![token(id)];
        }
        let listed = self.after(id).filter(|&other| list & bit(other) != 0);
        listed.map(token).collect()
    }

    /// A seat's pointers as production has them.
    pub(crate) fn pointers(&self, id: Id) -> Pointers {
        let seat = self.seat(id);
        if seat.stand != Stand::On {
            return Pointers {
                on_ring: false,
                ..Pointers::alone(token(id))
            };
        }
        Pointers {
            token: token(id),
            predecessor: token(seat.predecessor),
            successors: self.tokens(id, seat.list),
            on_ring: true,
            asking: match seat.asking {
                Asking::Successor(of) => Some(Question::Successor(token(of))),
                Asking::Candidate(of, otherwise) => Some(Question::Candidate {
                    of: token(of),
                    otherwise: otherwise.map(token),
                }),
                Asking::Nothing | Asking::Place(_) => None,
            },
        }
    }

    /// Puts pointers back. An answer under way stays only if its question is still open.
    pub(crate) fn put(&mut self, id: Id, pointers: &Pointers) {
        let asking = match pointers.asking {
            None => Asking::Nothing,
            Some(Question::Successor(of)) => Asking::Successor(id_of(of)),
            Some(Question::Candidate { of, otherwise }) => {
                Asking::Candidate(id_of(of), otherwise.map(id_of))
            }
        };
        let seat = self.seat_mut(id);
        if asking != seat.asking {
            seat.flight = None;
        }
        seat.asking = asking;
        seat.predecessor = id_of(pointers.predecessor);
        seat.list = ids(&pointers.successors);
    }

    /// All members' pointers, for the certificate.
    pub(crate) fn views(&self) -> Vec<TokenView> {
        let members = self.ids().filter(|&id| self.seat(id).stand == Stand::On);
        let views = members.map(|id| TokenView {
            token: token(id),
            predecessor: token(self.seat(id).predecessor),
            successors: self.tokens(id, self.seat(id).list),
        });
        views.collect()
    }

    /// The world without messages, budgets and doubts: what the properties look at.
    pub(crate) fn calmed(&self) -> Self {
        let mut calm = *self;
        calm.notifies = 0;
        calm.crashes = 0;
        calm.returns = 0;
        for seat in &mut calm.seats {
            seat.doubters = 0;
            seat.asking = Asking::Nothing;
            seat.flight = None;
        }
        calm
    }

    /// The world with every token moved on by some seats.
    pub(crate) fn turned(&self, by: u8) -> Self {
        let count = self.count;
        let turn = |id: Id| (id + by) % count;
        let turn_all = |ids: Ids| {
            (0..count)
                .filter(|&id| ids & bit(id) != 0)
                .fold(0, |set, id| set | bit(turn(id)))
        };
        let mut turned = *self;
        for id in 0..count {
            let mut seat = *self.seat(id);
            if seat.stand == Stand::On {
                seat.predecessor = turn(seat.predecessor);
                seat.list = turn_all(seat.list);
            }
            seat.asking = match seat.asking {
                Asking::Nothing => Asking::Nothing,
                Asking::Successor(of) => Asking::Successor(turn(of)),
                Asking::Candidate(of, otherwise) => {
                    Asking::Candidate(turn(of), otherwise.map(turn))
                }
                Asking::Place(of) => Asking::Place(turn(of)),
            };
            seat.flight = seat.flight.map(|flight| Flight {
                predecessor: turn(flight.predecessor),
                list: turn_all(flight.list),
                vouched: turn_all(flight.vouched),
            });
            seat.doubters = turn_all(seat.doubters);
            *turned.seat_mut(turn(id)) = seat;
        }
        turned.notifies = 0;
        for of in 0..count {
            for to in 0..count {
                if self.notifies & notify_bit(of, to) != 0 {
                    turned.notifies |= notify_bit(turn(of), turn(to));
                }
            }
        }
        turned
    }

    /// The world in so many bits that different worlds differ.
    pub(crate) fn packed(&self) -> [u64; SEATS_MAX + 1] {
        let mut words = [0; SEATS_MAX + 1];
        for (word, seat) in words.iter_mut().zip(&self.seats) {
            *word = seat.packed();
        }
        let budgets = u64::from(self.crashes) << 40 | u64::from(self.returns) << 48;
        words[SEATS_MAX] = self.notifies | budgets | u64::from(self.count) << 56;
        words
    }

    /// The least of the world's turnings: no transition asks where zero is.
    pub(crate) fn canonical(&self) -> Self {
        let turned = (1..self.count).map(|by| self.turned(by));
        turned.fold(*self, |least, other| {
            if other.packed() < least.packed() {
                other
            } else {
                least
            }
        })
    }
}

impl Seat {
    fn packed(&self) -> u64 {
        let (kind, of, otherwise) = match self.asking {
            Asking::Nothing => (0, 0, None),
            Asking::Successor(of) => (1, of, None),
            Asking::Candidate(of, otherwise) => (2, of, otherwise),
            Asking::Place(of) => (3, of, None),
        };
        let flight = self.flight.map_or(0, |flight| {
            1 | u64::from(flight.predecessor) << 1
                | u64::from(flight.list) << 4
                | u64::from(flight.vouched) << 10
        });
        self.stand as u64
            | u64::from(self.doubters) << 36
            | u64::from(self.predecessor) << 3
            | u64::from(self.list) << 6
            | kind << 12
            | u64::from(of) << 14
            | flight << 17
            | otherwise.map_or(0, |id| u64::from(id) + 1) << 42
    }
}

pub(crate) const fn notify_bit(of: Id, to: Id) -> u64 {
    1 << (of * 6 + to)
}

/// A list of tokens as a set.
pub(crate) fn ids(list: &[Token]) -> Ids {
    list.iter().fold(0, |set, &token| set | bit(id_of(token)))
}
