//! A network in memory: endpoints without sockets, for tests and for several nodes in one process.
//!
//! Only the byte stream is replaced; TLS, admission and framing are those of real connections. It
//! refuses to simulate faults: dropping an endpoint is the one it knows.

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::io::DuplexStream;
use tokio::sync::mpsc;

use crate::endpoint::{Config, Endpoint};
use crate::error::BindError;
use crate::event::Events;
use crate::limits::MEMORY_PIPE_BYTES;
use crate::stream::{Dialler, Listener};

/// A set of endpoints that can reach each other and nobody else. Cloning shares it.
#[derive(Clone, Debug, Default)]
pub struct MemoryNetwork {
    ports: Arc<Mutex<Ports>>,
}

impl MemoryNetwork {
    /// A network without endpoints.
    pub fn new() -> Self {
        Self::default()
    }

    /// What [`Endpoint::bind`] does, on this network. Port 0 takes a free one; any IP address is
    /// "ours".
    pub fn bind(&self, config: Config) -> Result<(Endpoint, Events), BindError> {
        let (arrive, arrivals) = mpsc::channel(ARRIVALS_MAX);
        let mut addr = config.listen;
        let mut ports = self.ports.lock().unwrap_or_else(PoisonError::into_inner);
        ports.listening.retain(|_, arrive| !arrive.is_closed());
        if addr.port() == 0 {
            let taken = |port: &u16| {
                ports
                    .listening
                    .contains_key(&SocketAddr::new(addr.ip(), *port))
            };
            let free = (1024..=u16::MAX).find(|port| !taken(port));
            addr.set_port(free.ok_or(BindError::InUse { addr })?);
        }
        if ports.listening.contains_key(&addr) {
            return Err(BindError::InUse { addr });
        }
        ports.listening.insert(addr, arrive);
        drop(ports);
        let wire = Wire {
            network: self.clone(),
            addr,
        };
        Endpoint::start(
            config,
            addr,
            Listener::Memory(arrivals),
            Dialler::Memory(wire),
        )
    }
}

#[derive(Debug, Default)]
struct Ports {
    listening: HashMap<SocketAddr, mpsc::Sender<(DuplexStream, SocketAddr)>>,
}

/// One endpoint's access to the network.
#[derive(Debug)]
pub(crate) struct Wire {
    network: MemoryNetwork,
    addr: SocketAddr,
}

impl Wire {
    pub(crate) async fn connect(&self, to: SocketAddr) -> io::Result<DuplexStream> {
        let arrive = {
            let ports = self.network.ports.lock();
            let ports = ports.unwrap_or_else(PoisonError::into_inner);
            ports.listening.get(&to).cloned()
        };
        let refused = || io::Error::from(io::ErrorKind::ConnectionRefused);
        let arrive = arrive.ok_or_else(refused)?;
        let (ours, theirs) = tokio::io::duplex(MEMORY_PIPE_BYTES);
        let arrived = arrive.send((theirs, self.addr)).await;
        arrived.map_err(|_| refused())?;
        Ok(ours)
    }
}

/// Connections that may wait to be accepted, as in a socket's backlog.
const ARRIVALS_MAX: usize = 128;
