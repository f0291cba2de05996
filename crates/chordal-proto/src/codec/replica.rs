//! Messages about the copies of whole arcs: comparing, fetching, confirming.

use bytes::Bytes;
use chordal_object::{Arc, NodeId, Record};

use super::{BadField, Checked, key, list, records as single};
use crate::history::{History, Holders};
use crate::limits::{
    COUNTS_QUESTION_MAX, DIGESTS_MAX, RECONCILE_BYTES_MAX, VIEW_NODES_MAX, VIEWS_MAX,
};
use crate::message::{
    ArcCompared, CompareArc, Confirm, Kind, Message, Reconcile, Reconciled, Word,
};
use crate::view::View;
use crate::wire;

pub(super) fn reconcile_to_wire(step: &Reconcile) -> wire::Reconcile {
    let kind = match step.kind {
        Kind::Records => wire::Kind::Records,
        Kind::Chunks => wire::Kind::Chunks,
    };
    wire::Reconcile {
        arc: Some(key::arc_to_wire(step.arc)),
        kind: kind.into(),
        view: step.view.0,
        payload: step.payload.clone(),
    }
}

pub(super) fn reconcile(message: wire::Reconcile) -> Checked<Reconcile> {
    list::within(message.payload.len(), RECONCILE_BYTES_MAX, "payload")?;
    Ok(Reconcile {
        arc: key::arc(message.arc)?,
        kind: match wire::Kind::try_from(message.kind) {
            Ok(wire::Kind::Records) => Kind::Records,
            Ok(wire::Kind::Chunks) => Kind::Chunks,
            Err(_) => return Err(BadField("kind")),
        },
        view: View(message.view),
        payload: message.payload,
    })
}

pub(super) fn reconciled_to_wire(step: &Reconciled) -> wire::Reconciled {
    let mut message = wire::Reconciled::default();
    match step {
        Reconciled::Step { payload, word } => {
            message.payload = payload.clone();
            message.agrees = word.agrees;
            message.based = word.history.based;
            message.passed = passed_to_wire(&word.history);
        }
        Reconciled::Failed => message.set_refusal(wire::Refusal::Failed),
    }
    message
}

pub(super) fn reconciled(message: wire::Reconciled) -> Checked<Reconciled> {
    list::within(message.payload.len(), RECONCILE_BYTES_MAX, "payload")?;
    match single::refusal(message.refusal)? {
        wire::Refusal::None => Ok(Reconciled::Step {
            payload: message.payload,
            word: word(message.agrees, message.based, &message.passed)?,
        }),
        wire::Refusal::Failed => Ok(Reconciled::Failed),
        wire::Refusal::WrongView | wire::Refusal::Full | wire::Refusal::Promised => {
            Err(BadField("refusal"))
        }
    }
}

pub(super) fn compare_to_wire(question: &CompareArc) -> wire::CompareArc {
    wire::CompareArc {
        arc: Some(key::arc_to_wire(question.arc)),
        view: question.view.0,
        digest: Bytes::copy_from_slice(&question.digest),
    }
}

pub(super) fn compare(message: wire::CompareArc) -> Checked<CompareArc> {
    Ok(CompareArc {
        arc: key::arc(message.arc)?,
        view: View(message.view),
        digest: message
            .digest
            .as_ref()
            .try_into()
            .map_err(|_| BadField("digest"))?,
    })
}

pub(super) fn ask_counts_to_wire(arcs: &[(Arc, View)]) -> wire::AskCounts {
    let arcs = arcs.iter().map(|&(arc, view)| wire::ViewedArc {
        arc: Some(key::arc_to_wire(arc)),
        view: view.0,
    });
    wire::AskCounts {
        arcs: arcs.collect(),
    }
}

pub(super) fn ask_counts(message: wire::AskCounts) -> Checked<Vec<(Arc, View)>> {
    list::within(message.arcs.len(), COUNTS_QUESTION_MAX, "arcs")?;
    let arcs = message.arcs.into_iter();
    arcs.map(|arc| Ok((key::arc(arc.arc)?, View(arc.view))))
        .collect()
}

pub(super) fn counts_to_wire(counts: &[bool]) -> wire::Counts {
    wire::Counts {
        counts: counts.to_vec(),
    }
}

pub(super) fn counts(message: wire::Counts) -> Checked<Vec<bool>> {
    list::within(message.counts.len(), COUNTS_QUESTION_MAX, "counts")?;
    Ok(message.counts)
}

