//! A first look at a message's bytes, before the generated decoder allocates for them.
//!
//! An empty entry of a list takes two bytes on the wire and more than a hundred in memory, so the
//! number of fields is bounded here. The look goes two levels deep: the envelope and its message.
//! No list that needs a limit lies deeper.

use super::CodecError;
use crate::limits::MEMBERS_MAX;

/// The most fields in an envelope and its message together: the two longest lists of any message.
const FIELDS_MAX: usize = 2 * MEMBERS_MAX;

/// The first field number of an envelope that stands for a message; lower ones are its header.
const BODY_FIRST: u32 = 8;

/// What the first look found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Shape {
    /// The field number of the message, known or not.
    pub(super) body: Option<u32>,
}

/// Looks at an envelope and into its message.
pub(super) fn of_envelope(bytes: &[u8]) -> Result<Shape, CodecError> {
    let mut budget = FIELDS_MAX;
    let mut shape = Shape { body: None };
    let mut rest = Fields(bytes);
    while let Some(field) = rest.next_field(&mut budget)? {
        if field.number < BODY_FIRST {
            continue;
        }
        if let Some(body) = field.nested {
            shape.body = Some(field.number);
            let mut inner = Fields(body);
            while inner.next_field(&mut budget)?.is_some() {}
        }
    }
    Ok(shape)
}

/// Looks at a message that stands alone.
pub(super) fn check_flat(bytes: &[u8]) -> Result<(), CodecError> {
    let mut budget = FIELDS_MAX;
    let mut rest = Fields(bytes);
    while rest.next_field(&mut budget)?.is_some() {}
    Ok(())
}

/// One field.
struct Field<'a> {
    number: u32,
    /// The bytes of a length-delimited one.
    nested: Option<&'a [u8]>,
}

/// Fields not looked at yet.
struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    fn next_field(&mut self, budget: &mut usize) -> Result<Option<Field<'a>>, CodecError> {
        if self.0.is_empty() {
            return Ok(None);
        }
        *budget = budget
            .checked_sub(1)
            .ok_or_else(|| bad("too many fields"))?;
        let tag = self.varint()?;
        let number = u32::try_from(tag >> 3).map_err(|_| bad("field number"))?;
        let nested = match tag & 7 {
            0 => self.varint().map(|_| None),
            1 => self.take(8).map(|_| None),
            2 => {
                let length = self.varint()?;
                self.take(length).map(Some)
            }
            5 => self.take(4).map(|_| None),
            _ => Err(bad("wire type")),
        }?;
        Ok(Some(Field { number, nested }))
    }

    fn varint(&mut self) -> Result<u64, CodecError> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let (&byte, rest) = self.0.split_first().ok_or_else(|| bad("cut short"))?;
            self.0 = rest;
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err(bad("number over 64 bits"))
    }

    fn take(&mut self, length: u64) -> Result<&'a [u8], CodecError> {
        let (taken, rest) = usize::try_from(length)
            .ok()
            .and_then(|length| self.0.split_at_checked(length))
            .ok_or_else(|| bad("cut short"))?;
        self.0 = rest;
        Ok(taken)
    }
}

fn bad(what: &str) -> CodecError {
    CodecError::Malformed(what.to_owned())
}
