//! Random operations, crashes and restarts, against a map.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use chordal_object::{Bits, ChunkId, Content, Key, Record};
use chordal_store::{Change, MemDisk, Store, StoreError};
use proptest::collection::vec;
use proptest::prelude::{Strategy, any, prop_oneof};
use proptest::proptest;
use proptest::test_runner::Config;

use crate::world::{
    check, chunk, fate, file, list, name, open, path_of, record, tombstone, version,
};

const NAMES: u8 = 5;
const CHUNKS: u8 = 5;

#[derive(Clone, Debug)]
enum Step {
    Put {
        name: u8,
        counter: u64,
        bytes: usize,
    },
    /// A file of two chunks.
    PutFile {
        name: u8,
        counter: u64,
        chunks: [u8; 2],
    },
    Delete {
        name: u8,
        counter: u64,
    },
    Forget {
        name: u8,
        counter: u64,
    },
    PutChunk(u8),
    StageAndDrop(u8),
    RemoveChunk(u8),
    Meta(Option<u8>),
    /// Several changes in one commit.
    Batch {
        name: u8,
        counter: u64,
        chunk: u8,
        removed: u8,
    },
    Rot(u8),
    Sweep,
    Reopen,
    /// The power goes at this sync from here on, whatever is being done then.
    PowerCut {
        after_syncs: u64,
        fate: u64,
    },
    Kill,
}

fn step() -> impl Strategy<Value = Step> {
    let counter = 1..6_u64;
    let (names, chunks) = (0..NAMES, 0..CHUNKS);
    prop_oneof![
        6 => (names.clone(), counter.clone(), 0..20_000_usize)
            .prop_map(|(name, counter, bytes)| Step::Put { name, counter, bytes }),
        4 => (names.clone(), counter.clone(), [chunks.clone(), chunks.clone()])
            .prop_map(|(name, counter, chunks)| Step::PutFile { name, counter, chunks }),
        2 => (names.clone(), counter.clone()).prop_map(|(name, counter)| Step::Delete { name, counter }),
        2 => (names.clone(), counter.clone()).prop_map(|(name, counter)| Step::Forget { name, counter }),
        5 => chunks.clone().prop_map(Step::PutChunk),
        1 => chunks.clone().prop_map(Step::StageAndDrop),
        2 => chunks.clone().prop_map(Step::RemoveChunk),
        1 => any::<Option<u8>>().prop_map(Step::Meta),
        2 => (names, counter, chunks.clone(), chunks.clone()).prop_map(|(name, counter, chunk, removed)| {
            Step::Batch { name, counter, chunk, removed }
        }),
        1 => chunks.prop_map(Step::Rot),
        1 => proptest::strategy::Just(Step::Sweep),
        1 => proptest::strategy::Just(Step::Reopen),
        4 => (1..6_u64, any::<u64>())
            .prop_map(|(after_syncs, fate)| Step::PowerCut { after_syncs, fate }),
        1 => proptest::strategy::Just(Step::Kill),
    ]
}

/// What the store should hold.
#[derive(Clone, Debug, Default, PartialEq)]
struct Model {
    records: BTreeMap<u8, Record>,
    chunks: [bool; CHUNKS as usize],
    meta: Option<u8>,
}

impl Model {
    fn put(&mut self, name: u8, record: Record) {
        if self
            .records
            .get(&name)
            .is_none_or(|old| old.version < record.version)
        {
            self.records.insert(name, record);
        }
    }

    fn apply(&mut self, step: &Step) {
        match step {
            Step::Put {
                name,
                counter,
                bytes,
            } => self.put(*name, small(*name, *counter, *bytes)),
            Step::PutFile {
                name,
                counter,
                chunks,
            } => self.put(*name, big(*name, *counter, *chunks)),
            Step::Delete { name, counter } => self.put(*name, tombstone(&path(*name), *counter)),
            Step::Forget { name, counter } => {
                if self
                    .records
                    .get(name)
                    .is_some_and(|old| old.version == version(*counter))
                {
                    self.records.remove(name);
                }
            }
            Step::PutChunk(chunk) => self.chunks[usize::from(*chunk)] = true,
            Step::RemoveChunk(chunk) => self.chunks[usize::from(*chunk)] = false,
            Step::Meta(value) => self.meta = *value,
            Step::Batch {
                name,
                counter,
                chunk,
                removed,
            } => {
                self.chunks[usize::from(*chunk)] = true;
                if chunk != removed {
                    self.chunks[usize::from(*removed)] = false;
                }
                self.put(*name, small(*name, *counter, 10));
            }
            Step::StageAndDrop(_)
            | Step::Rot(_)
            | Step::Sweep
            | Step::Reopen
            | Step::PowerCut { .. }
            | Step::Kill => {}
        }
    }
}

fn path(name: u8) -> String {
    format!("file {name}")
}

/// Two names out of three share a key.
fn key(name: u8) -> Key {
    Key::new(u128::from(name % 3))
}

fn small(name: u8, counter: u64, bytes: usize) -> Record {
    record(&path(name), counter, &"x".repeat(bytes))
}

fn big(name: u8, counter: u64, chunks: [u8; 2]) -> Record {
    file(
        &path(name),
        counter,
        &chunks.map(|number| held(number).id()),
        0,
    )
}

/// The last one is a list of the first two.
fn held(number: u8) -> chordal_object::Chunk {
    if number == CHUNKS - 1 {
        return list(&[held(0).id(), held(1).id()].repeat(8));
    }
    chunk(number, 400 + 700 * usize::from(number))
}

fn stage(store: &Store, number: u8) -> Result<Change, StoreError> {
    let chunk = held(number);
    store
        .stage_chunk(Bits::MAX.chunk_key(chunk.id()), &chunk)
        .map(Change::Chunk)
}

