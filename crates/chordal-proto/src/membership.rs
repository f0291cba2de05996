//! The node table's travels: changes spread over the whole ring in O(log N) steps, and tables are
//! compared with random members so that no hole stays.

mod compare;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use bytes::{Buf, BufMut, Bytes, BytesMut};
use chordal_object::{Arc, Key, NodeId};
use serde::{Deserialize, Serialize};

use crate::codec;
use crate::effect::{Answer, DiskOp, Notice};
use crate::history::History;
use crate::input::{Completion, OperationId};
use crate::limits::{INCARNATION_MAX, MEMBERS_MAX};
use crate::member::{Member, Standing, Token};
use crate::message::Message;
use crate::peer::Peer;
use crate::request::Purpose;
use crate::settings::Profile;
use crate::table::Entry;
use crate::time::Time;
use crate::timer::Reason;
use crate::waiting::Waiting;

pub(crate) use compare::TablePast;

/// To how many nodes one node passes a change on.
const BRANCHES: usize = 4;

/// The most entries that a node whose table is not whole tells to one that joins.
const SHARED_MAX: usize = 32;

/// Pause before a save that failed is tried again.
const SAVE_AGAIN: Duration = Duration::from_secs(1);

/// The least time from one save to the next: changes come in bursts.
const SAVE_PAUSE: Duration = Duration::from_millis(100);

/// When something is saved that nobody waits for.
const SAVE_LATER: Duration = Duration::from_secs(2);

/// The version of the saved table's format, its first byte.
const SAVED_FORMAT: u8 = 2;

/// Saves of the table under way.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Saves {
    running: bool,
    again: bool,
    /// When the last one began.
    began: Option<Time>,
    /// Who waits to be told that this node has left, once that is durable.
    pub(crate) left: Option<OperationId>,
    /// Who waits to be told that this node may be stopped, once what it knows is kept.
    pub(crate) paused: Option<OperationId>,
}

impl Peer {
    /// Takes over entries and tells the whole ring.
    pub(crate) fn announce(&mut self, now: Time, members: Vec<Member>) {
        self.learn_members(now, &members);
        if !self.table.is_whole() {
            self.tell_neighbours(&members);
            return;
        }
        let start = self.own_token_keys().first().copied();
        if let Some(own) = start {
            self.spread(members, own, own);
            return;
        }
        // A node without tokens has no part of the ring to start from: a member does.
        let alive: Vec<NodeId> = self
            .table
            .others(self.me.node)
            .filter(|&node| self.table.is_alive(node))
            .collect();
        if let Some(&first) = self.rng.choose(&alive)
            && let Some(&until) = self.table.get(first).and_then(|entry| entry.tokens.first())
        {
            self.tell(first, Message::Spread { members, until });
        }
    }

    /// A change reached this node: pass it on over its part of the ring if it was news.
    pub(crate) fn spread_on(&mut self, now: Time, members: Vec<Member>, until: Key) {
        let changed = self.learn_members(now, &members);
        if !self.table.is_whole() {
            return;
        }
        let Some(own) = self.first_token() else {
            return;
        };
        if !changed.is_empty() {
            self.spread(members, own, until);
        }
    }

    /// Tells a change to those whose pointers it may concern at once; the others learn of it as
    /// they stabilise.
    fn tell_neighbours(&mut self, members: &[Member]) {
        let neighbours = self.pointed_neighbours();
        for (node, key) in neighbours {
            self.tell(
                node,
                Message::Spread {
                    members: members.to_vec(),
                    until: key,
                },
            );
        }
    }

    /// The other nodes next to this node's tokens, each with the token that is next.
    fn pointed_neighbours(&self) -> BTreeMap<NodeId, Key> {
        let mut next: BTreeMap<NodeId, Key> = BTreeMap::new();
        for ring in self.tokens.values() {
            for token in [ring.pointers.predecessor, ring.pointers.successors[0]] {
                next.insert(token.node, token.key);
            }
        }
        next.remove(&self.me.node);
        next
    }

    /// What a node that joins or compares is told of the ring: all that is known of a whole
    /// table, of another this node and the next ones.
    fn entries_to_share(&self) -> Vec<Member> {
        if self.table.is_whole() {
            let mut members = self.members();
            members.sort_by_key(|entry| !entry.standing.is_member());
            members.truncate(MEMBERS_MAX);
            return members;
        }
        let rings = self.tokens.values();
        let next = rings.flat_map(|ring| {
            ring.pointers
                .successors
                .iter()
                .chain([&ring.pointers.token])
        });
        let mut entries = self.entries_for(next);
        entries.truncate(SHARED_MAX);
        entries
    }

