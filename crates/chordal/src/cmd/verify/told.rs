//! What `verify` prints, for people and for programs.

use std::collections::{BTreeMap, BTreeSet};

use chordal_node::Why;
use chordal_node::model::NodeId;
use serde::Serialize;
use serde_json::{Value, json};

use super::judge::Verdict;
use super::{Checked, Context, Found};
use crate::out::{Out, count, short, size, visible};
use crate::receipt::{Copies, enough};
use crate::trouble::Trouble;

/// Chunks named one by one; more are only counted.
const SHOWN_MAX: usize = 10;

/// What a program is told.
#[derive(Serialize)]
struct Told<'a> {
    #[serde(flatten)]
    receipt: Value,
    /// `signed` where nobody was asked, else what the answers mean.
    verdict: &'a str,
    #[serde(flatten)]
    now: Option<Value>,
}

pub(super) fn offline(
    context: &Context,
    checked: &Checked,
    copies: &Copies,
) -> Result<(), Trouble> {
    let told = Told {
        receipt: of_receipt(checked),
        verdict: "signed",
        now: None,
    };
    context.out.either(&told, |out| head(out, checked))?;
    if !copies.are_enough() {
        return Ok(());
    }
    context
        .out
        .ending("So it was then. Whether it still is: chordal verify without --offline")
}

pub(super) fn online(
    context: &Context,
    checked: &Checked,
    found: &Found,
    verdict: &Verdict,
) -> Result<(), Trouble> {
    let told = Told {
        receipt: of_receipt(checked),
        verdict: verdict.name(),
        now: Some(of_answers(checked, found)),
    };
    context.out.either(&told, |out| {
        head(out, checked)?;
        copies(out, checked, found)?;
        holders(out, checked, found)
    })?;
    if *verdict != Verdict::Held {
        return Ok(());
    }
    let how = if found.read {
        "every copy that is told of was read again and is what it should be"
    } else {
        "its holders have just signed for it; have them read it again with --deep"
    };
    let more = fewer(found);
    context
        .out
        .ending(format!("Everything is there: {how}.{more}"))
}

/// What is to be said of copies that there should be and are not; nothing where there are all.
fn fewer(found: &Found) -> &'static str {
    let counts = found.chunks.iter().map(Vec::len);
    let of_record = found.record_copies();
    let fewest = counts.min().unwrap_or(of_record).min(of_record);
    let are_fewer_than = |wanted: u32| fewest < usize::try_from(wanted).unwrap_or(0);
    if are_fewer_than(found.told) {
        " Some of it has fewer copies than it should: when they are made again, tells `chordal status`."
    } else if are_fewer_than(found.wanted) {
        " The ring makes fewer copies now than when the receipt was made: with more nodes it makes more."
    } else {
        ""
    }
}

fn of_receipt(checked: &Checked) -> Value {
    let receipt = &checked.receipt;
    let copies = checked.copies();
    let expelled: BTreeSet<String> = signers(checked)
        .intersection(&checked.expelled)
        .map(NodeId::to_string)
        .collect();
    json!({
        "name": receipt.name.to_string(),
        "version": receipt.version.to_string(),
        "size": receipt.size,
        "hash": blake3::Hash::from_bytes(receipt.hash).to_hex().as_str(),
        "authority": receipt.authority.to_string(),
        "maker": receipt.maker().to_string(),
        "maker_expelled": checked.is_by_expelled(),
        "signatures": true,
        "signed": {
            "wanted": copies.wanted,
            "enough": enough(copies.wanted),
            "record": copies.record,
            "chunks": copies.chunks,
            "expelled": expelled,
        },
        "bytes": checked.is_file.then_some(true),
    })
}

fn of_answers(checked: &Checked, found: &Found) -> Value {
    let counts: Vec<usize> = found.chunks.iter().map(Vec::len).collect();
    let holders: Vec<Value> = nodes(checked, found)
        .into_iter()
        .map(|node| {
            let addr = found.heard.get(&node.id).map(ToString::to_string);
            let unheard = found.unheard.get(&node.id);
            let unheard_at = unheard.and_then(|word| word.addr.map(|addr| addr.to_string()));
            json!({
                "node": node.id.to_string(),
                "addr": addr.or(unheard_at),
                "named": node.is_named,
                "record": found.record.get(&node.id).map(|copy| copy.word()),
                "chunks": found.chunks_of(node.id),
                "why": unheard.map(|word| word.why.name()),
            })
        })
        .collect();
    json!({
        "deep": found.read,
        "wanted": found.wanted,
        "told": found.told,
        "enough": enough(found.wanted),
        "record": found.record_copies(),
        "chunks": counts,
        "holders": holders,
    })
}

fn head(out: Out, checked: &Checked) -> Result<(), Trouble> {
    let receipt = &checked.receipt;
    let signers = signers(checked).len();
    row(
        out,
        "file",
        &format!(
            "{}, {}, version {}",
            visible(&receipt.name.to_string()),
            size(receipt.size),
            receipt.version
        ),
    )?;
    row(
        out,
        "signatures",
        &format!(
            "{}: of {} of ring '{}', checked here, without the ring",
            out.paint().green("good"),
            count(signers as u64, "holder"),
            visible(&receipt.ring)
        ),
    )?;
    shown(out, checked)?;
    if checked.is_file {
        row(
            out,
            "bytes",
            &format!("{}: it is that file", out.paint().green("the same")),
        )?;
    }
    Ok(())
}

