//! Comparing two node tables: a digest first, then digests of parts, then tags of the entries in
//! parts that differ, so that what travels follows what differs.
//!
//! Every step stands alone and keeps no state; a lost one is made up for by the next comparison.
//! A table that is not whole differs from every other and is compared with none.

use std::collections::{BTreeSet, VecDeque};
use std::sync::LazyLock;
use std::time::Duration;

use blake3::hazmat::{ContextKey, HasherExt, hash_derive_key_context};
use chordal_object::NodeId;
use serde::{Deserialize, Serialize};

use crate::limits::{MEMBERS_MAX, TABLE_PARTS_MAX, TABLE_TAGS_MAX};
use crate::member::Member;
use crate::message::{Message, TableTags};
use crate::peer::Peer;
use crate::request::Asker;
use crate::table::Entry;
use crate::time::Time;

/// Entries in a part, on average: fewer make the first answer longer, more the second one.
const PART: usize = 8;

/// A table of so many entries is compared by their tags at once.
const SMALL: usize = 64;

/// How long a difference may be a change that is still on its way.
const ON_ITS_WAY: Duration = Duration::from_secs(2);

/// The most digests remembered.
const PAST_MAX: usize = 64;

/// What this node's table was a moment ago.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct TablePast(VecDeque<(Time, u64)>);

impl TablePast {
    /// Remembers a digest.
    pub(crate) fn note(&mut self, now: Time, digest: u64) {
        if self.0.len() == PAST_MAX {
            self.0.pop_front();
        }
        self.0.push_back((now, digest));
    }

    /// Whether the table had this digest until a moment ago. A digest's time is when the next one
    /// replaced it.
    fn had(&self, now: Time, digest: u64) -> bool {
        let recent = |at: Time| now.since(at) < ON_ITS_WAY;
        self.0.iter().any(|&(at, old)| old == digest && recent(at))
    }
}

impl Peer {
    /// Somebody's table may differ from this node's.
    pub(crate) fn compare_tables(
        &mut self,
        now: Time,
        asker: &Asker,
        digest: u64,
        disagreed: bool,
    ) {
        // A table with a node in it that nobody should count on yet differs from all others.
        if !self.table.is_whole() || !self.is_placed() || digest == self.table.digest() {
            return;
        }
        let excused = !disagreed && self.table_past.had(now, digest);
        if excused || !self.may_compare(now, asker.node) {
            return;
        }
        let entries = self.table.iter().count();
        if entries <= SMALL {
            self.send_tags(asker, 1, vec![0]);
            return;
        }
        let parts = (entries / PART).next_power_of_two().min(TABLE_PARTS_MAX);
        let digests = self.part_digests(parts);
        self.answer(asker, Message::TableParts(digests));
    }

    /// A node believes in other holders than this one: find out why.
    pub(crate) fn compare_with(&mut self, now: Time, node: NodeId) {
        let may = self.table.is_whole() && node != self.me.node;
        if may && self.may_compare(now, node) {
            let digest = self.table.digest();
            let disagreed = true;
            self.tell(node, Message::TableDigest { digest, disagreed });
        }
    }

    /// Somebody's table in parts: those that differ are looked into.
    pub(crate) fn compare_parts(&mut self, asker: &Asker, digests: &[u32]) {
        if !self.table.is_whole() {
            return;
        }
        let own = self.part_digests(digests.len());
        let which: Vec<u16> = (0u16..)
            .zip(own.iter().zip(digests))
            .filter(|(_, (own, theirs))| own != theirs)
            .map(|(part, _)| part)
            .collect();
        if !which.is_empty() {
            self.send_tags(asker, digests.len(), which);
        }
    }

    fn send_tags(&mut self, asker: &Asker, parts: usize, which: Vec<u16>) {
        let mut tags: Vec<u64> = self.in_parts(parts, &which).map(tag).collect();
        tags.truncate(TABLE_TAGS_MAX);
        let parts = u16::try_from(parts).expect("parts are at most 512");
        let answer = Message::TableTags(TableTags { parts, which, tags });
        self.answer(asker, answer);
    }

