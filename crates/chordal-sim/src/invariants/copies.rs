//! **Copies are at R**: every file that clients were promised lies whole, in its newest version,
//! on each of its holders: the first R distinct nodes at or after its keys, or all nodes when
//! there are fewer. Some time after faults have stopped.

use std::collections::BTreeMap;

use chordal_object::{Content, Key, NodeId, Record};

use crate::invariants::holders::holders;
use crate::node::Life;
use crate::oracle::{Duty, Oracle};
use crate::world::World;

/// Counts the copies on the disks of the holders; `ring` has the tokens of all serving nodes.
pub(crate) fn check(
    world: &World,
    oracle: &Oracle,
    ring: &BTreeMap<Key, NodeId>,
) -> Result<(), String> {
    let replicas = usize::from(world.settings().replicas);
    let lives: BTreeMap<NodeId, &Life> = world
        .nodes
        .iter()
        .filter_map(|node| Some((node.id, node.life()?)))
        .collect();
    for name in oracle.names() {
        let Duty::Present(version) = oracle.duty(name) else {
            continue;
        };
        let key = world.settings().name_key(name);
        let mut newest: Option<Record> = None;
        for holder in holders(ring, key, replicas) {
            let record = lives
                .get(&holder)
                .and_then(|life| life.disk.record(key, name));
            let Some(record) = record.filter(|record| record.version >= version) else {
                return Err(format!(
                    "{name} (version {version}) has no copy on {}",
                    describe(world, holder)
                ));
            };
            match &newest {
                Some(known) if known.version != record.version => {
                    return Err(format!(
                        "{name} is of version {} on {}, of {} elsewhere",
                        record.version,
                        describe(world, holder),
                        known.version
                    ));
                }
                _ => newest = Some(record),
            }
        }
        let Some(file) = newest.and_then(|record| record.file) else {
            continue;
        };
        let Content::Chunks(list) = file.content else {
            continue;
        };
        for id in list.ids {
            let key = world.settings().bits.chunk_key(id);
            for holder in holders(ring, key, replicas) {
                if !lives
                    .get(&holder)
                    .is_some_and(|life| life.disk.has_chunk(id))
                {
                    let holder = describe(world, holder);
                    return Err(format!("chunk {id:?} of {name} has no copy on {holder}"));
                }
            }
        }
    }
    Ok(())
}

fn describe(world: &World, id: NodeId) -> String {
    match world.nodes.iter().position(|node| node.id == id) {
        Some(number) => format!("node {number} ({id:?})"),
        None => format!("{id:?}"),
    }
}
