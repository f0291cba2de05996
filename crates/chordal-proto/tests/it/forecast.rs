//! What a forecast says, held against what then happens: on rings of three, five and sixteen nodes
//! that offer unequally.

use std::collections::BTreeSet;
use std::time::Duration;

use chordal_object::{ChunkId, ChunkList, Content, File, Key, Name, NodeId};
use chordal_proto::Settings;
use chordal_proto::effect::{Answer, RingStatus};
use chordal_proto::forecast::{Change, Fate, Loss, Moves, Risk};
use chordal_proto::input::{Command, Draft};

use crate::cluster::{CHUNK_BYTES, Cluster, addr, node};

const RINGS: [u16; 3] = [3, 5, 16];

const FILES: usize = 120;

/// Chunks in a file.
const CHUNKS: usize = 4;

/// A ring whose nodes offer one, two and four GiB in turn, with files of four chunks each.
fn ring(nodes: u16) -> Cluster {
    let mut cluster = Cluster::new(Settings::default());
    for index in 0..nodes {
        cluster.offered_bytes = (1 << 30) << (index % 3);
        cluster.start(index, None);
        if index > 0 {
            cluster.join(index, 0).unwrap();
        }
    }
    cluster.rest(Duration::from_secs(30));
    let chunks: Vec<ChunkId> = (0..FILES).flat_map(chunks_of).collect();
    for some in chunks.chunks(100) {
        let store = |chunk: &ChunkId| {
            let bytes = u32::try_from(CHUNK_BYTES).unwrap();
            (
                0,
                Command::StoreChunk {
                    chunk: *chunk,
                    bytes,
                },
            )
        };
        for stored in cluster.ask_at_once(some.iter().map(store)) {
            stored.unwrap();
        }
    }
    let files: Vec<usize> = (0..FILES).collect();
    for some in files.chunks(100) {
        for written in cluster.ask_at_once(some.iter().map(|&file| (0, write(file)))) {
            written.unwrap();
        }
    }
    cluster.copied.clear();
    cluster
}

fn write(file: usize) -> Command {
    let size = CHUNKS * CHUNK_BYTES;
    let list = ChunkList {
        chunk_bytes: u32::try_from(CHUNK_BYTES).unwrap(),
        depth: 0,
        ids: chunks_of(file),
    };
    Command::WriteRecord(Draft {
        name: name(file),
        modified_ms: 0,
        file: Some(File {
            size: size as u64,
            hash: [7; 32],
            content_type: String::new(),
            metadata: std::collections::BTreeMap::new(),
            content: Content::Chunks(list),
        }),
        condition: None,
    })
}

fn name(file: usize) -> Name {
    format!("file {file}").parse().unwrap()
}

fn chunks_of(file: usize) -> Vec<ChunkId> {
    let chunk = |part| ChunkId::new(*blake3::hash(format!("{file} {part}").as_bytes()).as_bytes());
    (0..CHUNKS).map(chunk).collect()
}

fn keys_of(settings: &Settings, file: usize) -> Vec<Key> {
    let chunks = chunks_of(file).into_iter();
    let chunks = chunks.map(|chunk| settings.bits.chunk_key(chunk));
    chunks.chain([settings.name_key(&name(file))]).collect()
}

fn status(cluster: &mut Cluster) -> RingStatus {
    let Ok(Answer::Status(status)) = cluster.ask(0, Command::Status) else {
        panic!("no status")
    };
    status
}

/// What would become of a file: the worst of its parts.
fn fate(loss: &Loss, settings: &Settings, file: usize) -> Fate {
    let parts = keys_of(settings, file).into_iter();
    parts.map(|key| loss.part(key).fate).max().unwrap()
}

/// Whether every part of a file lies on the disk of some other machine than these.
fn is_left(cluster: &Cluster, file: usize, dead: &[NodeId]) -> bool {
    let alive = cluster.machines.iter();
    let alive = alive.filter(|(at, _)| !dead.contains(&node(**at)));
    let alive: Vec<_> = alive.map(|(_, machine)| machine).collect();
    let chunk = |id: &ChunkId| alive.iter().any(|machine| machine.chunks.contains_key(id));
    let place = (cluster.settings.name_key(&name(file)), name(file));
    let record = alive
        .iter()
        .any(|machine| machine.records.contains_key(&place));
    record && chunks_of(file).iter().all(chunk)
}

fn pairs(nodes: u16) -> impl Iterator<Item = Vec<NodeId>> {
    let of = |index| node(addr(index));
    (0..nodes).flat_map(move |one| (0..one).map(move |other| vec![of(one), of(other)]))
}

#[test]
fn whatever_dies_exactly_those_files_are_lost_that_were_said_to_be() {
    for nodes in RINGS {
        let mut cluster = ring(nodes);
        let (status, settings) = (status(&mut cluster), cluster.settings.clone());
        let whole = Loss::new(&status, &settings, &[]);
        let triples = (0..FILES).step_by(10).map(|file| holders(&cluster, file));
        let mut lost = 0;
        for dead in pairs(nodes).chain(triples) {
            let loss = Loss::new(&status, &settings, &dead);
            for file in 0..FILES {
                assert_eq!(fate(&whole, &settings, file), Fate::Whole);
                let fate = fate(&loss, &settings, file);
                let is_left = is_left(&cluster, file, &dead);
                assert_eq!(
                    fate == Fate::Lost,
                    !is_left,
                    "{nodes} nodes: {file} {fate:?}"
                );
                lost += usize::from(fate == Fate::Lost);
            }
        }
        assert!(lost > 0, "the triples hold something alone");
    }
}

