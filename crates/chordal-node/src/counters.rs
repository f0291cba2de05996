//! Plain counts of what a node did, for metrics and for people.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::meter::Meter;
use crate::moved::MovedBy;

/// What a node did since it started. Counts only grow, except those of things open at the moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Files written and acknowledged.
    pub puts: u64,
    /// Files whose reading began.
    pub gets: u64,
    /// Names deleted.
    pub removes: u64,
    /// Pages of names given.
    pub lists: u64,
    /// Operations of clients that failed, of all kinds.
    pub failures: u64,
    /// Bytes of files taken from clients.
    pub bytes_in: u64,
    /// Bytes of files given to clients.
    pub bytes_out: u64,
    /// Files being written or read.
    pub files_open: u64,
    /// Chunks sent to other nodes and durable there.
    pub chunks_pushed: u64,
    /// Chunks brought from other nodes.
    pub chunks_fetched: u64,
    /// Chunks given to other nodes that asked.
    pub chunks_served: u64,
    /// Bytes of chunks that this node took to make copies.
    pub copied_bytes: u64,
    /// Bytes of chunks that this node takes to make copies at the moment at most, and gives to others
    /// that make some: the budget, or less while clients wait longer than usual.
    pub copying_bytes_per_second: u64,
    /// Transfers of chunks that failed.
    pub transfers_failed: u64,
    /// Disk operations that failed, for lack of room included.
    pub disk_failures: u64,
    /// Commits of the store: many changes share one.
    pub commits: u64,
    /// Changes in those commits.
    pub changes: u64,
    /// Copies found damaged and set aside.
    pub quarantined: u64,
    /// Chunks that the scrub read again and found good.
    pub scrubbed: u64,
    /// Files without an entry, left by a crash, that the scrub removed.
    pub swept: u64,
    /// Messages and requests of members that were not what they should be.
    pub malformed: u64,
    /// Control messages sent.
    pub messages_sent: u64,
    /// Control messages received.
    pub messages_received: u64,
    /// Bytes written to the network, encryption included.
    pub network_sent_bytes: u64,
    /// Bytes read from the network, encryption included.
    pub network_received_bytes: u64,
    /// Connections with other nodes open at the moment.
    pub connections_open: u64,
    /// Connections refused: strangers, garbage, too many.
    pub connections_refused: u64,
}

/// The running counts behind [`Counters`].
#[derive(Debug, Default)]
pub(crate) struct Counting {
    pub(crate) puts: Count,
    pub(crate) gets: Count,
    pub(crate) removes: Count,
    pub(crate) lists: Count,
    pub(crate) failures: Count,
    pub(crate) bytes_in: Count,
    pub(crate) bytes_out: Count,
    pub(crate) files_open: Count,
    pub(crate) chunks_pushed: Count,
    pub(crate) chunks_fetched: Count,
    pub(crate) chunks_served: Count,
    pub(crate) copied_bytes: Count,
    pub(crate) transfers_failed: Count,
    pub(crate) disk_failures: Count,
    pub(crate) commits: Count,
    pub(crate) changes: Count,
    pub(crate) quarantined: Count,
    pub(crate) scrubbed: Count,
    pub(crate) swept: Count,
    pub(crate) malformed: Count,
    pub(crate) moved: MovedBy,
    pub(crate) fetching: Meter,
}

impl Counting {
    /// The counts at this moment, with those of the network; of what is no count, nothing.
    pub(crate) fn snapshot(&self, net: chordal_net::Counters) -> Counters {
        Counters {
            puts: self.puts.get(),
            gets: self.gets.get(),
            removes: self.removes.get(),
            lists: self.lists.get(),
            failures: self.failures.get(),
            bytes_in: self.bytes_in.get(),
            bytes_out: self.bytes_out.get(),
            files_open: self.files_open.get(),
            chunks_pushed: self.chunks_pushed.get(),
            chunks_fetched: self.chunks_fetched.get(),
            chunks_served: self.chunks_served.get(),
            copied_bytes: self.copied_bytes.get(),
            copying_bytes_per_second: 0,
            transfers_failed: self.transfers_failed.get(),
            disk_failures: self.disk_failures.get(),
            commits: self.commits.get(),
            changes: self.changes.get(),
            quarantined: self.quarantined.get(),
            scrubbed: self.scrubbed.get(),
            swept: self.swept.get(),
            malformed: self.malformed.get() + net.malformed_frames,
            messages_sent: net.messages_out,
            messages_received: net.messages_in,
            network_sent_bytes: net.bytes_out,
            network_received_bytes: net.bytes_in,
            connections_open: net.open_connections,
            connections_refused: net.failed_handshakes + net.refused_handshakes + net.turned_away,
        }
    }
}

/// One count. Counts are read for people only, so no order between them is kept.
#[derive(Debug, Default)]
pub(crate) struct Count(AtomicU64);

impl Count {
    /// One more.
    pub(crate) fn one(&self) {
        self.add(1);
    }

    /// So many more.
    pub(crate) fn add(&self, more: u64) {
        self.0.fetch_add(more, Ordering::Relaxed);
    }

    /// One less, of things that are open at the moment.
    pub(crate) fn less(&self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }

    fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}
