//! What the store promises, through its public surface.
//!
//! `keeping`: storing, reading, removing, listing. `crash`: the power goes, at every sync.
//! `fault`: rot, full disks, failed syncs, second owners. `model`: random operations and crashes
//! against a map. `threads`: many at once. `golden`: a folder of format 1, written once and for all.

mod world;

mod crash;
mod fault;
mod golden;
mod keeping;
mod model;
mod promises;
mod rebuild;
mod threads;
