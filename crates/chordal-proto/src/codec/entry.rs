//! Messages of a node that wants to be in a ring, and a ring's settings.

use bytes::Bytes;
use chordal_object::Bits;

use super::{BadField, Checked, key, list, member};
use crate::limits::{SUCCESSORS_MAX, TOKENS_MAX};
use crate::message::{AskRing, JoinRefusal, Message, RingInfo};
use crate::settings::{Profile, Settings};
use crate::wire;

/// The longest name of a ring, in bytes.
const RING_NAME_BYTES_MAX: usize = 255;

/// The largest chunk a ring may be set to: what one transfer carries.
const CHUNK_BYTES_MAX: u32 = 4 << 20;

/// The longest inline content a ring may be set to, in bytes: what a record may carry.
pub(super) const INLINE_BYTES_MAX: u32 = 256 << 10;

pub(super) fn ask_ring_to_wire(asked: &AskRing) -> wire::AskRing {
    wire::AskRing {
        member: Some(member::to_wire(&asked.member)),
        settings: Some(settings_to_wire(&asked.settings)),
    }
}

pub(super) fn ask_ring(message: wire::AskRing) -> Checked<AskRing> {
    Ok(AskRing {
        member: member::required(message.member)?,
        settings: settings(message.settings)?,
    })
}

pub(super) fn ring_info_to_wire(info: &RingInfo) -> wire::RingInfo {
    let (refusal, position) = match info.refusal {
        None => (wire::JoinRefusal::None, Bytes::new()),
        Some(JoinRefusal::OtherSettings) => (wire::JoinRefusal::OtherSettings, Bytes::new()),
        Some(JoinRefusal::PositionTaken(key)) => {
            (wire::JoinRefusal::PositionTaken, key::to_wire(key))
        }
    };
    wire::RingInfo {
        settings: Some(settings_to_wire(&info.settings)),
        member: Some(member::to_wire(&info.member)),
        you: info.you.as_ref().map(member::to_wire),
        refusal: refusal.into(),
        position,
        part: info.part,
    }
}

pub(super) fn ring_info(message: wire::RingInfo) -> Checked<RingInfo> {
    let refusal = match wire::JoinRefusal::try_from(message.refusal) {
        Ok(wire::JoinRefusal::None) => None,
        Ok(wire::JoinRefusal::OtherSettings) => Some(JoinRefusal::OtherSettings),
        Ok(wire::JoinRefusal::PositionTaken) => {
            Some(JoinRefusal::PositionTaken(key::read(&message.position)?))
        }
        Err(_) => return Err(BadField("refusal")),
    };
    Ok(RingInfo {
        settings: settings(message.settings)?,
        member: member::required(message.member)?,
        you: message.you.map(member::read).transpose()?,
        refusal,
        part: message.part,
    })
}

pub(super) fn ask_places(message: &wire::AskPlaces) -> Checked<Message> {
    let tokens = u8::try_from(message.tokens).map_err(|_| BadField("tokens"))?;
    list::within(usize::from(tokens), TOKENS_MAX, "tokens")?;
    Ok(Message::AskPlaces {
        offered_bytes: message.offered_bytes,
        tokens,
    })
}

pub(super) fn places_to_wire(salts: &[u8]) -> wire::Places {
    wire::Places {
        salts: Bytes::copy_from_slice(salts),
    }
}

pub(super) fn places(message: &wire::Places) -> Checked<Vec<u8>> {
    list::within(message.salts.len(), TOKENS_MAX, "salts")?;
    Ok(message.salts.to_vec())
}

fn settings_to_wire(settings: &Settings) -> wire::Settings {
    let profile = match settings.profile {
        Profile::Standard => wire::Profile::Standard,
        Profile::Classic => wire::Profile::Classic,
    };
    wire::Settings {
        ring_name: settings.ring_name.clone(),
        bits: u32::from(settings.bits.get()),
        profile: profile.into(),
        replicas: u32::from(settings.replicas),
        successors: u32::from(settings.successors),
        chunk_bytes: settings.chunk_bytes,
        inline_bytes: settings.inline_bytes,
    }
}

fn settings(settings: Option<wire::Settings>) -> Checked<Settings> {
    let settings = settings.ok_or(BadField("settings"))?;
    list::within(
        settings.ring_name.len(),
        RING_NAME_BYTES_MAX,
        "settings.ring_name",
    )?;
    let successors = positive(settings.successors, "settings.successors")?;
    list::within(
        usize::from(successors),
        SUCCESSORS_MAX,
        "settings.successors",
    )?;
    if settings.chunk_bytes == 0 || settings.chunk_bytes > CHUNK_BYTES_MAX {
        return Err(BadField("settings.chunk_bytes"));
    }
    if settings.inline_bytes > INLINE_BYTES_MAX {
        return Err(BadField("settings.inline_bytes"));
    }
    Ok(Settings {
        ring_name: settings.ring_name,
        bits: u8::try_from(settings.bits)
            .ok()
            .and_then(Bits::new)
            .ok_or(BadField("settings.bits"))?,
        profile: match wire::Profile::try_from(settings.profile) {
            Ok(wire::Profile::Standard) => Profile::Standard,
            Ok(wire::Profile::Classic) => Profile::Classic,
            Err(_) => return Err(BadField("settings.profile")),
        },
        replicas: positive(settings.replicas, "settings.replicas")?,
        successors,
        chunk_bytes: settings.chunk_bytes,
        inline_bytes: settings.inline_bytes,
    })
}

fn positive(number: u32, field: &'static str) -> Checked<u8> {
    u8::try_from(number)
        .ok()
        .filter(|&number| number > 0)
        .ok_or(BadField(field))
}
