//! A few peers with instant messages, instant disks and a clock that jumps from deadline to
//! deadline: `Pair` of quinn's tests, for N nodes. Faults belong to the simulator.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use chordal_object::{Arc, ChunkId, Key, Name, NodeId, Record};
use chordal_proto::effect::{Answer, DiskOp, Effect, Failure, Transfer};
use chordal_proto::input::{
    Command, Completion, DiskAnswer, Draft, Input, OperationId, TransferError,
};
use chordal_proto::limits::TABLE_MAX;
use chordal_proto::message::{Care, Kind};
use chordal_proto::{Config, Peer, Settings, Time, Timing};

use crate::shadow::Shadow;

/// So many machines have a shadow, the first ones: in a large ring all are alike.
const SHADOWED: u16 = 3;

/// How long every chunk of these tests is.
pub(crate) const CHUNK_BYTES: usize = 1 << 20;

/// One machine: a peer and what its disk holds.
pub(crate) struct Machine {
    pub(crate) peer: Peer,
    pub(crate) records: BTreeMap<(Key, Name), Record>,
    pub(crate) chunks: BTreeMap<ChunkId, Key>,
    /// What those chunks list that are lists, here or elsewhere.
    pub(crate) lists: BTreeMap<ChunkId, Vec<ChunkId>>,
    saved: Option<Bytes>,
    shadow: Option<Shadow>,
}

/// All machines, and the clock.
pub(crate) struct Cluster {
    pub(crate) now: Time,
    pub(crate) machines: BTreeMap<SocketAddr, Machine>,
    pub(crate) settings: Settings,
    tokens: u8,
    /// What nodes started from here on are told of their table.
    pub(crate) table_nodes: usize,
    /// What nodes started from here on offer.
    pub(crate) offered_bytes: u64,
    /// Chunks that were copied between nodes' disks, by who has them now.
    pub(crate) copied: BTreeMap<NodeId, u64>,
    operations: u64,
    pub(crate) replies: BTreeMap<OperationId, Result<Answer, Failure>>,
}

pub(crate) fn addr(index: u16) -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 5000 + index))
}

pub(crate) fn node(addr: SocketAddr) -> NodeId {
    NodeId::new(*blake3::hash(addr.to_string().as_bytes()).as_bytes())
}

/// A file whose content lies in its record.
pub(crate) fn inline(content: &[u8]) -> chordal_object::File {
    chordal_object::File {
        size: content.len() as u64,
        hash: *blake3::hash(content).as_bytes(),
        content_type: String::new(),
        metadata: BTreeMap::new(),
        content: chordal_object::Content::Inline(Bytes::copy_from_slice(content)),
    }
}

impl Cluster {
    pub(crate) fn new(settings: Settings) -> Self {
        Self {
            now: Time::from_nanos(0),
            machines: BTreeMap::new(),
            settings,
            tokens: 4,
            table_nodes: TABLE_MAX,
            offered_bytes: 1 << 30,
            copied: BTreeMap::new(),
            operations: 0,
            replies: BTreeMap::new(),
        }
    }

    /// A ring of so many nodes with twenty files: `file 0` and so on.
    pub(crate) fn filled(nodes: u16) -> Self {
        let mut cluster = Self::ring(Settings::default(), nodes);
        for index in 0..20 {
            cluster.write(0, &format!("file {index}"), b"x").unwrap();
        }
        cluster
    }

    /// A ring of `count` nodes that joined one after the other and came to rest.
    pub(crate) fn ring(settings: Settings, count: u16) -> Self {
        let mut cluster = Self::new(settings);
        for index in 0..count {
            cluster.start(index, None);
            if index > 0 {
                cluster.join(index, 0).expect("the first node is there");
            }
        }
        cluster.rest(Duration::from_secs(30));
        cluster
    }

    pub(crate) fn start(&mut self, index: u16, remembered: Option<Bytes>) {
        let tokens = self.tokens;
        self.start_with(index, remembered, tokens);
    }

    pub(crate) fn start_with(&mut self, index: u16, remembered: Option<Bytes>, tokens: u8) {
        let at = addr(index);
        let config = Config {
            settings: self.settings.clone(),
            timing: Timing {
                grace: Duration::from_mins(1),
                sweep: Duration::from_mins(6),
                ..Timing::default()
            },
            node: node(at),
            addr: at,
            incarnation: 1,
            offered_bytes: self.offered_bytes,
            tokens,
            remembered,
            table_nodes: self.table_nodes,
            seed: u64::from(index),
        };
        let machine = Machine {
            shadow: (index < SHADOWED).then(|| Shadow::new(&config, self.now)),
            peer: Peer::new(config, self.now),
            records: BTreeMap::new(),
            chunks: BTreeMap::new(),
            lists: BTreeMap::new(),
            saved: None,
        };
        self.machines.insert(at, machine);
        self.drive(at, Input::Tick);
    }

