//! The ring's invariant after every event: what changed is looked at, and the certificate gives
//! the verdict whenever that could make a difference.
//!
//! Zave's proof assumes that nobody takes a living node for dead. Where a node does, because too
//! many messages were lost or a machine stood still, the proof says nothing until all is well
//! again: the watch notices it, and asks for nothing but ordered lists meanwhile.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::ops::Bound;
use std::time::Duration;

use chordal_object::Key;
use chordal_proto::Time;
use chordal_proto::certificate::{self, Flaw, TokenView};
use chordal_proto::limits::ANSWER_WAIT_MAX;
use chordal_proto::member::Token;

/// All tokens that are in the ring, and whether the invariant may be asked for.
#[derive(Debug, Default)]
pub(super) struct Watch {
    /// r, the entries of a full list.
    list_length: usize,
    seats: BTreeMap<Key, Seat>,
    /// Tokens that no list skips over.
    principals: usize,
    /// Whether r + 1 of them have lasted, from which on the proof promises as many.
    established: bool,
    /// Who dropped which living token from the head of its list.
    accusations: BTreeSet<(Key, Key)>,
    /// Since when the proof says nothing.
    shaken: Option<Time>,
    shaken_time: Duration,
    accused: u64,
    /// Tokens dropped from the head of a list although they live and have not just returned.
    dropped: Vec<Token>,
    /// Lists of late, and when they were changed: answers that tell them may be on their way.
    told: VecDeque<(Time, TokenView)>,
}

#[derive(Debug)]
struct Seat {
    view: TokenView,
    entered: Time,
    /// How many pairs of neighbours in lists skip over this token.
    skipped: u32,
    /// Since when no pair does.
    clear_since: Time,
}

impl Seat {
    /// Whether neither a list nor an answer that is on its way skips over this token.
    fn is_lasting(&self, now: Time) -> bool {
        self.skipped == 0 && now.since(self.clear_since) >= FLIGHT
    }
}

/// The longest way of an answer: whoever asked takes no later one, unless it stood still meanwhile,
/// and one that stands still for longer than this is taken for dead. What an answer tells was true
/// when it was sent, so a list on its way may skip over a token that no list skips over any more.
const FLIGHT: Duration = ANSWER_WAIT_MAX.saturating_mul(2);

impl Watch {
    /// Nobody is in the ring.
    pub(super) fn new(list_length: usize) -> Self {
        Self {
            list_length,
            ..Self::default()
        }
    }

    /// A node's pointers were `before` and are `after`; a token that is in only one of them enters
    /// or leaves the ring. Fails when something is not as it must be.
    pub(super) fn change(
        &mut self,
        now: Time,
        before: &[TokenView],
        after: &[TokenView],
    ) -> Result<(), Flaw> {
        let mut decisive = false;
        for view in before {
            let stays = after.iter().any(|other| other.token == view.token);
            if !stays
                && self
                    .seats
                    .get(&view.token.key)
                    .is_some_and(|seat| seat.view.token == view.token)
            {
                self.remove(now, view.token.key);
                decisive = true;
            }
        }
        for view in after {
            certificate::ordered(view)?;
            match self.seats.get(&view.token.key) {
                None => {
                    self.insert(now, view.clone());
                    decisive = true;
                }
                Some(seat) if seat.view.token != view.token => {}
                Some(seat) if seat.view != *view => {
                    let head = self.first_live(&seat.view);
                    decisive |= head != self.first_live(view);
                    self.replace(now, view.clone());
                }
                Some(_) => {}
            }
        }
        self.settle_accusations();
        if self.shaken.is_some() {
            return Ok(());
        }
        if decisive || (self.established && self.principals <= self.list_length) {
            self.verdict()?;
        }
        if self.established {
            self.established = self.seats.len() > self.list_length;
        } else if self.principals > self.list_length {
            self.established = self.lasting(now, |_| true) > self.list_length;
        }
        Ok(())
    }

