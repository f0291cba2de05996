//! Members: entries of the node table, on the wire and on disk.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use bytes::{BufMut, Bytes, BytesMut};
use chordal_object::NodeId;

use super::{BadField, Checked, key, list};
use crate::limits::TOKENS_MAX;
use crate::member::{Member, Standing};
use crate::message::{Rumour, Silent};
use crate::wire;

/// A member.
pub(super) fn to_wire(member: &Member) -> wire::Member {
    let standing = match member.standing {
        Standing::Present => wire::Standing::Present,
        Standing::Leaving => wire::Standing::Leaving,
        Standing::Gone | Standing::Forgotten => wire::Standing::Gone,
        Standing::Left => wire::Standing::Left,
    };
    wire::Member {
        node: id_to_wire(member.node),
        addr: addr_to_wire(member.addr),
        incarnation: member.incarnation,
        standing: standing.into(),
        offered_bytes: member.offered_bytes,
        salts: Bytes::copy_from_slice(&member.salts),
        forgotten: member.standing == Standing::Forgotten,
    }
}

/// Reads a member.
pub(super) fn read(member: wire::Member) -> Checked<Member> {
    list::within(member.salts.len(), TOKENS_MAX, "member.salts")?;
    let standing = match wire::Standing::try_from(member.standing) {
        Ok(wire::Standing::Present) => Standing::Present,
        Ok(wire::Standing::Leaving) => Standing::Leaving,
        Ok(wire::Standing::Gone) if member.forgotten => Standing::Forgotten,
        Ok(wire::Standing::Gone) => Standing::Gone,
        Ok(wire::Standing::Left) => Standing::Left,
        Err(_) => return Err(BadField("member.standing")),
    };
    Ok(Member {
        node: id(&member.node)?,
        addr: addr(&member.addr)?,
        incarnation: member.incarnation,
        standing,
        offered_bytes: member.offered_bytes,
        salts: member.salts.to_vec(),
    })
}

/// Reads a member that must be there.
pub(super) fn required(member: Option<wire::Member>) -> Checked<Member> {
    member.ok_or(BadField("member")).and_then(read)
}

/// Several members.
pub(super) fn all_to_wire(members: &[Member]) -> Vec<wire::Member> {
    members.iter().map(to_wire).collect()
}

/// Reads at most `max` members.
pub(super) fn all_from_wire(members: Vec<wire::Member>, max: usize) -> Checked<Vec<Member>> {
    list::within(members.len(), max, "members")?;
    members.into_iter().map(read).collect()
}

/// A node's id.
pub(super) fn id_to_wire(node: NodeId) -> Bytes {
    Bytes::copy_from_slice(node.as_bytes())
}

/// Reads a node's id.
pub(super) fn id(bytes: &Bytes) -> Checked<NodeId> {
    NodeId::from_slice(bytes).map_err(|_| BadField("node"))
}

/// Word of a node that does not answer.
pub(super) fn silent_to_wire(silent: &Silent) -> wire::Silent {
    wire::Silent {
        node: id_to_wire(silent.node),
        rumour: silent.rumour.map(|rumour| wire::Rumour {
            incarnation: rumour.incarnation,
            until: key::to_wire(rumour.until),
        }),
    }
}

/// Reads such word.
pub(super) fn silent(message: &wire::Silent) -> Checked<Silent> {
    let rumour = message.rumour.as_ref().map(|rumour| {
        Ok(Rumour {
            incarnation: rumour.incarnation,
            until: key::read(&rumour.until)?,
        })
    });
    Ok(Silent {
        node: id(&message.node)?,
        rumour: rumour.transpose()?,
    })
}

/// IP and port. What an IPv6 address says only to its own machine, flow and scope, stays there.
fn addr_to_wire(addr: SocketAddr) -> Bytes {
    let mut bytes = BytesMut::with_capacity(18);
    match addr.ip() {
        IpAddr::V4(ip) => bytes.put_slice(&ip.octets()),
        IpAddr::V6(ip) => bytes.put_slice(&ip.octets()),
    }
    bytes.put_u16(addr.port());
    bytes.freeze()
}

fn addr(bytes: &[u8]) -> Checked<SocketAddr> {
    let (ip, port) = bytes.split_last_chunk::<2>().ok_or(BadField("addr"))?;
    let ip = if let Ok(octets) = <[u8; 4]>::try_from(ip) {
        IpAddr::V4(Ipv4Addr::from(octets))
    } else if let Ok(octets) = <[u8; 16]>::try_from(ip) {
        IpAddr::V6(Ipv6Addr::from(octets))
    } else {
        return Err(BadField("addr"));
    };
    Ok(SocketAddr::new(ip, u16::from_be_bytes(*port)))
}
