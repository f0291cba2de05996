//! Bulk requests, the answering side: each connection its own task, one request after the other.
//!
//! A body is read only when the budget for bodies in memory has room for it; until then its sender
//! waits. A request whose user drops it is answered with "dropped", so that nobody waits in vain.

use std::sync::Arc;

use bytes::Bytes;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::sync::oneshot;
use tokio::time::timeout;

use crate::counters::count;
use crate::endpoint::Shared;
use crate::event::{BulkRequest, Event};
use crate::frame::{BulkKind, FrameError, LEAD_BYTES, Lead, paced, read_exactly, write_parts};
use crate::handshake::Admitted;
use crate::identity::PeerId;
use crate::tls::Secured;

/// Serves a bulk connection to its end.
pub(crate) async fn serve(shared: &Arc<Shared>, admitted: Admitted) {
    let Admitted {
        mut stream,
        peer,
        addr,
        ..
    } = admitted;
    let served = async {
        while serve_one(shared, &mut stream, peer).await? {}
        paced(shared.limits.linger, stream.shutdown()).await
    };
    let outcome = tokio::select! {
        biased;
        () = shared.kill.cancelled() => return,
        outcome = served => outcome,
    };
    match outcome {
        Ok(()) => {}
        Err(FrameError::Malformed(why)) => {
            count(&shared.meters.malformed_frames);
            shared.complain(addr, Some(peer), "bulk connection closed", &why);
        }
        Err(error) => tracing::debug!(peer = %peer.short(), ?error, "bulk connection lost"),
    }
}

/// Serves one request. False when the connection has ended or should.
async fn serve_one(
    shared: &Arc<Shared>,
    stream: &mut Secured,
    peer: PeerId,
) -> Result<bool, FrameError> {
    let limits = &shared.limits;
    let Some(lead) = next_lead(shared, stream).await? else {
        return Ok(false);
    };
    if lead.kind != BulkKind::Request {
        return Err(FrameError::Malformed("an answer instead of a request"));
    }
    if shared.admission.is_refused(&peer) {
        return Ok(false);
    }
    count(&shared.meters.requests_in);
    let header = read_exactly(stream, lead.header, limits.stall).await?;
    // Held until the answer is written: bodies in memory are bounded over all peers.
    let wanted = u32::try_from(lead.body).unwrap_or(u32::MAX);
    let Ok(_room) = shared.inbound_room.acquire_many(wanted).await else {
        return Ok(false);
    };
    let body = read_exactly(stream, lead.body, limits.stall).await?;
    let (answer, answered) = oneshot::channel();
    let weight = header.len();
    let request = BulkRequest {
        from: peer,
        header,
        body,
        answer,
    };
    let pushed = shared.events.push(Event::Request(request), weight).await;
    let answer = match pushed {
        Ok(()) => answered.await.ok(),
        Err(_) => None,
    };
    write_answer(shared, stream, answer).await?;
    Ok(!shared.closing.is_cancelled())
}

async fn write_answer(
    shared: &Shared,
    stream: &mut Secured,
    answer: Option<(Bytes, Bytes)>,
) -> Result<(), FrameError> {
    let limits = &shared.limits;
    let fits = |(header, body): &(Bytes, Bytes)| {
        header.len() <= limits.header_bytes_max && body.len() <= limits.body_bytes_max
    };
    if answer.as_ref().is_some_and(|answer| !fits(answer)) {
        tracing::error!("an answer beyond the limits was dropped");
    }
    let answer = answer.filter(fits);
    let kind = match answer {
        Some(_) => BulkKind::Answer,
        None => BulkKind::Dropped,
    };
    let (header, body) = answer.unwrap_or_default();
    let lead = Lead {
        kind,
        header: header.len(),
        body: body.len(),
    };
    write_parts(stream, [&lead.encode(), &header, &body], limits.stall).await
}

/// The next request's lead. Nothing when the asking side ended, was silent for long, or we close.
async fn next_lead(shared: &Shared, stream: &mut Secured) -> Result<Option<Lead>, FrameError> {
    let limits = &shared.limits;
    let mut bytes = [0; LEAD_BYTES];
    // Longer than the asking side's own limit, which should close first: only it knows whether it
    // is just about to ask.
    let idle = limits.bulk_idle + limits.bulk_idle / 2;
    let first = tokio::select! {
        biased;
        first = timeout(idle, stream.read(&mut bytes[..1])) => first,
        () = shared.closing.cancelled() => return Ok(None),
    };
    match first {
        Err(_) | Ok(Ok(0)) => return Ok(None),
        Ok(Err(error)) if error.kind() == std::io::ErrorKind::UnexpectedEof => return Ok(None),
        Ok(read) => read?,
    };
    let rest = read_exactly(stream, LEAD_BYTES - 1, limits.stall).await?;
    bytes[1..].copy_from_slice(&rest);
    Lead::decode(bytes, limits.header_bytes_max, limits.body_bytes_max).map(Some)
}