    /// These tokens died, and those that do not stay are allowed to go. Where more died at once than
    /// lists survive, the proof says nothing.
    pub(super) fn die(&mut self, now: Time, tokens: &[TokenView], stays: impl Fn(Token) -> bool) {
        for view in tokens {
            if self.has(view.token) {
                self.remove(now, view.token.key);
            }
        }
        self.settle_accusations();
        let mut views = self.views();
        views.retain(|view| stays(view.token));
        if self.verdict_on(&views).is_err() {
            self.shake(now);
        }
    }

    /// How many of these tokens no list skips over, neither one that is held nor one on its way.
    pub(super) fn lasting(&self, now: Time, which: impl Fn(Token) -> bool) -> usize {
        let seats = self.seats.values();
        seats
            .filter(|seat| which(seat.view.token) && seat.is_lasting(now))
            .count()
    }

    /// Whether everybody who takes over a list that is on its way finds one of these tokens in it: who
    /// follows the author among the author and those that it names, who joins behind it among those
    /// alone.
    pub(super) fn outlive_answers(&self, now: Time, which: impl Fn(Token) -> bool) -> bool {
        let told = self.told.iter();
        let late = told.filter(|(at, _)| now.since(*at) < FLIGHT);
        let present = self.seats.values().map(|seat| &seat.view);
        let mut all = present.chain(late.map(|(_, view)| view));
        all.all(|view| {
            let followed = std::iter::once(&view.token).chain(list(view));
            let mut followed = followed.take(self.list_length);
            let mut joined = list(view).iter().take(self.list_length);
            let are_kept = followed.any(|&token| which(token)) && joined.any(|&token| which(token));
            list(view).is_empty() || are_kept
        })
    }

    /// Keeps a list that was changed for as long as answers that tell it may be on their way.
    fn keep(&mut self, now: Time, view: TokenView) {
        let old = |(at, _): &(Time, TokenView)| now.since(*at) >= FLIGHT;
        while self.told.front().is_some_and(old) {
            self.told.pop_front();
        }
        self.told.push_back((now, view));
    }

    /// What the certificate says of everything. A ring that grows out of one token has few
    /// principals at first.
    fn verdict(&self) -> Result<(), Flaw> {
        self.verdict_on(&self.views())
    }

    fn verdict_on(&self, views: &[TokenView]) -> Result<(), Flaw> {
        match certificate::invariant(views, self.list_length) {
            Err(Flaw::FewPrincipals { .. }) if !self.established => Ok(()),
            verdict => verdict,
        }
    }

    /// The pointers of all tokens, in order of their keys.
    pub(super) fn views(&self) -> Vec<TokenView> {
        self.seats.values().map(|seat| seat.view.clone()).collect()
    }

    /// Whether a token is in the ring.
    pub(super) fn has(&self, token: Token) -> bool {
        let seat = self.seats.get(&token.key);
        seat.is_some_and(|seat| seat.view.token == token)
    }

    /// From now on until all is well, nothing but ordered lists is asked for.
    pub(super) fn shake(&mut self, now: Time) {
        self.shaken.get_or_insert(now);
    }

    /// Whether the whole invariant is asked for.
    pub(super) const fn is_sound(&self) -> bool {
        self.shaken.is_none()
    }

    /// How long nothing but ordered lists was asked for.
    pub(super) fn shaken_time(&self, now: Time) -> Duration {
        self.shaken_time + self.shaken.map_or(Duration::ZERO, |since| now.since(since))
    }

    /// How often a living token was dropped from the head of a list.
    pub(super) const fn accused(&self) -> u64 {
        self.accused
    }

    /// The living tokens that were dropped from the head of a list since this was last asked, but
    /// for those that have just returned.
    pub(super) fn take_dropped(&mut self) -> Vec<Token> {
        std::mem::take(&mut self.dropped)
    }

    /// Whether nobody holds a living token for dead and no list skips over one.
    pub(super) fn is_calm(&self) -> bool {
        self.accusations.is_empty() && self.principals == self.seats.len() && self.verdict().is_ok()
    }

    /// All is well again: from now on the whole invariant is asked for.
    pub(super) fn resume(&mut self, now: Time) {
        if let Some(since) = self.shaken.take() {
            self.shaken_time += now.since(since);
            self.established = false;
        }
    }

