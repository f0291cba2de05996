//! Enrolment: a machine with a join code gets its admission certificate, on a connection of its own.
//!
//! The newcomer greets without a certificate, checks the member's against the fingerprint in the
//! code, and proves the code's secret for this connection; the member answers with a certificate or
//! a refusal. Both then end the connection: as a member the newcomer connects like any other.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::AsyncWriteExt as _;
use tokio::time::timeout;
use tokio_rustls::TlsStream;

use crate::admission::{Admission, AuthorityId, Certificate};
use crate::counters::Meters;
use crate::error::{ConnectError, Refusal};
use crate::handshake::{Failure, network, peer_or_fail, refuse};
use crate::hello::{self, Hello, Purpose};
use crate::identity::{NodeKey, PeerId, random};
use crate::invite::{Fingerprint, InviteCode, Proof};
use crate::limits::{Limits, PROTOCOL};
use crate::stream::{Dialler, Stream};
use crate::tls::{Secured, Tls, server_name};

/// A membership just received.
#[derive(Clone, Debug)]
pub struct Enrolled {
    /// The ring's authority.
    pub authority: AuthorityId,
    /// Its word that this node is a member.
    pub certificate: Certificate,
    /// Where the member listens that gave it: there is the authority.
    pub by: SocketAddr,
}

/// Enters a ring with a code: asks at its addresses, one after the other, until somebody decides.
/// `listens` is where this node will listen.
pub async fn enrol(
    key: &NodeKey,
    listens: SocketAddr,
    code: &InviteCode,
    limits: &Limits,
) -> Result<Enrolled, ConnectError> {
    let tls = Tls::new(key);
    let mut end = ConnectError::NobodyThere;
    for &addr in &code.addrs {
        let asking = Box::pin(ask(key, listens, code, addr, &tls));
        let time = limits.connect_timeout + limits.handshake_timeout;
        let failed = match timeout(time, asking).await {
            Ok(Ok(enrolled)) => return Ok(enrolled),
            // Another machine may hold the authority.
            Ok(Err(Failure::TheyRefuse(Refusal::CannotInvite))) => {
                ConnectError::TheyRefuse(Refusal::CannotInvite)
            }
            Ok(Err(Failure::TheyRefuse(refusal))) => return Err(ConnectError::TheyRefuse(refusal)),
            Ok(Err(Failure::WeRefuse(refusal, _))) => ConnectError::WeRefuse(refusal),
            Ok(Err(Failure::Io(error))) => network(&error),
            Ok(Err(Failure::Greeting(why))) => ConnectError::NotChordal(why.to_owned()),
            Ok(Err(Failure::TimedOut)) | Err(_) => ConnectError::TimedOut,
        };
        // What somebody decided says more than somebody's silence.
        let is_decided = matches!(end, ConnectError::TheyRefuse(_) | ConnectError::WeRefuse(_));
        if !is_decided {
            end = failed;
        }
    }
    Err(end)
}

async fn ask(
    key: &NodeKey,
    listens: SocketAddr,
    code: &InviteCode,
    addr: SocketAddr,
    tls: &Tls,
) -> Result<Enrolled, Failure> {
    let raw = Dialler::Tcp.connect(addr).await?;
    let stream = Stream::new(raw, &Arc::new(Meters::new()))?;
    let secured = tls.connector.connect(server_name(), stream).await?;
    let mut stream = Box::new(TlsStream::from(secured));
    let greeting = Hello {
        version_min: PROTOCOL.0,
        version_max: PROTOCOL.1,
        purpose: Purpose::Enrol,
        instance: u64::from_be_bytes(random()),
        certificate: bytes::Bytes::new(),
        listens,
    };
    stream.write_all(&hello::framed(&greeting.encode())).await?;
    stream.flush().await?;
    let greeting = hello::read_frame(&mut stream).await?;
    let (member, greeting) = peer_or_fail(&stream, &greeting)?;
    let greeting = greeting.map_err(|refusal| Failure::WeRefuse(refusal, member))?;
    let authority = authority_of(&greeting, member, code.ring)?;
    let proof = Proof::make(&code.secret, &binding(&stream)?);
    stream.write_all(&hello::framed(&proof)).await?;
    stream.flush().await?;
    let answer = hello::read_frame(&mut stream).await?;
    let certificate = match answer.split_first() {
        Some((0, certificate)) => certificate,
        Some((&code, _)) => return Err(Failure::TheyRefuse(Refusal::from_code(code))),
        None => return Err(Failure::Greeting("an empty answer")),
    };
    let certificate = Certificate::decode(certificate);
    let is_ours =
        |certificate: &Certificate| certificate.verify(&authority, &key.peer_id()).is_ok();
    let certificate = certificate.ok().filter(is_ours);
    let certificate = certificate.ok_or(Failure::WeRefuse(Refusal::BadCertificate, member))?;
    Ok(Enrolled {
        authority,
        certificate,
        by: addr,
    })
}

