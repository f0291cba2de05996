//! The peer: one node's decisions.

use std::collections::VecDeque;

use crate::effect::Effect;
use crate::input::Input;
use crate::settings::{Config, Settings};
use crate::time::Time;

/// Why a peer wants to be woken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    /// A token's stabilisation is due.
    Stabilise,
}

/// One node's decisions.
#[derive(Debug)]
pub struct Peer {
    config: Config,
    effects: VecDeque<Effect>,
}

impl Peer {
    /// A node that begins its life, alone on its ring.
    pub fn new(config: Config, _now: Time) -> Self {
        Self {
            config,
            effects: VecDeque::new(),
        }
    }

    /// Takes note of what happened.
    pub fn handle(&mut self, _now: Time, _input: Input) {}

    /// The next thing to do, if any.
    pub fn poll(&mut self) -> Option<Effect> {
        self.effects.pop_front()
    }

    /// When to call [`Peer::handle`] with [`Input::Tick`] at the latest, and why.
    pub fn deadline(&self) -> Option<(Time, Reason)> {
        None
    }

    /// What the ring is set to; may change once, when a node alone joins another's ring.
    pub fn settings(&self) -> &Settings {
        &self.config.settings
    }

    /// Walks every local invariant; an error names the broken one.
    pub fn check(&self) -> Result<(), String> {
        Ok(())
    }
}