/// Who has a file's record.
fn holders(cluster: &Cluster, file: usize) -> Vec<NodeId> {
    let place = (cluster.settings.name_key(&name(file)), name(file));
    let has = cluster.machines.iter();
    let has = has.filter(|(_, machine)| machine.records.contains_key(&place));
    has.map(|(at, _)| node(*at)).collect()
}

#[test]
fn after_three_deaths_the_ring_reads_all_that_was_not_said_to_be_lost_and_nothing_that_was() {
    let mut cluster = ring(16);
    let (status, settings) = (status(&mut cluster), cluster.settings.clone());
    let victim = (0..FILES).find(|&file| !holders(&cluster, file).contains(&node(addr(0))));
    let dead = holders(&cluster, victim.unwrap());
    let loss = Loss::new(&status, &settings, &dead);
    assert_eq!(loss.minority(), None);
    for index in 1..16 {
        if dead.contains(&node(addr(index))) {
            cluster.kill(index);
        }
    }
    cluster.rest(Duration::from_mins(4));
    let mut lost = 0;
    for file in 0..FILES {
        let read = cluster.ask(0, Command::ReadRecord(name(file)));
        let mut readable = matches!(read, Ok(Answer::Record(Some(_))));
        for chunk in chunks_of(file) {
            readable &= readable && cluster.ask(0, Command::FetchChunk(chunk)).is_ok();
        }
        let said = fate(&loss, &settings, file);
        assert_eq!(readable, said != Fate::Lost, "{file}: {said:?}, {read:?}");
        lost += usize::from(said == Fate::Lost);
    }
    assert!(lost > 0 && lost < FILES / 2, "{lost}");
}

#[test]
fn the_risk_of_two_and_of_three_deaths_is_what_they_lose() {
    for nodes in RINGS {
        let mut cluster = ring(nodes);
        let status = status(&mut cluster);
        let risk = Risk::of(&status, &cluster.settings);
        assert!(risk.deaths[1].share <= 0.0 && risk.deaths[1].groups == 0);
        for pair in pairs(nodes) {
            assert!((0..FILES).all(|file| is_left(&cluster, file, &pair)));
        }
        let worst = &risk.deaths[2];
        assert_eq!(worst.worst.len(), 3);
        let mut lost = BTreeSet::new();
        for chunk in (0..FILES).flat_map(chunks_of) {
            let left = cluster.machines.iter().any(|(at, machine)| {
                !worst.worst.contains(&node(*at)) && machine.chunks.contains_key(&chunk)
            });
            if !left {
                lost.insert(chunk);
            }
        }
        let lost = number(lost.len()) / number(FILES * CHUNKS);
        // Some hundred chunks tell a share to some percent of all.
        assert!(
            (lost - worst.share).abs() < 0.04,
            "{nodes}: {lost} {worst:?}"
        );
    }
}

#[test]
fn what_a_leave_moves_is_what_the_plan_says() {
    for nodes in RINGS {
        let mut cluster = ring(nodes);
        let status = status(&mut cluster);
        let leaving = node(addr(2));
        let plan = Moves::of(&status, &cluster.settings, &Change::Leave(vec![leaving]));
        assert_eq!(
            cluster.ask(2, Command::Leave { force: false }),
            Ok(Answer::Left)
        );
        cluster.rest(Duration::from_mins(1));
        compare(&cluster, nodes, &plan, |node| node);
        let told: u64 = plan.nodes.iter().map(|node| node.gets).sum();
        assert_eq!(told > 0, nodes > 3);
    }
}

#[test]
fn what_a_join_moves_is_near_what_the_plan_says() {
    for nodes in RINGS {
        let mut cluster = ring(nodes);
        let status = status(&mut cluster);
        let change = Change::Join {
            offered_bytes: 2 << 30,
            tokens: 4,
        };
        let plan = Moves::of(&status, &cluster.settings, &change);
        cluster.offered_bytes = 2 << 30;
        cluster.start(nodes, None);
        cluster.join(nodes, 0).unwrap();
        cluster.rest(Duration::from_mins(1));
        let newcomer = node(addr(nodes));
        compare(&cluster, nodes, &plan, |node| node.or(Some(newcomer)));
    }
}

/// Compares what each node was to fetch with what it did.
fn compare(
    cluster: &Cluster,
    nodes: u16,
    plan: &Moves,
    named: impl Fn(Option<NodeId>) -> Option<NodeId>,
) {
    let (mut told, mut moved) = (0.0, 0.0);
    for node in &plan.nodes {
        let copied = named(node.node).and_then(|node| cluster.copied.get(&node));
        let (said, did) = (
            number(usize::try_from(node.gets).unwrap()) / number(CHUNK_BYTES),
            number(usize::try_from(copied.copied().unwrap_or(0)).unwrap()),
        );
        // By chance, a count differs from its mean by some times the root of it.
        let chance = 4.0 * said.sqrt() + 4.0;
        assert!(
            (said - did).abs() < chance + 0.1 * said,
            "{nodes} nodes: {said} told, {did} copied"
        );
        (told, moved) = (told + said, moved + did);
    }
    assert!(
        (told - moved).abs() <= 0.1 * told + 1.0,
        "{nodes} nodes: {told} {moved}"
    );
}

fn number(count: usize) -> f64 {
    f64::from(u32::try_from(count).unwrap())
}
