//! Asking the holders, in parts, and gathering what they sign.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use chordal_node::model::{ChunkId, NodeId, RecordCopy};
use chordal_node::{Attested, Inquiry, NoWord, Statement, Why, nonce};
use chordal_web::receipts::Question;

use super::Checked;
use crate::client::Client;
use crate::progress::Progress;
use crate::trouble::{Exit, Trouble};

/// Chunks in one question.
const CHUNKS_AT_ONCE: usize = 16_384;

/// Bytes of chunks in one question to read them again: some seconds at the pace of a scrub.
const READ_AT_ONCE: u32 = 64 << 20;

/// What is said of the name now.
#[derive(Debug)]
pub(super) enum Now {
    /// It has the version of the receipt.
    Same,
    /// It has this one.
    Other(String),
    /// There is no such file.
    Absent,
    /// Nobody could say.
    Unknown(Trouble),
}

/// What came of the questions.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// Whether copies were read again.
    pub(super) read: bool,
    /// How many copies there should be: as many as when the receipt was made, or more. What the asked node tells
    /// is signed by nobody, and would shrink with the ring.
    pub(super) wanted: u32,
    /// How many there should be now, by the asked node's word.
    pub(super) told: u32,
    /// Who has each chunk of the receipt.
    pub(super) chunks: Vec<Vec<NodeId>>,
    /// What each node that was asked about the record has of it.
    pub(super) record: BTreeMap<NodeId, RecordCopy>,
    /// Who answered, and where.
    pub(super) heard: BTreeMap<NodeId, SocketAddr>,
    /// Who said nothing that counts.
    pub(super) unheard: BTreeMap<NodeId, NoWord>,
}

/// Asks all who should hold something, and all whom the receipt names.
pub(super) async fn ask(
    client: &Client,
    checked: &Checked,
    read: bool,
) -> Result<(Found, Now), Trouble> {
    let receipt = &checked.receipt;
    let chunks = receipt.all_chunks();
    let mut found = Found {
        read,
        wanted: receipt.wanted,
        chunks: vec![Vec::new(); chunks.len()],
        ..Found::default()
    };
    let at_once = match receipt.chunk_bytes {
        bytes if read && bytes > 0 => usize::try_from(READ_AT_ONCE / bytes).unwrap_or(1).max(1),
        _ => CHUNKS_AT_ONCE,
    };
    let title = if read { "reading again" } else { "asking" };
    let bar = Progress::bytes(Some(receipt.size), title);
    let mut begin = 0;
    loop {
        let end = chunks.len().min(begin + at_once);
        let inquiry = part(checked, &chunks, begin..end, read);
        let answers = client.attest(&Question::of(&inquiry)).await;
        let answers = answers.inspect_err(|_| bar.clear())?;
        let attested = answers.attested(checked.authority, &inquiry);
        let attested = attested.map_err(|error| {
            bar.clear();
            Trouble::failed(
                "failed",
                format!("the node's answer was not understood: {error}"),
            )
        })?;
        found.take(checked, &inquiry, begin, attested);
        bar.advance(u64::from(receipt.chunk_bytes) * (end - begin) as u64);
        begin = end;
        if begin == chunks.len() {
            break;
        }
    }
    bar.clear();
    let name = receipt.name.to_string();
    let now = match client.stat(&name).await {
        Ok(stat) if stat.version == receipt.version.to_string() => Now::Same,
        Ok(stat) => Now::Other(stat.version),
        Err(trouble) if trouble.exit() == Exit::NotFound => Now::Absent,
        Err(trouble) => Now::Unknown(trouble),
    };
    Ok((found, now))
}

/// The question about some of the chunks; the first one is about the record too.
fn part(
    checked: &Checked,
    chunks: &[ChunkId],
    range: std::ops::Range<usize>,
    read: bool,
) -> Inquiry {
    let receipt = &checked.receipt;
    let named = |statement: &Statement| {
        let within = |&place: &u32| {
            let place = usize::try_from(place)
                .ok()
                .filter(|at| range.contains(at))?;
            u32::try_from(place - range.start).ok()
        };
        let places: Vec<u32> = statement.held.iter().filter_map(within).collect();
        (statement.holding.node, places)
    };
    let mut all: BTreeMap<NodeId, Vec<u32>> = BTreeMap::new();
    for (node, places) in receipt.statements.iter().map(named) {
        all.entry(node).or_default().extend(places);
    }
    all.retain(|_, places| !places.is_empty());
    let is_first = range.start == 0;
    let had_record = receipt.statements.iter();
    let had_record = had_record.filter(|it| is_first && it.holding.record == RecordCopy::Same);
    Inquiry {
        nonce: nonce(),
        subject: receipt.subject(),
        record: is_first.then(|| receipt.record_asked()),
        chunks: chunks[range.clone()].to_vec(),
        named: all,
        named_for_record: had_record.map(|it| it.holding.node).collect(),
        read,
    }
}

impl Found {
    /// Takes in the answers to a question about the chunks from `begin` on. What is not signed as it should
    /// be does not count.
    fn take(&mut self, checked: &Checked, inquiry: &Inquiry, begin: usize, attested: Attested) {
        self.wanted = self.wanted.max(attested.wanted);
        self.told = self.told.max(attested.wanted);
        for unheard in attested.unheard {
            self.unheard.insert(unheard.node, unheard);
        }
        for statement in attested.statements {
            let (node, addr) = (statement.holding.node, statement.addr);
            if checked.expelled.contains(&node) {
                let (addr, why) = (Some(addr), Why::Expelled);
                self.unheard.insert(node, NoWord { node, addr, why });
                continue;
            }
            let about = (&inquiry.nonce, &inquiry.subject);
            let good = statement.check(&checked.authority, about, &inquiry.chunks);
            if good.is_err() || statement.holding.read != inquiry.read {
                let (addr, why) = (Some(addr), Why::False);
                self.unheard.insert(node, NoWord { node, addr, why });
                continue;
            }
            self.heard.insert(node, addr);
            if statement.holding.record != RecordCopy::NotAsked {
                self.record.insert(node, statement.holding.record);
            }
            for place in statement.held {
                let place = usize::try_from(place).expect("it is of the question");
                let holders = &mut self.chunks[begin + place];
                if !holders.contains(&node) {
                    holders.push(node);
                }
            }
        }
    }

    /// On how many nodes the record of the receipt's version is.
    pub(super) fn record_copies(&self) -> usize {
        let same = |copy: &&RecordCopy| **copy == RecordCopy::Same;
        self.record.values().filter(same).count()
    }

    /// How many of the receipt's chunks a node has.
    pub(super) fn chunks_of(&self, node: NodeId) -> usize {
        let has = |holders: &&Vec<NodeId>| holders.contains(&node);
        self.chunks.iter().filter(has).count()
    }
}

#[cfg(test)]
mod tests;
