//! Messages that together tell of the whole ring: listings and the nodes' status.

use bytes::Bytes;
use chordal_object::{Key, Name, NodeId, PATH_BYTES_MAX, Version};

use super::token::{self, Roster};
use super::{BadField, Checked, key, list as lists, member};
use crate::limits::{LIST_ROWS_MAX, MEMBERS_MAX, TOKENS_MAX};
use crate::message::{Care, List, Listed, NodeStatus, Row, TokenPointers};
use crate::wire;

/// The most arcs a page of a listing may cover.
const ARCS_MAX: usize = 4096;

pub(super) fn list_to_wire(list: &List) -> wire::List {
    wire::List {
        space: list.space.clone(),
        prefix: list.prefix.clone(),
        after: list.after.clone(),
        limit: list.limit,
    }
}

pub(super) fn list(message: wire::List) -> Checked<List> {
    // A space is valid when a name in it is.
    Name::new(&message.space, "-").map_err(|_| BadField("space"))?;
    lists::within(message.prefix.len(), PATH_BYTES_MAX, "prefix")?;
    let after_bytes = message.after.as_ref().map_or(0, String::len);
    lists::within(after_bytes, PATH_BYTES_MAX, "after")?;
    let limit = usize::try_from(message.limit).map_err(|_| BadField("limit"))?;
    lists::within(limit, LIST_ROWS_MAX, "limit")?;
    Ok(List {
        space: message.space,
        prefix: message.prefix,
        after: message.after,
        limit: message.limit,
    })
}

pub(super) fn listed_to_wire(listed: &Listed) -> wire::Listed {
    let mut space = "";
    let rows = listed.rows.iter().map(|row| {
        let said = if row.name.space() == space {
            ""
        } else {
            space = row.name.space();
            space
        };
        row_to_wire(row, said)
    });
    wire::Listed {
        rows: rows.collect(),
        more: listed.more,
        complete: listed
            .complete
            .iter()
            .map(|&arc| key::arc_to_wire(arc))
            .collect(),
        failed: listed.failed,
    }
}

pub(super) fn listed(message: wire::Listed) -> Checked<Listed> {
    lists::within(message.rows.len(), LIST_ROWS_MAX, "rows")?;
    lists::within(message.complete.len(), ARCS_MAX, "complete")?;
    let mut space = String::new();
    let rows = message.rows.into_iter().map(|row| {
        if !row.space.is_empty() {
            space.clone_from(&row.space);
        }
        read_row(row, &space)
    });
    Ok(Listed {
        rows: rows.collect::<Checked<_>>()?,
        more: message.more,
        complete: message
            .complete
            .into_iter()
            .map(|arc| key::arc(Some(arc)))
            .collect::<Checked<_>>()?,
        failed: message.failed,
    })
}

fn row_to_wire(row: &Row, space: &str) -> wire::Row {
    let (size, hash) = match &row.file {
        Some((size, hash)) => (*size, Bytes::copy_from_slice(hash)),
        None => (0, Bytes::new()),
    };
    wire::Row {
        space: space.to_owned(),
        path: row.name.path().to_owned(),
        version: Some(row.version.to_wire()),
        modified_ms: row.modified_ms,
        size,
        hash,
    }
}

fn read_row(row: wire::Row, space: &str) -> Checked<Row> {
    Ok(Row {
        name: Name::new(space, &row.path).map_err(|_| BadField("rows.name"))?,
        version: Version::from_wire(row.version).map_err(|_| BadField("rows.version"))?,
        modified_ms: row.modified_ms,
        file: if row.hash.is_empty() {
            None
        } else {
            Some((row.size, lists::name(&row.hash, "rows.hash")?))
        },
    })
}

pub(super) fn status_to_wire(status: &NodeStatus) -> wire::Status {
    let members = std::slice::from_ref(&status.member);
    let roster = Roster::of(members);
    let tokens = status.tokens.iter();
    wire::Status {
        member: Some(member::to_wire(&status.member)),
        tokens: key::column_to_wire(tokens.clone().map(|token| token.key)),
        predecessors: Some(
            roster.tokens_to_wire(members.len(), tokens.clone().map(|token| token.predecessor)),
        ),
        successors: Some(roster.tokens_to_wire(members.len(), tokens.map(|token| token.successor))),
        used_bytes: status.used_bytes,
        copies_wanted: status.copies_wanted,
        copies_unreachable: status.copies_unreachable,
        arcs_incomplete: status.arcs_incomplete,
        handing_off: status.handing_off,
        suspects: lists::names_to_wire(status.suspects.iter().map(NodeId::as_bytes)),
        round_ended_s: status.care.round_ended_s,
        damaged_found: status.care.found,
        damaged_mended: status.care.mended,
    }
}

pub(super) fn status(message: wire::Status) -> Checked<NodeStatus> {
    let member = member::required(message.member)?;
    let members = std::slice::from_ref(&member);
    let predecessors = token::read_all(message.predecessors, members, TOKENS_MAX)?;
    let successors = token::read_all(message.successors, members, TOKENS_MAX)?;
    if successors.len() != predecessors.len() {
        return Err(BadField("successors"));
    }
    let keys: Vec<Key> = key::column(&message.tokens, predecessors.len())?;
    let tokens = keys
        .into_iter()
        .zip(predecessors)
        .zip(successors)
        .map(|((key, predecessor), successor)| TokenPointers {
            key,
            predecessor,
            successor,
        })
        .collect();
    let suspects = lists::names(&message.suspects, MEMBERS_MAX, "suspects")?;
    Ok(NodeStatus {
        member,
        tokens,
        used_bytes: message.used_bytes,
        copies_wanted: message.copies_wanted,
        copies_unreachable: message.copies_unreachable,
        arcs_incomplete: message.arcs_incomplete,
        handing_off: message.handing_off,
        suspects: suspects.into_iter().map(NodeId::new).collect(),
        care: Care {
            round_ended_s: message.round_ended_s,
            found: message.damaged_found,
            mended: message.damaged_mended,
        },
    })
}
