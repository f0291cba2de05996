//! What the core notices of the ring: logged here, counted, kept where the next life needs it, and
//! passed on to whoever listens.

use std::collections::BTreeSet;
use std::sync::Arc;

use chordal_object::NodeId;
use chordal_proto::effect::Notice;
use tokio::sync::broadcast;
use tokio_util::task::TaskTracker;

use crate::counters::Counting;
use crate::home::NodeFolder;
use crate::limits::COMPLAINED_MAX;

/// Where notices go.
#[derive(Debug)]
pub(crate) struct Notices {
    listeners: broadcast::Sender<Notice>,
    folder: Arc<NodeFolder>,
    counting: Arc<Counting>,
    tasks: TaskTracker,
    complained: BTreeSet<NodeId>,
}

impl Notices {
    pub(crate) fn new(
        listeners: broadcast::Sender<Notice>,
        folder: Arc<NodeFolder>,
        counting: Arc<Counting>,
        tasks: TaskTracker,
    ) -> Self {
        Self {
            listeners,
            folder,
            counting,
            tasks,
            complained: BTreeSet::new(),
        }
    }

    /// Takes a notice of the core.
    pub(crate) fn note(&mut self, notice: Notice) {
        if let Notice::Refuted { incarnation } | Notice::Placed { incarnation, .. } = &notice {
            self.keep(*incarnation);
        }
        if let Notice::Malformed { node, reason } | Notice::NotUnderstood { node, reason } = &notice
        {
            self.complain(*node, reason);
        }
        log(&notice);
        // Nobody listening is no failure.
        drop(self.listeners.send(notice));
    }

    /// Keeps the incarnation for the next life, away from the driver, since it waits for the disk.
    fn keep(&self, incarnation: u64) {
        let folder = Arc::clone(&self.folder);
        self.tasks.spawn_blocking(move || {
            if let Err(error) = folder.keep_incarnation(incarnation) {
                tracing::error!(%error, incarnation, "the incarnation could not be kept");
            }
        });
    }

    fn complain(&mut self, node: NodeId, reason: &str) {
        self.counting.malformed.one();
        if self.complained.len() < COMPLAINED_MAX && self.complained.insert(node) {
            tracing::warn!(
                node = %node.short(),
                reason,
                "a node sent something that this one cannot read; further ones are only counted"
            );
        }
    }
}

fn log(notice: &Notice) {
    match notice {
        Notice::Appeared(token) => {
            tracing::info!(node = %token.node.short(), token = %token.key, "a node appeared");
        }
        Notice::Suspected { node, reason } => {
            tracing::info!(node = %node.short(), reason, "a node does not answer");
        }
        Notice::Recovered(node) => {
            tracing::info!(node = %node.short(), "a node answers again");
        }
        Notice::Gone(node) => tracing::info!(node = %node.short(), "a node was given up"),
        Notice::Left(node) => tracing::info!(node = %node.short(), "a node left"),
        Notice::Refuted { incarnation } => {
            tracing::info!(incarnation, "this node was taken for dead and is back");
        }
        Notice::Placed {
            incarnation,
            tokens,
        } => tracing::info!(incarnation, tokens, "this node has its places on the ring"),
        Notice::Pointers {
            token,
            predecessor,
            successor,
        } => tracing::debug!(
            %token,
            predecessor = %predecessor.key,
            successor = %successor.key,
            "a token's neighbours changed"
        ),
        Notice::Synchronised { arc, copied } => {
            tracing::debug!(after = %arc.after, upto = %arc.upto, copied, "an arc is complete here");
        }
        Notice::HandedOff { arc, dropped } => {
            tracing::info!(after = %arc.after, upto = %arc.upto, dropped, "copies were handed over");
        }
        Notice::Collected { dropped } => {
            tracing::info!(dropped, "chunks that nothing refers to were dropped");
        }
        // Counted and logged once a node.
        Notice::Malformed { .. } | Notice::NotUnderstood { .. } => {}
    }
}
