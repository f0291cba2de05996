//! From a node's errors to problems: the sentences that say what is still true and what to do.

use std::net::SocketAddr;

use chordal_node::model::{Failure, JoinRefusal, Unheard};
use chordal_node::{ExpelError, InviteError, NodeError, Refused};

use crate::problem::{Code, Missing, Problem};

/// What was wished for: the same failure leaves different things true.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wish {
    /// To store a file.
    Put,
    /// To read a file or what is known of it.
    Read,
    /// To delete a file.
    Remove,
    /// To look at the ring.
    Look,
    /// To join a ring.
    Join,
    /// To leave it.
    Leave,
    /// To forget a node.
    Forget,
    /// To expel one.
    Expel,
}

impl Wish {
    fn still_true(self) -> &'static str {
        match self {
            Self::Put => {
                "Nothing of this upload is visible, and every file stored before is as it was."
            }
            Self::Read | Self::Look | Self::Forget | Self::Expel => "Nothing was changed.",
            Self::Remove => "The file may still be there; every other file is as it was.",
            Self::Join => "The node stays as it was.",
            Self::Leave => "The node is still a member and keeps its copies.",
        }
    }
}

/// The problem that an error is, for one who had this wish.
pub(crate) fn problem(error: &NodeError, wish: Wish) -> Problem {
    let (code, advice) = match error {
        NodeError::Failed(failure) => of_ring(failure),
        NodeError::Refused(refused) => match refused {
            Refused::Range { .. } => (Code::OutOfRange, "Ask for bytes that the file has."),
            Refused::ManyChunks(_) => (
                Code::BadRequest,
                "Store it in parts, each with a receipt of its own.",
            ),
            Refused::Metadata(_) | Refused::ContentType(_) | Refused::TooBig => {
                (Code::BadRequest, "Stay within the limit.")
            }
        },
        NodeError::Interrupted(_) => (Code::UploadCut, "Send the whole file again."),
        NodeError::Corrupt { .. } => (
            Code::Corrupt,
            "Bring back nodes that are away, they may hold good copies; `chordal status` names them.",
        ),
        NodeError::Stopping => (
            Code::Busy,
            "Ask another node of the ring, or this one when it runs again.",
        ),
    };
    let mut problem = Problem::new(code, message(error))
        .still(still_true(error, wish))
        .advice(advice);
    problem.missing = missing(error).iter().map(missing_node).collect();
    problem
}

/// The problem that nobody can be invited.
pub(crate) fn no_invitation(error: &InviteError) -> Problem {
    let (code, advice) = match error {
        InviteError::NotFounder(founder) => {
            return Problem::new(Code::Refused, error.to_string())
                .advice(where_authority_is("invite", *founder));
        }
        InviteError::TooMany(_) => (
            Code::Refused,
            "Use one of them, or wait until some are over; one code can let several machines in: chordal invite --uses N.",
        ),
        InviteError::NoAddress => (
            Code::Refused,
            "Start the node at an address of this machine's network; `chordal up` takes all of them.",
        ),
        InviteError::Home(_) => (Code::Disk, "Look at this machine's disk."),
        InviteError::Interrupted => (Code::Busy, "Try again when the node runs."),
    };
    Problem::new(code, error.to_string()).advice(advice)
}

/// The problem that a node was not expelled.
pub(crate) fn not_expelled(error: &ExpelError) -> Problem {
    let (code, advice) = match error {
        ExpelError::Node(error) => return problem(error, Wish::Expel),
        ExpelError::NotFounder(founder) => {
            (Code::Refused, where_authority_is("expel NODE", *founder))
        }
        ExpelError::Itself => (
            Code::Refused,
            "Ask another node of this machine, or let it go by itself: chordal leave".to_owned(),
        ),
        ExpelError::TooMany => (
            Code::Refused,
            "Found a ring anew for those who may stay.".to_owned(),
        ),
        ExpelError::Home(_) => (Code::Disk, "Look at this machine's disk.".to_owned()),
        ExpelError::Interrupted => (Code::Busy, "Try again when the node runs.".to_owned()),
    };
    Problem::new(code, error.to_string()).advice(advice)
}

/// Where to do what only the ring's authority may do.
fn where_authority_is(command: &str, founder: Option<SocketAddr>) -> String {
    match founder {
        Some(addr) => format!(
            "Run `chordal {command}` on the machine that let this one in, where the ring was founded; its node was at {addr}."
        ),
        None => format!("Run `chordal {command}` on the machine where the ring was founded."),
    }
}

