//! Neighbours that lie: answers that are changed on their way.

use bytes::Bytes;
use chordal_object::{Arc, Version};
use chordal_proto::codec;
use chordal_proto::message::{
    ArcCompared, ChunkOffered, Confirm, Message, Reconciled, RecordRead, Stored, Word,
};

use super::Plant;

/// What is said instead.
pub(crate) fn twist(plant: Plant, bytes: Bytes) -> Bytes {
    if !lies(plant) {
        return bytes;
    }
    let Ok(mut envelope) = codec::decode(bytes.clone()) else {
        return bytes;
    };
    twist_message(plant, &mut envelope.message);
    codec::encode(&envelope)
}

/// Whether a mistake is one of what is said.
const fn lies(plant: Plant) -> bool {
    matches!(
        plant,
        Plant::CountUnsettled
            | Plant::AgreeUnsealed
            | Plant::ClaimBase
            | Plant::TellNoPast
            | Plant::SayEqual
            | Plant::ConfirmEarly
            | Plant::ClaimWholeLists
            | Plant::HideRows
            | Plant::ClaimChunks
            | Plant::AckWrongView
            | Plant::AckRefused
            | Plant::DenyReferences
    )
}

fn twist_message(plant: Plant, message: &mut Message) {
    match (plant, message) {
        (
            Plant::CountUnsettled,
            Message::RecordRead(RecordRead::Held { counts, .. })
            | Message::RecordWritten(Stored::Durable { counts, .. }),
        ) => *counts = true,
        (Plant::AckWrongView, Message::RecordWritten(stored @ Stored::WrongView))
        | (Plant::AckRefused, Message::RecordWritten(stored @ Stored::Promised(_))) => {
            *stored = Stored::Durable {
                newest: Version::NONE,
                counts: true,
            };
        }
        (Plant::SayEqual, Message::ArcCompared(ArcCompared::Compared { same, .. })) => *same = true,
        (
            _,
            Message::ArcCompared(ArcCompared::Compared { word, .. })
            | Message::Reconciled(Reconciled::Step { word, .. }),
        ) => twist_word(plant, word),
        (Plant::ConfirmEarly, Message::Confirm(confirm)) => *confirm = Confirm::Held,
        (Plant::ClaimWholeLists, Message::Listed(listed)) => listed.complete = vec![Arc::FULL],
        (Plant::HideRows, Message::Listed(listed)) => drop(listed.rows.pop()),
        (Plant::ClaimChunks, Message::ChunksHeld(held)) => held.fill(true),
        (Plant::ClaimChunks, Message::ChunkOffered(offered @ ChunkOffered::Wanted)) => {
            *offered = ChunkOffered::Have;
        }
        (Plant::DenyReferences, Message::References(references)) => {
            references.referenced.fill(false);
        }
        _ => {}
    }
}

fn twist_word(plant: Plant, word: &mut Word) {
    if plant == Plant::AgreeUnsealed {
        word.agrees = true;
    } else if plant == Plant::ClaimBase {
        word.history.based = true;
    } else if plant == Plant::TellNoPast {
        word.history.passed.clear();
    }
}
