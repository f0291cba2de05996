//! Bytes of messages: `proto/peer.proto` and back. `docs/protocol.md` describes them for people.
//!
//! Decoding trusts nothing: sizes and counts are checked against [`crate::limits`] before they
//! cost memory, and every part must be valid. Whether what a message says is *true*, and whether
//! its keys fit the ring's bits, is for the receiver to judge.
//!
//! Messages of wire versions next to ours are accepted: fields are only ever added, and unknown
//! ones are skipped. A message that only a newer version knows is told apart from garbage.

mod entry;
mod key;
mod list;
mod member;
mod past;
mod records;
mod replica;
mod ring;
mod shape;
mod table;
mod token;
mod whole_ring;

pub(crate) use past::{decode_pasts, encode_pasts};

use bytes::{BufMut, Bytes, BytesMut};
use prost::Message as _;

use crate::limits::{MEMBERS_MAX, MESSAGE_BYTES_MAX};
use crate::member::Member;
use crate::message::{Envelope, Message};
use crate::wire::envelope::Body;
use crate::{View, wire};

/// The version of the messages this program writes. It reads its own and its two neighbours.
pub const WIRE_VERSION: u32 = 1;

/// The format of the members kept on disk.
const MEMBERS_FORMAT: u8 = 1;

/// Why bytes are not a message.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CodecError {
    /// Longer than any message may be.
    #[error("a message of {0} bytes is over the limit of {MESSAGE_BYTES_MAX}")]
    TooLong(usize),
    /// Written by a program that is more than one version away, or not one of ours.
    #[error("wire version {0} does not work together with version {WIRE_VERSION}")]
    UnknownVersion(u32),
    /// Well formed, but of a kind only a newer program knows: not the sender's fault.
    #[error("message number {0} is unknown to wire version {WIRE_VERSION}")]
    UnknownMessage(u32),
    /// Not protobuf, or more fields than any message has.
    #[error("malformed message: {0}")]
    Malformed(String),
    /// A field is missing or out of its bounds.
    #[error("bad message {message}: {field}")]
    Field {
        /// The message.
        message: &'static str,
        /// The field.
        field: &'static str,
    },
}

impl CodecError {
    /// Whether no version of this program sends such bytes.
    pub const fn is_the_senders_fault(&self) -> bool {
        match self {
            Self::UnknownVersion(_) | Self::UnknownMessage(_) => false,
            Self::TooLong(_) | Self::Malformed(_) | Self::Field { .. } => true,
        }
    }
}

/// A field that is missing or out of its bounds; [`decode`] adds the message's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct BadField(&'static str);

/// A part that was checked, or the field at fault.
type Checked<T> = Result<T, BadField>;

/// The bytes of a message. Any message that keeps the limits reads back as it was; one that does
/// not is refused by its receiver.
pub fn encode(envelope: &Envelope) -> Bytes {
    let message = wire::Envelope {
        version: WIRE_VERSION,
        request: envelope.request,
        incarnation: envelope.incarnation,
        body: Some(body_to_wire(&envelope.message)),
    };
    Bytes::from(message.encode_to_vec())
}

/// Reads what [`encode`] of this version or a neighbouring one wrote.
pub fn decode(bytes: Bytes) -> Result<Envelope, CodecError> {
    if bytes.len() > MESSAGE_BYTES_MAX {
        return Err(CodecError::TooLong(bytes.len()));
    }
    // Before the generated decoder turns two bytes of an empty entry into a hundred of memory.
    let shape = shape::of_envelope(&bytes)?;
    let envelope = wire::Envelope::decode(bytes).map_err(malformed)?;
    if envelope.version == 0 || envelope.version.abs_diff(WIRE_VERSION) > 1 {
        return Err(CodecError::UnknownVersion(envelope.version));
    }
    let body = match (envelope.body, shape.body) {
        (Some(body), _) => body,
        (None, Some(number)) => return Err(CodecError::UnknownMessage(number)),
        (None, None) => return Err(CodecError::Malformed("nothing is said".to_owned())),
    };
    let (name, message) = body_from_wire(body);
    Ok(Envelope {
        request: envelope.request,
        incarnation: envelope.incarnation,
        message: message.map_err(|BadField(field)| CodecError::Field {
            message: name,
            field,
        })?,
    })
}