    /// What somebody's table has in some parts: what one of the two lacks is sent or asked for.
    pub(crate) fn compare_tags(&mut self, asker: &Asker, theirs: &TableTags) {
        if !self.table.is_whole() {
            return;
        }
        let known: BTreeSet<u64> = theirs.tags.iter().copied().collect();
        let mut own = BTreeSet::new();
        let mut members = Vec::new();
        for entry in self.in_parts(usize::from(theirs.parts), &theirs.which) {
            let tag = tag(entry);
            own.insert(tag);
            if !known.contains(&tag) && members.len() < MEMBERS_MAX {
                members.push(entry.to_member());
            }
        }
        let want: Vec<u64> = known.difference(&own).copied().collect();
        if !members.is_empty() || !want.is_empty() {
            let answer = Message::Table {
                members,
                want_yours: false,
                want,
            };
            self.answer(asker, answer);
        }
    }

    /// Entries of somebody's table came.
    pub(crate) fn learn_table(
        &mut self,
        now: Time,
        asker: &Asker,
        members: &[Member],
        want_yours: bool,
        want: &[u64],
    ) {
        let about_me = members.iter().any(|member| member.node == self.me.node);
        self.learn_members(now, members);
        self.introduced(now, asker.node);
        let mine = if want_yours {
            self.entries_wanted(asker, members)
        } else {
            let want: BTreeSet<u64> = want.iter().copied().collect();
            let entries = self.table.iter().map(|(_, entry)| entry);
            let wanted = entries
                .filter(|entry| !want.is_empty() && want.contains(&tag(entry)))
                .map(Entry::to_member);
            wanted.take(MEMBERS_MAX).collect()
        };
        if !mine.is_empty() || want_yours && (asker.request != 0 || about_me) {
            let answer = Message::Table {
                members: mine,
                want_yours: false,
                want: Vec::new(),
            };
            self.answer(asker, answer);
        }
    }

    /// What a node is told that wants this node's entries and told some of its own: a joiner all,
    /// another one with a whole table only who this is, since the two compare the rest.
    fn entries_wanted(&self, asker: &Asker, told: &[Member]) -> Vec<Member> {
        if asker.request == 0 && self.table.is_whole() {
            return self.told_of_self();
        }
        let mut mine = self.entries_to_share();
        if !self.is_placed() {
            // Nobody should count on this node yet.
            mine.retain(|entry| entry.node != self.me.node);
        }
        if asker.request == 0 {
            // Only what the other side does not have already.
            mine.retain(|entry| !told.contains(entry));
        }
        mine
    }

    /// The entries in these of so many parts.
    fn in_parts(&self, parts: usize, which: &[u16]) -> impl Iterator<Item = &Entry> {
        let mut wanted = vec![false; parts];
        for &part in which {
            wanted[usize::from(part)] = true;
        }
        self.table
            .iter()
            .map(|(_, entry)| entry)
            .filter(move |entry| wanted[part(entry.member.node, parts)])
    }

    fn part_digests(&self, parts: usize) -> Vec<u32> {
        let mut digests = vec![0u64; parts];
        for (&node, entry) in self.table.iter() {
            digests[part(node, parts)] ^= tag(entry);
        }
        let halves = digests.into_iter().map(|digest| (digest >> 32) as u32);
        halves.collect()
    }
}

/// The part that a node belongs to, of a power of two.
fn part(node: NodeId, parts: usize) -> usize {
    let bytes = node.as_bytes();
    usize::from(u16::from_be_bytes([bytes[0], bytes[1]])) & (parts - 1)
}

/// Names an entry as it is.
fn tag(entry: &Entry) -> u64 {
    let member = &entry.member;
    // Hashing the context as well would double the cost of comparing tables.
    static CONTEXT: LazyLock<ContextKey> =
        LazyLock::new(|| hash_derive_key_context("chordal 2026 node table entry"));
    let mut hasher = blake3::Hasher::new_from_context_key(&CONTEXT);
    hasher.update(member.node.as_bytes());
    hasher.update(&member.incarnation.to_be_bytes());
    hasher.update(&[member.standing as u8]);
    let mut head = [0; 8];
    head.copy_from_slice(&hasher.finalize().as_bytes()[..8]);
    u64::from_be_bytes(head)
}

#[cfg(test)]
mod tests;
