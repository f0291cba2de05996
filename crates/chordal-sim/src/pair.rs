//! Two holders of everything, with their disks, and the wire between them: what reconciling them
//! costs is counted here. Production peers and production stores; messages and disks take no time, the
//! clock jumps from deadline to deadline, and nothing fails: faults are the simulator's.

use std::collections::VecDeque;
use std::net::SocketAddr;

use anyhow::{Context, Result, anyhow, ensure};
use chordal_object::{Bits, Content, File, Key, Name, NodeId, Record, Version};
use chordal_proto::effect::{Answer, DiskOp, Failure};
use chordal_proto::input::{Command, Completion, DiskAnswer, OperationId, TransferError};
use chordal_proto::limits::TABLE_MAX;
use chordal_proto::message::{Kind, Message};
use chordal_proto::{Config, Effect, Input, Peer, Settings, Time, Timing, codec};
use chordal_store::MemDisk;

use crate::node::{Held, address};
use crate::node_disk::NodeDisk;
use crate::plant::Plant;

/// What was said between the two.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Said {
    /// Messages that find out what differs, and their bytes as encoded.
    pub(crate) comparing: Count,
    /// Those of them that begin a comparison of an arc.
    pub(crate) begun: u64,
    /// Messages that ask for what is lacking.
    pub(crate) asking: Count,
    /// Messages that bring it.
    pub(crate) bringing: Count,
}

/// So many messages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Count {
    pub(crate) messages: u64,
    pub(crate) bytes: u64,
}

/// Two holders.
#[derive(Debug)]
pub(crate) struct Pair {
    now: Time,
    settings: Settings,
    sides: [Side; 2],
    said: Said,
    joined: Option<Result<Answer, Failure>>,
}

#[derive(Debug)]
struct Side {
    peer: Peer,
    disk: NodeDisk,
    held: Held,
    id: NodeId,
    addr: SocketAddr,
}

impl Pair {
    /// A ring of two that came to rest, each with one token and both with these names.
    pub(crate) fn holding(names: usize, seed: u64) -> Result<Self> {
        let mut pair = Self {
            now: Time::from_nanos(0),
            settings: Settings::default(),
            sides: [Side::new(0, seed)?, Side::new(1, seed)?],
            said: Said::default(),
            joined: None,
        };
        let command = Command::Join(vec![pair.sides[0].addr]);
        let operation = OperationId(1);
        pair.tell(0, Input::Tick)?;
        pair.tell(1, Input::Tick)?;
        pair.tell(1, Input::Command { operation, command })?;
        while pair.joined.is_none() {
            pair.step()?;
        }
        ensure!(
            matches!(pair.joined, Some(Ok(_))),
            "the second node did not join"
        );
        for side in 0..2 {
            pair.write(side, (0..names).map(|name| (name, 1)))?;
        }
        pair.reconcile()?;
        Ok(pair)
    }

    /// Gives one of the two a newer version of the first names, past its core, as if the other had been
    /// away.
    pub(crate) fn differ(&mut self, names: usize, counter: u64) -> Result<()> {
        self.write(0, (0..names).map(|name| (name, counter)))
    }

    /// Lets time pass until each has compared everything with the other, and both have the same; what was
    /// said for it.
    pub(crate) fn reconcile(&mut self) -> Result<Said> {
        self.said = Said::default();
        loop {
            self.step()?;
            // Two nodes of a token each cut the ring in two, and compare both arcs, each by itself.
            if self.said.begun >= 4 && self.are_equal()? {
                return Ok(self.said);
            }
        }
    }

    /// Whether both hold the same.
    pub(crate) fn are_equal(&mut self) -> Result<bool> {
        Ok(self.items(0)? == self.items(1)?)
    }

    fn items(&mut self, side: usize) -> Result<Vec<(Key, [u8; 32])>> {
        let whole = chordal_object::Arc::new(Key::default(), Key::default());
        let kind = Kind::Records;
        let Self {
            sides, settings, ..
        } = self;
        let answer = sides[side].disk(DiskOp::ItemsIn { arc: whole, kind }, settings);
        let DiskAnswer::Items(mut items) = answer? else {
            return Err(anyhow!("the disk says something else than what it has"));
        };
        items.sort_unstable();
        Ok(items)
    }

    fn write(&self, side: usize, names: impl Iterator<Item = (usize, u64)>) -> Result<()> {
        let records = names.map(|(name, counter)| record(name, counter, self.settings.bits));
        let records = records.collect::<Result<Vec<_>>>()?;
        self.sides[side]
            .disk
            .load(records)
            .map_err(|error| anyhow!("{error:?}"))
    }

