//! The peers of an endpoint: their links, the messages that wait for them, pauses after failures.
//!
//! One plain data structure behind one lock; nothing here waits or does I/O. Each operation returns
//! what its caller has to do or to report.
//!
//! A *lane* is the queue towards one peer (or towards an address whose peer is still unknown); a
//! *link* is one control connection. A lane has usually one link, and two when both nodes dialled at
//! once: then both read from both, and both write to the one that the node with the smaller id
//! dialled, so that the other falls silent on both sides and is closed.

use std::collections::{HashMap, VecDeque};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::Notify;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::endpoint::{PeerInfo, Target};
use crate::error::ConnectError;
use crate::identity::PeerId;
use crate::limits::{GATHER_BYTES_MAX, Limits};

/// Whose queue: a known peer's, or that of whoever is at an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum LaneKey {
    Peer(PeerId),
    Addr(SocketAddr),
}

impl From<Target> for LaneKey {
    fn from(target: Target) -> Self {
        match target.expect {
            Some(peer) => Self::Peer(peer),
            None => Self::Addr(target.addr),
        }
    }
}

/// One control connection, as the table sees it.
#[derive(Debug)]
pub(crate) struct Link {
    pub(crate) number: u64,
    pub(crate) addr: SocketAddr,
    /// The address we dialled; `None` when the peer did.
    pub(crate) dialled: Option<SocketAddr>,
    pub(crate) instance: u64,
    /// Since when the peer is a member, in Unix seconds.
    pub(crate) since: u64,
    /// False once one side has said it will write no more.
    pub(crate) usable: bool,
    pub(crate) wake: Arc<Notify>,
    pub(crate) end: CancellationToken,
}

/// What `send` has to do after the table took (or refused) a message.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Queued {
    /// Nothing: a link or a dial under way will take it.
    Waiting,
    /// Dial this target; its messages wait.
    Dial(LaneKey),
    /// Dropped: too many wait.
    Full,
    /// Dropped: a dial failed a moment ago.
    Pausing(ConnectError),
}

/// What a link has to do next.
#[derive(Debug)]
pub(crate) enum Batch {
    Write(Vec<Bytes>),
    Empty,
    /// Another link writes to this peer.
    Spare,
}

/// What became of a lane when a link joined it.
#[derive(Debug, Default)]
pub(crate) struct Joined {
    /// Where the peer's former start listened, when its links were still counted.
    pub(crate) superseded: Option<SocketAddr>,
    /// No other link was there.
    pub(crate) first: bool,
}

/// What became of a lane when a link left it.
#[derive(Debug, Default)]
pub(crate) struct Parted {
    /// It was the last link.
    pub(crate) last: bool,
    /// Messages still wait, and no link can take them.
    pub(crate) dial: Option<Target>,
}

#[derive(Debug, Default)]
struct Lane {
    queue: VecDeque<(Target, Bytes)>,
    queue_bytes: usize,
    links: Vec<Link>,
    dialling: bool,
}

#[derive(Debug)]
struct Pause {
    until: Instant,
    length: Duration,
    error: ConnectError,
}

#[derive(Debug)]
pub(crate) struct Table {
    own: PeerId,
    lanes: HashMap<LaneKey, Lane>,
    pauses: HashMap<Target, Pause>,
    next_number: u64,
}

impl Table {
    pub(crate) fn new(own: PeerId) -> Self {
        Self {
            own,
            lanes: HashMap::new(),
            pauses: HashMap::new(),
            next_number: 0,
        }
    }

    /// Takes a message for `target`.
    pub(crate) fn queue(&mut self, target: Target, message: Bytes, limits: &Limits) -> Queued {
        let key = self.lane_of(target);
        let own = self.own;
        let hopeful = match self.lanes.get(&key) {
            Some(lane) => lane.dialling || lane.active(own, key).is_some(),
            None if self.lanes.len() >= limits.peers_max => return Queued::Full,
            None => false,
        };
        if !hopeful && let Some(error) = self.paused(&target) {
            return Queued::Pausing(error);
        }
        let lane = self.lanes.entry(key).or_default();
        let bytes = message.len();
        let full = lane.queue.len() >= limits.queue_messages_max
            || lane.queue_bytes + bytes > limits.queue_bytes_max;
        if full && !lane.queue.is_empty() {
            return Queued::Full;
        }
        lane.queue_bytes += bytes;
        lane.queue.push_back((target, message));
        if let Some(link) = lane.active(own, key) {
            link.wake.notify_one();
            return Queued::Waiting;
        }
        if std::mem::replace(&mut lane.dialling, true) {
            Queued::Waiting
        } else {
            Queued::Dial(key)
        }
    }

