//! Invitations: the code that one person sends to another, and the proof that somebody has it.
//!
//! A code holds where the ring is, a fingerprint of its authority, and a secret. The newcomer knows
//! by the fingerprint that it talks to the ring that was meant, and proves that it knows the secret
//! for exactly this connection ([`Proof`]); the secret itself is never sent. Which invitations are
//! open, for how long and how often, is for an [`Inviter`] to know.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;

use data_encoding::BASE32_NOPAD_VISUAL;
use ring::{digest, hmac};

use crate::admission::{AuthorityId, Certificate};
use crate::error::Refusal;
use crate::identity::{PeerId, random};

/// The secret of one invitation.
pub type InviteSecret = [u8; 12];

/// What an invited machine is given: `chordal join CODE`.
///
/// As text it is base32 in lower case, 56 characters for one IPv4 address; read back, upper case,
/// blanks and hyphens do not matter, nor do 0, 1 and 8 for the letters that look like them.
#[derive(Clone, PartialEq, Eq)]
pub struct InviteCode {
    /// Where members listen, at least one and at most [`InviteCode::ADDRS_MAX`].
    pub addrs: Vec<SocketAddr>,
    /// Which ring is meant.
    pub ring: Fingerprint,
    /// Whoever knows it may enter.
    pub secret: InviteSecret,
}

/// Enough of an authority's hash that nobody finds another authority for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fingerprint(pub [u8; 12]);

impl Fingerprint {
    /// The fingerprint of an authority.
    pub fn of(authority: &AuthorityId) -> Self {
        let hash = digest::digest(&digest::SHA256, &[FINGERPRINT, &authority.0].concat());
        let (head, _) = hash.as_ref().split_first_chunk().expect("32 bytes");
        Self(*head)
    }
}

/// The text is no join code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParseInviteError {
    /// It has other characters, or is far too short.
    #[error("this is no join code")]
    NoCode,
    /// Its check does not fit.
    #[error("the join code is mistyped or cut short")]
    Mistyped,
    /// A later program made it.
    #[error("the join code was made by a newer chordal: update this program")]
    Newer,
}

impl InviteCode {
    /// The most addresses of a code.
    pub const ADDRS_MAX: usize = 4;

    /// A code with a fresh secret. Addresses beyond the first few are left out.
    pub fn fresh(addrs: &[SocketAddr], authority: &AuthorityId) -> Self {
        Self {
            addrs: addrs.iter().copied().take(Self::ADDRS_MAX).collect(),
            ring: Fingerprint::of(authority),
            secret: random(),
        }
    }

    fn bytes(&self) -> Vec<u8> {
        let count = u8::try_from(self.addrs.len()).unwrap_or(u8::MAX);
        let mut bytes = vec![FORMAT << 4 | count & 0xf];
        for addr in &self.addrs {
            match addr.ip() {
                IpAddr::V4(ip) => {
                    bytes.push(4);
                    bytes.extend_from_slice(&ip.octets());
                }
                IpAddr::V6(ip) => {
                    bytes.push(6);
                    bytes.extend_from_slice(&ip.octets());
                }
            }
            bytes.extend_from_slice(&addr.port().to_be_bytes());
        }
        bytes.extend_from_slice(&self.ring.0);
        bytes.extend_from_slice(&self.secret);
        bytes
    }
}

impl fmt::Display for InviteCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut bytes = self.bytes();
        bytes.extend_from_slice(&check(&bytes));
        f.write_str(&BASE32_NOPAD_VISUAL.encode(&bytes).to_lowercase())
    }
}

impl fmt::Debug for InviteCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "InviteCode({:?}, {:?})", self.addrs, self.ring)
    }
}

impl FromStr for InviteCode {
    type Err = ParseInviteError;

    fn from_str(text: &str) -> Result<Self, ParseInviteError> {
        let text: String = text
            .chars()
            .filter(|c| !c.is_whitespace() && *c != '-')
            .collect();
        if text.len() < SHORTEST || !text.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            return Err(ParseInviteError::NoCode);
        }
        let bytes = BASE32_NOPAD_VISUAL
            .decode(text.to_uppercase().as_bytes())
            .map_err(|_| ParseInviteError::Mistyped)?;
        let (content, found) = bytes.split_last_chunk().ok_or(ParseInviteError::NoCode)?;
        if check(content) != *found {
            return Err(ParseInviteError::Mistyped);
        }
        parse(content)
    }
}

