//! Deleted files give their space back, and nothing else does.

use std::collections::BTreeMap;
use std::time::Duration;

use chordal_object::{ChunkId, ChunkList, Content, File, Name};
use chordal_proto::Settings;
use chordal_proto::codec;
use chordal_proto::effect::{Answer, Effect, Failure};
use chordal_proto::input::{Command, Draft, Input};
use chordal_proto::message::{AskReferences, Envelope, Message, References};

use crate::cluster::{Cluster, addr, node};

/// Longer than a chunk is protected, by enough for a few rounds.
const A_WHILE: Duration = Duration::from_mins(5);

/// Longer than it takes to walk over everything.
const LONG: Duration = Duration::from_mins(25);

fn chunk(number: u8) -> ChunkId {
    ChunkId::of(&[number])
}

fn store(cluster: &mut Cluster, index: u16, chunk: ChunkId) {
    let command = Command::StoreChunk { chunk, bytes: 1 };
    assert!(matches!(
        cluster.ask(index, command),
        Ok(Answer::ChunkStored(_))
    ));
}

fn draft(name: &str, ids: &[ChunkId], depth: u32) -> Draft {
    let file = File {
        size: ids.len() as u64,
        hash: [1; 32],
        content_type: String::new(),
        metadata: BTreeMap::new(),
        content: Content::Chunks(ChunkList {
            chunk_bytes: 1,
            depth,
            ids: ids.to_vec(),
        }),
    };
    Draft {
        name: name.parse::<Name>().unwrap(),
        modified_ms: 0,
        file: Some(file),
        condition: None,
    }
}

fn write(
    cluster: &mut Cluster,
    index: u16,
    name: &str,
    ids: &[ChunkId],
) -> Result<Answer, Failure> {
    cluster.ask(index, Command::WriteRecord(draft(name, ids, 0)))
}

fn put(cluster: &mut Cluster, index: u16, name: &str, ids: &[ChunkId]) {
    for &id in ids {
        store(cluster, index, id);
    }
    write(cluster, index, name, ids).expect("its chunks are there");
}

fn copies(cluster: &Cluster, chunk: ChunkId) -> usize {
    let machines = cluster.machines.values();
    machines
        .filter(|machine| machine.chunks.contains_key(&chunk))
        .count()
}

#[test]
fn the_chunks_of_a_deleted_file_go_and_those_of_others_stay() {
    for count in [1, 2, 4] {
        let mut cluster = Cluster::ring(Settings::default(), count);
        put(&mut cluster, 0, "gone", &[chunk(1), chunk(2)]);
        put(&mut cluster, 0, "stays", &[chunk(2), chunk(3)]);
        cluster.rest(A_WHILE);
        cluster.delete(count - 1, "gone").unwrap();
        cluster.rest(Duration::from_mins(1));
        let all = usize::from(count.min(3));
        let left = [1, 2, 3].map(|number| copies(&cluster, chunk(number)));
        assert_eq!(left, [0, all, all], "of {count} nodes");
        cluster.rest(LONG);
        let left = [1, 2, 3].map(|number| copies(&cluster, chunk(number)));
        assert_eq!(left, [0, all, all], "of {count} nodes, long after");
    }
}

#[test]
fn the_chunks_of_a_replaced_version_go() {
    let mut cluster = Cluster::ring(Settings::default(), 4);
    put(&mut cluster, 0, "a", &[chunk(1), chunk(2)]);
    put(&mut cluster, 1, "a", &[chunk(2), chunk(3)]);
    cluster.rest(A_WHILE);
    let left = [1, 2, 3].map(|number| copies(&cluster, chunk(number)));
    assert_eq!(left, [0, 3, 3]);
}

#[test]
fn the_chunks_of_a_put_that_never_came_to_its_end_go_after_a_while() {
    let mut cluster = Cluster::ring(Settings::default(), 4);
    store(&mut cluster, 0, chunk(1));
    cluster.rest(Duration::from_mins(2));
    assert_eq!(copies(&cluster, chunk(1)), 3, "its record may yet come");
    cluster.rest(LONG);
    assert_eq!(copies(&cluster, chunk(1)), 0);
}

#[test]
fn a_list_goes_with_its_file_and_then_what_it_listed() {
    let mut cluster = Cluster::ring(Settings::default(), 4);
    let (list, listed) = (chunk(9), [chunk(1), chunk(2)]);
    for machine in cluster.machines.values_mut() {
        machine.lists.insert(list, listed.to_vec());
    }
    for id in listed {
        store(&mut cluster, 0, id);
    }
    let kept = cluster.ask(0, Command::KeepChunks(listed.to_vec()));
    assert_eq!(kept, Ok(Answer::Kept));
    store(&mut cluster, 0, list);
    let written = cluster.ask(0, Command::WriteRecord(draft("big", &[list], 1)));
    assert!(matches!(written, Ok(Answer::Written { .. })));
    cluster.rest(LONG);
    let left = [1, 2, 9].map(|number| copies(&cluster, chunk(number)));
    assert_eq!(left, [3, 3, 3]);
    cluster.delete(1, "big").unwrap();
    cluster.rest(Duration::from_mins(2));
    let left = [1, 2, 9].map(|number| copies(&cluster, chunk(number)));
    assert_eq!(left, [0, 0, 0]);
}

