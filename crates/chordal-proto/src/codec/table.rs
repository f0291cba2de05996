//! Messages that compare two node tables.

use super::{BadField, Checked, list, member};
use crate::limits::{MEMBERS_MAX, TABLE_PARTS_MAX, TABLE_TAGS_MAX};
use crate::member::Member;
use crate::message::{Message, TableTags};
use crate::wire;

pub(super) const fn digest(message: wire::TableDigest) -> Message {
    Message::TableDigest {
        digest: message.digest,
        disagreed: message.disagreed,
    }
}

pub(super) fn parts(message: wire::TableParts) -> Checked<Message> {
    list::within(message.digests.len(), TABLE_PARTS_MAX, "digests")?;
    if !message.digests.len().is_power_of_two() {
        return Err(BadField("digests"));
    }
    Ok(Message::TableParts(message.digests))
}

pub(super) fn tags_to_wire(tags: &TableTags) -> wire::TableTags {
    wire::TableTags {
        parts: tags.parts.into(),
        which: tags.which.iter().map(|&part| part.into()).collect(),
        tags: tags.tags.clone(),
    }
}

pub(super) fn tags(message: &wire::TableTags) -> Checked<TableTags> {
    let parts = u16::try_from(message.parts).map_err(|_| BadField("parts"))?;
    list::within(usize::from(parts), TABLE_PARTS_MAX, "parts")?;
    if !parts.is_power_of_two() {
        return Err(BadField("parts"));
    }
    list::within(message.which.len(), usize::from(parts), "which")?;
    list::within(message.tags.len(), TABLE_TAGS_MAX, "tags")?;
    let which = message.which.iter().map(|&part| {
        let part = u16::try_from(part).map_err(|_| BadField("which"))?;
        if part < parts {
            Ok(part)
        } else {
            Err(BadField("which"))
        }
    });
    Ok(TableTags {
        parts,
        which: which.collect::<Checked<_>>()?,
        tags: message.tags.clone(),
    })
}

pub(super) fn entries_to_wire(members: &[Member], want_yours: bool, want: &[u64]) -> wire::Table {
    wire::Table {
        members: member::all_to_wire(members),
        want_yours,
        want: want.to_vec(),
    }
}

pub(super) fn entries(message: wire::Table) -> Checked<Message> {
    list::within(message.want.len(), TABLE_TAGS_MAX, "want")?;
    Ok(Message::Table {
        members: member::all_from_wire(message.members, MEMBERS_MAX)?,
        want_yours: message.want_yours,
        want: message.want,
    })
}
