//! Control connections: one per peer, for small messages in both directions.
//!
//! Sending never waits: a message goes into its peer's queue, and the link's writer gathers what is
//! there into few writes. A link's two halves run in one task; when either fails, both end.

use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use bytes::Bytes;
use tokio::io::{AsyncWrite, AsyncWriteExt as _, ReadHalf, WriteHalf};
use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until, timeout};
use tokio_rustls::TlsStream;
use tokio_util::sync::CancellationToken;

use crate::counters::{add, count};
use crate::endpoint::{Shared, Target};
use crate::error::ConnectError;
use crate::event::Event;
use crate::frame::{FrameError, MessageReader, message_lead, paced, write_all};
use crate::handshake::{Admitted, dial};
use crate::hello::Purpose;
use crate::identity::PeerId;
use crate::limits::{BATCH_BYTES, GATHER_BYTES_MAX};
use crate::stream::Stream;
use crate::table::{Batch, LaneKey, Link, Queued};

/// Queues a message, and dials when nobody does yet.
pub(crate) fn send(shared: &Arc<Shared>, target: Target, message: Bytes) {
    let undelivered = || {
        count(&shared.meters.messages_dropped);
        shared.events.report(Event::Undelivered { target });
    };
    if message.len() > shared.limits.message_bytes_max || shared.closing.is_cancelled() {
        return undelivered();
    }
    let queued = shared.table().queue(target, message, &shared.limits);
    match queued {
        Queued::Waiting => {}
        Queued::Full => undelivered(),
        Queued::Dial(key) => start_dial(shared, key, target),
        Queued::Pausing(error) => shared.events.report(Event::Unreachable { target, error }),
    }
}

fn start_dial(shared: &Arc<Shared>, key: LaneKey, target: Target) {
    let task = dial_lane(Arc::clone(shared), key, target);
    shared.tracker.spawn(task);
}

/// Dials for a lane and then carries the connection. Boxed, since the end of a link can start the
/// next dial.
fn dial_lane(
    shared: Arc<Shared>,
    key: LaneKey,
    target: Target,
) -> Pin<Box<dyn Future<Output = ()> + Send>> {
    Box::pin(async move {
        let outcome = tokio::select! {
            biased;
            () = shared.kill.cancelled() => Err(ConnectError::Closing),
            outcome = dial(&shared, target, Purpose::Control) => outcome,
        };
        match outcome {
            Ok(admitted) => carry(&shared, admitted, Some((key, target.addr))).await,
            Err(error) => dial_failed(&shared, key, target, error),
        }
    })
}

fn dial_failed(shared: &Arc<Shared>, key: LaneKey, target: Target, error: ConnectError) {
    tracing::debug!(addr = %target.addr, %error, "cannot connect");
    let mut table = shared.table();
    table.pause(target, error.clone(), &shared.limits);
    let next = table.dial_failed(key, target.addr);
    shared.events.report(Event::Unreachable { target, error });
    drop(table);
    if let Some(next) = next {
        start_dial(shared, key, next);
    }
}

/// Runs a control connection to its end. `origin` is the lane that dialled it, and the address.
pub(crate) async fn carry(
    shared: &Arc<Shared>,
    admitted: Admitted,
    origin: Option<(LaneKey, SocketAddr)>,
) {
    let Admitted {
        stream,
        peer,
        addr,
        instance,
        since,
        ..
    } = admitted;
    let wake = Arc::new(Notify::new());
    let end = shared.kill.child_token();
    let number = {
        let mut table = shared.table();
        let number = table.number();
        let link = Link {
            number,
            addr,
            dialled: origin.map(|(_, addr)| addr),
            instance,
            since,
            usable: true,
            wake: Arc::clone(&wake),
            end: end.clone(),
        };
        let joined = table.join(peer, link, origin.map(|(key, _)| key), &shared.limits);
        // Reported under the lock, so that comings and goings are told in their order.
        if let Some(addr) = joined.superseded {
            shared.events.report(Event::Disconnected { peer, addr });
        }
        if joined.first {
            shared.events.report(Event::Connected { peer, addr });
        }
        number
    };
    if shared.admission.is_refused(&peer) {
        // Expelled after it was let through, and before the link was there to be ended.
        end.cancel();
    }
    let (read, write) = tokio::io::split(*stream);
    let carrier = Carrier {
        shared,
        peer,
        addr,
        number,
        wake: &wake,
        end: &end,
        their_end: CancellationToken::new(),
        our_end: CancellationToken::new(),
        last_traffic: AtomicU64::new(shared.millis()),
    };
    carrier.run(read, write).await;
    part(shared, peer, addr, number);
}

fn part(shared: &Arc<Shared>, peer: PeerId, addr: SocketAddr, number: u64) {
    let mut table = shared.table();
    let parted = table.part(peer, number);
    if parted.last {
        shared.events.report(Event::Disconnected { peer, addr });
    }
    let key = LaneKey::Peer(peer);
    let closing = shared.closing.is_cancelled();
    let abandoned = match parted.dial {
        Some(_) if closing => table.abandon(key),
        _ => Vec::new(),
    };
    drop(table);
    for target in abandoned {
        count(&shared.meters.messages_dropped);
        shared.events.report(Event::Undelivered { target });
    }
    if let Some(target) = parted.dial
        && !closing
    {
        start_dial(shared, key, target);
    }
}