#[test]
fn what_an_upload_asks_to_keep_stays_however_long_it_takes() {
    let mut cluster = Cluster::ring(Settings::default(), 4);
    store(&mut cluster, 0, chunk(1));
    for _ in 0..12 {
        cluster.rest(Duration::from_mins(1));
        let kept = cluster.ask(0, Command::KeepChunks(vec![chunk(1)]));
        assert_eq!(kept, Ok(Answer::Kept));
    }
    write(&mut cluster, 0, "slow", &[chunk(1)]).expect("its chunk is there");
    cluster.rest(LONG);
    assert_eq!(copies(&cluster, chunk(1)), 3);
}

#[test]
fn a_record_whose_chunks_are_gone_is_not_written() {
    let mut cluster = Cluster::ring(Settings::default(), 4);
    store(&mut cluster, 0, chunk(1));
    cluster.rest(LONG);
    let refused = write(&mut cluster, 0, "late", &[chunk(1)]);
    assert!(
        matches!(refused, Err(Failure::TooFewCopies { have: 0, .. })),
        "{refused:?}"
    );
    assert_eq!(cluster.read(1, "late"), None);
}

#[test]
fn nothing_goes_while_a_node_is_away() {
    let mut cluster = Cluster::ring(Settings::default(), 5);
    put(&mut cluster, 0, "a", &[chunk(1)]);
    cluster.rest(A_WHILE);
    let away = cluster.kill(4);
    cluster.rest(Duration::from_secs(10));
    cluster.delete(0, "a").unwrap();
    cluster.rest(Duration::from_secs(40));
    assert!(copies(&cluster, chunk(1)) > 0, "its time is not over yet");
    cluster.restart(4, away);
    cluster.rest(A_WHILE);
    assert_eq!(copies(&cluster, chunk(1)), 0);
}

#[test]
fn a_record_that_only_one_node_has_protects_its_chunks() {
    let mut cluster = Cluster::ring(Settings::default(), 5);
    put(&mut cluster, 0, "a", &[chunk(1)]);
    cluster.rest(A_WHILE);
    cluster.delete(0, "a").unwrap();
    // A version that nobody acknowledged, on a disk that should not have it.
    let name: Name = "b".parse().unwrap();
    let key = cluster.settings.name_key(&name);
    let record = chordal_object::Record {
        name: name.clone(),
        version: chordal_object::Version {
            counter: 1,
            incarnation: 1,
            node: node(addr(2)),
        },
        modified_ms: 0,
        file: draft("b", &[chunk(1)], 0).file,
        original: None,
        promised: None,
        replaced: None,
    };
    let machine = cluster.machines.get_mut(&addr(2)).unwrap();
    machine.records.insert((key, name), record);
    cluster.rest(A_WHILE);
    assert_eq!(copies(&cluster, chunk(1)), 3);
}

#[test]
fn a_hint_that_is_wrong_costs_nothing_but_a_question() {
    let mut cluster = Cluster::ring(Settings::default(), 4);
    put(&mut cluster, 0, "a", &[chunk(1)]);
    cluster.rest(A_WHILE);
    for index in 0..4 {
        let message = Message::Released(vec![chunk(1), chunk(2)]);
        say(&mut cluster, 3, index, message);
    }
    cluster.rest(A_WHILE);
    assert_eq!(copies(&cluster, chunk(1)), 3);
}

#[test]
fn a_node_with_another_table_is_told_nothing_that_counts() {
    let mut cluster = Cluster::ring(Settings::default(), 4);
    cluster.rest(A_WHILE);
    let question = AskReferences {
        table: 0,
        chunks: vec![chunk(1)],
    };
    let input = said(&cluster, 1, Message::AskReferences(question));
    let now = cluster.now;
    let machine = cluster.machines.get_mut(&addr(3)).unwrap();
    machine.peer.handle(now, input);
    let effects = std::iter::from_fn(|| machine.peer.poll());
    let said = effects.filter_map(|effect| match effect {
        Effect::Send { bytes, .. } => Some(codec::decode(bytes).unwrap().message),
        Effect::Transfer { .. }
        | Effect::Disk { .. }
        | Effect::Reply { .. }
        | Effect::Notice(_) => None,
    });
    let answer = Message::References(References::default());
    assert!(said.collect::<Vec<_>>().contains(&answer));
    assert!(!References::default().steady);
}

fn said(cluster: &Cluster, from: u16, message: Message) -> Input {
    let envelope = Envelope {
        request: 7,
        incarnation: cluster.machines[&addr(from)].peer.member().incarnation,
        message,
    };
    Input::Message {
        from: node(addr(from)),
        addr: addr(from),
        bytes: codec::encode(&envelope),
    }
}

/// One node says something to another.
fn say(cluster: &mut Cluster, from: u16, to: u16, message: Message) {
    if from != to {
        let input = said(cluster, from, message);
        cluster.drive(addr(to), input);
    }
}