/// The bytes of a list of members, for [`crate::effect::DiskOp::SaveMembers`].
pub fn encode_members(members: &[Member]) -> Bytes {
    let message = wire::Members {
        members: member::all_to_wire(members),
    };
    let mut bytes = BytesMut::with_capacity(1 + message.encoded_len());
    bytes.put_u8(MEMBERS_FORMAT);
    message
        .encode(&mut bytes)
        .expect("the buffer has room for the whole message");
    bytes.freeze()
}

/// Reads what [`encode_members`] wrote. [`CodecError::UnknownVersion`] means bytes that a newer
/// program wrote.
pub fn decode_members(mut bytes: Bytes) -> Result<Vec<Member>, CodecError> {
    let at_fault = |BadField(field)| CodecError::Field {
        message: "Members",
        field,
    };
    if bytes.len() > MESSAGE_BYTES_MAX {
        return Err(CodecError::TooLong(bytes.len()));
    }
    if bytes.is_empty() {
        return Err(CodecError::Malformed("no bytes".to_owned()));
    }
    let format = bytes.split_to(1)[0];
    if format != MEMBERS_FORMAT {
        return Err(CodecError::UnknownVersion(u32::from(format)));
    }
    shape::check_flat(&bytes)?;
    let message = wire::Members::decode(bytes).map_err(malformed)?;
    member::all_from_wire(message.members, MEMBERS_MAX).map_err(at_fault)
}

fn malformed(error: prost::DecodeError) -> CodecError {
    CodecError::Malformed(error.to_string())
}

