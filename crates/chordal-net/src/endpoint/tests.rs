//! What an endpoint does with members that misbehave after TLS: written with the crate's own TLS,
//! which the public surface does not give away.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsStream;

use super::{Config, Endpoint};
use crate::admission::{Admission, Authority};
use crate::counters::{Counters, Meters};
use crate::event::{Event, Events};
use crate::hello::{Hello, Purpose, framed, read_frame, welcome};
use crate::identity::NodeKey;
use crate::limits::Limits;
use crate::stream::{Raw, Stream};
use crate::tls::{Secured, Tls, server_name};

struct Victim {
    authority: Authority,
    endpoint: Endpoint,
    events: Events,
}

impl Victim {
    async fn start() -> Self {
        let authority = Authority::generate();
        let key = NodeKey::generate();
        let certificate = authority.issue(key.peer_id(), 0);
        let limits = Limits {
            handshake_timeout: Duration::from_secs(2),
            stall: Duration::from_millis(200),
            linger: Duration::from_millis(200),
            ..Limits::default()
        };
        let config = Config {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            key,
            admission: Arc::new(Admission::new(authority.id(), certificate)),
            limits,
        };
        let (endpoint, events) = Endpoint::bind(config).await.unwrap();
        Self {
            authority,
            endpoint,
            events,
        }
    }

    /// A connection with TLS done and nothing said.
    async fn secured(&self, key: &NodeKey) -> Secured {
        let socket = TcpStream::connect(self.endpoint.local_addr())
            .await
            .unwrap();
        let stream = Stream::new(Raw::Tcp(socket), &Arc::new(Meters::new())).unwrap();
        let connector = Tls::new(key).connector;
        let stream = connector.connect(server_name(), stream).await.unwrap();
        Box::new(TlsStream::from(stream))
    }

    fn hello(&self, key: &NodeKey, purpose: Purpose) -> Hello {
        let certificate = self.authority.issue(key.peer_id(), 0);
        Hello {
            version_min: 1,
            version_max: 1,
            purpose,
            instance: 1,
            certificate: Bytes::from(certificate.encode()),
            listens: SocketAddr::from(([127, 0, 0, 1], 1)),
        }
    }

    /// A connection of a member in good standing.
    async fn admitted(&self, purpose: Purpose) -> Secured {
        let key = NodeKey::generate();
        let mut stream = self.secured(&key).await;
        let greeting = framed(&self.hello(&key, purpose).encode());
        stream.write_all(&greeting).await.unwrap();
        stream.write_all(&welcome()).await.unwrap();
        Hello::decode(&read_frame(&mut stream).await.unwrap()).unwrap();
        assert_eq!(read_frame(&mut stream).await.unwrap(), [0]);
        stream
    }

    /// Waits for a change of the counters that no event tells.
    async fn counts(&self, holds: impl Fn(Counters) -> bool) {
        let held = timeout(PATIENCE, async {
            while !holds(self.endpoint.counters()) {
                sleep(Duration::from_millis(1)).await;
            }
        });
        held.await.expect("it is counted");
    }

    /// A well-behaved member still gets through.
    async fn still_works(&mut self) {
        let mut stream = self.admitted(Purpose::Control).await;
        stream.write_all(b"\0\0\0\x02ok").await.unwrap();
        stream.flush().await.unwrap();
        loop {
            let event = timeout(PATIENCE, self.events.next())
                .await
                .unwrap()
                .unwrap();
            if let Event::Message { bytes, .. } = event
                && bytes == "ok"
            {
                break;
            }
        }
    }
}

/// Writes, ends, and waits until the other side ends too. What it said until then.
async fn throw(mut stream: Secured, bytes: &[u8]) -> Vec<u8> {
    // The other side may hang up at any byte: that is what is tested.
    drop(stream.write_all(bytes).await);
    drop(stream.shutdown().await);
    let mut said = Vec::new();
    let ended = timeout(PATIENCE, stream.read_to_end(&mut said)).await;
    drop(ended.expect("the endpoint hangs up"));
    said
}

const PATIENCE: Duration = Duration::from_secs(30);

#[tokio::test]
async fn a_bad_greeting_costs_its_connection_only() {
    let mut victim = Victim::start().await;
    let key = NodeKey::generate();
    let good = victim.hello(&key, Purpose::Control).encode();
    let mut unknown_purpose = good.clone();
    unknown_purpose[12] = 9;
    let mut cut = framed(&good);
    cut.truncate(40);
    let greetings = [
        Vec::new(),
        vec![0],
        vec![0, 0],
        vec![0xff, 0xff, 1, 2, 3],
        b"GET / HTTP/1.1\r\n\r\n".to_vec(),
        framed(b"not a greeting"),
        framed(&unknown_purpose),
        framed(&good[..good.len() - 1]),
        cut,
    ];
    for (before, greeting) in (0..).zip(greetings) {
        let said = throw(victim.secured(&key).await, &greeting).await;
        assert_eq!(said, [], "nothing is told to strangers: {greeting:?}");
        victim
            .counts(|now| now.malformed_frames == before + 1)
            .await;
    }
    victim.still_works().await;
}

