//! What was sent: messages and bytes by kind.

/// Kinds of messages by the number of their field in the envelope (`proto/peer.proto`).
const KINDS: [(u32, &str); 43] = [
    (8, "ping"),
    (9, "pong"),
    (10, "get_state"),
    (11, "state"),
    (12, "notify"),
    (13, "find_owner"),
    (14, "owner"),
    (15, "closer"),
    (16, "pause"),
    (17, "ask_ring"),
    (18, "ring_info"),
    (19, "no_token"),
    (20, "ask_places"),
    (21, "places"),
    (22, "state_known"),
    (23, "silent"),
    (24, "spread"),
    (25, "table_digest"),
    (26, "table"),
    (27, "table_parts"),
    (28, "table_tags"),
    (29, "pointers_changed"),
    (32, "read_record"),
    (33, "record_read"),
    (34, "write_record"),
    (35, "record_written"),
    (36, "offer_chunk"),
    (37, "chunk_offered"),
    (38, "ask_chunks"),
    (39, "chunks_held"),
    (48, "reconcile"),
    (49, "reconciled"),
    (50, "fetch_records"),
    (51, "records"),
    (52, "ask_confirm"),
    (53, "confirm"),
    (54, "compare_arc"),
    (55, "arc_compared"),
    (64, "list"),
    (65, "listed"),
    (66, "ask_status"),
    (67, "status"),
    (0, "other"),
];

/// Where kinds without a name are counted.
const OTHER: usize = KINDS.len() - 1;

/// Messages and bytes handed to the network, by kind. Bytes are those of the encoded envelope:
/// framing, TLS and TCP come on top.
#[derive(Clone, Debug)]
pub struct Traffic {
    counts: [Count; KINDS.len()],
}

/// How much was sent of one kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count {
    /// Messages.
    pub messages: u64,
    /// Their bytes.
    pub bytes: u64,
}

impl Traffic {
    pub(super) const fn new() -> Self {
        Self {
            counts: [Count {
                messages: 0,
                bytes: 0,
            }; KINDS.len()],
        }
    }

    /// Counts a message; its kind.
    pub(super) fn count(&mut self, message: &[u8]) -> &'static str {
        let field = kind(message);
        let place = KINDS
            .iter()
            .position(|(known, _)| *known == field)
            .unwrap_or(OTHER);
        let count = &mut self.counts[place];
        count.messages += 1;
        count.bytes += message.len() as u64;
        KINDS[place].1
    }

    /// All kinds of which anything was sent, by their names in `proto/peer.proto`.
    pub fn by_kind(&self) -> impl Iterator<Item = (&'static str, Count)> {
        let named = KINDS
            .iter()
            .zip(self.counts)
            .map(|((_, name), count)| (*name, count));
        named.filter(|(_, count)| count.messages > 0)
    }

    /// What was sent of a kind.
    pub fn of(&self, kind: &str) -> Count {
        self.by_kind()
            .find(|(name, _)| *name == kind)
            .map_or_else(Count::default, |(_, count)| count)
    }

    /// Everything.
    pub fn total(&self) -> Count {
        self.counts
            .iter()
            .fold(Count::default(), |sum, count| Count {
                messages: sum.messages + count.messages,
                bytes: sum.bytes + count.bytes,
            })
    }

    /// What was sent since an earlier moment of the same world.
    #[must_use]
    pub fn since(&self, earlier: &Self) -> Self {
        let mut counts = self.counts;
        for (count, before) in counts.iter_mut().zip(&earlier.counts) {
            count.messages -= before.messages;
            count.bytes -= before.bytes;
        }
        Self { counts }
    }
}

/// The number of an envelope's body field: the first field that is none of its head.
fn kind(message: &[u8]) -> u32 {
    let mut rest = message;
    while let Some((key, after)) = varint(rest) {
        let field = key >> 3;
        if field >= HEAD_END || key & 7 != 0 {
            return u32::try_from(field).unwrap_or(0);
        }
        let Some((_, after)) = varint(after) else {
            break;
        };
        rest = after;
    }
    0
}

/// A number in seven-bit groups, and what follows it.
fn varint(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let mut value = 0;
    for (index, &byte) in bytes.iter().take(10).enumerate() {
        value |= u64::from(byte & 0x7f) << (7 * index);
        if byte < 0x80 {
            return Some((value, &bytes[index + 1..]));
        }
    }
    None
}

/// Fields below this number are the envelope's head.
const HEAD_END: u64 = 8;

#[cfg(test)]
mod tests;
