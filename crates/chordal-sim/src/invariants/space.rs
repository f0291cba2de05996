//! **Space comes back**: every chunk on any disk is one that some record refers to, and lies with a
//! holder of its key. Some time after faults have stopped.
//!
//! Clients of these runs put no files that are long enough for lists of chunks.

use std::collections::{BTreeMap, BTreeSet};

use chordal_object::{ChunkId, Key, NodeId, Record};

use crate::invariants::holders::holders;
use crate::oracle::Oracle;
use crate::world::World;

/// Looks at every chunk on the disks of the running machines.
pub(crate) fn check(
    world: &World,
    oracle: &Oracle,
    ring: &BTreeMap<Key, NodeId>,
) -> Result<(), String> {
    let settings = world.settings();
    let mut referenced: BTreeSet<ChunkId> = BTreeSet::new();
    for name in oracle.names() {
        let key = settings.name_key(name);
        for life in world.nodes.iter().filter_map(|node| node.life()) {
            let record = life.disk.record(key, name);
            referenced.extend(record.iter().flat_map(Record::chunks));
        }
    }
    for (number, node) in world.nodes.iter().enumerate() {
        let Some(life) = node.life() else { continue };
        for id in life.disk.chunks(settings.bits.last_key()) {
            if !referenced.contains(&id) {
                return Err(format!(
                    "chunk {id:?} lies on node {number}, and nothing refers to it"
                ));
            }
            let key = settings.bits.chunk_key(id);
            let replicas = usize::from(settings.replicas);
            if !holders(ring, key, replicas).contains(&node.id) {
                return Err(format!(
                    "chunk {id:?} lies on node {number}, which is none of its holders"
                ));
            }
        }
    }
    Ok(())
}
