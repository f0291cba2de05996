//! The model checker: every world that a few tokens can reach, by the production transitions.
//!
//! A world is the pointers of up to six tokens and all messages in flight. Its moves are the calls
//! of [`chordal_proto::ring::Pointers`] that ship, the deliveries and losses of messages, and the
//! deaths, joins and returns that the operating assumption allows. [`explore`] visits all worlds
//! in breadth, and checks each with [`chordal_proto::certificate`]; from each it also lets the
//! churn stop and sees the ring become ideal. `docs/proof.md` says what that shows and what not.
//!
//! It decides nothing about pointers itself, and draws no random numbers.

mod assumption;
mod calm;
mod mistake;
mod moves;
mod search;
pub(crate) mod seen;
mod setting;
mod words;
mod world;

pub use self::mistake::Mistake;
pub use self::search::{Findings, Outcome, explore};
pub use self::setting::{Setting, bounded, demonstration, full};

#[cfg(test)]
mod tests;