    fn first_live(&self, view: &TokenView) -> Option<Token> {
        let mut list = view.successors.iter();
        list.find(|token| self.has(**token)).copied()
    }

    fn insert(&mut self, now: Time, view: TokenView) {
        let key = view.token.key;
        let skips = self.seats.values().map(|seat| skips(&seat.view, key));
        let skipped = skips.sum();
        self.principals += usize::from(skipped == 0);
        self.add(now, &view, 1);
        let seat = Seat {
            view,
            entered: now,
            skipped,
            clear_since: now,
        };
        self.seats.insert(key, seat);
    }

    fn remove(&mut self, now: Time, key: Key) {
        if let Some(Seat { view, skipped, .. }) = self.seats.remove(&key) {
            self.principals -= usize::from(skipped == 0);
            self.add(now, &view, -1);
            self.keep(now, view);
        }
    }

    fn replace(&mut self, now: Time, view: TokenView) {
        let key = view.token.key;
        let Some(seat) = self.seats.get_mut(&key) else {
            return;
        };
        let old = std::mem::replace(&mut seat.view, view.clone());
        if old.successors == view.successors {
            return;
        }
        self.add(now, &old, -1);
        self.add(now, &view, 1);
        let Some(head) = view.successors.first() else {
            return;
        };
        for lost in &old.successors {
            if !lost.key.between(key, head.key) {
                break;
            }
            if self.has(*lost) {
                self.accusations.insert((key, lost.key));
                self.accused += 1;
                let seat = &self.seats[&lost.key];
                // That it has no such token may still be on the way.
                if now.since(seat.entered) >= FLIGHT {
                    self.dropped.push(*lost);
                }
                self.shake(now);
            }
        }
        self.keep(now, old);
    }

    /// Counts a list's skips in, or out.
    fn add(&mut self, now: Time, view: &TokenView, change: i32) {
        let mut before = view.token.key;
        for next in list(view) {
            for key in self.between(before, next.key) {
                if let Some(seat) = self.seats.get_mut(&key) {
                    let was = seat.skipped;
                    seat.skipped = was.saturating_add_signed(change);
                    self.principals += usize::from(seat.skipped == 0);
                    self.principals -= usize::from(was == 0);
                    if was > 0 && seat.skipped == 0 {
                        seat.clear_since = now;
                    }
                }
            }
            before = next.key;
        }
    }

    /// The tokens strictly between two keys, clockwise.
    fn between(&self, from: Key, to: Key) -> Vec<Key> {
        let (first, second) = if from < to {
            ((Bound::Excluded(from), Bound::Excluded(to)), None)
        } else {
            ((Bound::Excluded(from), Bound::Unbounded), Some(to))
        };
        let first = self.seats.range(first);
        let second = second.map(|end| self.seats.range(..end));
        let all = first.chain(second.into_iter().flatten());
        all.map(|(&key, _)| key).collect()
    }

    /// Forgets accusations that have been taken back, or whose subject or author is gone.
    fn settle_accusations(&mut self) {
        if self.accusations.is_empty() {
            return;
        }
        let seats = &self.seats;
        self.accusations.retain(|(accuser, accused)| {
            let Some(seat) = seats.get(accuser) else {
                return false;
            };
            let alone = list(&seat.view).is_empty();
            seats.contains_key(accused) && (alone || skips(&seat.view, *accused) > 0)
        });
    }
}

/// The list without the entry by which a token alone names itself.
fn list(view: &TokenView) -> &[Token] {
    match view.successors.split_last() {
        Some((last, rest)) if last.key == view.token.key => rest,
        _ => &view.successors,
    }
}

/// How many pairs of neighbours in this list skip over a key: one at most, in an ordered list.
fn skips(view: &TokenView, key: Key) -> u32 {
    let mut before = view.token.key;
    for next in list(view) {
        if key.between(before, next.key) {
            return 1;
        }
        before = next.key;
    }
    0
}

#[cfg(test)]
mod tests;
