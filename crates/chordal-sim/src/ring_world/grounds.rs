//! Whether a node had grounds to take another one for dead.
//!
//! Zave's proof assumes that living nodes are never taken for dead. Silence cannot be told from
//! death, so it does happen where messages are lost; but only silence excuses it. A node that drops
//! one from which it has just taken a message makes a mistake, and the run fails.

use std::collections::BTreeMap;

use chordal_proto::member::Token;
use chordal_proto::{Input, Time};

use super::{RingPlant, RingWorld};
use crate::violation::Violation;

/// What a life knows of whether others live, each by its machine's number, by its own clock.
#[derive(Debug, Default)]
pub(super) struct Grounds {
    /// When it took the last message, and which life sent it.
    heard: BTreeMap<usize, (Time, u32)>,
    /// When its driver last said that there is no way to it.
    out_of_reach: BTreeMap<usize, Time>,
}

impl RingWorld {
    /// A node takes a message that this life of another one sent.
    pub(super) fn note_heard(&mut self, number: usize, from: usize, life: u32) {
        let own_now = self.clock(number);
        if self.watch.is_some()
            && let Some(receiver) = self.machines[number].life_mut()
        {
            receiver.grounds.heard.insert(from, (own_now, life));
        }
    }

    /// A node's driver tells it something, perhaps that there is no way to another one. An attempt
    /// whose failure the planted mistake makes up is no ground.
    pub(super) fn note_out_of_reach(&mut self, number: usize, input: &Input) {
        let Input::Unreachable { addr, .. } = input else {
            return;
        };
        let own_now = self.clock(number);
        if self.watch.is_some()
            && self.plant != RingPlant::AccuseOnLoss
            && let Some(target) = super::machine::number_at(*addr, self.machines.len())
            && let Some(receiver) = self.machines[number].life_mut()
        {
            receiver.grounds.out_of_reach.insert(target, own_now);
        }
    }

    /// A node dropped living tokens from the head of a list: fails where it knew that they live.
    pub(super) fn judge_accusations(
        &self,
        number: usize,
        dropped: &[Token],
    ) -> Result<(), Violation> {
        let Some(life) = self.machines[number].life() else {
            return Ok(());
        };
        let now = self.clock(number);
        for token in dropped {
            let accused = self.machines.iter().position(|m| m.id == token.node);
            let Some(accused) = accused.filter(|&accused| self.machines[accused].is_up()) else {
                continue;
            };
            let known = life.peer.members();
            let known = known.iter().find(|member| member.node == token.node);
            let given_up = known.is_none_or(|member| {
                let standing = member.standing.is_member();
                !standing || !member.tokens(&self.settings).contains(&token.key)
            });
            if given_up {
                // On somebody else's word, who had to wait for longer than suspicion takes.
                continue;
            }
            let present = self.machines[accused].lives;
            let heard = life.grounds.heard.get(&accused);
            let heard = heard
                .filter(|(_, life)| *life == present)
                .map(|(at, _)| *at);
            let Some(heard) = heard else { continue };
            let out_of_reach = life.grounds.out_of_reach.get(&accused);
            let ago = now.since(heard);
            if ago < self.timing.suspect_after && out_of_reach.is_none_or(|&at| at < heard) {
                let seen = format!("it drops node {accused}, of which it heard {ago:?} ago");
                return Err(self.violation(
                    "only silent nodes are taken for dead",
                    Some(number),
                    seen,
                ));
            }
        }
        Ok(())
    }
}
