//! The driver: one task that owns the core and feeds it.
//!
//! Its loop takes what is ready from each source, within a budget so that none starves the others,
//! hands it to the core, and carries out what the core wants before the next input. It waits only
//! when nothing is ready, and never for a disk, a socket or a client.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError};

use chordal_net::{Endpoint, Event, Events, Target};
use chordal_proto::effect::{Answer, DiskOp, Effect, Failure, Notice};
use chordal_proto::input::OperationId;
use chordal_proto::{Input, Peer, Time};
use futures_util::FutureExt as _;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::chronicle;
use crate::client::{Order, SharedSettings};
use crate::exec::{self, Disk, SETTINGS, Server, Transfers};
use crate::held::Held;
use crate::inbox::{Duty, Inbox};
use crate::limits::TURN_INPUTS_MAX;
use crate::node::Phase;
use crate::notices::Notices;
use crate::put::now_ms;
use crate::recorder::Recorder;
use crate::repair::{Repair, Work};
use crate::settings_bytes;

/// The core with everything it acts through.
pub(crate) struct Driver {
    pub(crate) peer: Peer,
    /// Keeps what the core is told, if anybody wants it.
    pub(crate) recorder: Option<Recorder>,
    /// The moment that the core's time is counted from.
    pub(crate) started: Instant,
    pub(crate) endpoint: Endpoint,
    pub(crate) events: Events,
    pub(crate) orders: mpsc::Receiver<Order>,
    pub(crate) inbox: Arc<Inbox>,
    pub(crate) held: Arc<Held>,
    pub(crate) disk: Disk,
    pub(crate) transfers: Transfers,
    pub(crate) server: Server,
    pub(crate) repair: Arc<Repair>,
    pub(crate) notices: Notices,
    /// Where it is told whom this node meets.
    pub(crate) met: mpsc::Sender<Target>,
    pub(crate) chronicle: Arc<chronicle::Log>,
    pub(crate) settings: SharedSettings,
    pub(crate) phase: watch::Sender<Phase>,
    pub(crate) tasks: TaskTracker,
    pub(crate) stop: CancellationToken,
    pub(crate) replies: HashMap<OperationId, oneshot::Sender<Result<Answer, Failure>>>,
    /// Room for the next inputs of the inbox.
    pub(crate) spare: Vec<Input>,
}

impl Driver {
    /// Drives the core until told to stop. Wishes without an answer then fail as "stopping".
    pub(crate) async fn run(mut self) {
        let stop = self.stop.clone();
        let _watch = Watch {
            phase: self.phase.clone(),
            stop: stop.clone(),
        };
        self.execute();
        while !stop.is_cancelled() {
            if self.turn() {
                // Something may still be ready: let the runtime's other tasks have their turn.
                tokio::task::yield_now().await;
                continue;
            }
            let wake = self.peer.deadline().map(|(time, _)| self.instant(time));
            tokio::select! {
                biased;
                () = stop.cancelled() => {}
                () = self.inbox.filled() => {}
                Some(order) = self.orders.recv() => self.take_order(order),
                Some(event) = self.events.next() => self.take_event(event),
                () = sleep_until(wake.unwrap_or(self.started)), if wake.is_some() => {}
            }
        }
        if let Some(recorder) = self.recorder.take() {
            recorder.end(self.now(), &self.peer);
        }
        tracing::debug!("the driver has ended");
    }

    /// Takes what is ready, a bounded number from each source. False when nothing was.
    fn turn(&mut self) -> bool {
        let mut busy = false;
        let due = self.peer.deadline();
        if let Some((time, reason)) = due.filter(|(time, _)| *time <= self.now()) {
            tracing::trace!(?time, ?reason, "due");
            self.feed(Input::Tick);
            busy = true;
        }
        let mut inputs = self.inbox.take(std::mem::take(&mut self.spare));
        for input in inputs.drain(..) {
            if let Input::Cancel(operation) = &input {
                self.replies.remove(operation);
            }
            self.feed(input);
            busy = true;
        }
        self.spare = inputs;
        for _ in 0..TURN_INPUTS_MAX {
            let Ok(order) = self.orders.try_recv() else {
                break;
            };
            self.take_order(order);
            busy = true;
        }
        for _ in 0..TURN_INPUTS_MAX {
            let Some(Some(event)) = self.events.next().now_or_never() else {
                break;
            };
            self.take_event(event);
            busy = true;
        }
        busy
    }

    fn take_order(&mut self, order: Order) {
        if order.reply.is_closed() {
            // Withdrawn before it came here.
            return;
        }
        self.replies.insert(order.operation, order.reply);
        self.feed(Input::Command {
            operation: order.operation,
            command: order.command,
        });
    }

