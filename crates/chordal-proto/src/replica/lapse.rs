//! Forgetting what this node went through with arcs that others hold.
//!
//! What a node tells of an arc's past others have to follow up: they look for members of each view
//! in it, dead ones too, before they count. Once a majority of the present holders count, each of
//! them has all that was acknowledged under those views, and whoever asks later finds one of that
//! majority: the present view is all that is left to tell (the argument is in `docs/consistency.md`).
//! So this node asks the holders, now and then, whether they count.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use chordal_object::{Arc, Key, NodeId};
use serde::{Deserialize, Serialize};

use crate::history;
use crate::limits::COUNTS_QUESTION_MAX;
use crate::message::Message;
use crate::peer::Peer;
use crate::placement::{self, HeldArc};
use crate::request::{Asker, Purpose};
use crate::time::Time;
use crate::view::View;

/// Who counts on arcs of which this node still tells a past.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Lapse {
    round: u64,
    /// What each holder was asked in this round.
    asked: BTreeMap<NodeId, Vec<(Arc, View)>>,
    /// Who said so in this round, by the end of the arc.
    counting: BTreeMap<Key, BTreeSet<NodeId>>,
    /// When this round began.
    began: Time,
    /// When the next one does.
    next: Time,
    /// The pause after that.
    pause: Duration,
}

/// Pause before the first round after a change.
const FIRST: Duration = Duration::from_secs(10);

/// Pause between two rounds where there is hurry, and all have answered.
const AGAIN: Duration = Duration::from_millis(200);

/// How long answers are waited for where there is hurry.
const PATIENCE: Duration = Duration::from_secs(1);

/// The longest pause between two rounds.
const LONGEST: Duration = Duration::from_mins(2);

impl Lapse {
    /// Something changed: asks soon. Answers about an earlier stay under a view count no more.
    pub(super) fn hasten(&mut self, now: Time) {
        self.pause = FIRST;
        self.next = self.next.min(now + FIRST);
        self.round += 1;
        self.asked.clear();
        self.counting.clear();
    }

    /// Somebody waits for it: asks as soon as everybody has answered, or had time to.
    fn hurry(&mut self, now: Time) {
        let pause = if self.asked.is_empty() {
            AGAIN
        } else {
            PATIENCE
        };
        self.next = self.next.min(now.max(self.began + pause));
    }
}

impl Peer {
    /// Begins a round, if it is time for one and there is anything to forget.
    pub(super) fn consider_lapse(&mut self, now: Time) {
        if now < self.replica.lapse.next || !self.is_placed_again() {
            return;
        }
        let lapse = &mut self.replica.lapse;
        lapse.pause = (lapse.pause * 2).clamp(FIRST, LONGEST);
        lapse.next = now + lapse.pause;
        lapse.began = now;
        lapse.round += 1;
        lapse.asked.clear();
        lapse.counting.clear();
        let mut questions: BTreeMap<NodeId, Vec<(Arc, View)>> = BTreeMap::new();
        let mut outdated = self.outdated();
        // Of more than fit one question others come first in the next round.
        let turn = usize::try_from(self.replica.lapse.round).unwrap_or(0);
        let count = outdated.len().max(1);
        outdated.rotate_left(turn.wrapping_mul(COUNTS_QUESTION_MAX) % count);
        for held in outdated {
            let alive = held
                .holders
                .iter()
                .filter(|&&node| self.table.is_alive(node));
            for &node in alive {
                let arcs = questions.entry(node).or_default();
                if arcs.len() < COUNTS_QUESTION_MAX {
                    arcs.push((held.arc, held.view));
                }
            }
        }
        let round = self.replica.lapse.round;
        for (node, arcs) in questions {
            let question = Message::AskCounts(arcs.clone());
            if self
                .ask(now, node, question, Purpose::Counts(round))
                .is_some()
            {
                self.replica.lapse.asked.insert(node, arcs);
            }
        }
    }

    /// Whether others may have to hear this node before they count; if so, it asks whether they do.
    pub(super) fn is_needed_to_count(&mut self, now: Time) -> bool {
        let is_needed = !self.is_alone() && self.table.is_whole() && !self.outdated().is_empty();
        if is_needed {
            self.replica.lapse.hurry(now);
        }
        is_needed
    }

