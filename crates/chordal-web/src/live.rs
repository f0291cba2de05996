//! The ring for those who watch it: one look for all watchers, and each is told what changed since it
//! was told last.
//!
//! Nobody looks while nobody watches. A look asks every node for its status, so it is made when
//! something happened, after a rest that grows with the ring, and else every few seconds. A watcher
//! that reads slowly is told less often, never later: only the newest state is kept.

use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Instant;

use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use chordal_node::model::{NodeId, Notice};
use chordal_node::{Moved, Node};
use futures_util::{Stream, StreamExt as _};
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore, broadcast, watch};
use tokio::time::{sleep, sleep_until, timeout};
use tokio_util::sync::CancellationToken;

use crate::api::{Flow, Scene, SceneChange};
use crate::limits::{
    LOOK_BUSY, LOOK_IDLE, LOOK_PAUSE, LOOK_REST_PER_WORK, WATCH_ALIVE, WATCHERS_MAX,
};
use crate::pace::Pace;
use crate::problem::{Code, Problem};
use crate::{api, facts};

/// The newest state, and who wants it.
#[derive(Clone, Debug)]
pub(crate) struct Live {
    scenes: watch::Sender<Option<Arc<Scene>>>,
    places: Arc<Semaphore>,
    /// Something happened here, or somebody began to watch.
    woken: Arc<Notify>,
    stop: CancellationToken,
}

/// One who watches.
struct Watcher {
    scenes: watch::Receiver<Option<Arc<Scene>>>,
    told: Option<Arc<Scene>>,
    _place: OwnedSemaphorePermit,
}

impl Live {
    /// For a server that ends by this token.
    pub(crate) fn new(stop: CancellationToken) -> Self {
        Self {
            scenes: watch::Sender::new(None),
            places: Arc::new(Semaphore::new(WATCHERS_MAX)),
            woken: Arc::default(),
            stop,
        }
    }

    /// Looks at the ring for as long as the server serves.
    pub(crate) async fn run(self, node: Node) {
        let (mut pace, mut moved) = (Pace::default(), node.moved());
        let stop = self.stop.clone();
        let on = async {
            while !self.stop.is_cancelled() {
                self.look(&node, &mut pace, &mut moved).await;
            }
        };
        stop.run_until_cancelled(on).await;
    }

    /// Something was changed by way of this server: worth a look.
    pub(crate) fn touch(&self) {
        self.woken.notify_one();
    }

    /// Tells one more watcher, until this moment at most.
    pub(crate) fn watch(&self, until: Option<Instant>) -> Result<Response, Problem> {
        let place = Arc::clone(&self.places).try_acquire_owned();
        let place = place.map_err(|_| {
            Problem::new(
                Code::Busy,
                format!("{WATCHERS_MAX} pages watch this node already"),
            )
            .advice("Close one of them.")
        })?;
        let watcher = Watcher {
            scenes: self.scenes.subscribe(),
            told: None,
            _place: place,
        };
        self.woken.notify_one();
        let stop = self.stop.clone();
        let ended = async move {
            tokio::select! {
                () = stop.cancelled_owned() => {}
                () = sleep_until(until.unwrap_or_else(Instant::now).into()), if until.is_some() => {}
            }
        };
        let events = events(watcher).take_until(ended);
        let alive = KeepAlive::new().interval(WATCH_ALIVE);
        Ok(Sse::new(events).keep_alive(alive).into_response())
    }

    /// Looks once, when somebody watches, and waits until it is worth to look again.
    async fn look(&self, node: &Node, pace: &mut Pace, moved: &mut BTreeMap<NodeId, Moved>) {
        while self.scenes.receiver_count() == 0 {
            self.scenes.send_replace(None);
            self.woken.notified().await;
            // What moved while nobody watched is no news.
            *moved = node.moved();
        }
        let mut notices = node.notices();
        let begun = Instant::now();
        let looked = node.status().await;
        match looked {
            Ok(ring) => {
                let picture = facts::picture(&ring, &node.settings());
                let status = facts::status(&ring);
                let progress = pace.see(Instant::now(), status.repair.copies_missing);
                let flows = new_flows(node, moved);
                let noted = node.events_noted();
                self.publish(api::scene(status, picture, progress, flows, noted));
            }
            Err(error) => tracing::debug!(%error, "the ring could not be looked at"),
        }
        sleep(LOOK_PAUSE.max(begun.elapsed() * LOOK_REST_PER_WORK)).await;
        self.rest(node, &mut notices, moved).await;
    }

