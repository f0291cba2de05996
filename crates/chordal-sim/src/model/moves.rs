//! What can happen next in a world. Every change of pointers is a call of the production code.

use chordal_proto::member::Token;
use chordal_proto::ring::{Heard, Knowledge, ListRule, Pointers, Step};

use super::assumption;
use super::mistake::Mistake;
use super::setting::Setting;
use super::world::{Asking, Flight, Id, Ids, Stand, World, bit, id_of, ids, notify_bit, token};

/// Something that happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Move {
    /// A token begins a round, holding these for dead; if it asks its successor, that answers.
    Stabilise { id: Id, silent: Ids },
    /// The answer to a question is read and sent.
    Answer { id: Id, of: Id },
    /// An answer arrives at a token that holds these for dead and is offered this one.
    Hear {
        id: Id,
        of: Id,
        silent: Ids,
        offer: Option<Id>,
    },
    /// A question or its answer is lost.
    Lose { id: Id, of: Id },
    /// The asked token says that it is not on the ring.
    Refuse { id: Id, of: Id },
    /// A token that wants to join asks the token before its place, and that answers.
    Seek { id: Id, of: Id },
    /// The answer arrives: the token is on the ring.
    Join { id: Id, of: Id, silent: Ids },
    /// A notification arrives.
    Notified { id: Id, of: Id, silent: Ids },
    /// A token dies or leaves.
    Die { id: Id },
    /// Somebody has heard of a token's return.
    Believed { id: Id, by: Id },
}

/// What a token knows: these do not answer and are no members.
pub(crate) struct Known(Ids);

impl Known {
    pub(crate) const fn all_but(silent: Ids) -> Self {
        Self(silent)
    }
}

impl Knowledge for Known {
    fn answers(&self, token: Token) -> bool {
        self.is_member(token)
    }

    fn is_member(&self, token: Token) -> bool {
        self.0 & bit(id_of(token)) == 0
    }
}

/// An answer whose predecessor is `predecessor`.
pub(crate) fn heard(from: Id, predecessor: Id, successors: &[Token]) -> Heard<'_> {
    Heard {
        from: token(from),
        predecessor: token(predecessor),
        successors,
    }
}

/// A world reached by a move.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Next {
    pub(crate) by: Move,
    pub(crate) world: World,
}

/// What went wrong in a move itself.
pub(crate) type Broken = (Move, World, String);

impl Setting {
    pub(crate) const fn rule(&self) -> ListRule {
        ListRule {
            entries: self.list_length,
            nodes: 1,
        }
    }

    fn makes(&self, mistake: Mistake) -> bool {
        self.mistake == Some(mistake)
    }
}

/// All moves of a world.
pub(crate) struct Moves<'a> {
    setting: &'a Setting,
    world: &'a World,
    next: &'a mut Vec<Next>,
    disordered: Option<String>,
    broken: Option<Broken>,
}

/// Puts every world that one move leads to into `next`. Fails if a move makes a list that is out
/// of order, or sends a predecessor back.
pub(crate) fn moves(
    setting: &Setting,
    world: &World,
    next: &mut Vec<Next>,
) -> Result<(), Box<Broken>> {
    let mut moves = Moves {
        setting,
        world,
        next,
        disordered: None,
        broken: None,
    };
    for id in world.ids() {
        if world.seat(id).stand == Stand::On {
            moves.member(id);
        } else {
            moves.outsider(id);
        }
    }
    moves.broken.map_or(Ok(()), |broken| Err(Box::new(broken)))
}

