//! The core as its driver sees it: whole rings of peers, by their inputs and effects only.
//!
//! What belongs here: one sentence of behaviour a test, without faults of the network or the
//! disk. Those are `chordal-sim`'s.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on says so by panicking"
)]

mod check;
mod cluster;
mod damage;
mod data;
mod expel;
mod fingers_only;
mod forecast;
mod forget;
mod lapse;
mod refusals;
mod ring;
mod shadow;
mod space;
