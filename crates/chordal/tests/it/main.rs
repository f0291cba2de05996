//! The program as its users meet it: the real executable, real processes, loopback only.
//!
//! One module a subject. Every test has a home of its own and takes free ports, so that all may
//! run at once; nodes are killed when their value is dropped.

mod api;
mod bad_input;
mod classic;
mod contract;
mod demo;
mod files;
mod ring;
mod support;
