//! The other side of a session: answering comparisons and handing out records.

use chordal_object::{Arc, Key, Record};

use super::item_set::{ItemSet, arc_digest};
use crate::effect::DiskOp;
use crate::input::{Completion, DiskAnswer};
use crate::limits::RECORD_BATCH_BYTES;
use crate::message::{ArcCompared, CompareArc, Kind, Message, Reconcile, Reconciled, Word};
use crate::peer::Peer;
use crate::request::Asker;
use crate::time::Time;
use crate::view::View;
use crate::waiting::Waiting;

impl Peer {
    /// Somebody compares an arc with this node.
    pub(crate) fn asked_to_reconcile(&mut self, now: Time, asker: &Asker, step: Reconcile) {
        self.note_asked(now, step.arc, step.view);
        let op = DiskOp::ItemsIn {
            arc: step.arc,
            kind: step.kind,
        };
        // The word counts only if it was given before the disk was read: what this node takes
        // from then on, it takes under the asker's view or a later one.
        let word = self.word(step.arc, step.view);
        let asker = *asker;
        self.disk(op, Waiting::ItemsFor { asker, step, word });
    }

    /// The disk told what is here of the arc.
    pub(crate) fn items_for(
        &mut self,
        asker: &Asker,
        step: Reconcile,
        word: Word,
        completion: Completion,
    ) {
        let payload = match completion {
            Completion::Disk(Ok(DiskAnswer::Items(items))) => ItemSet::new(items)
                .and_then(|set| set.answer(&step.payload))
                .ok(),
            Completion::Disk(_) | Completion::Transfer(_) => None,
        };
        let answer = match payload {
            Some(payload) => Reconciled::Step {
                payload: payload.into(),
                word: self.still(word, step.arc, step.view),
            },
            None => Reconciled::Failed,
        };
        self.answer(asker, Message::Reconciled(answer));
    }

    /// A word given before the disk was read, if this node is still under the view.
    fn still(&self, word: Word, arc: Arc, view: View) -> Word {
        let Word {
            agrees,
            mut history,
        } = self.word(arc, view);
        history.join(&word.history);
        Word {
            agrees: agrees && word.agrees,
            history,
        }
    }

    /// Somebody asks whether this node holds the same of an arc.
    pub(crate) fn asked_to_compare(&mut self, now: Time, asker: &Asker, question: CompareArc) {
        self.note_asked(now, question.arc, question.view);
        let word = self.word(question.arc, question.view);
        let op = DiskOp::ItemsIn {
            arc: question.arc,
            kind: Kind::Records,
        };
        let waiting = Waiting::ArcFor {
            asker: *asker,
            question,
            word,
            records: None,
        };
        self.disk(op, waiting);
    }

    /// The disk told what is here of the arc: its records first, then its chunks.
    pub(crate) fn arc_for(
        &mut self,
        now: Time,
        asker: &Asker,
        question: CompareArc,
        word: Word,
        records: Option<Vec<(Key, [u8; 32])>>,
        completion: Completion,
    ) {
        let CompareArc { arc, view, digest } = question;
        let answer = match (completion, records) {
            (Completion::Disk(Ok(DiskAnswer::Items(items))), None) => {
                let op = DiskOp::ItemsIn {
                    arc,
                    kind: Kind::Chunks,
                };
                let waiting = Waiting::ArcFor {
                    asker: *asker,
                    question,
                    word,
                    records: Some(items),
                };
                self.disk(op, waiting);
                return;
            }
            (Completion::Disk(Ok(DiskAnswer::Items(items))), Some(records)) => {
                let same = arc_digest(records, items) == digest;
                if !same {
                    self.arc_differs(now, arc, view, asker.node);
                }
                let word = self.still(word, arc, view);
                ArcCompared::Compared { same, word }
            }
            _ => ArcCompared::Failed,
        };
        self.answer(asker, Message::ArcCompared(answer));
    }

    /// Somebody wants records of an arc.
    pub(crate) fn asked_records(&mut self, asker: &Asker, arc: Arc, digests: Vec<[u8; 32]>) {
        self.disk(
            DiskOp::RecordsByDigest { arc, digests },
            Waiting::RecordsFor(*asker),
        );
    }

    /// The disk brought the records: as many as fit one message.
    pub(crate) fn records_for(&mut self, asker: &Asker, completion: Completion) {
        let records = match completion {
            Completion::Disk(Ok(DiskAnswer::Records(records))) => records,
            Completion::Disk(_) | Completion::Transfer(_) => Vec::new(),
        };
        let mut room = RECORD_BATCH_BYTES;
        let fitting: Vec<Record> = records
            .into_iter()
            .take_while(|record| {
                let bytes = record.encode().len();
                let fits = bytes <= room;
                room = room.saturating_sub(bytes);
                fits
            })
            .collect();
        self.answer(asker, Message::Records(fitting));
    }
}