    /// Stops a node without notice; its disk and what it saved are returned.
    pub(crate) fn kill(&mut self, index: u16) -> Machine {
        self.machines.remove(&addr(index)).expect("it runs")
    }

    /// Starts a killed node with the disk it had.
    pub(crate) fn restart(&mut self, index: u16, disk: Machine) {
        self.start(index, disk.saved.clone());
        let machine = self.machines.get_mut(&addr(index)).expect("just started");
        machine.records = disk.records;
        machine.chunks = disk.chunks;
        machine.lists = disk.lists;
    }

    pub(crate) fn join(&mut self, index: u16, contact: u16) -> Result<Answer, Failure> {
        self.ask(index, Command::Join(vec![addr(contact)]))
    }

    /// Gives a node a command and lets time pass until it answers.
    pub(crate) fn ask(&mut self, index: u16, command: Command) -> Result<Answer, Failure> {
        let operation = self.begin(index, command);
        self.outcome(operation)
    }

    /// Gives a node a command.
    pub(crate) fn begin(&mut self, index: u16, command: Command) -> OperationId {
        self.operations += 1;
        let operation = OperationId(self.operations);
        self.drive(addr(index), Input::Command { operation, command });
        operation
    }

    /// Lets time pass until a command is answered.
    pub(crate) fn outcome(&mut self, operation: OperationId) -> Result<Answer, Failure> {
        let end = self.now + Duration::from_mins(1);
        while self.now < end {
            if let Some(answer) = self.replies.remove(&operation) {
                return answer;
            }
            self.step();
        }
        panic!("no answer within a minute");
    }

    /// Gives several nodes a command at the same moment; their answers in the same order.
    pub(crate) fn ask_at_once(
        &mut self,
        commands: impl Iterator<Item = (u16, Command)>,
    ) -> Vec<Result<Answer, Failure>> {
        let mut asked = Vec::new();
        let mut inputs = VecDeque::new();
        for (index, command) in commands {
            self.operations += 1;
            let operation = OperationId(self.operations);
            asked.push(operation);
            inputs.push_back((addr(index), Input::Command { operation, command }));
        }
        self.drive_all(inputs);
        let end = self.now + Duration::from_mins(1);
        while self.now < end && !asked.iter().all(|id| self.replies.contains_key(id)) {
            self.step();
        }
        let answers = asked.iter().map(|id| self.replies.remove(id));
        answers
            .map(|answer| answer.expect("within a minute"))
            .collect()
    }

    pub(crate) fn write(
        &mut self,
        index: u16,
        name: &str,
        content: &[u8],
    ) -> Result<Answer, Failure> {
        self.ask(index, Self::draft(name, content))
    }

    /// The command to write a small file.
    pub(crate) fn draft(name: &str, content: &[u8]) -> Command {
        Command::WriteRecord(Draft {
            name: name.parse().unwrap(),
            modified_ms: 0,
            file: Some(inline(content)),
            condition: None,
        })
    }

    pub(crate) fn delete(&mut self, index: u16, name: &str) -> Result<Answer, Failure> {
        let draft = Draft {
            name: name.parse().unwrap(),
            modified_ms: 0,
            file: None,
            condition: None,
        };
        self.ask(index, Command::WriteRecord(draft))
    }

    pub(crate) fn read(&mut self, index: u16, name: &str) -> Option<Record> {
        match self.ask(index, Command::ReadRecord(name.parse().unwrap())) {
            Ok(Answer::Record(record)) => record,
            other => panic!("read of {name} through {index}: {other:?}"),
        }
    }

    /// On how many machines the newest version of a name lies.
    pub(crate) fn copies(&self, name: &str) -> usize {
        let name: Name = name.parse().unwrap();
        let key = self.settings.name_key(&name);
        let all: Vec<&Record> = self
            .machines
            .values()
            .filter_map(|m| m.records.get(&(key, name.clone())))
            .collect();
        let newest = all.iter().map(|record| record.version).max();
        all.iter()
            .filter(|record| Some(record.version) == newest)
            .count()
    }

    /// Lets this much time pass.
    pub(crate) fn rest(&mut self, time: Duration) {
        let end = self.now + time;
        while self.next_wake().is_some_and(|at| at <= end) {
            self.step();
        }
        self.now = self.now.max(end);
    }

    fn next_wake(&self) -> Option<Time> {
        self.machines
            .values()
            .filter_map(|m| m.peer.deadline())
            .map(|(at, _)| at)
            .min()
    }