/// One link, while it runs.
struct Carrier<'a> {
    shared: &'a Arc<Shared>,
    peer: PeerId,
    addr: SocketAddr,
    number: u64,
    wake: &'a Notify,
    /// Ends the link at once.
    end: &'a CancellationToken,
    /// The other side writes no more.
    their_end: CancellationToken,
    /// We write no more.
    our_end: CancellationToken,
    /// Milliseconds since the endpoint started.
    last_traffic: AtomicU64,
}

impl Carrier<'_> {
    async fn run(&self, read: ReadHalf<TlsStream<Stream>>, write: WriteHalf<TlsStream<Stream>>) {
        let both = async {
            let reading = async {
                let outcome = self.read(read).await;
                self.shared.table().disuse(self.peer, self.number);
                self.their_end.cancel();
                outcome
            };
            let writing = async {
                let outcome = self.write(write).await;
                self.our_end.cancel();
                outcome
            };
            tokio::try_join!(reading, writing)
        };
        let outcome = tokio::select! {
            biased;
            () = self.end.cancelled() => return,
            outcome = both => outcome,
        };
        match outcome {
            Ok(_) => {}
            Err(FrameError::Malformed(why)) => {
                count(&self.shared.meters.malformed_frames);
                let peer = Some(self.peer);
                self.shared
                    .complain(self.addr, peer, "control connection closed", &why);
            }
            Err(error) => {
                tracing::debug!(peer = %self.peer.short(), ?error, "control connection lost");
            }
        }
    }

    /// Hands on messages until the other side ends, or some time after we did.
    async fn read(&self, mut stream: ReadHalf<TlsStream<Stream>>) -> Result<(), FrameError> {
        let limits = &self.shared.limits;
        let mut reader = MessageReader::new(limits.message_bytes_max, limits.stall);
        let mut ended = pin!(self.our_end.cancelled());
        let all = async {
            while let Some(bytes) = reader.next(&mut stream).await? {
                self.touch();
                count(&self.shared.meters.messages_in);
                let length = bytes.len();
                let event = Event::Message {
                    from: self.peer,
                    addr: self.addr,
                    bytes,
                };
                if self.shared.events.push(event, length).await.is_err() {
                    break;
                }
            }
            Ok(())
        };
        let mut all = pin!(all);
        tokio::select! {
            biased;
            outcome = &mut all => return outcome,
            () = &mut ended => {}
        }
        // What the other side had written before it learned of our end still counts.
        timeout(limits.linger, all).await.unwrap_or(Ok(()))
    }

    /// Writes what is queued until the endpoint closes, the other side ends, or nothing happens for
    /// long.
    async fn write(&self, mut stream: WriteHalf<TlsStream<Stream>>) -> Result<(), FrameError> {
        let limits = &self.shared.limits;
        let mut closing = pin!(self.shared.closing.cancelled());
        let mut their_end = pin!(self.their_end.cancelled());
        let mut alarm = pin!(sleep_until(Instant::now() + limits.spare_idle));
        let mut buffer = Vec::new();
        let mut unflushed = false;
        let mut last = false;
        loop {
            let batch = self
                .shared
                .table()
                .batch(self.peer, self.number, BATCH_BYTES);
            let idle = match batch {
                Batch::Write(messages) => {
                    self.write_batch(&mut stream, &mut buffer, &messages)
                        .await?;
                    unflushed = true;
                    continue;
                }
                Batch::Empty => limits.control_idle,
                Batch::Spare => limits.spare_idle,
            };
            if std::mem::take(&mut unflushed) {
                paced(limits.stall, stream.flush()).await?;
                buffer = Vec::new();
                continue;
            }
            if last && self.shared.table().retire(self.peer, self.number) {
                return end(&mut stream, limits.stall).await;
            }
            tokio::select! {
                biased;
                () = self.wake.notified() => {}
                () = &mut their_end, if !last => last = true,
                () = &mut closing, if !last => last = true,
                () = &mut alarm => match self.quiet_for(idle) {
                    None => last = true,
                    Some(left) => alarm.as_mut().reset(Instant::now() + left.min(limits.spare_idle)),
                },
            }
        }
    }

    async fn write_batch(
        &self,
        stream: &mut (impl AsyncWrite + Unpin),
        buffer: &mut Vec<u8>,
        messages: &[Bytes],
    ) -> Result<(), FrameError> {
        let stall = self.shared.limits.stall;
        buffer.clear();
        for message in messages {
            buffer.extend_from_slice(&message_lead(message.len()));
            if message.len() < GATHER_BYTES_MAX {
                buffer.extend_from_slice(message);
            } else {
                write_all(stream, buffer, stall).await?;
                buffer.clear();
                write_all(stream, message, stall).await?;
            }
        }
        write_all(stream, buffer, stall).await?;
        self.touch();
        add(&self.shared.meters.messages_out, messages.len());
        Ok(())
    }

    fn touch(&self) {
        self.last_traffic.store(self.shared.millis(), Relaxed);
    }

    /// What is missing to `idle` without traffic; nothing when it is over.
    fn quiet_for(&self, idle: Duration) -> Option<Duration> {
        let quiet =
            self.shared.millis() - self.last_traffic.load(Relaxed).min(self.shared.millis());
        let left = idle.saturating_sub(Duration::from_millis(quiet));
        (!left.is_zero()).then_some(left)
    }
}

/// Says goodbye: whatever was written before arrives before it.
async fn end(stream: &mut (impl AsyncWrite + Unpin), stall: Duration) -> Result<(), FrameError> {
    paced(stall, stream.shutdown()).await
}
