//! Following the node table: which arcs this node holds from here on, and what is still true of
//! those it held before.
//!
//! Only what changed is looked at. In a large ring nodes come and go all the time, nearly always
//! far from any arc of this node, and nothing here changes then.

use std::collections::{BTreeMap, BTreeSet};

use chordal_object::{Arc, Key, NodeId};

use super::{MyArc, Replica, meet};
use crate::history::History;
use crate::peer::Peer;
use crate::placement::{self, Former, HeldArc};
use crate::settings::Settings;
use crate::table::{Moved, NodeTable};
use crate::time::Time;

impl Peer {
    /// Whether copies are placed as the table has it now.
    pub(super) fn is_placed_again(&self) -> bool {
        self.placed_epoch == Some(self.table.placement_epoch())
    }

    /// The nodes that should hold copies changed: works out what this node holds from here on.
    pub(crate) fn place_again(&mut self, now: Time) {
        self.placed_epoch = Some(self.table.placement_epoch());
        self.replica.last_key = self.settings.bits.last_key();
        let moved = self.table.take_moved();
        let own = self.me.node;
        let (table, settings) = (&self.table, &self.settings);
        let replica = &mut self.replica;
        let mut changed = replica.follow(table, settings, own, &moved);
        let agrees = |arc, view| placement::agrees(table, settings, arc, view);
        changed |= replica.sessions.drop_unless(agrees);
        changed |= replica.hand_offs.drop_unless(table, settings);
        if changed {
            replica.note_foreign();
            replica.lapse.hasten(now);
            self.repair_soon(now);
            self.save_soon(now);
            self.consider_waiting(now);
        }
    }
}

impl Replica {
    /// Takes over what has moved in the table; tells whether that concerns this node.
    fn follow(
        &mut self,
        table: &NodeTable,
        settings: &Settings,
        own: NodeId,
        moved: &Moved,
    ) -> bool {
        let former = Former {
            table,
            moved,
            replicas: self.replicas,
        };
        let last = self.last_key;
        self.replicas = placement::replicas(table, settings);
        let changed = if self.replicas == 0 {
            BTreeSet::new()
        } else if self.replicas == former.replicas {
            placement::changed_arcs(table, moved, self.replicas)
        } else {
            table.cuts_from(Key::default()).map(|cut| cut.key).collect()
        };
        let is_unchanged = |arc: Arc| !changed.contains(&arc.upto) && !moved.contains(arc.upto);
        let was_mine = std::mem::take(&mut self.mine);
        let mut mine: Vec<HeldArc> = Vec::with_capacity(was_mine.len());
        if self.replicas > 0 {
            let kept = was_mine.iter().filter(|old| is_unchanged(old.held.arc));
            mine.extend(kept.map(|old| old.held.clone()));
        }
        let mut concerned = mine.len() != was_mine.len();
        for &upto in &changed {
            let Some(held) = placement::arc_at(table, settings, upto) else {
                continue;
            };
            if held.holders.contains(&own) {
                concerned = true;
                mine.push(held);
                continue;
            }
            concerned |= self.pass_on(&held, &was_mine);
            self.complete.remove(held.arc, last);
        }
        mine.sort_unstable_by_key(|held| held.arc.upto);
        for held in mine {
            let arc = self.inherit(held, &was_mine, former, own);
            self.mine.push(arc);
        }
        self.moves += u64::from(concerned);
        for arc in self.hand_offs.removing() {
            self.complete.remove(arc, last);
        }
        concerned
    }

    /// Others hold an arc now: keeps what this node went through with it, for those who ask. Tells
    /// whether it held any of it until now.
    fn pass_on(&mut self, held: &HeldArc, was_mine: &[MyArc]) -> bool {
        let last = self.last_key;
        let mut concerned = false;
        for old in was_mine.iter().filter(|old| meet(old.held.arc, held.arc)) {
            let mut history = old.history.clone();
            history.pass(&old.held.holders);
            if let Some(past) = self.pasts.of(held.arc, last) {
                history.join(&past);
            }
            self.pasts.put(held.arc, last, &history);
            concerned = true;
        }
        concerned
    }

    /// An arc of this node, with what is still true of the arcs it was cut from.
    fn inherit(
        &mut self,
        held: HeldArc,
        was_mine: &[MyArc],
        former: Former<'_>,
        own: NodeId,
    ) -> MyArc {
        // Of arcs in order only the one that its end lies in can cover another.
        let next = was_mine.partition_point(|old| old.held.arc.upto < held.arc.upto);
        let same = was_mine.get(next).or_else(|| was_mine.first());
        let same = same.filter(|old| old.held.arc.covers(held.arc));
        if let Some(old) = same.filter(|old| old.held.view == held.view) {
            return MyArc {
                held,
                ..old.clone()
            };
        }
        self.complete.remove(held.arc, self.last_key);
        let mut previous: BTreeSet<NodeId> = match same {
            Some(old) => old.previous.iter().copied().collect(),
            None => former.holders_of(held.arc),
        };
        previous.remove(&own);
        let past = was_mine
            .iter()
            .filter(|old| meet(old.held.arc, held.arc))
            .map(|old| {
                let mut history = old.history.clone();
                if old.held.view != held.view {
                    history.pass(&old.held.holders);
                }
                history
            });
        let taken = self.pasts.take(held.arc, self.last_key);
        let history = History::together(past.chain(taken)).unwrap_or_default();
        MyArc {
            history,
            previous: previous.into_iter().collect(),
            waits_since: same.and_then(|old| old.waits_since),
            compared: BTreeMap::new(),
            held,
        }
    }
}

#[cfg(test)]
mod tests;