    /// The pause that forbids to dial `target` just now, if any.
    pub(crate) fn paused(&self, target: &Target) -> Option<ConnectError> {
        let pause = self.pauses.get(target)?;
        (pause.until > Instant::now()).then(|| pause.error.clone())
    }

    /// Notes that `target` could not be reached; the pause doubles with each failure in a row.
    pub(crate) fn pause(&mut self, target: Target, error: ConnectError, limits: &Limits) {
        if self.pauses.len() >= limits.peers_max {
            self.sweep_pauses(limits);
        }
        if self.pauses.len() >= limits.peers_max && !self.pauses.contains_key(&target) {
            return;
        }
        let length = match self.pauses.get(&target) {
            Some(last) => (last.length * 2).min(limits.backoff_max),
            None => limits.backoff_first,
        };
        let until = Instant::now() + length;
        let pause = Pause {
            until,
            length,
            error,
        };
        self.pauses.insert(target, pause);
    }

    /// Notes that `target` was reached.
    pub(crate) fn unpause(&mut self, peer: PeerId, addr: SocketAddr) {
        let expect = Some(peer);
        self.pauses.remove(&Target { addr, expect });
        self.pauses.remove(&Target { addr, expect: None });
    }

    /// Forgets pauses that ended long enough ago not to matter.
    pub(crate) fn sweep_pauses(&mut self, limits: &Limits) {
        let now = Instant::now();
        self.pauses
            .retain(|_, pause| pause.until + limits.backoff_max > now);
    }

    /// The dial of this lane failed: drops what waited for that address. Returns the target to dial
    /// next, when messages wait for the same peer at another address.
    pub(crate) fn dial_failed(&mut self, key: LaneKey, failed: SocketAddr) -> Option<Target> {
        let own = self.own;
        let lane = self.lanes.get_mut(&key)?;
        lane.dialling = false;
        if lane.active(own, key).is_some() {
            return None;
        }
        lane.queue.retain(|(target, _)| target.addr != failed);
        lane.queue_bytes = lane.queue.iter().map(|(_, message)| message.len()).sum();
        let next = lane.queue.back().map(|(target, _)| *target);
        lane.dialling = next.is_some();
        self.drop_if_empty(key);
        next
    }

    /// A new link with `peer`; `origin` is the lane that dialled it.
    pub(crate) fn join(
        &mut self,
        peer: PeerId,
        link: Link,
        origin: Option<LaneKey>,
        limits: &Limits,
    ) -> Joined {
        let key = LaneKey::Peer(peer);
        let moved = match origin {
            Some(from @ LaneKey::Addr(_)) => self.lanes.remove(&from),
            _ => None,
        };
        let lane = self.lanes.entry(key).or_default();
        if origin == Some(key) {
            lane.dialling = false;
        }
        if let Some(moved) = moved {
            for (target, message) in moved.queue {
                lane.queue_bytes += message.len();
                lane.queue.push_back((target, message));
            }
        }
        let before = lane.links.last().map(|old| old.addr);
        let same = |old: &Link| old.instance == link.instance;
        let kept = lane.links.iter().filter(|old| same(old)).count();
        let mut excess = (kept + 1).saturating_sub(limits.control_connections_max);
        lane.links.retain(|old| {
            let stays = same(old) && excess == 0;
            excess = excess.saturating_sub(usize::from(same(old)));
            if !stays {
                old.end.cancel();
            }
            stays
        });
        let first = lane.links.is_empty();
        let joined = Joined {
            superseded: before.filter(|_| first),
            first,
        };
        let reached = |target: &Target| match target.expect {
            Some(expected) => expected == peer,
            None => link.dialled == Some(target.addr),
        };
        self.pauses.retain(|target, _| !reached(target));
        lane.links.push(link);
        if let Some(active) = lane.active(self.own, key) {
            active.wake.notify_one();
        }
        joined
    }

    /// A number that no other link of this endpoint has.
    pub(crate) fn number(&mut self) -> u64 {
        self.next_number += 1;
        self.next_number
    }

    /// The next messages for link `number` to write.
    pub(crate) fn batch(&mut self, peer: PeerId, number: u64, bytes_max: usize) -> Batch {
        let key = LaneKey::Peer(peer);
        let own = self.own;
        let Some(lane) = self.lanes.get_mut(&key) else {
            return Batch::Spare;
        };
        if lane
            .active(own, key)
            .is_none_or(|link| link.number != number)
        {
            return Batch::Spare;
        }
        let mut batch = Vec::new();
        let mut bytes = 0;
        while let Some((_, message)) = lane.queue.pop_front() {
            lane.queue_bytes -= message.len();
            bytes += message.len().min(GATHER_BYTES_MAX) + 4;
            batch.push(message);
            if bytes >= bytes_max {
                break;
            }
        }
        if batch.is_empty() {
            Batch::Empty
        } else {
            Batch::Write(batch)
        }
    }

