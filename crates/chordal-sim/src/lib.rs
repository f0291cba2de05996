//! Many nodes on virtual time: the simulator.
//!
//! Production peers and production stores, a network and disks that fail on purpose, clients that
//! remember what they were promised. One thread, no clock, no sockets: everything that happens
//! follows from the seed, so that a failure can be repeated for ever.
//!
//! [`run()`] makes one run. `docs/simulation.md` tells what is simulated and what is promised.

pub mod balance;
mod clients;
pub mod command;
pub mod dice;
mod ear;
mod faults;
pub mod figures;
mod invariants;
mod members;
pub mod model;
mod network;
mod node;
mod node_disk;
mod options;
pub mod oracle;
mod pair;
mod plan;
mod plant;
pub mod registers;
pub mod replay;
mod report;
pub mod ring_run;
pub mod ring_world;
mod run;
pub mod scale;
mod schedule;
mod shadow;
mod trace;
pub mod traffic;
mod violation;
mod watch;
mod workload;
mod world;

pub use options::{Faults, Options, Twins};
pub use plant::Plant;
pub use report::Report;
pub use run::run;
pub use violation::Violation;