    /// Jumps to the next deadline and wakes who is due.
    fn step(&mut self) -> Result<()> {
        let deadline = |side: &Side| side.peer.deadline().map(|(at, _)| at);
        let next = self.sides.iter().filter_map(deadline).min();
        self.now = self.now.max(next.context("peers always want to be woken")?);
        for side in 0..2 {
            if deadline(&self.sides[side]).is_some_and(|at| at <= self.now) {
                self.tell(side, Input::Tick)?;
            }
        }
        Ok(())
    }

    /// Tells one of the two something, and lets everything happen that follows.
    fn tell(&mut self, side: usize, input: Input) -> Result<()> {
        let mut inputs = VecDeque::from([(side, input)]);
        while let Some((side, input)) = inputs.pop_front() {
            self.sides[side].peer.handle(self.now, input);
            while let Some(effect) = self.sides[side].peer.poll() {
                inputs.extend(self.perform(side, effect)?);
            }
        }
        Ok(())
    }

    fn perform(&mut self, side: usize, effect: Effect) -> Result<Option<(usize, Input)>> {
        match effect {
            Effect::Send { to, bytes } => {
                let from = &self.sides[side];
                let (from, addr) = (from.id, from.addr);
                let Some(target) = self.sides.iter().position(|it| it.addr == to.addr) else {
                    return Err(anyhow!("there is nobody at {}", to.addr));
                };
                let message = codec::decode(bytes.clone())?.message;
                self.said.note(&message, bytes.len() as u64);
                Ok(Some((target, Input::Message { from, addr, bytes })))
            }
            Effect::Disk { effect, op } => {
                let Self {
                    sides, settings, ..
                } = self;
                let answer = sides[side].disk(op, settings)?;
                let completion = Completion::Disk(Ok(answer));
                Ok(Some((side, Input::Completion { effect, completion })))
            }
            Effect::Transfer { effect, .. } => {
                let completion = Completion::Transfer(Err(TransferError::NotThere));
                Ok(Some((side, Input::Completion { effect, completion })))
            }
            Effect::Reply { answer, .. } => {
                self.joined = Some(answer);
                Ok(None)
            }
            Effect::Notice(_) => Ok(None),
        }
    }
}

impl Side {
    fn new(number: usize, seed: u64) -> Result<Self> {
        let addr = address(number);
        let id = NodeId::new(*blake3::hash(addr.to_string().as_bytes()).as_bytes());
        let config = Config {
            settings: Settings::default(),
            timing: Timing::default(),
            node: id,
            addr,
            incarnation: 1,
            offered_bytes: 1 << 40,
            tokens: 1,
            remembered: None,
            table_nodes: TABLE_MAX,
            seed: seed + number as u64,
        };
        let disk = NodeDisk::open(MemDisk::new(), Plant::Nothing, seed);
        Ok(Self {
            peer: Peer::new(config, Time::from_nanos(0)),
            disk: disk.map_err(|error| anyhow!(error))?,
            held: Held::new(),
            id,
            addr,
        })
    }

    fn disk(&mut self, op: DiskOp, settings: &Settings) -> Result<DiskAnswer> {
        let answer = self.disk.execute(op, settings, &mut self.held);
        answer.map_err(|error| anyhow!("a disk failed: {error:?}"))
    }
}

impl Said {
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "these are the messages of a comparison; all others are not counted"
    )]
    fn note(&mut self, message: &Message, bytes: u64) {
        let count = match message {
            Message::CompareArc(_) => {
                self.begun += 1;
                &mut self.comparing
            }
            Message::ArcCompared(_) | Message::Reconcile(_) | Message::Reconciled(_) => {
                &mut self.comparing
            }
            Message::FetchRecords { .. } => &mut self.asking,
            Message::Records(_) => &mut self.bringing,
            _ => return,
        };
        count.messages += 1;
        count.bytes += bytes;
    }
}

/// The record of a name: a small file, written so often.
fn record(name: usize, counter: u64, bits: Bits) -> Result<(Key, Record)> {
    let content = format!("content {counter} of {name}");
    let name = Name::in_main(&format!("file {name}"))?;
    let key = bits.name_key(&name);
    let file = File {
        size: content.len() as u64,
        hash: *blake3::hash(content.as_bytes()).as_bytes(),
        content_type: String::new(),
        metadata: std::collections::BTreeMap::new(),
        content: Content::Inline(content.into()),
    };
    let record = Record {
        version: Version {
            counter,
            incarnation: 1,
            node: NodeId::new([1; 32]),
        },
        file: Some(file),
        ..Record::blank(name, None)
    };
    Ok((key, record))
}
