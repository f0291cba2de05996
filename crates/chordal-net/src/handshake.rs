//! From a bare connection to an admitted one: TLS, greeting, verdicts.
//!
//! Nothing a stranger sends is read beyond one bounded greeting, and nothing is kept of a connection
//! that did not get through.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::time::timeout;
use tokio_rustls::TlsStream;

use crate::admission::Admission;
use crate::counters::count;
use crate::endpoint::{Shared, Target};
use crate::enrol;
use crate::error::{ConnectError, Refusal};
use crate::hello::{self, Hello, HelloError, Purpose};
use crate::identity::PeerId;
use crate::limits::{LINGER_BYTES_MAX, PROTOCOL};
use crate::stream::{Raw, Stream};
use crate::tls::{Secured, peer_of, server_name};

/// A connection with an admitted peer.
pub(crate) struct Admitted {
    pub(crate) stream: Secured,
    pub(crate) peer: PeerId,
    /// Where the peer listens.
    pub(crate) addr: SocketAddr,
    /// Which start of the peer's program this is.
    pub(crate) instance: u64,
    pub(crate) purpose: Purpose,
    /// Since when the peer is a member, in Unix seconds.
    pub(crate) since: u64,
}

/// Why a handshake failed, before it is known on whose behalf.
#[derive(Debug)]
pub(crate) enum Failure {
    TimedOut,
    Io(io::Error),
    Greeting(&'static str),
    WeRefuse(Refusal, PeerId),
    TheyRefuse(Refusal),
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// Connects to `target` and gets through.
pub(crate) async fn dial(
    shared: &Shared,
    target: Target,
    purpose: Purpose,
) -> Result<Admitted, ConnectError> {
    if target.expect == Some(shared.id) {
        return Err(ConnectError::WeRefuse(Refusal::Itself));
    }
    let connecting = shared.dialler.connect(target.addr);
    let raw = match timeout(shared.limits.connect_timeout, connecting).await {
        Err(_) => return Err(ConnectError::TimedOut),
        Ok(Err(error)) => return Err(network(&error)),
        Ok(Ok(raw)) => raw,
    };
    let stream = Stream::new(raw, &shared.meters).map_err(|error| network(&error))?;
    let through = Box::pin(dial_through(shared, stream, target, purpose));
    let outcome = match timeout(shared.limits.handshake_timeout, through).await {
        Ok(outcome) => outcome,
        Err(_) => Err(Failure::TimedOut),
    };
    outcome.map_err(|failure| {
        match &failure {
            Failure::WeRefuse(..) | Failure::TheyRefuse(_) => {
                count(&shared.meters.refused_handshakes);
            }
            Failure::TimedOut | Failure::Io(_) | Failure::Greeting(_) => {}
        }
        match failure {
            Failure::TimedOut => ConnectError::TimedOut,
            Failure::Io(error) if error.kind() == io::ErrorKind::InvalidData => {
                ConnectError::NotChordal(error.to_string())
            }
            Failure::Io(error) => network(&error),
            Failure::Greeting(why) => ConnectError::NotChordal(why.to_owned()),
            Failure::WeRefuse(Refusal::WrongPeer, found) => ConnectError::WrongPeer {
                expected: target.expect.unwrap_or(shared.id),
                found,
            },
            Failure::WeRefuse(refusal, _) => ConnectError::WeRefuse(refusal),
            Failure::TheyRefuse(refusal) => ConnectError::TheyRefuse(refusal),
        }
    })
}

async fn dial_through(
    shared: &Shared,
    stream: Stream,
    target: Target,
    purpose: Purpose,
) -> Result<Admitted, Failure> {
    let secured = shared.tls.connector.connect(server_name(), stream).await?;
    let mut stream = Box::new(TlsStream::from(secured));
    let greeting = hello::framed(&own_hello(shared, purpose).encode());
    stream.write_all(&greeting).await?;
    stream.flush().await?;
    let greeting = hello::read_frame(&mut stream).await?;
    let (peer, hello) = peer_or_fail(&stream, &greeting)?;
    let verdict = judge(shared, peer, hello, target.expect);
    let mut admitted = say_verdict(shared, stream, peer, verdict).await?;
    hear_verdict(shared, &mut admitted.stream).await?;
    admitted.purpose = purpose;
    // When the advertised address is unspecified, the one we reached the peer at is right.
    admitted.addr = reachable(admitted.addr, target.addr);
    Ok(admitted)
}

/// Lets an accepted connection through, or counts why not. One that only enrols ends here.
pub(crate) async fn welcome(shared: &Shared, raw: Raw, from: SocketAddr) -> Option<Admitted> {
    let stream = Stream::new(raw, &shared.meters).ok()?;
    let through = Box::pin(welcome_through(shared, stream, from));
    let failure = match timeout(shared.limits.handshake_timeout, through).await {
        Ok(Ok(admitted)) => return admitted,
        Ok(Err(failure)) => failure,
        Err(_) => Failure::TimedOut,
    };
    match &failure {
        Failure::TimedOut | Failure::Io(_) => {
            count(&shared.meters.failed_handshakes);
            shared.complain(from, None, "handshake failed", &failure);
        }
        Failure::Greeting(_) => {
            count(&shared.meters.malformed_frames);
            shared.complain(from, None, "malformed greeting", &failure);
        }
        Failure::WeRefuse(refusal, peer) => {
            count(&shared.meters.refused_handshakes);
            let why = format_args!("{refusal}");
            shared.complain(from, Some(*peer), "refused a node", &why);
        }
        Failure::TheyRefuse(refusal) => {
            count(&shared.meters.refused_handshakes);
            tracing::debug!(%from, %refusal, "refused by the node that connected");
        }
    }
    None
}

async fn welcome_through(
    shared: &Shared,
    stream: Stream,
    from: SocketAddr,
) -> Result<Option<Admitted>, Failure> {
    let secured = shared.tls.acceptor.accept(stream).await?;
    let mut stream = Box::new(TlsStream::from(secured));
    let greeting = read_greeting(&mut stream).await?;
    // Who does not even greet properly learns nothing of us.
    let (peer, hello) = peer_or_fail(&stream, &greeting)?;
    let purpose = hello
        .as_ref()
        .map_or(Purpose::Control, |hello| hello.purpose);
    let own = hello::framed(&own_hello(shared, purpose).encode());
    stream.write_all(&own).await?;
    if purpose == Purpose::Enrol {
        stream.flush().await?;
        let answered = enrol::answer(&shared.admission, stream, peer, shared.limits.linger).await;
        return answered.map(|()| None);
    }
    let verdict = judge(shared, peer, hello, None);
    let mut admitted = say_verdict(shared, stream, peer, verdict).await?;
    hear_verdict(shared, &mut admitted.stream).await?;
    admitted.addr = reachable(admitted.addr, from);
    Ok(Some(admitted))
}

/// A greeting that ends early or is too long is the sender's fault, not the network's.
async fn read_greeting(stream: &mut Secured) -> Result<Vec<u8>, Failure> {
    hello::read_frame(stream).await.map_err(|error| {
        let fault = matches!(
            error.kind(),
            io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof
        );
        if fault {
            Failure::Greeting("cut short or too long")
        } else {
            Failure::Io(error)
        }
    })
}

fn own_hello(shared: &Shared, purpose: Purpose) -> Hello {
    Hello {
        version_min: PROTOCOL.0,
        version_max: PROTOCOL.1,
        purpose,
        instance: shared.instance,
        certificate: shared.admission.certificate().encode().into(),
        listens: shared.addr,
    }
}

/// Whether a peer who greeted so may enter.
fn judge(
    shared: &Shared,
    peer: PeerId,
    hello: Result<Hello, Refusal>,
    expect: Option<PeerId>,
) -> Result<(Hello, u64), Refusal> {
    let hello = hello?;
    let verdict = if peer == shared.id {
        Err(Refusal::Itself)
    } else if expect.is_some_and(|expected| expected != peer) {
        Err(Refusal::WrongPeer)
    } else {
        shared.admission.admit(&peer, &hello.certificate)
    };
    verdict.map(|since| (hello, since))
}

/// Who is behind `stream`, and its greeting. What is not even one fails outright and gets no
/// answer.
pub(crate) fn peer_or_fail(
    stream: &TlsStream<Stream>,
    greeting: &[u8],
) -> Result<(PeerId, Result<Hello, Refusal>), Failure> {
    let peer = peer_of(stream).ok_or(Failure::Greeting("no key shown"))?;
    match Hello::decode(greeting) {
        Ok(hello) => Ok((peer, Ok(hello))),
        Err(HelloError::NoCommonVersion { .. }) => Ok((peer, Err(Refusal::NoCommonVersion))),
        Err(HelloError::NotChordal) => Err(Failure::Greeting("another protocol")),
        Err(HelloError::Malformed(why)) => Err(Failure::Greeting(why)),
    }
}

/// Tells the other side what we decided. After a refusal, waits for its end a moment: closing at
/// once could destroy the refusal on its way.
async fn say_verdict(
    shared: &Shared,
    mut stream: Secured,
    peer: PeerId,
    verdict: Result<(Hello, u64), Refusal>,
) -> Result<Admitted, Failure> {
    let (hello, since) = match verdict {
        Ok(admitted) => admitted,
        Err(refusal) => {
            refuse(
                &shared.admission,
                &mut stream,
                (refusal, peer),
                shared.limits.linger,
            )
            .await;
            return Err(Failure::WeRefuse(refusal, peer));
        }
    };
    stream.write_all(&hello::welcome()).await?;
    stream.flush().await?;
    Ok(Admitted {
        stream,
        peer,
        addr: hello.listens,
        instance: hello.instance,
        purpose: hello.purpose,
        since,
    })
}

/// Tells why not, and waits a moment for the other side's end. The refusal stands whether or not
/// it can still be told.
pub(crate) async fn refuse(
    admission: &Admission,
    stream: &mut Secured,
    (refusal, peer): (Refusal, PeerId),
    patience: Duration,
) {
    let word = admission
        .expulsion_of(&peer)
        .filter(|_| refusal == Refusal::Expelled);
    let told = stream.write_all(&hello::refusal(refusal, word)).await;
    if told.is_ok() && stream.shutdown().await.is_ok() {
        linger(stream, patience).await;
    }
}

/// What the other side decided of us. Only the authority's word makes us believe that we are
/// expelled from more than this connection.
async fn hear_verdict(shared: &Shared, stream: &mut Secured) -> Result<(), Failure> {
    let Err(refused) = hello::read_verdict(stream).await? else {
        return Ok(());
    };
    if let Some(word) = refused.word
        && let Err(error) = shared.admission.expel(word)
    {
        tracing::warn!(%error, "somebody made up an expulsion");
    }
    Err(Failure::TheyRefuse(refused.refusal))
}

/// Reads and forgets what still comes, until the other side ends too.
async fn linger(stream: &mut Secured, time: Duration) {
    let mut scrap = [0; 512];
    let mut left = LINGER_BYTES_MAX;
    let drained = timeout(time, async {
        while left > 0 {
            match stream.read(&mut scrap).await {
                Ok(read) if read > 0 => left = left.saturating_sub(read),
                _ => break,
            }
        }
    });
    if drained.await.is_err() {
        tracing::trace!("a refused connection did not end in time");
    }
}

/// Where a peer can be reached that listens at `advertised` and was met at `met`.
fn reachable(advertised: SocketAddr, met: SocketAddr) -> SocketAddr {
    if advertised.ip().is_unspecified() {
        SocketAddr::new(met.ip().to_canonical(), advertised.port())
    } else {
        advertised
    }
}

pub(crate) fn network(error: &io::Error) -> ConnectError {
    let kind = error.kind();
    if kind == io::ErrorKind::ConnectionRefused {
        return ConnectError::NobodyThere;
    }
    if kind == io::ErrorKind::TimedOut {
        return ConnectError::TimedOut;
    }
    ConnectError::Network(kind)
}
