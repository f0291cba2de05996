//! A peer that is told what another one was told, and must decide the same.

use super::{Begin, Decisions, Mark, Start, Step};
use crate::effect::Effect;
use crate::peer::Peer;
use crate::snapshot::{Fingerprint, SnapshotError};

/// Follows a recording, item by item.
#[derive(Debug)]
pub struct Twin {
    peer: Peer,
    decided: Decisions,
}

/// The twin is not what the original was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Divergence {
    /// It decided otherwise about something before this entry.
    #[error("other decisions: {recorded:?} were recorded, {replayed:?} were made again")]
    Decisions {
        /// The original's.
        recorded: Decisions,
        /// The twin's.
        replayed: Decisions,
    },
    /// It is in another state.
    #[error("another state: {recorded} was recorded, {replayed} was reached again")]
    State {
        /// The original's.
        recorded: Fingerprint,
        /// The twin's.
        replayed: Fingerprint,
    },
}

impl Twin {
    /// A twin at the beginning of a segment, and what it wants done at once.
    pub fn new(begin: &Begin) -> Result<(Self, Vec<Effect>), SnapshotError> {
        let (peer, decided) = match &begin.start {
            Start::Life(config) => (
                Peer::new((**config).clone(), begin.at),
                Decisions::default(),
            ),
            Start::State(snapshot, decided) => (Peer::from_snapshot(snapshot)?, *decided),
        };
        let mut twin = Self { peer, decided };
        let effects = twin.decide();
        Ok((twin, effects))
    }

    /// Tells the twin what the original was told next; what it wants done then. An error tells of
    /// what came before this step; the twin has then not taken it.
    pub fn step(&mut self, step: Step) -> Result<Vec<Effect>, Divergence> {
        self.expect(step.decided)?;
        self.peer.handle(step.at, step.told.into());
        Ok(self.decide())
    }

    /// Whether the twin is where the original was.
    pub fn check(&self, mark: &Mark) -> Result<(), Divergence> {
        self.expect(mark.decided)?;
        let replayed = self.peer.fingerprint();
        if replayed == mark.state {
            Ok(())
        } else {
            Err(Divergence::State {
                recorded: mark.state,
                replayed,
            })
        }
    }

    /// Its state.
    pub const fn peer(&self) -> &Peer {
        &self.peer
    }

    /// What it has decided.
    pub const fn decided(&self) -> Decisions {
        self.decided
    }

    fn expect(&self, recorded: Decisions) -> Result<(), Divergence> {
        if recorded == self.decided {
            Ok(())
        } else {
            Err(Divergence::Decisions {
                recorded,
                replayed: self.decided,
            })
        }
    }

    fn decide(&mut self) -> Vec<Effect> {
        let mut effects = Vec::new();
        while let Some(effect) = self.peer.poll() {
            self.decided.note(&effect);
            effects.push(effect);
        }
        effects
    }
}
