//! Every number that bounds this crate, in one place.
//!
//! [`Limits`] holds those a program or a test may want to change; constants hold those that are
//! part of the wire format. Nothing elsewhere in the crate invents a number of its own.

use std::time::Duration;

/// Bounds on sizes, counts and times of one endpoint. `Limits::default()` is what ships.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Largest control message, in bytes. A longer one is neither sent nor received.
    pub message_bytes_max: usize,
    /// Messages that may wait for one peer; further ones are dropped and reported.
    pub queue_messages_max: usize,
    /// Bytes of messages that may wait for one peer.
    pub queue_bytes_max: usize,
    /// Control connections kept with one peer; a further one ends the oldest.
    pub control_connections_max: usize,
    /// Peers remembered at a time (connected, being dialled, or with messages waiting).
    pub peers_max: usize,
    /// Bytes of received messages that may wait in [`crate::Events`]; beyond it, sockets are not read.
    pub event_bytes_max: usize,
    /// Reports (undelivered, unreachable, disconnected) that may wait in [`crate::Events`].
    pub reports_max: usize,
    /// Largest header of a bulk request or response, in bytes.
    pub header_bytes_max: usize,
    /// Largest body of a bulk request or response, in bytes.
    pub body_bytes_max: usize,
    /// Bulk connections opened to one peer.
    pub bulk_connections_max: usize,
    /// Requests that may wait for a free bulk connection to one peer.
    pub bulk_waiting_max: usize,
    /// Bytes of bodies of received requests in memory at a time, over all peers.
    pub inbound_bytes_max: usize,
    /// Inbound connections at a time, of both kinds.
    pub inbound_connections_max: usize,
    /// Inbound handshakes in progress at a time; further connections wait in the kernel.
    pub handshakes_max: usize,
    /// Time for the TCP connection to be made.
    pub connect_timeout: Duration,
    /// Time for TLS and admission together.
    pub handshake_timeout: Duration,
    /// A control connection without traffic for this long is closed.
    pub control_idle: Duration,
    /// The same for the second of two control connections with one peer.
    pub spare_idle: Duration,
    /// A bulk connection without a request for this long is closed by the side that opened it
    /// (and after half as long again by the other).
    pub bulk_idle: Duration,
    /// A transfer in which no byte moves for this long has failed.
    pub stall: Duration,
    /// After a graceful end, how long to wait for the other side's end.
    pub linger: Duration,
    /// Pause after the first failed connect to a target; doubled at each further failure.
    pub backoff_first: Duration,
    /// Longest such pause.
    pub backoff_max: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            message_bytes_max: MIB + 64 * KIB,
            queue_messages_max: 8192,
            queue_bytes_max: 8 * MIB,
            control_connections_max: 4,
            peers_max: 8192,
            event_bytes_max: 16 * MIB,
            reports_max: 4096,
            header_bytes_max: 64 * KIB,
            body_bytes_max: 4 * MIB,
            bulk_connections_max: 4,
            bulk_waiting_max: 1024,
            inbound_bytes_max: 256 * MIB,
            inbound_connections_max: 4096,
            handshakes_max: 256,
            connect_timeout: Duration::from_secs(3),
            handshake_timeout: Duration::from_secs(5),
            control_idle: Duration::from_mins(5),
            spare_idle: Duration::from_secs(10),
            bulk_idle: Duration::from_mins(1),
            stall: Duration::from_secs(10),
            linger: Duration::from_secs(1),
            backoff_first: Duration::from_millis(100),
            backoff_max: Duration::from_secs(2),
        }
    }
}

impl Limits {
    /// The same limits, raised where they contradict each other: a budget must hold at least one
    /// of the things it counts, and a count of zero would wait for ever.
    pub(crate) fn coherent(mut self) -> Self {
        // Lengths travel as 32 bits, and budgets are counted by semaphores of 32-bit steps.
        self.message_bytes_max = self.message_bytes_max.min(LENGTH_MAX);
        self.header_bytes_max = self.header_bytes_max.min(LENGTH_MAX);
        self.body_bytes_max = self.body_bytes_max.min(LENGTH_MAX);
        let event = self.message_bytes_max.max(self.header_bytes_max) + EVENT_OVERHEAD;
        self.event_bytes_max = self.event_bytes_max.max(event).min(BUDGET_MAX);
        let inbound = self.inbound_bytes_max.max(self.body_bytes_max);
        self.inbound_bytes_max = inbound.min(BUDGET_MAX);
        for count in [
            &mut self.control_connections_max,
            &mut self.peers_max,
            &mut self.bulk_connections_max,
            &mut self.inbound_connections_max,
            &mut self.handshakes_max,
        ] {
            *count = (*count).clamp(1, BUDGET_MAX);
        }
        self
    }
}

/// Lowest and highest wire protocol version this build speaks.
pub(crate) const PROTOCOL: (u16, u16) = (1, 1);

/// Newcomers whose proof is looked up at a time; further ones wait, for no longer than a handshake may
/// take.
pub(crate) const ENROLMENTS_MAX: usize = 4;

/// Expelled nodes that are remembered.
pub const EXPELLED_MAX: usize = 4096;

/// Longest `Hello`, in bytes: generous, so that a later version may add fields.
pub(crate) const HELLO_BYTES_MAX: usize = 1024;

/// Longest advertised listening address, in bytes of text.
pub(crate) const ADDRESS_BYTES_MAX: usize = 64;

/// What one waiting event costs besides its bytes: keeps a flood of empty messages bounded.
pub(crate) const EVENT_OVERHEAD: usize = 128;

/// Messages are gathered up to this many bytes into one write: four TLS records.
pub(crate) const BATCH_BYTES: usize = 64 * KIB;

/// A message at least this long is written from where it lies instead of being gathered.
pub(crate) const GATHER_BYTES_MAX: usize = 16 * KIB;

/// Read buffer of a quiet control connection, and the one it grows to when busy.
pub(crate) const READ_BUFFER: (usize, usize) = (4 * KIB, 32 * KIB);

/// At most this many bytes are read and thrown away from a connection that was refused.
pub(crate) const LINGER_BYTES_MAX: usize = 64 * KIB;

/// Bytes that may be under way inside an in-memory connection, each direction.
pub(crate) const MEMORY_PIPE_BYTES: usize = 64 * KIB;

/// Unacknowledged data or keep-alive probes for this long: the kernel gives the connection up.
#[cfg(any(target_os = "linux", target_os = "android"))]
pub(crate) const SOCKET_DEAD_AFTER: Duration = Duration::from_secs(20);

/// Silence after which the kernel probes a connection, and the time between its probes.
pub(crate) const SOCKET_PROBE: (Duration, Duration) =
    (Duration::from_secs(15), Duration::from_secs(5));

/// Pause after `accept` failed (out of file descriptors, for example).
pub(crate) const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// At most one warning about peers' bad bytes per this time; the rest are counted only.
pub(crate) const COMPLAINT_EVERY: Duration = Duration::from_secs(30);

/// How often idle pools and forgotten peers are swept.
pub(crate) const SWEEP_EVERY: Duration = Duration::from_secs(5);

const KIB: usize = 1024;
const MIB: usize = 1024 * KIB;
const LENGTH_MAX: usize = 256 * MIB;
const BUDGET_MAX: usize = 512 * MIB;

const _: () = assert!(LENGTH_MAX + EVENT_OVERHEAD <= BUDGET_MAX && BUDGET_MAX < u32::MAX as usize);
const _: () =
    assert!(ADDRESS_BYTES_MAX <= u8::MAX as usize && HELLO_BYTES_MAX <= u16::MAX as usize);