impl Moves<'_> {
    /// What a member may do or suffer.
    fn member(&mut self, id: Id) {
        self.stabilise(id);
        match self.world.seat(id).asking {
            Asking::Nothing | Asking::Place(_) => {}
            Asking::Successor(of) => self.hear(id, of),
            Asking::Candidate(of, _) if self.world.seat(id).flight.is_some() => self.hear(id, of),
            Asking::Candidate(of, _) => self.answer(id, of),
        }
        self.be_notified(id);
        if self.world.crashes > 0 && assumption::may_die(self.setting, self.world, id) {
            self.die(id);
        }
        for by in self.world.ids() {
            if self.world.seat(id).doubters & bit(by) != 0 {
                let mut world = *self.world;
                world.seat_mut(id).doubters &= !bit(by);
                self.reach(Move::Believed { id, by }, world);
            }
        }
    }

    /// Sets of seats that a token may hold for dead: any of those that are, or have been.
    fn held_for_dead(&self, by: Id, among: Ids) -> impl Iterator<Item = Ids> + use<> {
        let dead = self.world.standing(Stand::Down);
        let doubtful = among & (dead | self.world.doubted_by(by));
        (0..=doubtful).filter(move |set| set & !doubtful == 0)
    }

    /// Whom the table may offer, nobody included.
    fn offers(&self, id: Id) -> impl Iterator<Item = Option<Id>> + use<> {
        let mut offered = self.world.standing(Stand::On) & !bit(id);
        if self.setting.makes(Mistake::AdoptUnasked) {
            // Whoever is asked first does not answer, if dead.
            offered |= self.world.standing(Stand::Down);
        }
        if !self.setting.offers {
            offered = 0;
        }
        let some = self
            .world
            .ids()
            .filter(move |&other| offered & bit(other) != 0);
        std::iter::once(None).chain(some.map(Some))
    }

    fn may_answer(&self) -> bool {
        self.world.flights() < self.setting.flights
    }

    fn stabilise(&mut self, id: Id) {
        let seat = *self.world.seat(id);
        let alone = seat.list == bit(id);
        let predecessor = if self.setting.predecessors {
            bit(seat.predecessor)
        } else {
            0
        };
        for silent in self.held_for_dead(id, seat.list | predecessor) {
            if silent == 0 && seat.asking != Asking::Nothing {
                continue;
            }
            let offers = self.offers(id).filter(|offer| offer.is_none() || alone);
            for offer in offers {
                let mut pointers = self.world.pointers(id);
                let step = pointers.stabilise(offer.map(token), &Known(silent));
                let mut world = *self.world;
                self.ask_successor(&mut world, id, pointers, step);
                self.reach(Move::Stabilise { id, silent }, world);
            }
        }
    }

    /// Puts pointers back after a step that may have asked. The successor's answer is read at the
    /// same moment: asking later is asking then.
    fn ask_successor(&mut self, world: &mut World, id: Id, mut pointers: Pointers, step: Step) {
        let Step::Ask(of) = step else {
            self.put(world, id, &pointers);
            return;
        };
        let of = id_of(of);
        let candidate = matches!(
            pointers.asking,
            Some(chordal_proto::ring::Question::Candidate { .. })
        );
        if candidate {
            self.put(world, id, &pointers);
        } else if self.world.seat(of).stand == Stand::On && self.may_answer() {
            self.put(world, id, &pointers);
            self.fly(world, id, of);
        } else {
            let _rest = pointers.unanswered(token(of));
            self.put(world, id, &pointers);
        }
    }

    fn put(&mut self, world: &mut World, id: Id, pointers: &Pointers) {
        let list = &pointers.successors;
        if world.tokens(id, ids(list)) != *list {
            let positions: Vec<Id> = list.iter().map(|&token| id_of(token)).collect();
            self.disordered = Some(format!("the list of {id} is {positions:?}"));
        }
        world.put(id, pointers);
    }

    /// Sends the pointers of `of` to `id`.
    fn fly(&self, world: &mut World, id: Id, of: Id) {
        let seat = *self.world.seat(of);
        let predecessor = if self.setting.predecessors {
            seat.predecessor
        } else {
            of
        };
        world.seat_mut(id).flight = Some(Flight {
            predecessor,
            list: seat.list,
            vouched: (seat.list | bit(of) | bit(predecessor))
                & self.world.standing(Stand::On)
                & !self.world.doubted_by(of),
        });
    }

    /// A candidate answers, refuses, or is not reached.
    fn answer(&mut self, id: Id, of: Id) {
        if self.world.seat(of).stand == Stand::On && self.may_answer() {
            let mut world = *self.world;
            self.fly(&mut world, id, of);
            self.reach(Move::Answer { id, of }, world);
        }
        if self.world.seat(of).stand == Stand::Down {
            let mut pointers = self.world.pointers(id);
            let step = pointers.refused(token(of));
            let mut world = *self.world;
            self.go_on(&mut world, id, pointers, step);
            self.reach(Move::Refuse { id, of }, world);
        }
        self.lose(id, of);
    }

    fn lose(&mut self, id: Id, of: Id) {
        let mut pointers = self.world.pointers(id);
        let step = if self.setting.makes(Mistake::AccuseOnLoss) {
            pointers.refused(token(of))
        } else {
            pointers.unanswered(token(of))
        };
        let mut world = *self.world;
        self.go_on(&mut world, id, pointers, step);
        self.reach(Move::Lose { id, of }, world);
    }

    /// An answer arrives, or is lost.
    fn hear(&mut self, id: Id, of: Id) {
        let Some(flight) = self.world.seat(id).flight else {
            return;
        };
        let list = self.world.tokens(of, flight.list);
        let from_successor = matches!(self.world.seat(id).asking, Asking::Successor(_));
        let about = flight.list | bit(of) | bit(flight.predecessor);
        for silent in self.held_for_dead(id, about & !(flight.vouched & !bit(of))) {
            for offer in self.offers(id).filter(|o| o.is_none() || from_successor) {
                let mut pointers = self.world.pointers(id);
                let heard = heard(of, flight.predecessor, &list);
                let rule = self.setting.rule();
                let mut step = pointers.answered(&heard, offer.map(token), rule, &Known(silent));
                if let Step::Ask(closer) = step
                    && self.setting.makes(Mistake::AdoptUnasked)
                {
                    pointers.asking = None;
                    pointers.successors.insert(0, closer);
                    pointers.successors.truncate(self.setting.list_length);
                    step = Step::Notify(closer);
                }
                let mut world = *self.world;
                // What it says of itself counts only where it is held for a member.
                vouch(&mut world, id, flight.vouched & !(silent & bit(of)));
                self.go_on(&mut world, id, pointers, step);
                let by = Move::Hear {
                    id,
                    of,
                    silent,
                    offer,
                };
                self.reach(by, world);
            }
        }
        self.lose(id, of);
    }

    /// Puts pointers back and sends the notification that a step asks for.
    fn go_on(&mut self, world: &mut World, id: Id, pointers: Pointers, step: Step) {
        if let Step::Notify(to) = step
            && self.setting.predecessors
        {
            world.notifies |= notify_bit(id, id_of(to));
        }
        self.ask_successor(world, id, pointers, step);
    }

    fn be_notified(&mut self, id: Id) {
        for of in self.world.ids() {
            if self.world.notifies & notify_bit(of, id) == 0 {
                continue;
            }
            let present = self.world.seat(id).predecessor;
            let mut held = self.held_for_dead(id, bit(present)).collect::<Vec<_>>();
            if self.setting.makes(Mistake::ForgetPredecessor) {
                // Its check of the predecessor was lost.
                held.push(bit(present));
            }
            for silent in held {
                let mut pointers = self.world.pointers(id);
                // Whether the present one is on the ring is asked for: it is, or it is held for
                // dead here, which is what its refusal would bring about.
                let _present = pointers.notified(token(of), &Known(silent));
                let mut world = *self.world;
                world.notifies &= !notify_bit(of, id);
                self.put(&mut world, id, &pointers);
                self.reach(Move::Notified { id, of, silent }, world);
            }
        }
    }

    fn die(&mut self, id: Id) {
        let mut world = *self.world;
        let seat = world.seat_mut(id);
        *seat = super::world::Seat {
            stand: Stand::Down,
            ..Default::default()
        };
        for other in self.world.ids() {
            world.notifies &= !notify_bit(other, id);
            let seat = world.seat_mut(other);
            seat.doubters &= !bit(id);
            if let Some(flight) = seat.flight.as_mut() {
                flight.vouched &= !bit(id);
            }
        }
        world.crashes -= 1;
        self.reach(Move::Die { id }, world);
    }

    /// What somebody who is not on the ring may do: join, for the first time or again.
    fn outsider(&mut self, id: Id) {
        let seat = *self.world.seat(id);
        let returns = seat.stand == Stand::Down;
        if let Asking::Place(of) = seat.asking {
            self.join(id, of);
            let mut world = *self.world;
            world.seat_mut(id).asking = Asking::Nothing;
            world.seat_mut(id).flight = None;
            self.reach(Move::Lose { id, of }, world);
            return;
        }
        if !self.may_answer() || (returns && self.world.returns == 0) {
            return;
        }
        for of in self.world.ids() {
            if self.world.seat(of).stand != Stand::On {
                continue;
            }
            let list = self.world.tokens(of, self.world.seat(of).list);
            let before = heard(of, of, &list);
            let rule = self.setting.rule();
            if self.world.pointers(id).join(&before, rule, &Known(0)) {
                let mut world = *self.world;
                world.returns -= u8::from(returns);
                world.seat_mut(id).asking = Asking::Place(of);
                self.fly(&mut world, id, of);
                self.reach(Move::Seek { id, of }, world);
            }
        }
    }

    fn join(&mut self, id: Id, of: Id) {
        let Some(flight) = self.world.seat(id).flight else {
            return;
        };
        let list = self.world.tokens(of, flight.list);
        for silent in self.held_for_dead(id, flight.list & !flight.vouched) {
            let mut pointers = self.world.pointers(id);
            let before = heard(of, of, &list);
            if !pointers.join(&before, self.setting.rule(), &Known(silent)) {
                continue;
            }
            let full = pointers.successors.len() >= self.setting.list_length;
            if self.setting.makes(Mistake::JoinWithOneSuccessor) {
                pointers.successors.truncate(1);
            } else if self.setting.makes(Mistake::JoinPastTheEnd) && !full {
                pointers.successors.retain(|&other| other != token(of));
                pointers.successors.push(token(of));
            }
            let mut world = *self.world;
            let everybody = bit(world.count) - 1;
            let seat = world.seat_mut(id);
            if seat.stand == Stand::Down {
                seat.doubters = everybody & !bit(id);
            }
            seat.stand = Stand::On;
            seat.asking = Asking::Nothing;
            seat.flight = None;
            vouch(&mut world, id, flight.vouched);
            self.put(&mut world, id, &pointers);
            self.reach(Move::Join { id, of, silent }, world);
        }
    }

    /// Notes a world that differs from this one.
    fn reach(&mut self, by: Move, mut world: World) {
        if let Some(flaw) = self.disordered.take() {
            self.broken = Some((by, world, flaw));
        }
        if self.setting.predecessors {
            if let Some(flaw) = assumption::stepped_back(self.world, &world) {
                self.broken = Some((by, world, flaw));
            }
        } else {
            for id in world.ids() {
                let seat = world.seat_mut(id);
                seat.predecessor = if seat.stand == Stand::On { id } else { 0 };
            }
        }
        if world != *self.world {
            self.next.push(Next { by, world });
        }
    }
}

/// Lets `by` believe in the life of those that were vouched for.
fn vouch(world: &mut World, by: Id, vouched: Ids) {
    for id in world.ids().filter(|&id| vouched & bit(id) != 0) {
        world.seat_mut(id).doubters &= !bit(by);
    }
}
