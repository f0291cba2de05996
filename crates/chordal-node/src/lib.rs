//! The driver: runs the pure core of Chordal against the disk and the network.
//!
//! [`Node::start`] gives a handle on a running node; files go in and out of it as streams. The
//! crate executes what `chordal-proto` decides and decides nothing about the ring itself. It
//! speaks no HTTP and reads no arguments: those are the edges, which depend on this crate alone
//! and find the words they need in [`model`].

mod acquaintances;
mod attest;
mod bulk;
mod chronicle;
mod client;
mod counters;
mod driver;
mod error;
mod exec;
mod expulsions;
mod files;
mod get;
mod held;
mod home;
mod inbox;
mod lane;
mod limits;
mod losses;
mod meter;
pub mod model;
mod moved;
mod nearby;
mod node;
mod notices;
mod put;
mod receipt;
mod recorder;
mod repair;
mod scrub;
mod settings_bytes;
mod start;
mod stop;

pub use attest::{Attested, Falsity, Inquiry, NoWord, RecordAsked, Statement, Why};
pub use chordal_net::{
    AuthorityId, Certificate as Admittance, CertificateError, ConnectError, InviteCode,
    ParseInviteError, PeerId, SIGNATURE_BYTES, nonce,
};
pub use chronicle::{Chronicle, Happening, RingEvent};
pub use counters::Counters;
pub use error::{Blame, NodeError, Refused};
pub use files::{
    ByteRange, Download, FileBody, FileInfo, ListPage, Only, PutRequest, PutResult, Removed,
};
pub use home::{Admitted, Announcement, By, Home, HomeError, RunningNode};
pub use limits::RECEIPT_CHUNKS_MAX;
pub use losses::{FileLoss, LossPage};
pub use meter::Fetched;
pub use moved::Moved;
pub use node::{ExpelError, Expelled, Force, InviteError, Node, NodeConfig, Phase};
pub use receipt::{FalseReceipt, Receipt};
pub use repair::RepairPace;
pub use scrub::ScrubPace;
pub use start::StartError;

/// Compiles the example of the README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
pub struct Readme;