    /// Arcs of others of which this node tells more than who holds them now.
    fn outdated(&mut self) -> Vec<HeldArc> {
        let last = self.replica.last_key;
        let stretches: Vec<Arc> = self
            .replica
            .pasts
            .iter(last)
            .filter(|(_, history)| !history.passed.is_empty())
            .map(|(arc, _)| arc)
            .collect();
        let mut outdated: BTreeMap<Key, HeldArc> = BTreeMap::new();
        for stretch in stretches {
            // A stretch ends where arcs ended that are gone by now: it may meet many of today's.
            for (from, to) in stretch.ranges(last) {
                let mut next = Some(from);
                while let Some(key) = next {
                    let held = placement::arc_at(&self.table, &self.settings, key);
                    let Some(held) = held else { break };
                    let upto = held.arc.upto;
                    next = following(upto).filter(|&next| upto >= key && next <= to);
                    let is_others = !held.holders.contains(&self.me.node);
                    if is_others && self.replica.tells_more_than(&held) {
                        outdated.insert(upto, held);
                    }
                }
            }
        }
        outdated.into_values().collect()
    }

    /// Somebody asks on which arcs this node counts.
    pub(crate) fn asked_counts(&mut self, asker: &Asker, arcs: &[(Arc, View)]) {
        let last = self.replica.last_key;
        let counts = arcs
            .iter()
            .map(|&(arc, view)| self.agrees(arc, view) && self.replica.complete.covers(arc, last));
        let counts = counts.collect();
        self.answer(asker, Message::Counts(counts));
    }

    /// A holder said on which arcs it counts.
    pub(crate) fn counts_told(&mut self, now: Time, round: u64, from: NodeId, counts: &[bool]) {
        if round != self.replica.lapse.round {
            return;
        }
        let Some(arcs) = self.replica.lapse.asked.remove(&from) else {
            return;
        };
        for (&(arc, view), _) in arcs.iter().zip(counts).filter(|&(_, &counts)| counts) {
            let counting = self.replica.lapse.counting.entry(arc.upto).or_default();
            counting.insert(from);
            let counting = counting.len();
            let held = placement::arc_at(&self.table, &self.settings, arc.upto);
            let same = |held: &HeldArc| held.arc == arc && held.view == view;
            let Some(held) = held.filter(same).filter(|_| self.is_placed_again()) else {
                continue;
            };
            let is_others = !held.holders.contains(&self.me.node);
            if counting >= self.counting_enough(&held) && is_others {
                self.let_go(now, &held);
            }
        }
    }

    /// How many holders must count before this node forgets the past of an arc: a majority, and
    /// all that answer before it leaves, since those that do not count yet may have to hear it.
    fn counting_enough(&self, held: &HeldArc) -> usize {
        let majority = history::enough(held.holders.len());
        if !self.replica.is_leaving() {
            return majority;
        }
        let alive = held.holders.iter().filter(|&&node| self.answers(node));
        alive.count().max(majority)
    }

    /// Forgets what this node went through with an arc, but who holds it now.
    fn let_go(&mut self, now: Time, held: &HeldArc) {
        if !self.replica.tells_more_than(held) {
            return;
        }
        let last = self.replica.last_key;
        self.replica.pasts.change(held.arc, last, |past| {
            past.passed.clear();
            past.pass(&held.holders);
        });
        // From here on the note of this view is no news, so it has to be durable by itself.
        self.replica.moves += 1;
        self.save_soon(now);
    }
}

/// The key after this one, on a ring that is not looked at around its end.
fn following(key: Key) -> Option<Key> {
    key.position().checked_add(1).map(Key::new)
}

impl super::Replica {
    /// Whether this node tells of other views of an arc than of the present one.
    fn tells_more_than(&self, held: &HeldArc) -> bool {
        let mut present = held.holders.clone();
        present.sort_unstable();
        let told = self.pasts.of(held.arc, self.last_key);
        told.is_some_and(|told| told.passed.iter().any(|view| *view != present))
    }
}