    /// Takes a link out of use unless messages wait for it. True when it is out of use.
    pub(crate) fn retire(&mut self, peer: PeerId, number: u64) -> bool {
        let key = LaneKey::Peer(peer);
        let own = self.own;
        let Some(lane) = self.lanes.get_mut(&key) else {
            return true;
        };
        let active = lane.active(own, key).map(|link| link.number);
        if active == Some(number) && !lane.queue.is_empty() {
            return false;
        }
        self.disuse(peer, number);
        true
    }

    /// Takes a link out of use: the other side ended it. Its messages go to another link.
    pub(crate) fn disuse(&mut self, peer: PeerId, number: u64) {
        let key = LaneKey::Peer(peer);
        let Some(lane) = self.lanes.get_mut(&key) else {
            return;
        };
        for link in &mut lane.links {
            link.usable &= link.number != number;
        }
        if let Some(active) = lane.active(self.own, key) {
            active.wake.notify_one();
        }
    }

    /// A link has ended.
    pub(crate) fn part(&mut self, peer: PeerId, number: u64) -> Parted {
        let key = LaneKey::Peer(peer);
        let own = self.own;
        let Some(lane) = self.lanes.get_mut(&key) else {
            return Parted::default();
        };
        let before = lane.links.len();
        lane.links.retain(|link| link.number != number);
        let last = lane.links.len() < before && lane.links.is_empty();
        let mut dial = None;
        match lane.active(own, key) {
            Some(active) => active.wake.notify_one(),
            None if lane.dialling => {}
            None => dial = lane.queue.back().map(|(target, _)| *target),
        }
        lane.dialling |= dial.is_some();
        self.drop_if_empty(key);
        Parted { last, dial }
    }

    /// Drops the messages that wait for nothing, returning for whom they were.
    pub(crate) fn abandon(&mut self, key: LaneKey) -> Vec<Target> {
        let Some(lane) = self.lanes.get_mut(&key) else {
            return Vec::new();
        };
        lane.dialling = false;
        lane.queue_bytes = 0;
        let dropped = lane.queue.drain(..).map(|(target, _)| target).collect();
        self.drop_if_empty(key);
        dropped
    }

    /// Ends every link with `peer`.
    pub(crate) fn end_links(&mut self, peer: PeerId) {
        if let Some(lane) = self.lanes.get(&LaneKey::Peer(peer)) {
            for link in &lane.links {
                link.end.cancel();
            }
        }
    }

    /// The peers with an open control connection.
    pub(crate) fn peers(&self) -> Vec<PeerInfo> {
        let linked = self.lanes.iter().filter_map(|(key, lane)| match key {
            LaneKey::Peer(id) => {
                let Link { addr, since, .. } = *lane.links.last()?;
                Some(PeerInfo {
                    id: *id,
                    addr,
                    since,
                })
            }
            LaneKey::Addr(_) => None,
        });
        linked.collect()
    }

    /// Where a message for `target` waits: an unknown peer at an address we are linked with is that
    /// peer.
    fn lane_of(&self, target: Target) -> LaneKey {
        if target.expect.is_some() {
            return target.into();
        }
        let at = |link: &Link| link.dialled == Some(target.addr) && link.usable;
        let linked = self
            .lanes
            .iter()
            .find(|(_, lane)| lane.links.iter().any(at));
        linked.map_or_else(|| target.into(), |(key, _)| *key)
    }

    fn drop_if_empty(&mut self, key: LaneKey) {
        if let Some(lane) = self.lanes.get(&key)
            && lane.links.is_empty()
            && lane.queue.is_empty()
            && !lane.dialling
        {
            self.lanes.remove(&key);
        }
    }
}

impl Lane {
    /// The link that is written to, by a rule that both sides follow.
    fn active(&self, own: PeerId, key: LaneKey) -> Option<&Link> {
        let LaneKey::Peer(peer) = key else {
            return None;
        };
        let preferred = |link: &&Link| (link.dialled.is_some() == (own < peer), link.number);
        let usable = self.links.iter().filter(|link| link.usable);
        usable.max_by_key(preferred)
    }
}

#[cfg(test)]
mod tests;
