//! Changes of the index: everything that waits goes into one transaction.

use chordal_object::Version;
use chordal_proto::input::DiskAnswer;
use chordal_store::limits::RESERVE_BYTES;
use chordal_store::{Change, Outcome};

use super::care::CopyName;
use super::{Keeper, Waiting};

/// Changes of the index that belong to one order.
pub(super) struct Write {
    pub(super) changes: Vec<Change>,
    /// For a record: the version to be written and its promise, to be answered with those that are
    /// there then.
    pub(super) record: Option<(Version, Option<Version>)>,
    pub(super) waiting: Waiting,
}

impl Keeper {
    /// Makes the changes of all these orders durable, in one transaction.
    pub(super) fn write(&self, orders: Vec<Write>) {
        // A transaction succeeds or fails as a whole. Where room runs out, one order that finds
        // none must not take down those that need none or give some back.
        if self.is_tight() {
            for order in orders {
                self.commit(vec![order]);
            }
        } else {
            self.commit(orders);
        }
    }

    fn commit(&self, orders: Vec<Write>) {
        let mut changes = Vec::with_capacity(orders.len());
        let mut ends = Vec::with_capacity(orders.len());
        for order in orders {
            if let Err(error) = self.check_order(&order) {
                order.waiting.answer(Err(error));
                continue;
            }
            ends.push((order.changes.len(), order.record, order.waiting));
            changes.extend(order.changes);
        }
        if changes.is_empty() {
            // Nothing to make durable: what remains are orders without changes.
            for (_, _, waiting) in ends {
                waiting.answer(Ok(DiskAnswer::Done));
            }
            return;
        }
        let mended = self.names_to_mend(&changes);
        let count = u64::try_from(changes.len()).unwrap_or(u64::MAX);
        let outcomes = match self.store.commit(changes) {
            Ok(outcomes) => outcomes,
            Err(error) => {
                let error = self.failed("commit", &error);
                for (_, _, waiting) in ends {
                    waiting.answer(Err(error));
                }
                return;
            }
        };
        for copy in mended {
            self.care().stored(copy);
        }
        self.counting.commits.one();
        self.counting.changes.add(count);
        let mut outcomes = outcomes.into_iter();
        for (changes, record, waiting) in ends {
            let own: Vec<Outcome> = outcomes.by_ref().take(changes).collect();
            waiting.answer(Ok(answer(record, &own)));
        }
    }

    /// What these changes store, while copies wait to be replaced: mostly none does.
    fn names_to_mend(&self, changes: &[Change]) -> Vec<CopyName> {
        if !self.care().has_waiting() {
            return Vec::new();
        }
        let name = |change: &Change| match change {
            Change::Chunk(staged) => Some(CopyName::of_chunk(staged.id())),
            Change::Record { record, .. } | Change::RecordUnlessPromised { record, .. } => {
                (!record.is_blank()).then(|| CopyName::of_record(&record.name))
            }
            Change::RemoveRecord { .. } | Change::RemoveChunk { .. } | Change::Meta { .. } => None,
        };
        changes.iter().filter_map(name).collect()
    }

    /// Refuses a file's record where the offer has no room. A tombstone is always taken, and so is
    /// content that takes the place of the same content.
    fn check_order(&self, order: &Write) -> Result<(), chordal_proto::input::DiskError> {
        for change in &order.changes {
            if let Change::Record { record, .. } | Change::RecordUnlessPromised { record, .. } =
                change
                && let Some(bytes) = record.new_content_bytes()
            {
                self.check_offer(bytes)?;
            }
        }
        Ok(())
    }

    fn is_tight(&self) -> bool {
        self.store.usage().free_bytes < 2 * RESERVE_BYTES
    }
}

fn answer(record: Option<(Version, Option<Version>)>, outcomes: &[Outcome]) -> DiskAnswer {
    let Some(asked) = record else {
        return DiskAnswer::Done;
    };
    let (newest, promised) = match outcomes {
        [Outcome::Kept { current, promised }] => (*current, *promised),
        _ => asked,
    };
    DiskAnswer::RecordStored { newest, promised }
}
