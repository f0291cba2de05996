//! Nodes of the same ring on the same local network, found by multicast DNS.
//!
//! It tells addresses, nothing more: whoever answers at one proves who it is as anywhere else. Finding
//! is not joining: addresses are used by a node that was invited and finds nobody at the addresses of
//! its code, and by a member that reaches none of the nodes it knows. What it says to everybody on the
//! local network: that a node is here, its port, the beginning of its id, and its ring's fingerprint.

use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use chordal_net::{Endpoint, Fingerprint, PeerId};
use chordal_proto::effect::{Answer, NodeState};
use chordal_proto::input::Command;
use data_encoding::HEXLOWER;
use mdns_sd::{IfKind, ResolvedService, ServiceDaemon, ServiceEvent, ServiceInfo};
use tokio::time::{sleep, timeout};

use crate::client::{Client, unexpected};
use crate::error::NodeError;
use crate::limits::{NEARBY_EVERY, NEARBY_FOUND_MAX, NEARBY_WAIT};

/// What a node says of itself on the local network.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Presence {
    pub(crate) node: PeerId,
    pub(crate) ring: Fingerprint,
    /// Where it listens.
    pub(crate) listens: SocketAddr,
    /// Whether it lets newcomers in.
    pub(crate) invites: bool,
}

/// Who is looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// Members of the ring other than this one.
    Members(PeerId),
    /// Those who let newcomers in.
    Inviters,
}

/// Whether a node that listens there is of any use to other machines.
pub(crate) fn is_of_use(listens: SocketAddr) -> bool {
    !listens.ip().is_loopback()
}

/// Says on the local network that this node is here, for as long as this lives.
pub(crate) struct Announced {
    daemon: ServiceDaemon,
}

impl Announced {
    /// Begins to say it. Nothing where the system does not let it.
    pub(crate) fn begin(presence: &Presence) -> Option<Self> {
        let begun = daemon().and_then(|daemon| {
            daemon.register(service(presence)?)?;
            Ok(Self { daemon })
        });
        match begun {
            Ok(announced) => Some(announced),
            Err(error) => {
                tracing::debug!(%error, "not announced on the local network");
                None
            }
        }
    }
}

impl Drop for Announced {
    fn drop(&mut self) {
        // Whoever hears of its end has no more use for it; nobody waits.
        self.daemon.shutdown().ok();
    }
}

/// The addresses of nodes of this ring on the local network, as many as answer within a moment.
pub(crate) async fn find(ring: Fingerprint, wanted: Wanted) -> Vec<SocketAddr> {
    let looking = daemon().and_then(|daemon| {
        let events = daemon.browse(KIND)?;
        Ok((daemon, events))
    });
    let (daemon, events) = match looking {
        Ok(looking) => looking,
        Err(error) => {
            tracing::debug!(%error, "cannot look around on the local network");
            return Vec::new();
        }
    };
    let mut found = BTreeSet::new();
    let gathering = async {
        while let Ok(event) = events.recv_async().await {
            let before = found.len();
            if let ServiceEvent::ServiceResolved(service) = event {
                found.extend(usable(&service, ring, wanted));
            }
            if found.len() >= NEARBY_FOUND_MAX
                || (found.len() > before && wanted == Wanted::Inviters)
            {
                break;
            }
        }
    };
    // That the time is over is how it ends.
    timeout(NEARBY_WAIT, gathering).await.ok();
    daemon.shutdown().ok();
    found.into_iter().take(NEARBY_FOUND_MAX).collect()
}

/// Brings a member back to its ring that reaches nobody it knows: their addresses may have changed.
pub(crate) async fn reunite(client: Arc<Client>, endpoint: Endpoint, presence: Presence) {
    loop {
        sleep(NEARBY_EVERY).await;
        if !endpoint.peers().is_empty() {
            continue;
        }
        match misses_others(&client).await {
            Ok(true) => {}
            Err(NodeError::Stopping) => return,
            Ok(false) | Err(_) => continue,
        }
        let found = find(presence.ring, Wanted::Members(presence.node)).await;
        if found.is_empty() || !endpoint.peers().is_empty() {
            continue;
        }
        tracing::info!(?found, "nodes of this ring are on the local network");
        match client.ask(Command::Join(found)).await {
            Ok(_) => tracing::info!("found the ring again"),
            Err(error) => tracing::debug!(%error, "not joined"),
        }
    }
}

/// Whether this node is of a ring with others. One that left is alone by intent, and stays so.
async fn misses_others(client: &Client) -> Result<bool, NodeError> {
    let Answer::Status(status) = client.ask(Command::Status).await? else {
        unexpected("Status")
    };
    let mut others = status.nodes.iter();
    Ok(others.any(|report| report.state == NodeState::Suspect))
}

fn daemon() -> mdns_sd::Result<ServiceDaemon> {
    let daemon = ServiceDaemon::new()?;
    daemon.disable_interface(vec![IfKind::LoopbackV4, IfKind::LoopbackV6])?;
    Ok(daemon)
}

fn service(presence: &Presence) -> mdns_sd::Result<ServiceInfo> {
    let name: String = presence
        .node
        .to_string()
        .chars()
        .take(NAME_DIGITS)
        .collect();
    let properties = [
        (RING, HEXLOWER.encode(&presence.ring.0)),
        (NODE, name.clone()),
        (INVITES, u8::from(presence.invites).to_string()),
    ];
    let host = format!("chordal-{name}.local.");
    let ip = presence.listens.ip();
    let port = presence.listens.port();
    if ip.is_unspecified() {
        let service = ServiceInfo::new(KIND, &name, &host, "", port, &properties[..])?;
        Ok(service.enable_addr_auto())
    } else {
        ServiceInfo::new(KIND, &name, &host, ip, port, &properties[..])
    }
}

/// The addresses that somebody on the network claims for a node that is wanted.
fn usable(service: &ResolvedService, ring: Fingerprint, wanted: Wanted) -> Vec<SocketAddr> {
    let says = |key: &str| service.get_property_val_str(key).unwrap_or_default();
    let is_wanted = match wanted {
        Wanted::Members(own) => {
            let node = says(NODE);
            !node.is_empty() && !own.to_string().starts_with(node)
        }
        Wanted::Inviters => says(INVITES) == "1",
    };
    if !is_wanted || says(RING) != HEXLOWER.encode(&ring.0) || service.get_port() == 0 {
        return Vec::new();
    }
    let ips = service
        .get_addresses()
        .iter()
        .map(mdns_sd::ScopedIp::to_ip_addr);
    let ips = ips.filter(|ip| match ip {
        IpAddr::V4(ip) => !ip.is_loopback() && !ip.is_unspecified(),
        // One of a single cable means nothing without the name of the cable.
        IpAddr::V6(ip) => !ip.is_loopback() && !ip.is_unspecified() && !ip.is_unicast_link_local(),
    });
    ips.map(|ip| SocketAddr::new(ip, service.get_port()))
        .collect()
}

const KIND: &str = "_chordal._tcp.local.";
const RING: &str = "ring";
const NODE: &str = "node";
const INVITES: &str = "invites";

/// How much of its id a node is called by.
const NAME_DIGITS: usize = 16;

#[cfg(test)]
mod tests;
