//! Every decision Chordal takes: who is in the ring, who owns a key, who holds a copy, when a
//! write counts, what is repaired and when; and the messages nodes exchange about it.
//!
//! One [`Peer`] is one node's decisions: a single-threaded, deterministic state machine. Time,
//! randomness and everything heard come in as arguments; everything to be done comes out as an
//! [`Effect`]. No socket, no file, no clock and no thread is used here, so the simulator runs
//! exactly what ships.
//!
//! The driver's loop: call [`Peer::handle`] with an [`Input`], execute what [`Peer::poll`] gives
//! until it gives nothing, then wait for the next input or for [`Peer::deadline`]. Nothing else
//! makes a peer produce output, and time must not go backwards between calls.

pub mod certificate;
pub mod codec;
pub mod effect;
mod expulsion;
pub mod forecast;
pub mod history;
pub mod input;
mod join;
pub mod limits;
mod liveness;
mod lookup;
pub mod member;
mod membership;
pub mod message;
mod operation;
mod peer;
mod placement;
mod range_set;
pub mod recording;
mod replica;
mod request;
pub mod ring;
mod rng;
mod salts;
mod settings;
pub mod shares;
mod snapshot;
mod table;
mod table_bound;
mod time;
mod timer;
mod view;
mod waiting;
mod wire;

pub use effect::Effect;
pub use input::Input;
pub use membership::saved_nodes;
pub use peer::Peer;
pub use placement::{is_minority, placed, quorum};
pub use request::RequestId;
pub use settings::{Config, Profile, Settings, Timing};
pub use snapshot::{Fingerprint, SnapshotError};
pub use time::Time;
pub use timer::Reason;
pub use view::View;
