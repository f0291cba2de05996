//! The first words on every connection: who may speak, which version, for what.
//!
//! After the TLS handshake the dialler sends its [`Hello`], the acceptor answers with its own, and
//! each side says whether it accepts the other. Only then is anything else read. Greeting frames
//! have a 16-bit length and stay the same in every version; unknown trailing bytes of a `Hello` are
//! ignored, so that a later version can add to it.

use std::io;
use std::net::SocketAddr;

use bytes::{Buf as _, Bytes};
use tokio::io::{AsyncRead, AsyncReadExt as _};

use crate::admission::Expulsion;
use crate::error::Refusal;
use crate::limits::{ADDRESS_BYTES_MAX, HELLO_BYTES_MAX, PROTOCOL};

/// What a connection is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Purpose {
    /// Small messages, both ways, multiplexed.
    Control,
    /// Requests of the dialler, one at a time.
    Bulk,
    /// The dialler is no member yet, and has an invitation.
    Enrol,
}

/// What each side says of itself before anything else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hello {
    /// Lowest protocol version spoken.
    pub version_min: u16,
    /// Highest protocol version spoken.
    pub version_max: u16,
    /// What the connection is for; the acceptor repeats what the dialler said.
    pub purpose: Purpose,
    /// Drawn at start: tells a restarted node from the one before.
    pub instance: u64,
    /// The encoded admission certificate, not looked into here.
    pub certificate: Bytes,
    /// Where this node listens; the address may be unspecified (`0.0.0.0`), the port never zero.
    pub listens: SocketAddr,
}

/// Why bytes are not a `Hello` we can use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HelloError {
    /// Another protocol.
    #[error("not a greeting of this protocol")]
    NotChordal,
    /// This protocol, but no version that both speak.
    #[error("speaks versions {min} to {max}")]
    NoCommonVersion {
        /// The lowest it speaks.
        min: u16,
        /// The highest it speaks.
        max: u16,
    },
    /// This protocol and version, but not a valid greeting.
    #[error("malformed greeting: {0}")]
    Malformed(&'static str),
}

impl Hello {
    /// The bytes of the greeting, without the length before it.
    pub fn encode(&self) -> Vec<u8> {
        let address = self.listens.to_string();
        let certificate_length = u16::try_from(self.certificate.len()).unwrap_or(u16::MAX);
        let address_length = u8::try_from(address.len()).unwrap_or(u8::MAX);
        let mut bytes = MAGIC.to_vec();
        bytes.extend_from_slice(&self.version_min.to_be_bytes());
        bytes.extend_from_slice(&self.version_max.to_be_bytes());
        bytes.push(match self.purpose {
            Purpose::Control => 1,
            Purpose::Bulk => 2,
            Purpose::Enrol => 3,
        });
        bytes.extend_from_slice(&self.instance.to_be_bytes());
        bytes.extend_from_slice(&certificate_length.to_be_bytes());
        bytes.extend_from_slice(&self.certificate);
        bytes.push(address_length);
        bytes.extend_from_slice(address.as_bytes());
        bytes
    }

    /// Reads a greeting. The certificate and the claims in it are not verified yet.
    pub fn decode(bytes: &[u8]) -> Result<Self, HelloError> {
        let mut rest = bytes.strip_prefix(&MAGIC).ok_or(HelloError::NotChordal)?;
        let cut = |_| HelloError::Malformed("cut short");
        let version_min = rest.try_get_u16().map_err(cut)?;
        let version_max = rest.try_get_u16().map_err(cut)?;
        // Beyond this point the layout is a matter of the version.
        if version_min > PROTOCOL.1 || version_max < PROTOCOL.0 || version_min > version_max {
            let (min, max) = (version_min, version_max);
            return Err(HelloError::NoCommonVersion { min, max });
        }
        let purpose = match rest.try_get_u8().map_err(cut)? {
            1 => Purpose::Control,
            2 => Purpose::Bulk,
            3 => Purpose::Enrol,
            _ => return Err(HelloError::Malformed("unknown purpose")),
        };
        let instance = rest.try_get_u64().map_err(cut)?;
        let certificate_length = usize::from(rest.try_get_u16().map_err(cut)?);
        let certificate = Bytes::copy_from_slice(take(&mut rest, certificate_length)?);
        let address_length = usize::from(rest.try_get_u8().map_err(cut)?);
        if address_length > ADDRESS_BYTES_MAX {
            return Err(HelloError::Malformed("address too long"));
        }
        Ok(Self {
            version_min,
            version_max,
            purpose,
            instance,
            certificate,
            listens: address(take(&mut rest, address_length)?)?,
        })
    }
}

fn take<'a>(rest: &mut &'a [u8], length: usize) -> Result<&'a [u8], HelloError> {
    let (head, tail) = rest
        .split_at_checked(length)
        .ok_or(HelloError::Malformed("cut short"))?;
    *rest = tail;
    Ok(head)
}

fn address(text: &[u8]) -> Result<SocketAddr, HelloError> {
    let text = std::str::from_utf8(text).ok();
    match text.and_then(|text| text.parse::<SocketAddr>().ok()) {
        Some(address) if address.port() != 0 => Ok(address),
        _ => Err(HelloError::Malformed("not an address to listen on")),
    }
}

/// A greeting frame: 16-bit length, then `content`.
pub(crate) fn framed(content: &[u8]) -> Vec<u8> {
    let length = u16::try_from(content.len()).expect("greetings are shorter than HELLO_BYTES_MAX");
    [length.to_be_bytes().as_slice(), content].concat()
}

/// The frame that accepts the other side.
pub(crate) fn welcome() -> Vec<u8> {
    framed(&[0])
}

/// The frame that tells why not; to an expelled node with the authority's word for it.
pub(crate) fn refusal(refusal: Refusal, word: Option<Expulsion>) -> Vec<u8> {
    let word = word.map(|word| word.encode()).unwrap_or_default();
    framed(&[&[refusal.code()], word.as_slice()].concat())
}

/// What the other side's refusal says.
#[derive(Debug)]
pub(crate) struct Refused {
    pub(crate) refusal: Refusal,
    /// The authority's word, not verified yet.
    pub(crate) word: Option<Expulsion>,
}

/// Reads one greeting frame, bounded before it is read.
pub(crate) async fn read_frame(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<Vec<u8>> {
    let length = usize::from(stream.read_u16().await?);
    if length > HELLO_BYTES_MAX {
        return Err(io::Error::new(
            io::ErrorKind::InvalidData,
            "greeting too long",
        ));
    }
    let mut content = vec![0; length];
    stream.read_exact(&mut content).await?;
    Ok(content)
}

/// Reads the other side's verdict on us.
pub(crate) async fn read_verdict(
    stream: &mut (impl AsyncRead + Unpin),
) -> io::Result<Result<(), Refused>> {
    match read_frame(stream).await?.split_first() {
        Some((0, _)) => Ok(Ok(())),
        Some((&code, word)) => Ok(Err(Refused {
            refusal: Refusal::from_code(code),
            word: Expulsion::decode(word).ok(),
        })),
        None => Err(io::Error::new(io::ErrorKind::InvalidData, "empty verdict")),
    }
}

const MAGIC: [u8; 8] = *b"chordal\0";

#[cfg(test)]
mod tests;
