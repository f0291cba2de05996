//! The network layer through its public surface, over real sockets on loopback; what depends on time
//! runs on the in-memory network and virtual time.
//!
//! - `messages`: control messages, connections coming and going
//! - `requests`: bulk requests and their pools
//! - `entrance`: who gets in, and who is told what
//! - `garbage`: bytes of strangers
//! - `closing`: orderly ends
//! - `quiet`: time-outs, on virtual time

#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

mod closing;
mod entrance;
mod garbage;
mod messages;
mod quiet;
mod requests;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use chordal_net::{
    Admission, Authority, Config, Endpoint, Event, Events, Limits, MemoryNetwork, NodeKey, PeerId,
    Target,
};
use tokio::time::{sleep, timeout};

/// A ring for one test.
struct Ring {
    authority: Authority,
    limits: Limits,
}

impl Ring {
    fn new() -> Self {
        Self::with(Limits::default())
    }

    fn with(limits: Limits) -> Self {
        let authority = Authority::generate();
        Self { authority, limits }
    }

    fn admission(&self, key: &NodeKey) -> Arc<Admission> {
        let certificate = self.authority.issue(key.peer_id(), 0);
        Arc::new(Admission::new(self.authority.id(), certificate))
    }

    fn config(&self, key: NodeKey, listen: SocketAddr) -> Config {
        Config {
            listen,
            admission: self.admission(&key),
            key,
            limits: self.limits.clone(),
        }
    }

    /// A new member on a free loopback port.
    async fn node(&self) -> Node {
        self.node_at(NodeKey::generate(), loopback(0)).await
    }

    async fn node_at(&self, key: NodeKey, listen: SocketAddr) -> Node {
        let (endpoint, events) = Endpoint::bind(self.config(key, listen)).await.unwrap();
        Node { endpoint, events }
    }

    /// A new member without a socket.
    fn memory_node(&self, network: &MemoryNetwork) -> Node {
        let config = self.config(NodeKey::generate(), loopback(0));
        let (endpoint, events) = network.bind(config).unwrap();
        Node { endpoint, events }
    }
}

struct Node {
    endpoint: Endpoint,
    events: Events,
}

impl Node {
    fn id(&self) -> PeerId {
        self.endpoint.local_id()
    }

    fn target(&self) -> Target {
        Target {
            addr: self.endpoint.local_addr(),
            expect: Some(self.id()),
        }
    }

    fn send(&self, to: &Self, text: &str) {
        let message = Bytes::copy_from_slice(text.as_bytes());
        self.endpoint.send(to.target(), message);
    }

    async fn event(&mut self) -> Event {
        let event = timeout(PATIENCE, self.events.next()).await;
        event.expect("an event comes").expect("the endpoint runs")
    }

    /// The next message, whatever else happens before it.
    async fn message(&mut self) -> (PeerId, SocketAddr, Bytes) {
        loop {
            if let Event::Message { from, addr, bytes } = self.event().await {
                return (from, addr, bytes);
            }
        }
    }

    async fn text(&mut self) -> String {
        let (_, _, bytes) = self.message().await;
        String::from_utf8(bytes.to_vec()).unwrap()
    }

    /// Sends a message and sees it arrive: the connection works.
    async fn reaches(&self, to: &mut Self) {
        self.send(to, "are you there?");
        let (from, _, bytes) = to.message().await;
        assert_eq!(from, self.id());
        assert_eq!(bytes, "are you there?");
    }

    /// Answers every request with its own header and body, and reads everything else.
    fn echo(self) -> Endpoint {
        let Self {
            endpoint,
            mut events,
        } = self;
        tokio::spawn(async move {
            while let Some(event) = events.next().await {
                if let Event::Request(request) = event {
                    let (header, body) = (request.header.clone(), request.body.clone());
                    request.respond(header, Some(body));
                }
            }
        });
        endpoint
    }
}

/// Waits until `holds`: for what no event tells. The time-out is the failure, not the signal.
async fn until(holds: impl Fn() -> bool) {
    let held = timeout(PATIENCE, async {
        while !holds() {
            sleep(Duration::from_millis(1)).await;
        }
    });
    held.await.expect("it becomes true in time");
}

fn loopback(port: u16) -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], port))
}

/// An address where nobody listens.
fn nobody() -> SocketAddr {
    let listener = std::net::TcpListener::bind(loopback(0)).unwrap();
    listener.local_addr().unwrap()
}

fn pattern(length: usize) -> Bytes {
    let bytes = (0..length).map(|at| u8::try_from(at % 251).unwrap());
    bytes.collect()
}

const PATIENCE: Duration = Duration::from_secs(30);
const MIB: usize = 1 << 20;
