//! Carrying out what the core wants: messages, transfers, orders to the disk.

mod disk;
mod send;
mod serve;
mod transfer;

pub(crate) use disk::{Disk, FORMER, Keeper, MEMBERS, Progress, SETTINGS, ScrubStep};
pub(crate) use send::{node, peer, send};
pub(crate) use serve::Server;
pub(crate) use transfer::Transfers;