/// A node that did not answer, for the API.
pub(crate) fn missing_node(unheard: &Unheard) -> Missing {
    Missing {
        node: unheard.node.to_string(),
        addr: unheard.addr.to_string(),
    }
}

fn of_ring(failure: &Failure) -> (Code, &'static str) {
    match failure {
        Failure::NotFound => (
            Code::NotFound,
            "See what there is with `chordal ls`; names are exact, a folder needs -r, and SPACE:PATH names another space.",
        ),
        Failure::Conflict { .. } => (
            Code::Conflict,
            "See what is there now with `chordal stat`, and decide again.",
        ),
        Failure::Uncertain => (
            Code::Conflict,
            "Read the file and see whether it is yours; if not, decide again.",
        ),
        Failure::TooFewCopies { .. } => (
            Code::TooFewCopies,
            "Bring the nodes back. If most of the ring still answers, it gives them up after the grace time and repairs; \
             if it does not, or if they will never return: chordal forget NODE, as chordal status names them.",
        ),
        Failure::Minority { .. } => (
            Code::Minority,
            "Bring the other nodes or the network between them back; until then this part of the ring only reads. Those that will never come back can be forgotten: chordal forget NODE --force.",
        ),
        Failure::Full { .. } => (
            Code::Full,
            "Delete something with `chordal rm`, or add a node with more room.",
        ),
        Failure::Unjoinable(_) => (
            Code::Unjoinable,
            "Check the address and that a node runs there; a machine that is no member yet joins with a code of `chordal invite`.",
        ),
        Failure::JoinRefused(JoinRefusal::OtherSettings) => (
            Code::Refused,
            "Start this node on an empty folder (--data) with the flags of that ring, such as --classic or --bits.",
        ),
        Failure::JoinRefused(JoinRefusal::PositionTaken(_)) => (
            Code::Refused,
            "Start this node on another port: on a ring this small the port decides the position.",
        ),
        Failure::RingTooLarge => (
            Code::Refused,
            "Data is placed on rings of up to 4096 nodes; see which nodes could leave with `chordal status`.",
        ),
        Failure::UnsafeLeave(_) => (
            Code::Refused,
            "Bring the missing nodes back and try again; with --force the node leaves and those copies are lost.",
        ),
        Failure::UnknownNode => (
            Code::UnknownNode,
            "See the nodes and their ids with `chordal status`.",
        ),
        Failure::NotForgotten(_) => (
            Code::Refused,
            "See what the ring believes of it with `chordal status`.",
        ),
        Failure::UnsafeForget(_) => (
            Code::Refused,
            "Wait until `chordal status` says that nothing is missing, or bring the others back; with --force it is forgotten, and what only it had is lost.",
        ),
        Failure::UnsafeExpel(_) => (
            Code::Refused,
            "Wait until `chordal status` says that nothing is missing, or bring the others back; with --force it is expelled at once, and what only it had is lost.",
        ),
        Failure::Busy(_) => (Code::Busy, "Try again in a moment."),
        Failure::Disk => (
            Code::Disk,
            "Look at the disk of this node and its log; the other nodes hold copies.",
        ),
    }
}

fn message(error: &NodeError) -> String {
    if let NodeError::Failed(Failure::JoinRefused(refusal)) = error {
        return match refusal {
            JoinRefusal::OtherSettings => {
                "the ring there has other settings than this node's ring".to_owned()
            }
            JoinRefusal::PositionTaken(key) => {
                format!("another node of the ring has this node's position {key}")
            }
        };
    }
    error.to_string()
}

fn still_true(error: &NodeError, wish: Wish) -> &'static str {
    if matches!(error, NodeError::Failed(Failure::Uncertain)) {
        return "If it took effect, it has been replaced since.";
    }
    if matches!(
        error,
        NodeError::Failed(Failure::NotFound | Failure::Conflict { .. })
    ) {
        return "Nothing was changed.";
    }
    let few = matches!(error, NodeError::Failed(Failure::TooFewCopies { .. }));
    if few && wish == Wish::Read {
        return "The file is not given up: its copies count again when their nodes return.";
    }
    if matches!(error, NodeError::Corrupt { .. }) {
        return "The damaged copies were set aside, none was handed out.";
    }
    wish.still_true()
}

fn missing(error: &NodeError) -> &[Unheard] {
    if let NodeError::Failed(Failure::TooFewCopies { missing, .. }) = error {
        return missing;
    }
    &[]
}
