//! Measuring: loads on a ring, and the limits of the machine that it runs on.
//!
//! Figures mean little alone: the same run measures what disk, loopback and hashing can do here,
//! and every figure stands beside its limit.

mod limits;
mod load;
mod usage;

pub(crate) use limits::{Limits, Small, measure};
pub(crate) use load::{Figure, Sizes, big_get, big_put, small_get, small_put};
pub(crate) use usage::Cpu;
