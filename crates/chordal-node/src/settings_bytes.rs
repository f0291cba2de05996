//! The bytes of a ring's settings, as a node keeps them between two lives.
//!
//! Format 1, all numbers big-endian: the format (1 byte), bits (1), profile (1: standard, 2:
//! classic), copies (1), successors (1), bytes of a chunk (4), longest inline content in bytes (4),
//! the ring's name (UTF-8, to the end).

use bytes::{BufMut, Bytes, BytesMut};
use chordal_object::Bits;
use chordal_proto::{Profile, Settings};

const FORMAT: u8 = 1;
const STANDARD: u8 = 1;
const CLASSIC: u8 = 2;

/// Writes settings.
pub(crate) fn encode(settings: &Settings) -> Bytes {
    let mut bytes = BytesMut::with_capacity(13 + settings.ring_name.len());
    bytes.put_u8(FORMAT);
    bytes.put_u8(settings.bits.get());
    bytes.put_u8(match settings.profile {
        Profile::Standard => STANDARD,
        Profile::Classic => CLASSIC,
    });
    bytes.put_u8(settings.replicas);
    bytes.put_u8(settings.successors);
    bytes.put_u32(settings.chunk_bytes);
    bytes.put_u32(settings.inline_bytes);
    bytes.put_slice(settings.ring_name.as_bytes());
    bytes.freeze()
}

/// Reads settings; nothing when the bytes are not such, or of a later format.
pub(crate) fn decode(bytes: &[u8]) -> Option<Settings> {
    let (&[format, bits, profile, replicas, successors], rest) = bytes.split_first_chunk()?;
    let (chunk_bytes, rest) = rest.split_first_chunk()?;
    let (inline_bytes, name) = rest.split_first_chunk()?;
    let profile = match (format, profile) {
        (FORMAT, STANDARD) => Profile::Standard,
        (FORMAT, CLASSIC) => Profile::Classic,
        _ => return None,
    };
    Some(Settings {
        ring_name: std::str::from_utf8(name).ok()?.to_owned(),
        bits: Bits::new(bits)?,
        profile,
        replicas,
        successors,
        chunk_bytes: u32::from_be_bytes(*chunk_bytes),
        inline_bytes: u32::from_be_bytes(*inline_bytes),
    })
}

#[cfg(test)]
mod tests;
