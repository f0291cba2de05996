//! What looking after this node's copies came to, over all its lives: how far the scrub has come,
//! how many bad copies were found, and which of them still wait for a good one.
//!
//! Kept among the store's small values, so that a node that is often restarted comes round too.
//! Format 1, numbers big-endian: the format (1 byte); when the round began and when the last one ended
//! (8 bytes each, seconds since the Unix epoch); copies found bad, and copies replaced (8 each); whether
//! the round is among the records (0) or the chunks (1 byte, 1); the length (4) and the bytes of the
//! place there, none at the beginning; 32 bytes for each copy that waits. Bytes that are no such log
//! count as none: then a round begins anew.

use std::collections::BTreeSet;
use std::time::{SystemTime, UNIX_EPOCH};

use bytes::{Buf, BufMut, Bytes, BytesMut};
use chordal_object::{ChunkId, Name};
use chordal_proto::message::Care;

use crate::limits::WAITING_COPIES_MAX;

const FORMAT: u8 = 1;
const RECORDS: u8 = 0;
const CHUNKS: u8 = 1;

/// The log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct CareLog {
    /// When the present round began; 0 before the first one.
    pub(super) began_s: u64,
    /// What is told of it.
    pub(super) care: Care,
    /// Where the present round is.
    pub(super) place: Place,
    /// Copies that were found bad and not replaced yet, as far as there is room to remember them.
    waiting: BTreeSet<[u8; 32]>,
    /// Whether something was not kept yet.
    pub(super) is_news: bool,
}

/// Where a round of the scrub is: first the records, then the chunks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// After this place among the records; nothing at their beginning.
    Records(Option<Bytes>),
    /// After this chunk; nothing at the first one.
    Chunks(Option<ChunkId>),
}

impl Default for Place {
    fn default() -> Self {
        Self::Records(None)
    }
}

/// What a copy is of, in 32 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct CopyName([u8; 32]);

impl CopyName {
    pub(super) fn of_chunk(id: ChunkId) -> Self {
        Self(*id.as_bytes())
    }

    pub(super) fn of_record(name: &Name) -> Self {
        Self(*blake3::hash(name.to_string().as_bytes()).as_bytes())
    }
}

impl CareLog {
    /// Notes a bad copy; whether it was not known as one.
    pub(super) fn found(&mut self, copy: CopyName) -> bool {
        if self.waiting.contains(&copy.0) {
            return false;
        }
        if self.waiting.len() < WAITING_COPIES_MAX {
            self.waiting.insert(copy.0);
        }
        self.care.found += 1;
        self.is_news = true;
        true
    }

    /// Whether some copy waits for a good one.
    pub(super) fn has_waiting(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// Notes that a copy was stored; it may have replaced a bad one.
    pub(super) fn stored(&mut self, copy: CopyName) {
        if self.waiting.remove(&copy.0) {
            self.care.mended += 1;
            self.is_news = true;
        }
    }

    /// Begins a round.
    pub(super) fn begin_round(&mut self) {
        self.began_s = now_s();
        self.place = Place::default();
        self.is_news = true;
    }

    /// Ends the round.
    pub(super) fn end_round(&mut self) {
        self.care.round_ended_s = now_s();
        self.began_s = 0;
        self.is_news = true;
    }

    pub(super) fn encode(&self) -> Bytes {
        let mut bytes = BytesMut::new();
        bytes.put_u8(FORMAT);
        let Care {
            round_ended_s,
            found,
            mended,
        } = self.care;
        for number in [self.began_s, round_ended_s, found, mended] {
            bytes.put_u64(number);
        }
        let (part, place) = match &self.place {
            Place::Records(after) => (RECORDS, after.as_deref()),
            Place::Chunks(after) => (CHUNKS, after.as_ref().map(|id| &id.as_bytes()[..])),
        };
        let place = place.unwrap_or_default();
        bytes.put_u8(part);
        bytes.put_u32(u32::try_from(place.len()).expect("names are bounded"));
        bytes.put_slice(place);
        for copy in &self.waiting {
            bytes.put_slice(copy);
        }
        bytes.freeze()
    }

    pub(super) fn decode(mut bytes: Bytes) -> Option<Self> {
        if bytes.try_get_u8().ok()? != FORMAT {
            return None;
        }
        let mut numbers = [0; 4];
        for number in &mut numbers {
            *number = bytes.try_get_u64().ok()?;
        }
        let [began_s, round_ended_s, found, mended] = numbers;
        let part = bytes.try_get_u8().ok()?;
        let length = usize::try_from(bytes.try_get_u32().ok()?).ok()?;
        let after = (length <= bytes.len()).then(|| bytes.split_to(length))?;
        let after = (!after.is_empty()).then_some(after);
        let place = match (part, after) {
            (RECORDS, after) => Place::Records(after),
            (CHUNKS, None) => Place::Chunks(None),
            (CHUNKS, Some(id)) => Place::Chunks(Some(ChunkId::from_slice(&id).ok()?)),
            _ => return None,
        };
        let (waiting, rest) = bytes.as_chunks();
        if !rest.is_empty() || waiting.len() > WAITING_COPIES_MAX {
            return None;
        }
        Some(Self {
            began_s,
            care: Care {
                round_ended_s,
                found,
                mended,
            },
            place,
            waiting: waiting.iter().copied().collect(),
            is_news: false,
        })
    }
}

/// Seconds since the Unix epoch, by the machine's clock.
pub(super) fn now_s() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| since.as_secs())
}

#[cfg(test)]
mod tests;
