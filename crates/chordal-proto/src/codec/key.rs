//! Keys and arcs: big-endian numbers without their leading zeros.

use bytes::{BufMut, Bytes, BytesMut};
use chordal_object::{Arc, Key};

use super::{BadField, Checked};
use crate::wire;

/// A key's bytes; none for position 0.
pub(super) fn to_wire(key: Key) -> Bytes {
    Bytes::copy_from_slice(&key.to_bytes()[16 - width(key)..])
}

/// Reads a key of at most 16 bytes.
pub(super) fn read(bytes: &[u8]) -> Checked<Key> {
    let start = 16usize.checked_sub(bytes.len()).ok_or(BadField("key"))?;
    let mut all = [0; 16];
    all[start..].copy_from_slice(bytes);
    Ok(Key::from_bytes(all))
}

/// Keys one after the other, each as wide as the widest needs.
pub(super) fn column_to_wire(keys: impl ExactSizeIterator<Item = Key> + Clone) -> Bytes {
    let width = keys.clone().map(width).max().unwrap_or_default();
    let mut bytes = BytesMut::with_capacity(keys.len() * width);
    for key in keys {
        bytes.put_slice(&key.to_bytes()[16 - width..]);
    }
    bytes.freeze()
}

/// Reads `count` keys of one width.
pub(super) fn column(bytes: &[u8], count: usize) -> Checked<Vec<Key>> {
    if bytes.is_empty() {
        return Ok(vec![Key::default(); count]);
    }
    if count == 0 || !bytes.len().is_multiple_of(count) {
        return Err(BadField("keys are not as many as their nodes"));
    }
    bytes.chunks_exact(bytes.len() / count).map(read).collect()
}

/// An arc.
pub(super) fn arc_to_wire(arc: Arc) -> wire::Arc {
    wire::Arc {
        after: to_wire(arc.after),
        upto: to_wire(arc.upto),
    }
}

/// Reads an arc; a missing one is refused.
pub(super) fn arc(arc: Option<wire::Arc>) -> Checked<Arc> {
    let arc = arc.ok_or(BadField("arc"))?;
    Ok(Arc::new(read(&arc.after)?, read(&arc.upto)?))
}

/// Bytes that a key needs.
fn width(key: Key) -> usize {
    16 - key.position().leading_zeros() as usize / 8
}