    /// Jumps to the next deadline and wakes whoever is due.
    fn step(&mut self) {
        let next = self.next_wake().expect("peers always want to be woken");
        self.now = self.now.max(next);
        let due: Vec<SocketAddr> = self
            .machines
            .iter()
            .filter(|(_, m)| m.peer.deadline().is_some_and(|(at, _)| at <= self.now))
            .map(|(&at, _)| at)
            .collect();
        for at in due {
            self.drive(at, Input::Tick);
        }
    }

    /// Gives a node an input and follows everything that comes of it at this instant.
    pub(crate) fn drive(&mut self, at: SocketAddr, input: Input) {
        self.drive_all(VecDeque::from([(at, input)]));
    }

    /// Tells machines something at the same moment, and lets everything happen that follows.
    fn drive_all(&mut self, mut queue: VecDeque<(SocketAddr, Input)>) {
        while let Some((at, input)) = queue.pop_front() {
            let Some(machine) = self.machines.get_mut(&at) else {
                continue;
            };
            if let Some(shadow) = &mut machine.shadow {
                shadow.follow(self.now, input.clone());
            }
            machine.peer.handle(self.now, input);
            machine.peer.check().unwrap();
            let mut effects = Vec::new();
            while let Some(effect) = machine.peer.poll() {
                if let Some(shadow) = &mut machine.shadow {
                    shadow.note(&effect);
                }
                effects.push(effect);
            }
            if let Some(shadow) = &mut machine.shadow {
                shadow.compare(self.now, &machine.peer);
            }
            for effect in effects {
                self.execute(at, effect, &mut queue);
            }
        }
    }

    fn execute(
        &mut self,
        at: SocketAddr,
        effect: Effect,
        queue: &mut VecDeque<(SocketAddr, Input)>,
    ) {
        match effect {
            Effect::Send { to, bytes } => {
                let there = self.machines.contains_key(&to.addr)
                    && to.node.is_none_or(|expected| expected == node(to.addr));
                if there {
                    queue.push_back((
                        to.addr,
                        Input::Message {
                            from: node(at),
                            addr: at,
                            bytes,
                        },
                    ));
                } else {
                    let reason = "refused".to_owned();
                    let input = Input::Unreachable {
                        addr: to.addr,
                        node: to.node,
                        reason,
                    };
                    queue.push_back((at, input));
                }
            }
            Effect::Disk { effect, op } => {
                let answer = self.machines.get_mut(&at).expect("it asked").disk(op);
                let completion = Completion::Disk(Ok(answer));
                queue.push_back((at, Input::Completion { effect, completion }));
            }
            Effect::Transfer { effect, transfer } => {
                let moved = self.transfer(at, transfer);
                let completion = Completion::Transfer(moved);
                queue.push_back((at, Input::Completion { effect, completion }));
            }
            Effect::Reply { operation, answer } => {
                assert!(
                    self.replies.insert(operation, answer).is_none(),
                    "one reply each"
                );
            }
            Effect::Notice(_) => {}
        }
    }

    fn transfer(&mut self, at: SocketAddr, transfer: Transfer) -> Result<(), TransferError> {
        match transfer {
            Transfer::Push { chunk, to, .. } => {
                let key = self.settings.bits.chunk_key(chunk);
                let there = self
                    .machines
                    .get_mut(&to.addr)
                    .ok_or(TransferError::Broken)?;
                there.chunks.insert(chunk, key);
                Ok(())
            }
            Transfer::Fetch { chunk, from, .. } => {
                let there = self.machines.get(&from.addr).ok_or(TransferError::Broken)?;
                there
                    .chunks
                    .get(&chunk)
                    .map(|_| ())
                    .ok_or(TransferError::NotThere)
            }
            Transfer::Copy { chunk, key, from } => {
                let there = self.machines.get(&from.addr).ok_or(TransferError::Broken)?;
                there.chunks.get(&chunk).ok_or(TransferError::NotThere)?;
                *self.copied.entry(node(at)).or_default() += 1;
                self.machines
                    .get_mut(&at)
                    .expect("it asked")
                    .chunks
                    .insert(chunk, key);
                Ok(())
            }
        }
    }
}

impl Machine {
    /// The node table that the peer saved last.
    pub(crate) fn saved(&self) -> Option<Bytes> {
        self.saved.clone()
    }

