//! Where a node listens, and where others reach it.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, UdpSocket};

use super::StartError;
use crate::node::NodeConfig;

/// Looks whether this address can be listened on, and gives port 0 a number. Nothing stays open:
/// the number names the node's folder, which is opened before the node listens.
pub(super) fn probe(listen: SocketAddr) -> Result<SocketAddr, StartError> {
    TcpListener::bind(listen)
        .and_then(|listener| listener.local_addr())
        .map_err(|error| StartError::of_listen(listen, error))
}

/// The address that others are told: the one given, or the one listened on, or where that is all
/// addresses of the machine, the one that a packet to the outside would leave by.
pub(super) fn advertised(config: &NodeConfig) -> SocketAddr {
    if let Some(addr) = config.advertise {
        return addr;
    }
    let listen = config.listen;
    if !listen.ip().is_unspecified() {
        return listen;
    }
    let outside = config.join.first().copied();
    let is_ipv6 = listen.is_ipv6();
    let ip = own_ip(is_ipv6, outside)
        // A machine without a way to the outside may still be on a network.
        .or_else(|| interfaces(is_ipv6).next())
        .unwrap_or(match listen {
            SocketAddr::V4(_) => IpAddr::V4(Ipv4Addr::LOCALHOST),
            SocketAddr::V6(_) => IpAddr::V6(Ipv6Addr::LOCALHOST),
        });
    SocketAddr::new(ip, listen.port())
}

/// All addresses at which a newcomer may look for this node, the advertised one first.
pub(crate) fn reachable(advertised: SocketAddr, listening: SocketAddr) -> Vec<SocketAddr> {
    let mut addrs = vec![advertised];
    if listening.ip().is_unspecified() {
        let others = interfaces(listening.is_ipv6());
        let others = others.map(|ip| SocketAddr::new(ip, listening.port()));
        addrs.extend(others.filter(|addr| *addr != advertised));
    }
    // An address that holds on one cable only means nothing without the name of the cable.
    addrs.retain(|addr| !is_link_local(addr.ip()));
    addrs
}

fn is_link_local(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => ip.is_link_local(),
        IpAddr::V6(ip) => ip.is_unicast_link_local(),
    }
}

/// The addresses of this machine's networks, the loopback aside.
fn interfaces(is_ipv6: bool) -> impl Iterator<Item = IpAddr> {
    let found = if_addrs::get_if_addrs().unwrap_or_default().into_iter();
    let usable = found.filter(|interface| !interface.is_loopback() && !interface.is_link_local());
    let ips = usable.map(|interface| interface.ip());
    ips.filter(move |ip| ip.is_ipv6() == is_ipv6)
}

/// The advertised address with the port that is listened on, where none was chosen.
pub(super) fn with_port(addr: SocketAddr, listening: SocketAddr) -> SocketAddr {
    if addr.port() == 0 {
        SocketAddr::new(addr.ip(), listening.port())
    } else {
        addr
    }
}

/// The machine's address on the way to `outside`. Connecting a UDP socket sends nothing: it only
/// asks the system for the way.
fn own_ip(is_ipv6: bool, outside: Option<SocketAddr>) -> Option<IpAddr> {
    let (any, far): (IpAddr, IpAddr) = if is_ipv6 {
        (Ipv6Addr::UNSPECIFIED.into(), DOCUMENTATION_V6.into())
    } else {
        (Ipv4Addr::UNSPECIFIED.into(), DOCUMENTATION_V4.into())
    };
    let outside = outside.filter(|outside| outside.is_ipv6() == is_ipv6);
    let socket = UdpSocket::bind((any, 0)).ok()?;
    socket
        .connect(outside.unwrap_or_else(|| SocketAddr::new(far, 9)))
        .ok()?;
    let ip = socket.local_addr().ok()?.ip();
    (!ip.is_unspecified()).then_some(ip)
}

/// Addresses of no machine, reserved for examples: the way to them is the way to the outside.
const DOCUMENTATION_V4: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 1);
const DOCUMENTATION_V6: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1);

#[cfg(test)]
mod tests;