/// The authority that the member belongs to, if it is the one that the code means.
fn authority_of(hello: &Hello, member: PeerId, ring: Fingerprint) -> Result<AuthorityId, Failure> {
    let refuse = |refusal| Failure::WeRefuse(refusal, member);
    let certificate =
        Certificate::decode(&hello.certificate).map_err(|_| refuse(Refusal::BadCertificate))?;
    let authority = certificate.authority();
    if Fingerprint::of(&authority) != ring {
        return Err(refuse(Refusal::OtherRing));
    }
    certificate
        .verify(&authority, &member)
        .map_err(|_| refuse(Refusal::BadCertificate))?;
    Ok(authority)
}

/// The member's side, after both have greeted: hears the proof, asks the inviter, answers.
pub(crate) async fn answer(
    admission: &Admission,
    mut stream: Secured,
    newcomer: PeerId,
    linger: Duration,
) -> Result<(), Failure> {
    let tag = hello::read_frame(&mut stream).await?;
    if tag.len() != Proof::BYTES {
        return Err(Failure::Greeting("a proof of another length"));
    }
    let proof = Proof::received(tag, binding(&stream)?);
    let decided = match admission.inviter() {
        // Whoever was expelled does not get another certificate.
        _ if admission.is_refused(&newcomer) => Err(Refusal::Expelled),
        None => Err(Refusal::CannotInvite),
        Some(inviter) => {
            let place = admission.enrolments().acquire_owned().await;
            let looked_up = tokio::task::spawn_blocking(move || {
                // Kept for as long as the thread is busy, whoever waits for it.
                let _place = place;
                inviter.admit(newcomer, &proof)
            });
            looked_up.await.unwrap_or(Err(Refusal::CannotInvite))
        }
    };
    match decided {
        Err(refusal) => {
            refuse(admission, &mut stream, (refusal, newcomer), linger).await;
            Err(Failure::WeRefuse(refusal, newcomer))
        }
        Ok(certificate) => {
            let answer = [&[0][..], &certificate.encode()].concat();
            stream.write_all(&hello::framed(&answer)).await?;
            stream.shutdown().await?;
            tracing::info!(newcomer = newcomer.short(), "admitted by invitation");
            Ok(())
        }
    }
}

/// What only the two ends of this connection know (RFC 8446, section 7.5).
fn binding(stream: &TlsStream<Stream>) -> Result<[u8; 32], Failure> {
    let exported = match stream {
        TlsStream::Client(stream) => {
            let (_, session) = stream.get_ref();
            session.export_keying_material([0; 32], EXPORTER, None)
        }
        TlsStream::Server(stream) => {
            let (_, session) = stream.get_ref();
            session.export_keying_material([0; 32], EXPORTER, None)
        }
    };
    exported.map_err(|_| Failure::Greeting("TLS gives no keying material"))
}

const EXPORTER: &[u8] = b"EXPORTER-chordal-enrolment";

#[cfg(test)]
mod tests;
