//! Who a node is: an Ed25519 key pair, and the public half by which others know it.
//!
//! Secrets are kept in files of exactly 32 bytes, readable by their owner alone. A file of another
//! size is never overwritten or guessed at: a lost key is a lost identity.

mod secret_file;

use std::fmt;
use std::path::Path;
use std::str::FromStr;

use ring::rand::{SecureRandom as _, SystemRandom};
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey};

pub use secret_file::KeyFileError;
pub(crate) use secret_file::load_or_create;

/// Length of a signature in bytes.
pub const SIGNATURE_BYTES: usize = 64;

/// A node's identity: its Ed25519 public key.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PeerId(pub [u8; 32]);

impl PeerId {
    /// The first 8 hexadecimal digits: enough for people, never for decisions.
    pub fn short(&self) -> String {
        hex(&self.0).take(8).collect()
    }

    /// Whether this node signed these words for this purpose.
    pub fn signed(&self, purpose: &str, words: &[u8], signature: &[u8; SIGNATURE_BYTES]) -> bool {
        signed_by(&self.0, &signed_bytes(purpose, words), signature)
    }

    /// The key inside a DER `SubjectPublicKeyInfo`, when it is an Ed25519 key and nothing else.
    pub(crate) fn from_public_key_info(der: &[u8]) -> Option<Self> {
        let key = der.strip_prefix(&PUBLIC_KEY_INFO_PREFIX)?;
        Some(Self(key.try_into().ok()?))
    }

    /// The DER `SubjectPublicKeyInfo` of this key, as TLS raw public keys carry it.
    pub(crate) fn to_public_key_info(self) -> Vec<u8> {
        [PUBLIC_KEY_INFO_PREFIX.as_slice(), &self.0].concat()
    }
}

impl fmt::Display for PeerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex(&self.0).collect::<String>())
    }
}

impl fmt::Debug for PeerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PeerId({})", self.short())
    }
}

impl FromStr for PeerId {
    type Err = ParsePeerIdError;

    fn from_str(text: &str) -> Result<Self, ParsePeerIdError> {
        parse_hex(text).map(Self).ok_or(ParsePeerIdError)
    }
}

/// The text is not a node id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a node id is 64 hexadecimal digits")]
pub struct ParsePeerIdError;

/// A node's secret key. Cloning it copies the secret; printing it never shows it.
#[derive(Clone)]
pub struct NodeKey {
    seed: [u8; 32],
    id: PeerId,
}

impl NodeKey {
    /// A new key from the system's randomness.
    pub fn generate() -> Self {
        Self::from_seed(random())
    }

    /// The key with this 32-byte Ed25519 seed.
    pub fn from_seed(seed: [u8; 32]) -> Self {
        let id = PeerId(public_key(&seed));
        Self { seed, id }
    }

    /// Reads the key file at `path`, or makes a new key and writes it there (mode 0600).
    pub fn load_or_create(path: &Path) -> Result<Self, KeyFileError> {
        load_or_create(path).map(Self::from_seed)
    }

    /// The public half.
    pub fn peer_id(&self) -> PeerId {
        self.id
    }

    /// Signs words for a purpose: a short text that nothing else is signed for.
    pub fn sign(&self, purpose: &str, words: &[u8]) -> [u8; SIGNATURE_BYTES] {
        sign(&self.seed, &signed_bytes(purpose, words))
    }

    /// The secret as PKCS#8 version 1 DER, which is what rustls wants.
    pub(crate) fn to_pkcs8(&self) -> Vec<u8> {
        [PKCS8_PREFIX.as_slice(), &self.seed].concat()
    }
}

impl fmt::Debug for NodeKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NodeKey(of {})", self.id.short())
    }
}

/// The purpose comes first and ends with a zero byte, so that no signature made for another purpose,
/// and none of TLS, can pass for this one.
fn signed_bytes(purpose: &str, words: &[u8]) -> Vec<u8> {
    debug_assert!(!purpose.contains('\0'), "the end of the purpose is plain");
    [purpose.as_bytes(), b"\0", words].concat()
}

/// 32 bytes that nobody can foresee, for one question.
pub fn nonce() -> [u8; 32] {
    random()
}

/// Signs `message` with the key of this seed.
pub(crate) fn sign(seed: &[u8; 32], message: &[u8]) -> [u8; 64] {
    let signature = key_pair(seed).sign(message);
    let bytes = signature.as_ref();
    bytes.try_into().expect("an Ed25519 signature is 64 bytes")
}

/// Whether `signature` over `message` was made by the secret half of `public`.
pub(crate) fn signed_by(public: &[u8; 32], message: &[u8], signature: &[u8; 64]) -> bool {
    let key = UnparsedPublicKey::new(&ED25519, public);
    key.verify(message, signature).is_ok()
}

/// The public key of this seed.
pub(crate) fn public_key(seed: &[u8; 32]) -> [u8; 32] {
    let pair = key_pair(seed);
    let bytes = pair.public_key().as_ref();
    bytes.try_into().expect("an Ed25519 public key is 32 bytes")
}

/// Fresh bytes from the system's randomness.
pub(crate) fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    let filled = SystemRandom::new().fill(&mut bytes);
    filled.expect("the system has randomness: nothing safe can run without it");
    bytes
}

/// The lowercase hexadecimal digits of `bytes`.
pub(crate) fn hex(bytes: &[u8]) -> impl Iterator<Item = char> {
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    digits.map(|digit| char::from(b"0123456789abcdef"[usize::from(digit)]))
}

/// 32 bytes from exactly 64 hexadecimal digits of either case.
pub(crate) fn parse_hex(text: &str) -> Option<[u8; 32]> {
    let digits: &[u8; 64] = text.as_bytes().try_into().ok()?;
    let mut bytes = [0; 32];
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        let high = char::from(pair[0]).to_digit(16)?;
        let low = char::from(pair[1]).to_digit(16)?;
        *byte = u8::try_from(high << 4 | low).ok()?;
    }
    Some(bytes)
}

fn key_pair(seed: &[u8; 32]) -> Ed25519KeyPair {
    Ed25519KeyPair::from_seed_unchecked(seed).expect("any 32 bytes are an Ed25519 seed")
}

const PUBLIC_KEY_INFO_PREFIX: [u8; 12] = [
    0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00,
];
const PKCS8_PREFIX: [u8; 16] = [
    0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20,
];

#[cfg(test)]
mod tests;
