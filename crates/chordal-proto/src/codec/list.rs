//! Bounded lists: counts are checked before anything is built from them.

use bytes::{BufMut, Bytes, BytesMut};

use super::{BadField, Checked};

/// Refuses a count over its limit, naming the field.
pub(super) fn within(count: usize, max: usize, field: &'static str) -> Checked<()> {
    if count > max {
        return Err(BadField(field));
    }
    Ok(())
}

/// 32-byte names, one after the other.
pub(super) fn names_to_wire<'a>(names: impl ExactSizeIterator<Item = &'a [u8; 32]>) -> Bytes {
    let mut bytes = BytesMut::with_capacity(names.len() * 32);
    for name in names {
        bytes.put_slice(name);
    }
    bytes.freeze()
}

/// Reads what [`names_to_wire`] wrote.
pub(super) fn names(bytes: &Bytes, max: usize, field: &'static str) -> Checked<Vec<[u8; 32]>> {
    let (names, rest) = bytes.as_chunks::<32>();
    if !rest.is_empty() {
        return Err(BadField(field));
    }
    within(names.len(), max, field)?;
    Ok(names.to_vec())
}

/// Reads one 32-byte name.
pub(super) fn name(bytes: &Bytes, field: &'static str) -> Checked<[u8; 32]> {
    bytes.as_ref().try_into().map_err(|_| BadField(field))
}
