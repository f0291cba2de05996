//! The model of registers: every world that a name and a few nodes can reach while its holders
//! change, with the decision "does this node count?" taken by the code that ships
//! ([`chordal_proto::history::is_settled`]).
//!
//! What is modelled: node tables that only grow and travel in any order, whole or one entry at a
//! time; the views that follow from them; writes and reads that ask a majority; sealing, syncing
//! and settling; crashes that undo what was not saved. What is checked: no read answers with less
//! than was acknowledged before it began. `docs/consistency.md` has the argument in words.

mod mistake;
mod moves;
mod search;
mod world;

pub use mistake::Mistake;
pub use search::{Findings, explore};

/// One exploration.
#[derive(Clone, Copy, Debug)]
pub struct Setting {
    /// What it is called.
    pub name: &'static str,
    /// Nodes there are, at most 5. The first three are the ring to begin with.
    pub nodes: u8,
    /// Times that a node joins, is given up, leaves or returns.
    pub changes: u8,
    /// Whether an entry of a table may travel without the others.
    pub piecewise: bool,
    /// Writes, one after the other; each may be abandoned at any time.
    pub writes: u8,
    /// Reads, one after the other.
    pub reads: u8,
    /// Restarts, each of which brings back what was saved last.
    pub restarts: u8,
    /// A mistake made on purpose.
    pub mistake: Option<Mistake>,
}

/// R: how many nodes hold the name.
const REPLICAS: usize = 3;

/// The nodes that the ring begins with.
const FOUNDERS: u8 = 3;

const BASE: Setting = Setting {
    name: "",
    nodes: 4,
    changes: 2,
    piecewise: false,
    writes: 1,
    reads: 1,
    restarts: 0,
    mistake: None,
};

/// The explorations of the gate.
pub fn bounded() -> Vec<Setting> {
    vec![
        Setting {
            name: "four nodes, two changes",
            ..BASE
        },
        Setting {
            name: "four nodes, one change, a restart",
            changes: 1,
            piecewise: true,
            restarts: 1,
            ..BASE
        },
    ]
}

/// The explorations of the proof, the longest last.
pub fn full() -> Vec<Setting> {
    let mut all = bounded();
    all.extend([
        Setting {
            name: "four nodes, two changes, tables in pieces",
            piecewise: true,
            ..BASE
        },
        Setting {
            name: "five nodes, two changes",
            nodes: 5,
            ..BASE
        },
        Setting {
            name: "four nodes, three changes",
            changes: 3,
            ..BASE
        },
    ]);
    all
}

/// The smallest exploration in which a mistake shows; for [`Mistake::TellNothing`] none is known yet.
pub fn demonstration(mistake: Mistake) -> Setting {
    let two_changes = Setting {
        name: "mistake",
        mistake: Some(mistake),
        ..BASE
    };
    match mistake {
        Mistake::AnyView => Setting {
            changes: 1,
            ..two_changes
        },
        Mistake::OwnViewOnly | Mistake::Unnoted => two_changes,
        Mistake::CarryOver | Mistake::TellNothing | Mistake::ForgetEarly => Setting {
            changes: 3,
            ..two_changes
        },
        Mistake::Unsaved => Setting {
            changes: 1,
            restarts: 1,
            ..two_changes
        },
    }
}

#[cfg(test)]
mod tests;
