//! The program as its users meet it: the real executable, real processes, loopback only.
//!
//! One module a subject. Every test has a home of its own and takes free ports, so that all may
//! run at once; nodes are killed when their value is dropped.

#![expect(
    clippy::unwrap_used,
    reason = "in the helpers of tests as in the tests themselves, what fails should panic"
)]

mod api;
mod bad_input;
mod check;
mod classic;
mod contract;
mod dashboard;
mod demo;
mod expel;
mod files;
mod forecast;
mod forget;
mod invite;
mod receipts;
mod replay;
mod ring;
mod scrub;
#[cfg(target_os = "linux")]
mod service;
mod settings;
mod support;
mod transfers;
mod watch;
