//! **Nothing acknowledged is lost**: of every file that clients were promised, some machine that
//! runs has the record, of the promised version or a higher one, and every chunk of it.
//!
//! The first promise of the whole program. Judged only while no machine is down, since what is on
//! a disk that is switched off is not lost.

use chordal_object::{Content, Record};

use crate::node::Node;
use crate::oracle::{Duty, Oracle};
use crate::world::World;

/// Looks for everything that was promised on the disks of the running machines.
pub(crate) fn check(world: &World, oracle: &Oracle) -> Result<(), String> {
    for name in oracle.names() {
        let Duty::Present(version) = oracle.duty(name) else {
            continue;
        };
        let key = world.settings().name_key(name);
        let newest = world
            .nodes
            .iter()
            .filter_map(|node| node.life()?.disk.record(key, name))
            .max_by_key(|record| record.version);
        let Some(record) = newest.filter(|record| record.version >= version) else {
            return Err(format!("version {version} of {name} is on no disk"));
        };
        check_chunks(&world.nodes, &record)?;
    }
    Ok(())
}

fn check_chunks(nodes: &[Node], record: &Record) -> Result<(), String> {
    let Some(file) = &record.file else {
        return Ok(());
    };
    let Content::Chunks(list) = &file.content else {
        return Ok(());
    };
    for &id in &list.ids {
        let there = nodes
            .iter()
            .any(|node| node.life().is_some_and(|life| life.disk.has_chunk(id)));
        if !there {
            let Record { name, version, .. } = record;
            return Err(format!(
                "chunk {id:?} of version {version} of {name} is on no disk"
            ));
        }
    }
    Ok(())
}
