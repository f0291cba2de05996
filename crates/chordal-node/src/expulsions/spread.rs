//! How the word of an expulsion travels: who learns of one tells those it is connected with, at once;
//! and where anybody is expelled, nodes compare what they know when they meet and now and then. So
//! who was away is told by the first member it meets.

use std::collections::BTreeSet;
use std::sync::Arc;

use bytes::Bytes;
use chordal_net::{Endpoint, PeerId, Target};
use futures_util::StreamExt as _;
use futures_util::stream;
use tokio::sync::{mpsc, watch};
use tokio::task::spawn_blocking;
use tokio::time::{MissedTickBehavior, interval, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::Expulsions;
use crate::bulk::{Verdict, Wish};
use crate::exec;
use crate::inbox::Inbox;
use crate::limits::{EXPULSIONS_EVERY, EXPULSIONS_TOLD_AT_ONCE, EXPULSIONS_WAIT};
use crate::node::Phase;

/// What spreads the word on one node.
pub(crate) struct Spread {
    pub(crate) own: PeerId,
    pub(crate) expulsions: Expulsions,
    pub(crate) endpoint: Endpoint,
    /// Where the core is told.
    pub(crate) inbox: Arc<Inbox>,
    pub(crate) phase: watch::Sender<Phase>,
    /// Peers that a connection was made with.
    pub(crate) met: mpsc::Receiver<Target>,
    pub(crate) tasks: TaskTracker,
}

impl Spread {
    /// Spreads the word until the node stops.
    pub(crate) async fn run(mut self, stop: CancellationToken) {
        let mut changes = self.expulsions.admission().changes();
        let mut told = BTreeSet::new();
        // What an earlier life heard.
        self.tell_core(&mut told);
        let mut kept = told.len();
        let mut ticks = interval(EXPULSIONS_EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut turn = 0;
        loop {
            tokio::select! {
                () = stop.cancelled() => break,
                _ = changes.changed() => {
                    if self.tell_core(&mut told) {
                        self.tell_others();
                    }
                }
                Some(target) = self.met.recv() => {
                    // Whoever knows of nobody has nothing to tell, and is told by those who do.
                    if !told.is_empty() {
                        self.compare(target);
                    }
                }
                _ = ticks.tick() => {
                    turn += 1;
                    let peers = self.endpoint.peers();
                    if !told.is_empty() && let Some(peer) = peers.get(turn % peers.len().max(1)) {
                        self.compare(Target { addr: peer.addr, expect: Some(peer.id) });
                    }
                }
            }
            if kept < told.len() && self.keep().await {
                kept = told.len();
            }
            // Not before it is kept: the program ends soon after, and must know of it when it starts
            // again.
            if told.contains(&self.own) {
                self.end();
            }
        }
    }

    /// Tells the edges that this node was expelled.
    fn end(&self) {
        self.phase.send_if_modified(|phase| {
            let is_news = *phase != Phase::Expelled;
            *phase = Phase::Expelled;
            is_news
        });
    }

    /// Tells the core of those it was not told of yet. True if there were any.
    fn tell_core(&self, told: &mut BTreeSet<PeerId>) -> bool {
        let all = self.expulsions.admission().expulsions();
        let news: Vec<PeerId> = all
            .iter()
            .map(chordal_net::Expulsion::node)
            .filter(|node| told.insert(*node))
            .collect();
        for node in &news {
            tracing::warn!(node = node.short(), "expelled from the ring");
        }
        let is_news = !news.is_empty();
        if is_news {
            self.inbox
                .expelled(news.into_iter().map(exec::node).collect());
        }
        is_news
    }

    /// Keeps what is known for the next life. False when that failed and is to be tried again.
    async fn keep(&self) -> bool {
        let expulsions = self.expulsions.clone();
        match spawn_blocking(move || expulsions.keep()).await {
            Ok(Ok(())) => true,
            Ok(Err(error)) => {
                tracing::error!(%error, "who is expelled could not be kept");
                false
            }
            Err(_) => false,
        }
    }

    fn tell_others(&self) {
        let (endpoint, expulsions) = (self.endpoint.clone(), self.expulsions.clone());
        self.tasks.spawn(async move {
            tell_all(&endpoint, &expulsions).await;
        });
    }

    fn compare(&self, target: Target) {
        let (endpoint, expulsions) = (self.endpoint.clone(), self.expulsions.clone());
        self.tasks.spawn(async move {
            compare(&endpoint, &expulsions, target, false).await;
        });
    }
}

/// Tells everybody that this node is connected with; returns how many know it then.
pub(crate) async fn tell_all(endpoint: &Endpoint, expulsions: &Expulsions) -> usize {
    let peers = endpoint.peers().into_iter();
    let peers = peers.filter(|peer| !expulsions.admission().is_refused(&peer.id));
    let telling = peers.map(|peer| {
        let target = Target {
            addr: peer.addr,
            expect: Some(peer.id),
        };
        compare(endpoint, expulsions, target, true)
    });
    let telling = stream::iter(telling).buffer_unordered(EXPULSIONS_TOLD_AT_ONCE);
    telling
        .fold(0, async |known, is_known| known + usize::from(is_known))
        .await
}

/// Compares with one node what both know: afterwards both know all of it. `tells` is who knows
/// already that the other one lacks something. True if it went well.
async fn compare(
    endpoint: &Endpoint,
    expulsions: &Expulsions,
    target: Target,
    tells: bool,
) -> bool {
    let mut tells = tells;
    for _ in 0..STEPS {
        let header = Wish::Expulsions(expulsions.digest()).encode();
        let body = tells.then(|| expulsions.encode());
        let asking = endpoint.request(target, header, body);
        let Ok(Ok(response)) = timeout(EXPULSIONS_WAIT, asking).await else {
            return false;
        };
        match Verdict::decode(&response.header) {
            Some(Verdict::Done) => return true,
            // It knows of others; what it knows is in the body.
            Some(Verdict::NotThere) => {
                if expulsions.learn(&response.body).is_err() {
                    tracing::warn!(addr = %target.addr, "a node made up an expulsion");
                    return false;
                }
                tells = true;
            }
            Some(Verdict::Full | Verdict::Failed | Verdict::Misunderstood | Verdict::Busy)
            | None => return false,
        }
    }
    false
}

/// What a node is answered that compares: whether both know the same, and if not, what this one knows.
pub(crate) fn answer(
    expulsions: &Expulsions,
    digest: [u8; 32],
    body: &[u8],
) -> (Bytes, Option<Bytes>) {
    if expulsions.learn(body).is_err() {
        return (Verdict::Misunderstood.encode(), None);
    }
    if expulsions.digest() == digest {
        (Verdict::Done.encode(), None)
    } else {
        (Verdict::NotThere.encode(), Some(expulsions.encode()))
    }
}

/// Questions until both know the same: to hear what the other one knows, to tell it what it lacks, and
/// one more where something was learned in between.
const STEPS: usize = 3;