fn body_to_wire(message: &Message) -> Body {
    match message {
        Message::Ping => Body::Ping(wire::Ping {}),
        Message::Pong => Body::Pong(wire::Pong {}),
        Message::Pause => Body::Pause(wire::Pause {}),
        Message::Silent(silent) => Body::Silent(member::silent_to_wire(silent)),
        Message::AskRing(asked) => Body::AskRing(entry::ask_ring_to_wire(asked)),
        Message::RingInfo(info) => Body::RingInfo(entry::ring_info_to_wire(info)),
        Message::AskPlaces {
            offered_bytes,
            tokens,
        } => Body::AskPlaces(wire::AskPlaces {
            offered_bytes: *offered_bytes,
            tokens: u32::from(*tokens),
        }),
        Message::Places(salts) => Body::Places(entry::places_to_wire(salts)),
        Message::GetState(question) => Body::GetState(ring::get_state_to_wire(question)),
        Message::State(state) => Body::State(ring::state_to_wire(state)),
        Message::StateKnown(digest) => Body::StateKnown(wire::StateKnown { digest: *digest }),
        Message::PointersChanged(key) => Body::PointersChanged(ring::changed_to_wire(*key)),
        Message::NoToken(key) => Body::NoToken(ring::no_token_to_wire(*key)),
        Message::Notify { of, to } => Body::Notify(ring::notify_to_wire(*of, *to)),
        Message::FindOwner { key, table } => Body::FindOwner(wire::FindOwner {
            key: key::to_wire(*key),
            table: *table,
        }),
        Message::Owner(found) => Body::Owner(ring::owner_to_wire(found)),
        Message::Closer(closer) => Body::Closer(ring::closer_to_wire(closer)),
        Message::Spread { members, until } => Body::Spread(wire::Spread {
            members: member::all_to_wire(members),
            until: key::to_wire(*until),
        }),
        Message::TableDigest { digest, disagreed } => Body::TableDigest(wire::TableDigest {
            digest: *digest,
            disagreed: *disagreed,
        }),
        Message::TableParts(digests) => Body::TableParts(wire::TableParts {
            digests: digests.clone(),
        }),
        Message::TableTags(tags) => Body::TableTags(table::tags_to_wire(tags)),
        Message::Table {
            members,
            want_yours,
            want,
        } => Body::Table(table::entries_to_wire(members, *want_yours, want)),
        Message::ReadRecord(read) => Body::ReadRecord(records::read_to_wire(read)),
        Message::RecordRead(answer) => Body::RecordRead(records::answer_to_wire(answer)),
        Message::WriteRecord(write) => Body::WriteRecord(records::write_to_wire(write)),
        Message::RecordWritten(stored) => Body::RecordWritten(records::stored_to_wire(*stored)),
        Message::OfferChunk(offer) => Body::OfferChunk(records::offer_to_wire(*offer)),
        Message::ChunkOffered(answer) => Body::ChunkOffered(records::offered_to_wire(*answer)),
        Message::AskChunks(chunks) => Body::AskChunks(records::chunks_to_wire(chunks)),
        Message::ChunksHeld(held) => Body::ChunksHeld(wire::ChunksHeld { held: held.clone() }),
        Message::KeepChunks(chunks) => Body::KeepChunks(records::keep_to_wire(chunks)),
        Message::AskReferences(asked) => Body::AskReferences(records::references_to_wire(asked)),
        Message::References(told) => Body::References(records::told_to_wire(told)),
        Message::Released(chunks) => Body::Released(records::released_to_wire(chunks)),
        Message::Reconcile(step) => Body::Reconcile(replica::reconcile_to_wire(step)),
        Message::Reconciled(step) => Body::Reconciled(replica::reconciled_to_wire(step)),
        Message::CompareArc(question) => Body::CompareArc(replica::compare_to_wire(question)),
        Message::ArcCompared(answer) => Body::ArcCompared(replica::compared_to_wire(answer)),
        Message::AskCounts(arcs) => Body::AskCounts(replica::ask_counts_to_wire(arcs)),
        Message::Counts(counts) => Body::Counts(replica::counts_to_wire(counts)),
        Message::FetchRecords { arc, digests } => {
            Body::FetchRecords(replica::fetch_to_wire(*arc, digests))
        }
        Message::Records(records) => Body::Records(replica::records_to_wire(records)),
        Message::AskConfirm { arc, view, round } => {
            Body::AskConfirm(replica::ask_confirm_to_wire(*arc, *view, *round))
        }
        Message::Confirm(confirm) => Body::Confirm(replica::confirm_to_wire(*confirm)),
        Message::List(list) => Body::List(whole_ring::list_to_wire(list)),
        Message::Listed(listed) => Body::Listed(whole_ring::listed_to_wire(listed)),
        Message::AskStatus => Body::AskStatus(wire::AskStatus {}),
        Message::Status(status) => Body::Status(whole_ring::status_to_wire(status)),
        Message::AskPointers => Body::AskPointers(wire::AskPointers {}),
        Message::Pointers(pointers) => Body::Pointers(ring::pointers_to_wire(pointers)),
    }
}

