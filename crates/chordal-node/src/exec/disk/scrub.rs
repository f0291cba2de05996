//! One step of the scrub: a folder swept, or a chunk read again.

use chordal_object::ChunkId;
use chordal_store::StoreError;

use super::Keeper;

/// How far a round of the scrub has come: first the folders, then the chunks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct ScrubCursor {
    /// The next folder to sweep; nothing when all are swept.
    swept: Swept,
    /// The chunk read last.
    read: Option<ChunkId>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Swept {
    Upto(u8),
    All,
}

impl Default for Swept {
    fn default() -> Self {
        Self::Upto(0)
    }
}

/// What a step came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ScrubStep {
    /// There is more to do.
    Further,
    /// Everything has been walked over; the next step begins anew.
    Round,
    /// The disk failed; the next step tries again.
    Failed,
}

impl Keeper {
    /// Does one step, and says where the next one goes on.
    pub(super) fn scrub(&self, cursor: ScrubCursor) -> (ScrubCursor, ScrubStep) {
        let next = match cursor.swept {
            Swept::Upto(folder) => self.sweep(folder, cursor),
            Swept::All => self.read_next(cursor),
        };
        match next {
            Ok(Some(cursor)) => (cursor, ScrubStep::Further),
            Ok(None) => (ScrubCursor::default(), ScrubStep::Round),
            Err(error) => {
                self.failed("scrub", &error);
                (cursor, ScrubStep::Failed)
            }
        }
    }

    fn sweep(&self, folder: u8, cursor: ScrubCursor) -> Result<Option<ScrubCursor>, StoreError> {
        let swept = self.store.sweep(folder)?;
        self.counting.swept.add(swept.files);
        let swept = match folder.checked_add(1) {
            Some(next) => Swept::Upto(next),
            None => Swept::All,
        };
        Ok(Some(ScrubCursor { swept, ..cursor }))
    }

    fn read_next(&self, cursor: ScrubCursor) -> Result<Option<ScrubCursor>, StoreError> {
        let Some(entry) = self.store.chunks_after(cursor.read, 1)?.pop() else {
            return Ok(None);
        };
        match self.store.read_chunk(entry.id) {
            Ok(_) => self.counting.scrubbed.one(),
            Err(StoreError::Corrupt { id }) => {
                self.counting.quarantined.one();
                tracing::warn!(chunk = %id, "the scrub found a damaged copy");
            }
            Err(error) => return Err(error),
        }
        let read = Some(entry.id);
        Ok(Some(ScrubCursor { read, ..cursor }))
    }
}
