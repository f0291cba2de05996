//! What an endpoint has done so far, in plain numbers.
//!
//! Counting never waits and never fails; the numbers of one snapshot may be a few events apart.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use tokio::time::Instant;

use crate::limits::COMPLAINT_EVERY;

/// A snapshot of an endpoint's counters. All but `open_connections` only grow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Connections open now, of both kinds and directions, handshakes included.
    pub open_connections: u64,
    /// Bytes read from the network, TLS included.
    pub bytes_in: u64,
    /// Bytes written to the network, TLS included.
    pub bytes_out: u64,
    /// Control messages received.
    pub messages_in: u64,
    /// Control messages written.
    pub messages_out: u64,
    /// Bulk requests received.
    pub requests_in: u64,
    /// Bulk requests sent.
    pub requests_out: u64,
    /// Connections that ended before TLS was done: port scans, other protocols, garbage.
    pub failed_handshakes: u64,
    /// Peers that spoke TLS but were refused, by us or by them.
    pub refused_handshakes: u64,
    /// Malformed, truncated or oversized frames from admitted or greeting peers.
    pub malformed_frames: u64,
    /// Inbound connections turned away because too many were open.
    pub turned_away: u64,
    /// Messages dropped because too many waited.
    pub messages_dropped: u64,
    /// Reports dropped because nobody read the events.
    pub reports_dropped: u64,
}

/// The counters themselves.
#[derive(Debug)]
pub(crate) struct Meters {
    pub(crate) open_connections: AtomicU64,
    pub(crate) bytes_in: AtomicU64,
    pub(crate) bytes_out: AtomicU64,
    pub(crate) messages_in: AtomicU64,
    pub(crate) messages_out: AtomicU64,
    pub(crate) requests_in: AtomicU64,
    pub(crate) requests_out: AtomicU64,
    pub(crate) failed_handshakes: AtomicU64,
    pub(crate) refused_handshakes: AtomicU64,
    pub(crate) malformed_frames: AtomicU64,
    pub(crate) turned_away: AtomicU64,
    pub(crate) messages_dropped: AtomicU64,
    pub(crate) reports_dropped: AtomicU64,
    started: Instant,
    /// Milliseconds since `started` before which no further complaint is logged.
    quiet_until: AtomicU64,
}

impl Meters {
    pub(crate) fn new() -> Self {
        Self {
            open_connections: AtomicU64::new(0),
            bytes_in: AtomicU64::new(0),
            bytes_out: AtomicU64::new(0),
            messages_in: AtomicU64::new(0),
            messages_out: AtomicU64::new(0),
            requests_in: AtomicU64::new(0),
            requests_out: AtomicU64::new(0),
            failed_handshakes: AtomicU64::new(0),
            refused_handshakes: AtomicU64::new(0),
            malformed_frames: AtomicU64::new(0),
            turned_away: AtomicU64::new(0),
            messages_dropped: AtomicU64::new(0),
            reports_dropped: AtomicU64::new(0),
            started: Instant::now(),
            quiet_until: AtomicU64::new(0),
        }
    }

    pub(crate) fn snapshot(&self) -> Counters {
        Counters {
            open_connections: self.open_connections.load(Relaxed),
            bytes_in: self.bytes_in.load(Relaxed),
            bytes_out: self.bytes_out.load(Relaxed),
            messages_in: self.messages_in.load(Relaxed),
            messages_out: self.messages_out.load(Relaxed),
            requests_in: self.requests_in.load(Relaxed),
            requests_out: self.requests_out.load(Relaxed),
            failed_handshakes: self.failed_handshakes.load(Relaxed),
            refused_handshakes: self.refused_handshakes.load(Relaxed),
            malformed_frames: self.malformed_frames.load(Relaxed),
            turned_away: self.turned_away.load(Relaxed),
            messages_dropped: self.messages_dropped.load(Relaxed),
            reports_dropped: self.reports_dropped.load(Relaxed),
        }
    }

    /// Whether a complaint about a peer's bytes may be logged aloud: the first of each while only,
    /// so that nobody can fill our log.
    pub(crate) fn may_complain(&self) -> bool {
        let now = millis(self.started.elapsed());
        let quiet_until = self.quiet_until.load(Relaxed);
        let next = now.saturating_add(millis(COMPLAINT_EVERY));
        now >= quiet_until
            && self
                .quiet_until
                .compare_exchange(quiet_until, next, Relaxed, Relaxed)
                .is_ok()
    }
}

/// Adds one.
pub(crate) fn count(meter: &AtomicU64) {
    meter.fetch_add(1, Relaxed);
}

/// Adds a number of bytes or things.
pub(crate) fn add(meter: &AtomicU64, amount: usize) {
    meter.fetch_add(u64::try_from(amount).unwrap_or(u64::MAX), Relaxed);
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
