//! A node whose index is lost: it comes up again with what its chunk files hold.
//!
//! Its records are gone, and with them what it had promised and under which views. So it is another
//! node from then on, with another identity: it enters the ring as newcomers do, gets its records from
//! those who hold them, and counts when it has them. The ring is told that its former self will not
//! come back. Without a ring to enter nothing is touched: the records would be lost for good.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use chordal_object::NodeId;
use chordal_proto::input::Command;
use tokio::time::sleep;

use super::{StartError, founding_settings};
use crate::acquaintances::Recalled;
use crate::client::Client;
use crate::counters::Counting;
use crate::exec::{self, Disk, FORMER, Keeper};
use crate::home::NodeFolder;
use crate::inbox::Inbox;
use crate::limits::{FORGET_AGAIN, FORGET_TRIES_MAX, SEEDS_MAX};
use crate::node::NodeConfig;

/// Rebuilds the store of a node whose index is lost.
pub(super) fn keeper(
    config: &NodeConfig,
    folder: &NodeFolder,
    why: &str,
    told: (Arc<Counting>, Arc<Inbox>),
) -> Result<Keeper, StartError> {
    let former = exec::node(folder.key()?.peer_id());
    let recalled = Recalled::read(folder.path());
    seeds(config, folder.path(), &[former], &recalled)?;
    let settings = match recalled.settings {
        Some(settings) => settings,
        None => founding_settings(config)?,
    };
    tracing::warn!(
        why,
        "the index is lost; making a new one from the chunk files"
    );
    let rebuilt = Keeper::rebuild(&folder.store(), config.offer, told, settings.bits, former);
    let (keeper, rebuilt) = rebuilt.map_err(|error| StartError::of_store(folder.path(), error))?;
    tracing::warn!(
        chunks = rebuilt.chunks,
        bytes = rebuilt.bytes,
        damaged = rebuilt.damaged,
        "a new index was made; the old one is beside it, and records come from the other nodes"
    );
    Ok(keeper)
}

/// Who this node was before its index was lost. The first time, it becomes another one.
pub(super) fn former(
    folder: &NodeFolder,
    kept: Option<Bytes>,
) -> Result<Option<NodeId>, StartError> {
    let Some(former) = kept.and_then(|id| NodeId::from_slice(&id).ok()) else {
        return Ok(None);
    };
    if exec::node(folder.key()?.peer_id()) == former {
        folder.set_key_aside(former)?;
    }
    Ok(Some(former))
}

/// Where the ring may be found that it belonged to.
pub(super) fn seeds(
    config: &NodeConfig,
    path: &Path,
    own: &[NodeId],
    recalled: &Recalled,
) -> Result<Vec<SocketAddr>, StartError> {
    let mut seeds = config.join.clone();
    let others = recalled
        .nodes
        .iter()
        .filter(|(node, _)| !own.contains(node));
    seeds.extend(others.map(|&(_, addr)| addr).take(SEEDS_MAX));
    if !seeds.is_empty() {
        return Ok(seeds);
    }
    Err(StartError::Store {
        path: path.to_owned(),
        reason: "its index is lost, and with it every record; no other node is known that has \
                 them. With --join IP:PORT of such a node it is made anew from the chunk files"
            .to_owned(),
    })
}

/// Has the ring told that the former self of this node will not come back, as soon as that loses
/// nothing.
pub(super) async fn forget(client: Arc<Client>, disk: Disk, former: NodeId) {
    for _ in 0..FORGET_TRIES_MAX {
        let forget = Command::Forget {
            node: former,
            force: false,
        };
        match client.ask(forget).await {
            Ok(_) => {
                tracing::info!(former = %former.short(), "the ring waits no more for who this node was");
                drop(disk.keep_value(FORMER, Bytes::new()).await);
                return;
            }
            Err(error) => tracing::debug!(%error, "the ring still waits for who this node was"),
        }
        sleep(FORGET_AGAIN).await;
    }
}
