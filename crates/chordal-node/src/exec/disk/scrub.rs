//! One step of the scrub: some records looked at, some chunks read again, or a folder swept.

use std::sync::{MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use chordal_object::ChunkId;
use chordal_proto::input::Damaged;
use chordal_store::StoreError;

use super::Keeper;
use super::care::{CareLog, CopyName, Place, now_s};
use super::keeper::{CARE, meta};
use crate::limits::{SCRUB_RECORDS, SCRUB_STEP_BYTES, SCRUB_STEP_CHUNKS, SCRUB_THING_BYTES};

/// What a step came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ScrubStep {
    /// There is more to do.
    Further(Progress),
    /// Everything has been walked over; the next step begins anew.
    Round(Progress),
    /// The disk failed; the next step tries again.
    Failed,
}

/// How much was done and is left. Work is counted in bytes read, with something for each thing
/// that had to be looked up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Progress {
    /// In this step.
    pub(crate) done_bytes: u64,
    /// In the round after it, about.
    pub(crate) left_bytes: u64,
    /// How long ago the round began.
    pub(crate) age: Duration,
}

/// What a part of a step did.
struct Part {
    bytes: u64,
    is_end: bool,
}

impl Keeper {
    /// Does one step. The place where the next one goes on is remembered, for the next life too
    /// once [`Keeper::keep_care`] was called.
    pub(super) fn scrub(&self) -> ScrubStep {
        match self.scrub_part() {
            Ok(part) => {
                let progress = self.progress(part.bytes);
                if part.is_end {
                    self.care().end_round();
                    self.keep_care();
                    ScrubStep::Round(progress)
                } else {
                    ScrubStep::Further(progress)
                }
            }
            Err(error) => {
                self.failed("scrub", &error);
                ScrubStep::Failed
            }
        }
    }

    fn scrub_part(&self) -> Result<Part, StoreError> {
        let place = {
            let mut care = self.care();
            if care.began_s == 0 || care.began_s > now_s() {
                care.begin_round();
            }
            care.place.clone()
        };
        match place {
            Place::Records(after) => self.look_at_records(after),
            Place::Chunks(after) => self.read_chunks(after),
        }
    }

    fn look_at_records(&self, after: Option<Bytes>) -> Result<Part, StoreError> {
        let checked = self.store.check_records(after.as_deref(), SCRUB_RECORDS)?;
        for name in checked.damaged {
            self.found_bad(CopyName::of_record(&name), Damaged::Record(name));
        }
        self.care().place = match checked.next {
            Some(after) => Place::Records(Some(after)),
            None => Place::Chunks(None),
        };
        let bytes = checked.bytes + checked.records * SCRUB_THING_BYTES;
        Ok(Part {
            bytes,
            is_end: false,
        })
    }

    /// Reads the next chunks.
    fn read_chunks(&self, after: Option<ChunkId>) -> Result<Part, StoreError> {
        let mut bytes = 0;
        let mut last = after;
        for entry in self.store.chunks_after(after, SCRUB_STEP_CHUNKS)? {
            if bytes >= SCRUB_STEP_BYTES {
                break;
            }
            match self.store.read_chunk(entry.id) {
                Ok(_) => self.counting.scrubbed.one(),
                Err(StoreError::Corrupt { id }) => {
                    tracing::warn!(chunk = %id, "the scrub found a damaged copy");
                    self.found_bad(CopyName::of_chunk(id), Damaged::Chunk(id));
                }
                Err(error) => return Err(error),
            }
            bytes += u64::from(entry.bytes) + SCRUB_THING_BYTES;
            last = Some(entry.id);
        }
        self.care().place = Place::Chunks(last);
        Ok(Part {
            bytes,
            is_end: last == after,
        })
    }

    /// Removes stray files of one of the 256 folders; whether that could be done.
    pub(super) fn sweep(&self, folder: u8) -> bool {
        match self.store.sweep(folder) {
            Ok(swept) => {
                self.counting.swept.add(swept.files);
                true
            }
            Err(error) => {
                self.failed("look for stray files", &error);
                false
            }
        }
    }

    /// Where the scrub is after a step that did so much.
    pub(super) fn progress(&self, done_bytes: u64) -> Progress {
        let usage = self.store.usage();
        let care = self.care();
        let all = usage.bytes + (usage.records + usage.chunks) * SCRUB_THING_BYTES;
        // Names of chunks are spread evenly, so the place among them tells how many are left.
        let left_bytes = match care.place {
            Place::Records(_) | Place::Chunks(None) => all,
            Place::Chunks(Some(id)) => {
                let [a, b, c, d, ..] = *id.as_bytes();
                let left = u64::from(u32::MAX - u32::from_be_bytes([a, b, c, d]));
                let part = u128::from(all) * u128::from(left) / u128::from(u32::MAX);
                u64::try_from(part).unwrap_or(u64::MAX)
            }
        };
        Progress {
            done_bytes,
            left_bytes,
            age: Duration::from_secs(now_s().saturating_sub(care.began_s)),
        }
    }

    /// Counts a bad copy that has been put aside, and sees to it that it is replaced.
    pub(super) fn found_bad(&self, copy: CopyName, what: Damaged) {
        self.counting.quarantined.one();
        let is_news = self.care().found(copy);
        self.alarm.damaged(what);
        if is_news {
            self.keep_care();
        }
    }

    /// Keeps what is not kept yet for the next life. Without it, the next life counts less.
    pub(super) fn keep_care(&self) {
        let value = {
            let mut care = self.care();
            if !std::mem::take(&mut care.is_news) {
                return;
            }
            care.encode()
        };
        if let Err(error) = self.store.commit(vec![meta(CARE, value)]) {
            self.care().is_news = true;
            tracing::debug!(%error, "how far the scrub has come was not kept");
        }
    }

    pub(super) fn care(&self) -> MutexGuard<'_, CareLog> {
        self.care.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