#[tokio::test]
async fn a_refusal_is_told_with_its_reason() {
    let mut victim = Victim::start().await;
    let key = NodeKey::generate();
    let good = victim.hello(&key, Purpose::Bulk);
    let too_new = Hello {
        version_min: 2,
        version_max: 3,
        ..good.clone()
    };
    let strange = Authority::generate().issue(key.peer_id(), 0).encode();
    let borrowed = victim.authority.issue(NodeKey::generate().peer_id(), 0);
    let other_ring = Hello {
        certificate: strange.into(),
        ..good.clone()
    };
    let not_his = Hello {
        certificate: borrowed.encode().into(),
        ..good.clone()
    };
    let none = Hello {
        certificate: Bytes::new(),
        ..good
    };
    for (before, (hello, code)) in
        (0..).zip([(other_ring, 1), (not_his, 2), (none, 2), (too_new, 4)])
    {
        let said = throw(victim.secured(&key).await, &framed(&hello.encode())).await;
        assert_eq!(said[said.len() - 3..], [0, 1, code]);
        victim
            .counts(|now| now.refused_handshakes == before + 1)
            .await;
    }
    assert_eq!(victim.endpoint.counters().malformed_frames, 0);
    victim.still_works().await;
}

#[tokio::test]
async fn bad_messages_cost_their_connection_only() {
    let mut victim = Victim::start().await;
    let too_long = u32::try_from(Limits::default().message_bytes_max + 1).unwrap();
    let thrown: [&[u8]; 5] = [
        &[0xff; 64],
        &too_long.to_be_bytes(),
        &[0, 0],
        &[0, 0, 0, 9, 1, 2, 3],
        &[0, 0x10, 0, 0, 1, 2, 3],
    ];
    for (before, bytes) in (0..).zip(thrown) {
        throw(victim.admitted(Purpose::Control).await, bytes).await;
        victim
            .counts(|now| now.malformed_frames == before + 1)
            .await;
    }
    victim.still_works().await;
}

#[tokio::test]
async fn bad_requests_cost_their_connection_only() {
    let mut victim = Victim::start().await;
    let thrown: [&[u8]; 7] = [
        &[0xff; 64],
        b"\x01\xff\xff\xff\xff\0\0\0\0",
        b"\x01\0\0\0\0\xff\xff\xff\xff",
        b"\x02\0\0\0\0\0\0\0\0",
        b"\x01\0\0",
        b"\x01\0\0\0\x05\0\0\0\0head",
        b"\x01\0\0\0\x04\0\0\0\x05headbody",
    ];
    for (before, bytes) in (0..).zip(thrown) {
        throw(victim.admitted(Purpose::Bulk).await, bytes).await;
        victim
            .counts(|now| now.malformed_frames == before + 1)
            .await;
    }
    victim.still_works().await;
}

#[tokio::test]
async fn noise_under_the_encryption_costs_its_connection_only() {
    let mut victim = Victim::start().await;
    for (before, purpose) in (0..).zip([Purpose::Control, Purpose::Bulk]) {
        let stream = victim.admitted(purpose).await;
        let (mut socket, _) = match *stream {
            TlsStream::Client(stream) => stream.into_inner(),
            TlsStream::Server(_) => unreachable!("we dialled"),
        };
        socket.write_all(&[0x17, 3, 3, 0, 32]).await.unwrap();
        socket.write_all(&[0xaa; 32]).await.unwrap();
        victim
            .counts(|now| now.malformed_frames == before + 1)
            .await;
    }
    victim.still_works().await;
}

#[tokio::test]
async fn a_member_that_falls_silent_within_a_frame_is_hung_up_on() {
    let mut victim = Victim::start().await;
    let halves: [(Purpose, &[u8]); 3] = [
        (Purpose::Control, &[0, 0, 1, 0, 1, 2, 3]),
        (Purpose::Bulk, b"\x01\0\0"),
        (Purpose::Bulk, b"\x01\0\0\0\x04\0\0\0\x05headbody"),
    ];
    for (purpose, half) in halves {
        let mut stream = victim.admitted(purpose).await;
        stream.write_all(half).await.unwrap();
        stream.flush().await.unwrap();
        let ended = timeout(PATIENCE, stream.read(&mut [0])).await;
        let ended = ended.expect("the endpoint hangs up");
        assert!(!matches!(ended, Ok(read) if read > 0));
    }
    victim.counts(|now| now.open_connections == 0).await;
    victim.still_works().await;
}