    fn take_event(&mut self, event: Event) {
        match event {
            Event::Message { from, addr, bytes } => self.feed(Input::Message {
                from: exec::node(from),
                addr,
                bytes,
            }),
            Event::Request(request) => self.server.serve(request),
            Event::Connected { peer, addr } => {
                tracing::debug!(%peer, %addr, "connected");
                let expect = Some(peer);
                // Where too many wait, it is met again by and by.
                self.met.try_send(Target { addr, expect }).ok();
            }
            Event::Disconnected { peer, addr } => {
                tracing::debug!(%peer, %addr, "disconnected");
                self.feed(Input::Disconnected(exec::node(peer)));
            }
            Event::Unreachable { target, error } => self.feed(Input::Unreachable {
                addr: target.addr,
                node: target.expect.map(exec::node),
                reason: error.to_string(),
            }),
            Event::Undelivered { target } => {
                // To the core a lost message, like any other.
                tracing::debug!(addr = %target.addr, "a message was dropped");
            }
        }
    }

    /// Hands one input to the core, and carries out all that it wants then.
    fn feed(&mut self, input: Input) {
        let now = self.now();
        if let Some(recorder) = &mut self.recorder {
            recorder.tell(now, &input, &self.peer);
        }
        self.peer.handle(now, input);
        self.execute();
    }

    fn execute(&mut self) {
        while let Some(effect) = self.peer.poll() {
            if let Some(recorder) = &mut self.recorder {
                recorder.decided(&effect);
            }
            let bits = self.peer.settings().bits;
            match effect {
                Effect::Send { to, bytes } => exec::send(&self.endpoint, to, bytes),
                Effect::Transfer { effect, transfer } => {
                    let duty = Duty::transfer(Arc::clone(&self.inbox), effect);
                    self.transfers.start(transfer, bits, duty);
                }
                Effect::Disk { effect, op } => {
                    let stopwatch = work(&op).map(|work| self.repair.stopwatch(work));
                    let duty = Duty::disk(Arc::clone(&self.inbox), effect).timed(stopwatch);
                    self.disk.order(op, bits, &self.held, duty);
                }
                Effect::Reply { operation, answer } => self.reply(operation, answer),
                Effect::Notice(notice) => {
                    if let Notice::Malformed { node, .. } = &notice {
                        self.endpoint.disconnect(exec::peer(*node));
                    }
                    self.remember(&notice);
                    self.notices.note(notice);
                }
            }
        }
        self.keep_settings();
    }

    /// Keeps what happens to nodes, for people who look later.
    fn remember(&self, notice: &Notice) {
        let own = self.peer.member().node;
        let Some((node, what)) = chronicle::happening(notice, own) else {
            return;
        };
        let member = self.peer.member_of(node);
        let places = member
            .as_ref()
            .map(|member| (member, member.tokens(self.peer.settings())));
        self.chronicle.note(now_ms(), (node, what), places);
    }

    fn reply(&mut self, operation: OperationId, answer: Result<Answer, Failure>) {
        if matches!(answer, Ok(Answer::Left)) {
            tracing::info!("this node has left the ring");
            self.phase.send_replace(Phase::Left);
        }
        if let Some(reply) = self.replies.remove(&operation) {
            // A client that is gone needs no answer.
            drop(reply.send(answer));
        }
    }

    /// Keeps the ring's settings for the next life when a join has changed them.
    fn keep_settings(&self) {
        let settings = self.peer.settings();
        let shared = self.settings.read();
        if *shared.unwrap_or_else(PoisonError::into_inner) == *settings {
            return;
        }
        let shared = self.settings.write();
        shared
            .unwrap_or_else(PoisonError::into_inner)
            .clone_from(settings);
        let (disk, bytes) = (self.disk.clone(), settings_bytes::encode(settings));
        self.tasks.spawn(async move {
            if let Err(error) = disk.keep_value(SETTINGS, bytes).await {
                tracing::error!(?error, "the ring's settings could not be kept");
            }
        });
    }

    fn now(&self) -> Time {
        let nanos = self.started.elapsed().as_nanos();
        Time::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
    }

    fn instant(&self, time: Time) -> Instant {
        self.started + time.since(Time::default())
    }
}

/// What of an order to the disk a client waits for.
const fn work(op: &DiskOp) -> Option<Work> {
    match op {
        DiskOp::StoreChunk { .. } => Some(Work::KeepChunk),
        DiskOp::ReadChunk { .. } => Some(Work::ReadChunk),
        DiskOp::WriteRecord {
            heeds_promise: true,
            ..
        } => Some(Work::WriteRecord),
        DiskOp::WriteRecord { .. }
        | DiskOp::ReadRecord { .. }
        | DiskOp::ItemsIn { .. }
        | DiskOp::RecordsByDigest { .. }
        | DiskOp::HaveChunks(_)
        | DiskOp::Referenced(_)
        | DiskOp::Listed(_)
        | DiskOp::CountIn(_)
        | DiskOp::List { .. }
        | DiskOp::Remove { .. }
        | DiskOp::Usage
        | DiskOp::SaveMembers(_) => None,
    }
}

/// Ends the whole node when the core panics, which is a mistake of ours: a node without its core
/// must not look alive. Its copies are safe on the disk.
struct Watch {
    phase: watch::Sender<Phase>,
    stop: CancellationToken,
}

impl Drop for Watch {
    fn drop(&mut self) {
        if std::thread::panicking() {
            tracing::error!("the node's core failed; the node has stopped");
            self.stop.cancel();
            self.phase.send_replace(Phase::Stopped);
        }
    }
}

#[cfg(test)]
mod tests;