    fn write_record(&mut self, key: Key, record: Record, heeds_promise: bool) -> DiskAnswer {
        let version = record
            .version
            .max(record.promised.unwrap_or(record.version));
        let place = (key, record.name.clone());
        let kept = match self.records.remove(&place) {
            Some(old) if heeds_promise && old.promised > Some(version) => old,
            Some(old) => old.join(record),
            None => record,
        };
        let (newest, promised) = (kept.version, kept.promised);
        self.records.insert(place, kept);
        DiskAnswer::RecordStored { newest, promised }
    }

    fn disk(&mut self, op: DiskOp) -> DiskAnswer {
        match op {
            DiskOp::ReadRecord { key, name } => {
                DiskAnswer::Record(self.records.get(&(key, name)).cloned())
            }
            DiskOp::WriteRecord {
                key,
                record,
                heeds_promise,
            } => self.write_record(key, record, heeds_promise),
            DiskOp::StoreChunk { chunk, key, .. } => {
                self.chunks.insert(chunk, key);
                DiskAnswer::Done
            }
            DiskOp::ReadChunk { chunk, .. } if self.chunks.contains_key(&chunk) => DiskAnswer::Done,
            DiskOp::ReadChunk { .. } => DiskAnswer::NoChunk,
            DiskOp::ItemsIn { arc, kind } => DiskAnswer::Items(self.items_in(arc, kind)),
            DiskOp::RecordsByDigest { digests, .. } => DiskAnswer::Records(
                self.records
                    .values()
                    .filter(|r| digests.contains(&r.copy_digest()))
                    .cloned()
                    .collect(),
            ),
            DiskOp::HaveChunks(ids) => {
                DiskAnswer::Have(ids.iter().map(|id| self.chunks.contains_key(id)).collect())
            }
            DiskOp::Referenced(ids) => {
                let named = self.records.values().flat_map(Record::chunks);
                let here = |list: &&ChunkId| self.chunks.contains_key(list);
                let listed = self
                    .lists
                    .keys()
                    .filter(here)
                    .flat_map(|list| &self.lists[list]);
                let named: BTreeSet<&ChunkId> = named.chain(listed).collect();
                DiskAnswer::Have(ids.iter().map(|id| named.contains(id)).collect())
            }
            DiskOp::Listed(ids) => {
                let lists = ids.iter().filter_map(|id| self.lists.get(id));
                DiskAnswer::Listed(lists.flatten().copied().collect())
            }
            DiskOp::CountIn(arcs) => DiskAnswer::Counts(
                arcs.iter()
                    .map(|arc| {
                        let records = self.records.keys().filter(|(key, _)| arc.contains(*key));
                        let chunks = self.chunks.values().filter(|key| arc.contains(**key));
                        (records.count() + chunks.count()) as u64
                    })
                    .collect(),
            ),
            DiskOp::List {
                space,
                prefix,
                after,
                limit,
            } => self.list(&space, &prefix, after, limit),
            DiskOp::Remove { records, chunks } => {
                self.records
                    .retain(|(key, _), record| !records.contains(&(*key, record.copy_digest())));
                for (_, id) in &chunks {
                    self.chunks.remove(id);
                }
                DiskAnswer::Done
            }
            DiskOp::Usage => DiskAnswer::Usage {
                used: (self.chunks.len() * CHUNK_BYTES) as u64,
                free: 1 << 30,
                care: Care::default(),
            },
            DiskOp::SaveMembers(bytes) => {
                self.saved = Some(bytes);
                DiskAnswer::Done
            }
        }
    }

    fn items_in(&self, arc: Arc, kind: Kind) -> Vec<(Key, [u8; 32])> {
        match kind {
            Kind::Records => self
                .records
                .iter()
                .filter(|((key, _), _)| arc.contains(*key))
                .map(|((key, _), record)| (*key, record.copy_digest()))
                .collect(),
            Kind::Chunks => self
                .chunks
                .iter()
                .filter(|(_, key)| arc.contains(**key))
                .map(|(id, key)| (*key, *id.as_bytes()))
                .collect(),
        }
    }

    fn list(&self, space: &str, prefix: &str, after: Option<String>, limit: u32) -> DiskAnswer {
        let mut rows: Vec<chordal_proto::message::Row> = self
            .records
            .values()
            .filter(|r| r.name.space() == space && r.name.path().starts_with(prefix))
            .filter(|r| after.as_deref().is_none_or(|after| r.name.path() > after))
            .map(|r| chordal_proto::message::Row {
                name: r.name.clone(),
                version: r.version,
                modified_ms: r.modified_ms,
                file: r.file.as_ref().map(|file| (file.size, file.hash)),
            })
            .collect();
        rows.sort_by(|a, b| a.name.path().cmp(b.name.path()));
        let more = rows.len() > limit as usize;
        rows.truncate(limit as usize);
        DiskAnswer::Rows { rows, more }
    }
}