fn remove(number: u8) -> Change {
    let id = held(number).id();
    Change::RemoveChunk {
        key: Bits::MAX.chunk_key(id),
        id,
    }
}

fn changes(store: &Store, step: &Step) -> Result<Vec<Change>, StoreError> {
    let put = |number: u8, record| Change::Record {
        key: key(number),
        record,
    };
    Ok(match step {
        Step::Put {
            name,
            counter,
            bytes,
        } => vec![put(*name, small(*name, *counter, *bytes))],
        Step::PutFile {
            name,
            counter,
            chunks,
        } => vec![put(*name, big(*name, *counter, *chunks))],
        Step::Delete { name, counter } => vec![put(*name, tombstone(&path(*name), *counter))],
        Step::Forget {
            name: number,
            counter,
        } => vec![Change::RemoveRecord {
            key: key(*number),
            name: name(&path(*number)),
            if_version: version(*counter),
        }],
        Step::PutChunk(number) => vec![stage(store, *number)?],
        Step::StageAndDrop(number) => {
            drop(stage(store, *number)?);
            vec![]
        }
        Step::RemoveChunk(number) => vec![remove(*number)],
        Step::Meta(value) => vec![Change::Meta {
            name: "m".to_owned(),
            value: value.map(|byte| Bytes::copy_from_slice(&[byte])),
        }],
        Step::Batch {
            name,
            counter,
            chunk,
            removed,
        } => vec![
            stage(store, *chunk)?,
            remove(*removed),
            put(*name, small(*name, *counter, 10)),
        ],
        Step::Rot(_) | Step::Sweep | Step::Reopen | Step::PowerCut { .. } | Step::Kill => vec![],
    })
}

/// Which chunks are referred to by what is there.
fn referenced(model: &Model) -> Vec<bool> {
    let records = model
        .records
        .values()
        .filter_map(|record| record.file.as_ref());
    let named = records.filter_map(|file| match &file.content {
        Content::Chunks(list) => Some(list.ids.clone()),
        Content::Inline(_) => None,
    });
    let mut ids: BTreeSet<ChunkId> = named.flatten().collect();
    if model.chunks[usize::from(CHUNKS - 1)] {
        ids.extend([held(0).id(), held(1).id()]);
    }
    (0..CHUNKS)
        .map(|number| ids.contains(&held(number).id()))
        .collect()
}

/// What the store does hold.
fn observe(store: &Store) -> Model {
    let mut model = Model::default();
    for number in 0..NAMES {
        let found = store
            .record(key(number), &name(&path(number)))
            .expect("the record reads well");
        if let Some(record) = found {
            model.records.insert(number, record);
        }
    }
    for number in 0..CHUNKS {
        model.chunks[usize::from(number)] =
            store.read_chunk(held(number).id()) == Ok(Some(held(number)));
    }
    model.meta = store
        .meta("m")
        .expect("the value is read")
        .map(|bytes| bytes[0]);
    model
}

fn run(steps: &[Step]) {
    let mut disk = MemDisk::new();
    let mut store = open(&disk);
    let mut model = Model::default();
    let mut next_fate = 1;
    for step in steps {
        let before = model.clone();
        model.apply(step);
        match step {
            Step::PowerCut { after_syncs, fate } => {
                disk.cut_power_at_sync(*after_syncs);
                next_fate = *fate;
            }
            Step::Kill => {
                disk = disk.kill();
                store = open(&disk);
            }
            Step::Reopen => {
                drop(store);
                store = Store::open(Box::new(disk.clone())).unwrap_or_else(|_| {
                    disk = disk.crash(&mut fate(next_fate));
                    open(&disk)
                });
            }
            Step::Rot(number) if model.chunks[usize::from(*number)] && !disk.is_dead() => {
                // A copy that rots is found by reading; the store goes on without it.
                assert!(disk.rot(&path_of(&held(*number)), 8 * 399));
                model.chunks[usize::from(*number)] = false;
                assert!(store.read_chunk(held(*number).id()).is_err());
            }
            Step::Sweep => {
                let id = held(0).id();
                if let Err(error) = store.sweep(id.as_bytes()[0]) {
                    assert!(disk.is_dead(), "{error}");
                }
            }
            Step::Rot(_)
            | Step::Put { .. }
            | Step::PutFile { .. }
            | Step::Delete { .. }
            | Step::Forget { .. }
            | Step::PutChunk(_)
            | Step::StageAndDrop(_)
            | Step::RemoveChunk(_)
            | Step::Meta(_)
            | Step::Batch { .. } => {
                match changes(&store, step).and_then(|changes| store.commit(changes)) {
                    Ok(outcomes) => assert!(outcomes.len() <= 3),
                    Err(error) => assert!(disk.is_dead(), "{error}"),
                }
            }
        }
        if disk.is_dead() {
            drop(store);
            disk = disk.crash(&mut fate(next_fate));
            store = open(&disk);
            let found = observe(&store);
            assert!(
                found == before || found == model,
                "{found:?} is neither {before:?} nor {model:?}"
            );
            model = found;
        } else {
            assert_eq!(observe(&store), model);
        }
        let ids: Vec<ChunkId> = (0..CHUNKS).map(|number| held(number).id()).collect();
        assert_eq!(store.referenced(&ids), Ok(Some(referenced(&model))));
        check(&store, &disk);
    }
}

proptest! {
    #![proptest_config(Config { cases: 96, failure_persistence: None, ..Config::default() })]

    #[test]
    fn random_operations_and_crashes_agree_with_a_map(steps in vec(step(), 1..40)) {
        run(&steps);
    }
}