    /// Whether a joiner is told of all members that there are.
    pub(crate) fn tells_whole_table(&self) -> bool {
        self.table.is_whole() && self.members_known() <= MEMBERS_MAX
    }

    fn members_known(&self) -> usize {
        let entries = self.table.iter();
        let members = entries.filter(|(_, entry)| entry.member.standing.is_member());
        members.count()
    }

    pub(crate) fn first_token(&self) -> Option<Key> {
        self.table
            .get(self.me.node)
            .and_then(|entry| entry.tokens.first().copied())
    }

    fn spread(&mut self, members: Vec<Member>, own: Key, until: Key) {
        for (node, until) in self.branches(own, until) {
            let members = members.clone();
            self.tell(node, Message::Spread { members, until });
        }
    }

    /// Splits the nodes after `own` and before `until` into parts, each of which its first node
    /// passes a word on in, up to a key. A node's place in this tree is its first token; nodes
    /// said to be silent have none.
    pub(crate) fn branches(&self, own: Key, until: Key) -> Vec<(NodeId, Key)> {
        let nodes: Vec<Token> = self
            .table
            .tokens_from(own)
            .skip_while(|token| token.key == own)
            .take_while(|token| token.key.between(own, until))
            .filter(|token| {
                let entry = self.table.get(token.node);
                let is_first = |entry: &Entry| entry.tokens.first() == Some(&token.key);
                let is_promising = !self.liveness.rumours.is_said_silent(token.node);
                is_promising && entry.is_some_and(|entry| entry.is_alive() && is_first(entry))
            })
            .collect();
        let part = nodes.len().div_ceil(BRANCHES).max(1);
        let parts: Vec<&[Token]> = nodes.chunks(part).collect();
        let ends = parts.iter().skip(1).map(|next| next[0].key);
        let ends = ends.chain([until]);
        parts
            .iter()
            .zip(ends)
            .map(|(nodes, end)| (nodes[0].node, end))
            .collect()
    }

    /// Compares tables with a random member, and tries a node that vanished (the merge step).
    pub(crate) fn gossip(&mut self, now: Time) {
        self.timers
            .set(now + self.rng.jitter(self.timing.gossip), Reason::Gossip);
        self.liveness.rumours.forget_old(now, self.timing.grace);
        if self.is_seeking() {
            return;
        }
        let others = self.table.iter().filter(|(node, _)| **node != self.me.node);
        let (alive, rest): (Vec<_>, Vec<_>) = others.partition(|(_, entry)| entry.is_alive());
        let vanished: Vec<NodeId> = rest
            .into_iter()
            .filter(|(_, entry)| entry.member.standing != Standing::Left)
            .map(|(&node, _)| node)
            .collect();
        // Tables that are not whole differ always: nothing is learned from their digests.
        if self.table.is_whole()
            && let Some(&(&node, _)) = self.rng.choose(&alive)
        {
            let digest = self.table.digest();
            let disagreed = false;
            self.tell(node, Message::TableDigest { digest, disagreed });
        }
        if let Some(&node) = self.rng.choose(&vanished) {
            self.ask(now, node, Message::Ping, Purpose::Ping);
        }
    }

    /// A node that had to introduce itself has: what it said before is taken up.
    fn introduced(&mut self, now: Time, node: NodeId) {
        if let Some((of, to)) = self.liveness.introductions.remove(&node) {
            self.notified(now, node, of, to);
        }
    }

    /// Somebody says something about this node that this node does not say of itself.
    pub(crate) fn hear_of_myself(&mut self, now: Time, entry: &Member) {
        let leaving = !self.me.standing.holds();
        let given_up = !entry.standing.is_member();
        if given_up && !leaving && entry.incarnation >= self.me.incarnation {
            // Writes were missed.
            self.lose_completeness(now);
        }
        let own_word = leaving && entry.incarnation == self.me.incarnation && given_up;
        if !entry.supersedes(&self.me) || own_word || entry.incarnation >= INCARNATION_MAX {
            return;
        }
        self.me.incarnation = entry.incarnation + 1;
        self.table.set_own(&self.settings, &self.me.clone());
        self.notice(Notice::Refuted {
            incarnation: self.me.incarnation,
        });
        self.announce(now, vec![self.me.clone()]);
    }