/// The message's name for errors, and the message.
fn body_from_wire(body: Body) -> (&'static str, Checked<Message>) {
    match body {
        Body::Ping(_) => ("Ping", Ok(Message::Ping)),
        Body::Pong(_) => ("Pong", Ok(Message::Pong)),
        Body::Pause(_) => ("Pause", Ok(Message::Pause)),
        Body::Silent(m) => ("Silent", member::silent(&m).map(Message::Silent)),
        Body::AskRing(m) => ("AskRing", entry::ask_ring(m).map(Message::AskRing)),
        Body::RingInfo(m) => ("RingInfo", entry::ring_info(m).map(Message::RingInfo)),
        Body::AskPlaces(m) => ("AskPlaces", entry::ask_places(&m)),
        Body::Places(m) => ("Places", entry::places(&m).map(Message::Places)),
        Body::GetState(m) => ("GetState", ring::get_state(m).map(Message::GetState)),
        Body::State(m) => ("State", ring::state(m).map(Message::State)),
        Body::StateKnown(m) => ("StateKnown", Ok(Message::StateKnown(m.digest))),
        Body::PointersChanged(m) => (
            "PointersChanged",
            key::read(&m.key).map(Message::PointersChanged),
        ),
        Body::NoToken(m) => ("NoToken", key::read(&m.key).map(Message::NoToken)),
        Body::Notify(m) => ("Notify", ring::notify(m)),
        Body::FindOwner(m) => ("FindOwner", ring::find_owner(&m)),
        Body::Owner(m) => ("Owner", ring::owner(m).map(Message::Owner)),
        Body::Closer(m) => ("Closer", ring::closer(m).map(Message::Closer)),
        Body::Spread(m) => ("Spread", ring::spread(m)),
        Body::TableDigest(m) => ("TableDigest", Ok(table::digest(m))),
        Body::TableParts(m) => ("TableParts", table::parts(m)),
        Body::TableTags(m) => ("TableTags", table::tags(&m).map(Message::TableTags)),
        Body::Table(m) => ("Table", table::entries(m)),
        Body::ReadRecord(m) => ("ReadRecord", records::read(m).map(Message::ReadRecord)),
        Body::RecordRead(m) => ("RecordRead", records::answer(m).map(Message::RecordRead)),
        Body::WriteRecord(m) => ("WriteRecord", records::write(m).map(Message::WriteRecord)),
        Body::RecordWritten(m) => (
            "RecordWritten",
            records::stored(m).map(Message::RecordWritten),
        ),
        Body::OfferChunk(m) => ("OfferChunk", records::offer(m).map(Message::OfferChunk)),
        Body::ChunkOffered(m) => (
            "ChunkOffered",
            records::offered(m).map(Message::ChunkOffered),
        ),
        Body::AskChunks(m) => ("AskChunks", records::chunks(&m).map(Message::AskChunks)),
        Body::ChunksHeld(m) => ("ChunksHeld", records::held(m).map(Message::ChunksHeld)),
        Body::KeepChunks(m) => ("KeepChunks", records::keep(&m).map(Message::KeepChunks)),
        Body::AskReferences(m) => (
            "AskReferences",
            records::ask_references(&m).map(Message::AskReferences),
        ),
        Body::References(m) => (
            "References",
            records::references(m).map(Message::References),
        ),
        Body::Released(m) => ("Released", records::released(&m).map(Message::Released)),
        Body::Reconcile(m) => ("Reconcile", replica::reconcile(m).map(Message::Reconcile)),
        Body::Reconciled(m) => (
            "Reconciled",
            replica::reconciled(m).map(Message::Reconciled),
        ),
        Body::CompareArc(m) => ("CompareArc", replica::compare(m).map(Message::CompareArc)),
        Body::AskCounts(m) => ("AskCounts", replica::ask_counts(m).map(Message::AskCounts)),
        Body::Counts(m) => ("Counts", replica::counts(m).map(Message::Counts)),
        Body::ArcCompared(m) => (
            "ArcCompared",
            replica::compared(m).map(Message::ArcCompared),
        ),
        Body::FetchRecords(m) => ("FetchRecords", replica::fetch(m)),
        Body::Records(m) => ("Records", replica::records(m).map(Message::Records)),
        Body::AskConfirm(m) => ("AskConfirm", replica::ask_confirm(m)),
        Body::Confirm(m) => ("Confirm", replica::confirm(m).map(Message::Confirm)),
        Body::List(m) => ("List", whole_ring::list(m).map(Message::List)),
        Body::Listed(m) => ("Listed", whole_ring::listed(m).map(Message::Listed)),
        Body::AskStatus(_) => ("AskStatus", Ok(Message::AskStatus)),
        Body::Status(m) => ("Status", whole_ring::status(m).map(Message::Status)),
        Body::AskPointers(_) => ("AskPointers", Ok(Message::AskPointers)),
        Body::Pointers(m) => ("Pointers", ring::pointers(m).map(Message::Pointers)),
    }
}

fn view_to_wire(view: Option<View>) -> Option<u64> {
    view.map(|View(view)| view)
}

#[cfg(test)]
pub(crate) mod tests;