/// What the receipt alone shows, and whose words in it count no more.
fn shown(out: Out, checked: &Checked) -> Result<(), Trouble> {
    let copies = checked.copies();
    let parts = if copies.chunks.is_empty() {
        format!("record by {} of {}", copies.record, copies.wanted)
    } else {
        let chunks = copies.chunks.iter().min().copied().unwrap_or(0);
        format!(
            "record by {} of {}, every chunk by {chunks} or more",
            copies.record, copies.wanted
        )
    };
    let text = if copies.are_enough() {
        parts
    } else {
        format!(
            "{parts}: {}",
            out.paint()
                .red(format!("too few, {} are enough", enough(copies.wanted)))
        )
    };
    row(out, "signed", &text)?;
    if checked.is_by_expelled() {
        let maker = checked.receipt.maker().to_string();
        row(
            out,
            "made",
            &format!(
                "by {}, which was expelled since: only what the others signed counts",
                short(&maker)
            ),
        )?;
    }
    for node in signers(checked).intersection(&checked.expelled) {
        let node = node.to_string();
        let text = format!("{} {}", short(&node), why_words(Why::Expelled));
        row(out, "", &text)?;
    }
    Ok(())
}

/// Who signed something in the receipt.
fn signers(checked: &Checked) -> BTreeSet<NodeId> {
    let statements = checked.receipt.statements.iter();
    statements.map(|it| it.holding.node).collect()
}

fn copies(out: Out, checked: &Checked, found: &Found) -> Result<(), Trouble> {
    let enough = enough(found.wanted);
    let then = checked.receipt.wanted;
    if found.told < then {
        let text = format!(
            "{}, fewer than when the receipt was made: {then}",
            found.told
        );
        row(out, "wanted", &text)?;
    }
    let coloured = |copies: usize| {
        let text = format!("{copies} of {}", found.wanted);
        if copies >= enough {
            out.paint().green(text)
        } else {
            out.paint().red(text)
        }
    };
    let of_record = found.record_copies();
    row(out, "record", &format!("on {} nodes", coloured(of_record)))?;
    let mut by_count: BTreeMap<usize, usize> = BTreeMap::new();
    for holders in &found.chunks {
        *by_count.entry(holders.len()).or_default() += 1;
    }
    if found.chunks.is_empty() {
        return row(out, "chunks", "none: the content is in the record");
    }
    for (copies, chunks) in by_count.iter().rev() {
        let chunks = count(*chunks as u64, "chunk");
        row(
            out,
            "chunks",
            &format!("{chunks} on {} nodes", coloured(*copies)),
        )?;
    }
    let all = checked.receipt.all_chunks();
    let lacking = all.iter().zip(&found.chunks);
    let lacking = lacking.filter(|(_, holders)| holders.len() < enough);
    for (chunk, holders) in lacking.take(SHOWN_MAX) {
        row(
            out,
            "",
            &format!("{chunk} on {}", count(holders.len() as u64, "node")),
        )?;
    }
    Ok(())
}

fn holders(out: Out, checked: &Checked, found: &Found) -> Result<(), Trouble> {
    for node in nodes(checked, found) {
        let id = node.id.to_string();
        let mut text = short(&id).to_owned();
        if let Some(addr) = found.heard.get(&node.id) {
            let chunks = count(found.chunks_of(node.id) as u64, "chunk");
            text = format!("{text} at {addr}: {chunks}");
            if let Some(copy) = found.record.get(&node.id) {
                text = format!("{text}, record {}", copy.word());
            }
        }
        if let Some(unheard) = found.unheard.get(&node.id) {
            text = format!("{text} {}", why_words(unheard.why));
        }
        if !node.is_named {
            text.push_str(" (not in the receipt)");
        }
        row(out, "holder", &text)?;
    }
    Ok(())
}

/// A node that was asked, or should have been.
struct Asked {
    id: NodeId,
    is_named: bool,
}

/// All of them, those of the receipt first.
fn nodes(checked: &Checked, found: &Found) -> Vec<Asked> {
    let named = signers(checked);
    let asked: BTreeSet<NodeId> = found
        .heard
        .keys()
        .chain(found.unheard.keys())
        .copied()
        .collect();
    let of = |is_named| move |id: &NodeId| Asked { id: *id, is_named };
    let further = asked.difference(&named).map(of(false));
    named.iter().map(of(true)).chain(further).collect()
}

const fn why_words(why: Why) -> &'static str {
    match why {
        Why::Silent => "does not answer",
        Why::GivenUp => "was given up by the ring: others have its copies",
        Why::Left => "left the ring and handed its copies over",
        Why::Expelled => "was expelled: its word does not count any more",
        Why::Unknown => "is not known to the ring any more",
        Why::Older => "runs an older program that signs nothing",
        Why::Failed => "cannot read its disk",
        Why::Busy => "reads for others and did not come to this",
        Why::False => "said something that it did not sign, or was not asked",
    }
}

fn row(out: Out, title: &str, value: &str) -> Result<(), Trouble> {
    out.line(format_args!(
        "{}  {value}",
        out.paint().dim(format!("{title:>10}"))
    ))
}

#[cfg(test)]
mod tests;