    /// Keeps the table for the next life. One save is under way at a time, so that an older table
    /// never replaces a newer one.
    pub(crate) fn save_members(&mut self, now: Time) {
        if self.saves.running {
            self.saves.again = true;
            return;
        }
        self.saves.running = true;
        self.saves.began = Some(now);
        // Whoever left for good begins the next life alone.
        let (own, left) = (self.me.node, self.me.standing == Standing::Left);
        let members: Vec<Member> = self
            .members()
            .into_iter()
            .filter(|entry| entry.node == own || (!left && entry.standing != Standing::Left))
            .take(MEMBERS_MAX)
            .collect();
        let mut bytes = BytesMut::new();
        bytes.put_u8(SAVED_FORMAT);
        let members = codec::encode_members(&members);
        bytes.put_u32(u32::try_from(members.len()).expect("a table is bounded"));
        bytes.put(members);
        bytes.put(codec::encode_pasts(&self.views_to_save()));
        let moves = self.moves();
        let op = DiskOp::SaveMembers(bytes.freeze());
        self.disk(op, Waiting::Saved { moves });
    }

    /// A save ended.
    pub(crate) fn saved(&mut self, now: Time, moves: u64, completion: &Completion) {
        self.saves.running = false;
        let is_durable = matches!(completion, Completion::Disk(Ok(_)));
        if is_durable {
            self.views_saved(now, moves);
        } else {
            self.timers.at_latest(now + SAVE_AGAIN, Reason::Save);
        }
        if std::mem::take(&mut self.saves.again) {
            if self.saves.left.is_some() || self.saves.paused.is_some() {
                self.save_members(now);
            } else {
                self.save_soon(now);
            }
            return;
        }
        // A disk that fails keeps nobody from stopping.
        if let Some(operation) = self.saves.paused.take() {
            self.reply(operation, Ok(Answer::Paused));
        }
        if is_durable && let Some(operation) = self.saves.left.take() {
            self.reply(operation, Ok(Answer::Left));
        }
    }

    /// Takes over what an earlier life saved; what it went through with the arcs that it held.
    /// Bytes that cannot be read count as nothing remembered.
    pub(crate) fn remember(&mut self, saved: Option<Bytes>) -> Vec<(Arc, History)> {
        let Some((members, pasts)) = saved.and_then(parts_of_saved) else {
            return Vec::new();
        };
        let (Ok(members), Ok(pasts)) = (codec::decode_members(members), codec::decode_pasts(pasts))
        else {
            return Vec::new();
        };
        for member in members {
            if member.node == self.me.node {
                let next = member.incarnation.saturating_add(1);
                self.me.incarnation = self.me.incarnation.max(next);
                let (had, has) = (member.salts.len(), self.me.salts.len());
                let fits = match self.settings.profile {
                    // How many tokens it took depended on the ring.
                    Profile::Standard => (had == 0) == (has == 0),
                    Profile::Classic => had == has,
                };
                if member.standing.is_member() && fits {
                    self.me.salts = member.salts;
                }
            } else {
                self.table.learn(&self.settings, &member);
            }
        }
        pasts
    }

    /// Asks to save the table soon, because somebody waits for what has changed: at once, unless
    /// the last save is so young that further changes are likely to follow.
    pub(crate) fn save_soon(&mut self, now: Time) {
        let began = self.saves.began;
        let at = began.map_or(now, |began| now.max(began + SAVE_PAUSE));
        self.timers.at_latest(at, Reason::Save);
    }

    /// Asks to save the table before long: nobody waits for what has changed.
    pub(crate) fn save_later(&mut self, now: Time) {
        self.timers.at_latest(now + SAVE_LATER, Reason::Save);
    }
}

/// The nodes of a table that a node saved ([`DiskOp::SaveMembers`]), where they were, those that
/// left aside. None where the bytes are no such table.
pub fn saved_nodes(saved: Bytes) -> Vec<(NodeId, SocketAddr)> {
    let members =
        parts_of_saved(saved).and_then(|(members, _)| codec::decode_members(members).ok());
    let members = members.unwrap_or_default().into_iter();
    let present = members.filter(|member| member.standing.is_member());
    present.map(|member| (member.node, member.addr)).collect()
}

/// The saved table and the saved views.
fn parts_of_saved(mut bytes: Bytes) -> Option<(Bytes, Bytes)> {
    if bytes.try_get_u8().ok()? != SAVED_FORMAT {
        return None;
    }
    let length = usize::try_from(bytes.try_get_u32().ok()?).ok()?;
    let members = (length <= bytes.len()).then(|| bytes.split_to(length))?;
    Some((members, bytes))
}
