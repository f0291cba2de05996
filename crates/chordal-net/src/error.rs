//! What can go wrong, told so that a caller can branch on it and a person can act on it.

use std::io;
use std::net::SocketAddr;

use crate::admission::CertificateError;
use crate::identity::PeerId;

/// An endpoint could not start. Each text is one line and says what to do.
#[derive(Debug, thiserror::Error)]
pub enum BindError {
    /// Another program listens there.
    #[error("port {} on {} is in use: choose another port, or stop the program that has it", addr.port(), addr.ip())]
    InUse {
        /// What was asked for.
        addr: SocketAddr,
    },
    /// The address belongs to no network interface of this machine.
    #[error("address {} is not one of this machine's: choose one that is, or 0.0.0.0 for all", addr.ip())]
    NotOurs {
        /// What was asked for.
        addr: SocketAddr,
    },
    /// The system does not let this user listen there.
    #[error("not allowed to listen on {addr}: choose a port from 1024 up")]
    Denied {
        /// What was asked for.
        addr: SocketAddr,
    },
    /// The endpoint's own certificate would be refused by every peer.
    #[error(
        "this node's admission certificate does not fit its key and ring ({0}): join the ring again"
    )]
    Certificate(#[from] CertificateError),
    /// The system refused for another reason.
    #[error("cannot listen on {addr}: {source}")]
    Other {
        /// What was asked for.
        addr: SocketAddr,
        /// Why not.
        source: io::Error,
    },
}

impl BindError {
    pub(crate) fn from_io(addr: SocketAddr, source: io::Error) -> Self {
        #[expect(
            clippy::wildcard_enum_match_arm,
            reason = "the kinds of I/O errors are an open set"
        )]
        match source.kind() {
            io::ErrorKind::AddrInUse => Self::InUse { addr },
            io::ErrorKind::AddrNotAvailable => Self::NotOurs { addr },
            io::ErrorKind::PermissionDenied => Self::Denied { addr },
            _ => Self::Other { addr, source },
        }
    }
}

/// A connection could not be made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConnectError {
    /// Nobody listens at that address.
    #[error("nobody listens there (connection refused)")]
    NobodyThere,
    /// No answer within the time limit.
    #[error("no answer in time")]
    TimedOut,
    /// The system could not reach the address.
    #[error("cannot be reached: {0}")]
    Network(io::ErrorKind),
    /// Something answered, but not with this protocol.
    #[error("what answers there does not speak this protocol: {0}")]
    NotChordal(String),
    /// The node there is another one than expected.
    #[error("another node answers there: expected {}, found {}", expected.short(), found.short())]
    WrongPeer {
        /// Who should have been there.
        expected: PeerId,
        /// Who was.
        found: PeerId,
    },
    /// We refuse the node there.
    #[error("the node there was refused: {0}")]
    WeRefuse(Refusal),
    /// The node there refuses us.
    #[error("the node there refused: {0}")]
    TheyRefuse(Refusal),
    /// The endpoint is closing.
    #[error("this node is stopping")]
    Closing,
}

/// Why one node does not talk to another, although both speak the protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The certificate is of another ring's authority.
    #[error("not a member of this ring")]
    OtherRing,
    /// The certificate is malformed, false, or somebody else's.
    #[error("bad admission certificate")]
    BadCertificate,
    /// The node was a member and is not welcome any more.
    #[error("expelled from this ring")]
    Expelled,
    /// The two programs are too many versions apart.
    #[error("no common protocol version: upgrade the older program")]
    NoCommonVersion,
    /// The dialler expected somebody else.
    #[error("not the node that was expected")]
    WrongPeer,
    /// A node reached itself.
    #[error("connected to itself")]
    Itself,
    /// No invitation has this secret.
    #[error("the ring knows no such invitation: ask for a new code")]
    NotInvited,
    /// The invitation has let in as many as it was for.
    #[error("the code was used already: ask for a new one")]
    InviteUsed,
    /// The invitation was not used in time.
    #[error("the code is too old: ask for a new one")]
    InviteExpired,
    /// The node does not hold the ring's authority, or cannot use it now.
    #[error("this node cannot let anybody in: its machine does not hold the ring's authority")]
    CannotInvite,
    /// A reason of a later version.
    #[error("refused for a reason this program does not know (code {0})")]
    Unknown(u8),
}

impl Refusal {
    pub(crate) fn code(self) -> u8 {
        match self {
            Self::OtherRing => 1,
            Self::BadCertificate => 2,
            Self::Expelled => 3,
            Self::NoCommonVersion => 4,
            Self::WrongPeer => 5,
            Self::Itself => 6,
            Self::NotInvited => 7,
            Self::InviteUsed => 8,
            Self::InviteExpired => 9,
            Self::CannotInvite => 10,
            Self::Unknown(code) => code,
        }
    }

    pub(crate) fn from_code(code: u8) -> Self {
        match code {
            1 => Self::OtherRing,
            2 => Self::BadCertificate,
            3 => Self::Expelled,
            4 => Self::NoCommonVersion,
            5 => Self::WrongPeer,
            6 => Self::Itself,
            7 => Self::NotInvited,
            8 => Self::InviteUsed,
            9 => Self::InviteExpired,
            10 => Self::CannotInvite,
            other => Self::Unknown(other),
        }
    }
}

/// A bulk request has no answer. Except for [`RequestError::Connect`], [`RequestError::TooLarge`]
/// and [`RequestError::Busy`], the peer may have carried the request out nevertheless.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RequestError {
    /// No connection, so the request was not sent.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// The request is longer than the limits allow; it was not sent.
    #[error("{part} of {bytes} bytes, at most {bytes_max} are allowed")]
    TooLarge {
        /// Header or body.
        part: &'static str,
        /// Its length.
        bytes: usize,
        /// The limit.
        bytes_max: usize,
    },
    /// Too many requests wait for a connection to this peer; it was not sent.
    #[error("too many requests wait for this node")]
    Busy,
    /// No byte moved for too long.
    #[error("the transfer stalled")]
    Stalled,
    /// The connection ended before the answer was complete.
    #[error("the connection ended before the answer: {0}")]
    Broken(io::ErrorKind),
    /// The answer breaks the protocol or a limit.
    #[error("the answer is malformed: {0}")]
    Malformed(&'static str),
    /// The peer received the request and dropped it without an answer.
    #[error("the node dropped the request")]
    Dropped,
    /// The endpoint is closing.
    #[error("this node is stopping")]
    Closing,
}