/// Reads what [`InviteCode::bytes`] wrote; its check was right.
fn parse(bytes: &[u8]) -> Result<InviteCode, ParseInviteError> {
    let cut = ParseInviteError::Mistyped;
    let (&head, mut rest) = bytes.split_first().ok_or(cut)?;
    if head >> 4 != FORMAT {
        return Err(ParseInviteError::Newer);
    }
    let count = usize::from(head & 0xf);
    if count > InviteCode::ADDRS_MAX {
        return Err(cut);
    }
    let mut addrs = Vec::with_capacity(count);
    for _ in 0..count {
        let (&kind, after) = rest.split_first().ok_or(cut)?;
        rest = after;
        let ip = match kind {
            4 => IpAddr::from(take::<4>(&mut rest)?),
            6 => IpAddr::from(take::<16>(&mut rest)?),
            _ => return Err(ParseInviteError::Newer),
        };
        let port = u16::from_be_bytes(take(&mut rest)?);
        addrs.push(SocketAddr::new(ip, port));
    }
    let code = InviteCode {
        addrs,
        ring: Fingerprint(take(&mut rest)?),
        secret: take(&mut rest)?,
    };
    if rest.is_empty() && !code.addrs.is_empty() {
        Ok(code)
    } else {
        Err(cut)
    }
}

fn take<const N: usize>(rest: &mut &[u8]) -> Result<[u8; N], ParseInviteError> {
    let (head, tail) = rest.split_first_chunk().ok_or(ParseInviteError::Mistyped)?;
    *rest = tail;
    Ok(*head)
}

fn check(bytes: &[u8]) -> [u8; 3] {
    let hash = digest::digest(&digest::SHA256, bytes);
    let (head, _) = hash.as_ref().split_first_chunk().expect("32 bytes");
    *head
}

/// A newcomer's word that it knows a secret, good for one connection only.
#[derive(Clone, Debug)]
pub struct Proof {
    /// What only the two ends of the connection know.
    binding: [u8; 32],
    tag: Vec<u8>,
}

impl Proof {
    /// How long it is.
    pub(crate) const BYTES: usize = 32;

    /// Proves that one knows the secret, on the connection with this binding.
    pub(crate) fn make(secret: &InviteSecret, binding: &[u8; 32]) -> Vec<u8> {
        let key = hmac::Key::new(hmac::HMAC_SHA256, secret);
        hmac::sign(&key, binding).as_ref().to_vec()
    }

    /// A proof of this secret on a connection that never was, for tests of an [`Inviter`].
    pub fn sample(secret: &InviteSecret) -> Self {
        let binding = [0; 32];
        Self::received(Self::make(secret, &binding), binding)
    }

    pub(crate) fn received(tag: Vec<u8>, binding: [u8; 32]) -> Self {
        Self { binding, tag }
    }

    /// Whether it was made with this secret. Takes the same time whatever the answer.
    pub fn is_of(&self, secret: &InviteSecret) -> bool {
        let key = hmac::Key::new(hmac::HMAC_SHA256, secret);
        hmac::verify(&key, &self.binding, &self.tag).is_ok()
    }
}

/// Knows which invitations are open.
pub trait Inviter: fmt::Debug + Send + Sync {
    /// Lets a newcomer in, and counts that durably, if its proof is of an open invitation. May wait
    /// for the disk.
    fn admit(&self, newcomer: PeerId, proof: &Proof) -> Result<Certificate, Refusal>;
}

const FORMAT: u8 = 1;

/// Shorter texts are no codes, whatever they are.
const SHORTEST: usize = 40;

/// Hashed before the authority, so that a fingerprint is of nothing else.
const FINGERPRINT: &[u8] = b"chordal ring fingerprint\0";

#[cfg(test)]
mod tests;
