//! Identity, mutual TLS and framed connections between nodes.
//!
//! An [`Endpoint`] listens on one TCP port and talks to other endpoints over TLS 1.3, both sides
//! authenticated by their Ed25519 key ([`PeerId`]) and admitted by a certificate of the ring's
//! authority ([`Admission`]). It carries two kinds of traffic: small *messages*, multiplexed over
//! one control connection per peer, and bulk *requests*, one at a time over each connection of a
//! small pool, so that a big body never delays a small message.
//!
//! The crate knows nothing of rings, keys or files: bytes go in, bytes come out, and every number
//! that a peer sends is bounded before anything is allocated for it. It refuses to retry, to
//! remember messages across a failed connection, or to find addresses: that is its user's part.

mod admission;
mod bulk;
mod control;
mod counters;
mod endpoint;
mod enrol;
mod error;
mod event;
mod frame;
mod handshake;
mod hello;
mod identity;
mod invite;
mod janitor;
mod limits;
mod memory;
mod serve;
mod stream;
mod table;
mod tls;

/// The README's example, compiled.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
pub struct Readme;

pub use admission::{Admission, Authority, AuthorityId, Certificate, CertificateError, Expulsion};
pub use bulk::Response;
pub use counters::Counters;
pub use endpoint::{Config, Endpoint, PeerInfo, Target};
pub use enrol::{Enrolled, enrol};
pub use error::{BindError, ConnectError, Refusal, RequestError};
pub use event::{BulkRequest, Event, Events};
pub use hello::{Hello, HelloError, Purpose};
pub use identity::{KeyFileError, NodeKey, ParsePeerIdError, PeerId, SIGNATURE_BYTES, nonce};
pub use invite::{Fingerprint, InviteCode, InviteSecret, Inviter, ParseInviteError, Proof};
pub use limits::{EXPELLED_MAX, Limits};
pub use memory::MemoryNetwork;