pub(super) fn compared_to_wire(answer: &ArcCompared) -> wire::ArcCompared {
    let mut message = wire::ArcCompared::default();
    match answer {
        ArcCompared::Compared { same, word } => {
            message.same = *same;
            message.agrees = word.agrees;
            message.based = word.history.based;
            message.passed = passed_to_wire(&word.history);
        }
        ArcCompared::Failed => message.set_refusal(wire::Refusal::Failed),
    }
    message
}

pub(super) fn compared(message: wire::ArcCompared) -> Checked<ArcCompared> {
    match single::refusal(message.refusal)? {
        wire::Refusal::None => Ok(ArcCompared::Compared {
            same: message.same,
            word: word(message.agrees, message.based, &message.passed)?,
        }),
        wire::Refusal::Failed => Ok(ArcCompared::Failed),
        wire::Refusal::WrongView | wire::Refusal::Full | wire::Refusal::Promised => {
            Err(BadField("refusal"))
        }
    }
}

pub(super) fn passed_to_wire(history: &History) -> Vec<Bytes> {
    let ids = |holders: &Holders| {
        let ids = holders.iter().flat_map(|node| node.as_bytes().iter());
        ids.copied().collect()
    };
    history.passed.iter().map(ids).collect()
}

fn word(agrees: bool, based: bool, passed: &[Bytes]) -> Checked<Word> {
    let history = history(based, passed)?;
    Ok(Word { agrees, history })
}

pub(super) fn history(based: bool, passed: &[Bytes]) -> Checked<History> {
    list::within(passed.len(), VIEWS_MAX, "passed")?;
    let holders = |ids: &Bytes| -> Checked<Holders> {
        let ids = ids.chunks(size_of::<NodeId>()).map(NodeId::from_slice);
        let nodes: Holders = ids
            .collect::<Result<_, _>>()
            .map_err(|_| BadField("passed"))?;
        let in_order = nodes.is_sorted_by(|one, next| one < next);
        let fits = in_order && !nodes.is_empty() && nodes.len() <= VIEW_NODES_MAX;
        fits.then_some(nodes).ok_or(BadField("passed"))
    };
    let passed = passed.iter().map(holders).collect::<Checked<_>>()?;
    Ok(History { based, passed })
}

pub(super) fn fetch_to_wire(arc: Arc, digests: &[[u8; 32]]) -> wire::FetchRecords {
    wire::FetchRecords {
        arc: Some(key::arc_to_wire(arc)),
        digests: list::names_to_wire(digests.iter()),
    }
}

pub(super) fn fetch(message: wire::FetchRecords) -> Checked<Message> {
    Ok(Message::FetchRecords {
        arc: key::arc(message.arc)?,
        digests: list::names(&message.digests, DIGESTS_MAX, "digests")?,
    })
}

pub(super) fn records_to_wire(records: &[Record]) -> wire::Records {
    wire::Records {
        records: records.iter().map(Record::to_wire).collect(),
    }
}

pub(super) fn records(message: wire::Records) -> Checked<Vec<Record>> {
    list::within(message.records.len(), DIGESTS_MAX, "records")?;
    message
        .records
        .into_iter()
        .map(single::record_from_wire)
        .collect()
}

pub(super) fn ask_confirm_to_wire(arc: Arc, view: View, round: u64) -> wire::AskConfirm {
    wire::AskConfirm {
        arc: Some(key::arc_to_wire(arc)),
        view: view.0,
        round,
    }
}

pub(super) fn ask_confirm(message: wire::AskConfirm) -> Checked<Message> {
    Ok(Message::AskConfirm {
        arc: key::arc(message.arc)?,
        view: View(message.view),
        round: message.round,
    })
}

pub(super) fn confirm_to_wire(confirm: Confirm) -> wire::Confirm {
    let says = match confirm {
        Confirm::NotYet => wire::Confirmation::NotYet,
        Confirm::Held => wire::Confirmation::Held,
        Confirm::WrongView => wire::Confirmation::WrongView,
    };
    wire::Confirm { says: says.into() }
}

pub(super) fn confirm(message: wire::Confirm) -> Checked<Confirm> {
    match wire::Confirmation::try_from(message.says) {
        Ok(wire::Confirmation::NotYet) => Ok(Confirm::NotYet),
        Ok(wire::Confirmation::Held) => Ok(Confirm::Held),
        Ok(wire::Confirmation::WrongView) => Ok(Confirm::WrongView),
        Err(_) => Err(BadField("says")),
    }
}