    /// Waits until a look is worth it; meanwhile tells of chunks that move, which needs no look.
    async fn rest(
        &self,
        node: &Node,
        notices: &mut broadcast::Receiver<Notice>,
        moved: &mut BTreeMap<NodeId, Moved>,
    ) {
        let is_busy = self
            .scenes
            .borrow()
            .as_ref()
            .is_none_or(|scene| is_busy(scene));
        let begun = Instant::now();
        let longest = if is_busy { LOOK_BUSY } else { LOOK_IDLE };
        while begun.elapsed() < longest {
            let something = async {
                tokio::select! {
                    () = self.woken.notified() => {}
                    () = worth_a_look(notices) => {}
                }
            };
            let left = longest.saturating_sub(begun.elapsed());
            if timeout(LOOK_PAUSE.min(left), something).await.is_ok() {
                return;
            }
            let flows = new_flows(node, moved);
            let scene = self.scenes.borrow().clone();
            if let Some(scene) = scene.filter(|scene| scene.flows != flows) {
                self.publish(Scene {
                    flows,
                    ..Scene::clone(&scene)
                });
            }
        }
    }

    /// Tells the watchers, if it is news.
    fn publish(&self, scene: Scene) {
        self.scenes.send_if_modified(|known| {
            let is_news = known.as_deref() != Some(&scene);
            if is_news {
                *known = Some(Arc::new(scene));
            }
            is_news
        });
    }
}

/// Returns at a notice that changes what a watcher sees.
async fn worth_a_look(notices: &mut broadcast::Receiver<Notice>) {
    loop {
        let notice = match notices.recv().await {
            Ok(notice) => notice,
            Err(broadcast::error::RecvError::Lagged(_)) => return,
            // The node has ended, and so will this soon.
            Err(broadcast::error::RecvError::Closed) => return std::future::pending().await,
        };
        let is_seen = match notice {
            Notice::Appeared(_)
            | Notice::Suspected { .. }
            | Notice::Recovered(_)
            | Notice::Gone(_)
            | Notice::Left(_)
            | Notice::Refuted { .. }
            | Notice::Placed { .. }
            | Notice::Pointers { .. }
            | Notice::Synchronised { .. }
            | Notice::HandedOff { .. }
            | Notice::Collected { .. } => true,
            Notice::NotUnderstood { .. } | Notice::Malformed { .. } => false,
        };
        if is_seen {
            return;
        }
    }
}

/// Whether something is going on that notices of this node alone do not tell.
fn is_busy(scene: &Scene) -> bool {
    let restless =
        |node: &api::PicturedNode| ["suspect", "leaving"].contains(&node.health.state.as_str());
    scene.repair.state != "idle" || !scene.ring.whole || scene.ring.nodes.iter().any(restless)
}

/// What moved since the last look, which this one takes the place of.
fn new_flows(node: &Node, moved: &mut BTreeMap<NodeId, Moved>) -> Vec<Flow> {
    let now = node.moved();
    let flows = flows(moved, &now);
    *moved = now;
    flows
}

/// What moved between this node and others from one look to the next.
fn flows(before: &BTreeMap<NodeId, Moved>, now: &BTreeMap<NodeId, Moved>) -> Vec<Flow> {
    let flow = |(node, moved): (&NodeId, &Moved)| {
        let before = before.get(node).copied().unwrap_or_default();
        let flow = Flow {
            node: node.to_string(),
            fetched: moved.fetched.saturating_sub(before.fetched),
            given: moved.given.saturating_sub(before.given),
        };
        (flow.fetched + flow.given > 0).then_some(flow)
    };
    now.iter().filter_map(flow).collect()
}

/// The whole state first, and then what changes.
fn events(watcher: Watcher) -> impl Stream<Item = Result<Event, Infallible>> + Send {
    futures_util::stream::unfold(watcher, |mut watcher| async move {
        loop {
            if watcher.told.is_some() {
                watcher.scenes.changed().await.ok()?;
            }
            let newest = watcher.scenes.borrow_and_update().clone();
            if let Some(newest) = newest {
                let event = event(watcher.told.as_deref(), &newest);
                watcher.told = Some(newest);
                return Some((Ok(event), watcher));
            }
            if watcher.told.is_none() {
                watcher.scenes.changed().await.ok()?;
            }
        }
    })
    .boxed()
}

/// What one is told who knows that much.
fn event(told: Option<&Scene>, newest: &Scene) -> Event {
    let named = |name| Event::default().event(name);
    let event = match told {
        None => named("scene").json_data(newest),
        Some(told) => named("change").json_data(change(told, newest)),
    };
    event.expect("our own shapes are JSON")
}

/// The newest state but for the nodes that are as they were.
fn change(told: &Scene, newest: &Scene) -> SceneChange {
    let known: BTreeMap<&str, &api::PicturedNode> = by_id(told).collect();
    let there: BTreeSet<&str> = by_id(newest).map(|(id, _)| id).collect();
    let mut scene = newest.clone();
    let is_news = |node: &api::PicturedNode| known.get(node.health.id.as_str()) != Some(&node);
    scene.ring.nodes.retain(is_news);
    SceneChange {
        scene,
        removed: known
            .keys()
            .filter(|id| !there.contains(*id))
            .map(ToString::to_string)
            .collect(),
    }
}

fn by_id(scene: &Scene) -> impl Iterator<Item = (&str, &api::PicturedNode)> {
    let nodes = scene.ring.nodes.iter();
    nodes.map(|node| (node.health.id.as_str(), node))
}

#[cfg(test)]
mod tests;
