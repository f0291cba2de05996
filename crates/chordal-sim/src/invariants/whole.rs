//! **Copies are whole**: every chunk on any disk is what its id says. When the ring has healed, since a
//! look puts bad copies aside.

use crate::world::World;

/// Reads every chunk on the disks of the running machines.
pub(crate) fn check(world: &World) -> Result<(), String> {
    let last = world.settings().bits.last_key();
    for (number, node) in world.nodes.iter().enumerate() {
        let Some(life) = node.life() else { continue };
        if let Some(id) = life.disk.bad_chunks(last).first() {
            return Err(format!("the copy of chunk {id:?} on node {number} is bad"));
        }
    }
    Ok(())
}
