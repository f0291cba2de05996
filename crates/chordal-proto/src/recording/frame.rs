//! Items as bytes: length, checksum, item, one after the other behind a magic word.

use super::Item;

/// The first bytes of a segment.
pub const MAGIC: &[u8; 16] = b"chordal record\r\n";

/// The longest item. The longest message is far shorter; a snapshot of a large ring is not.
const ITEM_BYTES_MAX: usize = 256 << 20;

/// Length and checksum before each item.
const HEAD: usize = 12;

/// An item with its frame, to append to a segment that began with [`MAGIC`].
pub fn encode(item: &Item) -> Vec<u8> {
    let payload = postcard::to_allocvec(item).expect("all items have a serde form");
    let mut bytes = Vec::with_capacity(HEAD + payload.len());
    let length = u32::try_from(payload.len()).expect("items are within their limits");
    bytes.extend_from_slice(&length.to_le_bytes());
    bytes.extend_from_slice(&checksum(&payload));
    bytes.extend_from_slice(&payload);
    bytes
}

/// Why a segment cannot be read on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Damage {
    /// It does not begin as one.
    #[error("not a recording")]
    NotARecording,
    /// The last item breaks off: the node ended while it was written.
    #[error("the last entry breaks off")]
    Cut,
    /// Bytes are not those that were written.
    #[error("the bytes are damaged")]
    Damaged,
    /// The bytes are as they were written, by another build of the program.
    #[error("written by another build of chordal")]
    OtherBuild,
}

/// The items of a segment. After an error there are no further ones.
#[derive(Clone, Debug)]
pub struct Frames<'a> {
    rest: &'a [u8],
    at: u64,
    failed: bool,
}

impl<'a> Frames<'a> {
    /// Reads a segment from its first byte.
    pub fn new(segment: &'a [u8]) -> Result<Self, Damage> {
        let rest = segment.strip_prefix(MAGIC).ok_or(Damage::NotARecording)?;
        Ok(Self {
            rest,
            at: MAGIC.len() as u64,
            failed: false,
        })
    }

    /// How many bytes lie before the next item.
    pub const fn position(&self) -> u64 {
        self.at
    }

    fn item(&mut self) -> Result<Item, Damage> {
        let (head, rest) = self.rest.split_at_checked(HEAD).ok_or(Damage::Cut)?;
        let (length, sum) = head.split_at(4);
        let length = u32::from_le_bytes(length.try_into().expect("split at four"));
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        if length > ITEM_BYTES_MAX {
            return Err(Damage::Damaged);
        }
        let (payload, rest) = rest.split_at_checked(length).ok_or(Damage::Cut)?;
        if checksum(payload) != sum {
            return Err(Damage::Damaged);
        }
        let item = postcard::from_bytes(payload).map_err(|_| Damage::OtherBuild)?;
        self.rest = rest;
        self.at += (HEAD + length) as u64;
        Ok(item)
    }
}

impl Iterator for Frames<'_> {
    type Item = Result<Item, Damage>;

    fn next(&mut self) -> Option<Result<Item, Damage>> {
        if self.failed || self.rest.is_empty() {
            return None;
        }
        let item = self.item();
        self.failed = item.is_err();
        Some(item)
    }
}

fn checksum(payload: &[u8]) -> [u8; 8] {
    let mut sum = [0; 8];
    sum.copy_from_slice(&blake3::hash(payload).as_bytes()[..8]);
    sum
}
