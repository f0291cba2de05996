//! Questions to other nodes that await an answer: one number, one purpose, one time limit each.

use std::time::Duration;

use chordal_object::{Key, NodeId};
use serde::{Deserialize, Serialize};

use crate::codec;
use crate::effect::{Destination, Effect};
use crate::input::OperationId;
use crate::limits::{ANSWER_WAIT_MAX, REQUESTS_MAX};
use crate::lookup::LookupId;
use crate::member::Token;
use crate::message::{Envelope, Message, ReadRecord};
use crate::peer::Peer;
use crate::replica::SessionId;
use crate::time::Time;
use crate::timer::Reason;

/// A node's number for a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct RequestId(pub u64);

/// What an answer is for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Purpose {
    /// Is it alive?
    Ping,
    /// Is the present predecessor of `token` on the ring, or may `candidate` replace it (Zave's
    /// *Rectify*)?
    Predecessor {
        token: Key,
        present: Token,
        candidate: Token,
    },
    /// A join or a merge by address.
    AskRing,
    /// The node table of the first member that a joining node met.
    JoinTable,
    /// Where a joining node's tokens should be.
    Places,
    /// The pointers of `token`'s first successor, or of a closer one.
    Pointers { token: Key, of: Token },
    /// The pointers of the node before a joining token (Zave's *Join*).
    JoinAt {
        token: Key,
        predecessor: Token,
        /// Whether a node that is on a ring answered when the place was looked up.
        ring_answers: bool,
    },
    /// A step of a lookup.
    Lookup(LookupId),
    /// Is it on a ring by now, beside which this node entered alone?
    Beside,
    /// Is it on a ring that a lookup may ask next?
    Scout(LookupId),
    /// A poll of all nodes before some are given up.
    Poll,
    /// A client's operation.
    Operation(OperationId),
    /// Chunks that a client's operation wants kept, in a round of it.
    Keep { operation: OperationId, round: u32 },
    /// What nodes refer to, in a round of collecting.
    References(u64),
    /// A comparison of what two nodes hold.
    Session(SessionId),
    /// Who counts on arcs of which this node still tells a past, in a round of asking.
    Counts(u64),
    /// A hand-off's confirmation of the arc that ends at this key.
    Confirm(Key),
    /// A copy sent to a holder that had an older one; nobody waits for it.
    ReadRepair,
}

impl Purpose {
    /// Whether a message is an answer to a question with this purpose.
    pub(crate) fn is_met_by(&self, message: &Message) -> bool {
        match self {
            Self::Ping | Self::Poll => matches!(message, Message::Pong),
            Self::AskRing => matches!(message, Message::RingInfo(_)),
            Self::Places => matches!(message, Message::Places(_)),
            Self::JoinTable => matches!(message, Message::Table { .. }),
            Self::Pointers { .. } => matches!(
                message,
                Message::State(_) | Message::StateKnown(_) | Message::NoToken(_)
            ),
            Self::Predecessor { .. } | Self::JoinAt { .. } => {
                matches!(message, Message::State(_) | Message::NoToken(_))
            }
            Self::Lookup(_) => matches!(
                message,
                Message::Owner(_) | Message::Closer(_) | Message::State(_) | Message::NoToken(_)
            ),
            Self::Scout(_) | Self::Beside => matches!(
                message,
                Message::Owner(_) | Message::Closer(_) | Message::NoToken(_)
            ),
            Self::Operation(_) | Self::ReadRepair => true,
            Self::Keep { .. } => matches!(message, Message::ChunksHeld(_)),
            Self::References(_) => matches!(message, Message::References(_)),
            Self::Session(_) => matches!(
                message,
                Message::ArcCompared(_) | Message::Reconciled(_) | Message::Records(_)
            ),
            Self::Counts(_) => matches!(message, Message::Counts(_)),
            Self::Confirm(_) => matches!(message, Message::Confirm(_)),
        }
    }
}

/// An unanswered question.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Request {
    /// Who was asked; nothing when only an address was known.
    pub(crate) to: Option<NodeId>,
    /// Where.
    pub(crate) addr: std::net::SocketAddr,
    pub(crate) sent: Time,
    pub(crate) purpose: Purpose,
}

/// All unanswered questions.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Requests {
    /// In order of their numbers. Mostly there are very few, and an ordered map has room for many.
    open: Vec<(RequestId, Box<Request>)>,
    last: u64,
}

impl Requests {
    /// Gives back room that is not needed.
    pub(crate) fn shed(&mut self) {
        if self.open.is_empty() {
            self.open = Vec::new();
        }
    }

    fn place_of(&self, id: RequestId) -> Option<usize> {
        self.open.binary_search_by_key(&id, |&(id, _)| id).ok()
    }

    fn get(&self, id: RequestId) -> Option<&Request> {
        self.place_of(id).map(|place| &*self.open[place].1)
    }

    fn remove(&mut self, id: RequestId) -> Option<Request> {
        let place = self.place_of(id)?;
        let (_, request) = self.open.remove(place);
        Some(*request)
    }

    /// Nodes that were asked, or that an answer is awaited about.
    pub(crate) fn named(&self) -> impl Iterator<Item = NodeId> {
        self.open.iter().flat_map(|(_, request)| {
            let mut about = None;
            if let Purpose::Predecessor { candidate, .. } = request.purpose {
                about = Some(candidate.node);
            }
            request.to.into_iter().chain(about)
        })
    }
}

/// How long to wait at least for an answer that needs no disk.
const QUICK_MIN: Duration = Duration::from_millis(500);

/// How long to wait for an answer that needs a disk. A dead node is noticed sooner by its pings.
pub(crate) const DISK_WAIT: Duration = Duration::from_secs(8);

impl Peer {
    /// Asks a node; the answer, or its absence, comes to [`Peer::answered`] or [`Peer::unanswered`]
    /// with the purpose. Returns nothing when the node is unknown or too many questions are open.
    pub(crate) fn ask(
        &mut self,
        now: Time,
        to: NodeId,
        message: Message,
        purpose: Purpose,
    ) -> Option<RequestId> {
        let addr = if to == self.me.node {
            self.me.addr
        } else {
            self.table.addr(to)?
        };
        self.ask_at(now, to, addr, message, purpose)
    }

    /// Asks a node that the table need not know, at the address that others have for it.
    pub(crate) fn ask_at(
        &mut self,
        now: Time,
        to: NodeId,
        addr: std::net::SocketAddr,
        message: Message,
        purpose: Purpose,
    ) -> Option<RequestId> {
        let needs_disk = matches!(
            message,
            Message::WriteRecord(_)
                | Message::OfferChunk(_)
                | Message::AskChunks(_)
                | Message::KeepChunks(_)
                | Message::AskReferences(_)
                | Message::CompareArc(_)
                | Message::Reconcile(_)
                | Message::FetchRecords { .. }
                | Message::AskConfirm { .. }
                | Message::List(_)
                | Message::AskStatus
                // A promise is noted on the disk first.
                | Message::ReadRecord(ReadRecord {
                    promise: Some(_), ..
                })
        );
        let timeout = if needs_disk {
            DISK_WAIT
        } else if matches!(message, Message::ReadRecord(_)) {
            ANSWER_WAIT_MAX
        } else {
            self.quick_timeout(to)
        };
        let id = self.open_request(now, Some(to), addr, purpose, timeout)?;
        self.post(to, addr, id.0, message);
        Some(id)
    }

    /// Asks whoever listens at an address.
    pub(crate) fn ask_address(
        &mut self,
        now: Time,
        addr: std::net::SocketAddr,
        message: Message,
        purpose: Purpose,
    ) -> Option<RequestId> {
        let id = self.open_request(now, None, addr, purpose, ANSWER_WAIT_MAX)?;
        let bytes = self.encode(id.0, message);
        self.effects.push_back(Effect::Send {
            to: Destination { addr, node: None },
            bytes,
        });
        Some(id)
    }

    fn quick_timeout(&self, to: NodeId) -> Duration {
        let measured = self
            .table
            .get(to)
            .map_or(ANSWER_WAIT_MAX, |entry| entry.round_trip.timeout());
        measured.clamp(QUICK_MIN, ANSWER_WAIT_MAX)
    }

    fn open_request(
        &mut self,
        now: Time,
        to: Option<NodeId>,
        addr: std::net::SocketAddr,
        purpose: Purpose,
        timeout: Duration,
    ) -> Option<RequestId> {
        if self.requests.open.len() >= REQUESTS_MAX {
            return None;
        }
        self.requests.last += 1;
        let id = RequestId(self.requests.last);
        let request = Request {
            to,
            addr,
            sent: now,
            purpose,
        };
        self.requests.open.push((id, Box::new(request)));
        self.timers.set(now + timeout, Reason::RequestOver(id));
        Some(id)
    }

    /// Says something that needs no answer.
    pub(crate) fn tell(&mut self, to: NodeId, message: Message) {
        if let Some(addr) = self.table.addr(to) {
            self.post(to, addr, 0, message);
        }
    }

    /// Answers a question.
    pub(crate) fn answer(&mut self, asker: &Asker, message: Message) {
        self.post(asker.node, asker.addr, asker.request, message);
    }

    fn post(&mut self, to: NodeId, addr: std::net::SocketAddr, request: u64, message: Message) {
        if to == self.me.node {
            self.loopback.push_back((request, message));
            return;
        }
        let bytes = self.encode(request, message);
        self.effects.push_back(Effect::Send {
            to: Destination {
                addr,
                node: Some(to),
            },
            bytes,
        });
    }

    fn encode(&self, request: u64, message: Message) -> bytes::Bytes {
        codec::encode(&Envelope {
            request,
            incarnation: self.me.incarnation,
            message,
        })
    }

    /// Closes the question that an answer belongs to, if it is still open and the answerer is the
    /// one who was asked.
    pub(crate) fn close_request(&mut self, id: RequestId, from: NodeId) -> Option<Request> {
        let request = self.requests.get(id)?;
        if request.to.is_some_and(|to| to != from) {
            return None;
        }
        self.timers.cancel(Reason::RequestOver(id));
        self.requests.remove(id)
    }

    /// Forgets a question whose answer is of no use any more.
    pub(crate) fn forget_request(&mut self, id: RequestId) {
        self.timers.cancel(Reason::RequestOver(id));
        self.requests.remove(id);
    }

    /// An operation begins anew: what was asked for it before is of no more use, and an answer to
    /// that must not be taken for one to what is asked from here on.
    pub(crate) fn forget_questions(&mut self, operation: OperationId) {
        let is_its = |request: &Request| request.purpose == Purpose::Operation(operation);
        let open = self.requests.open.iter();
        let ids: Vec<RequestId> = open
            .filter(|(_, request)| is_its(request))
            .map(|&(id, _)| id)
            .collect();
        for id in ids {
            self.requests.remove(id);
            self.timers.cancel(Reason::RequestOver(id));
        }
    }

    /// Gives up a question whose time is over.
    pub(crate) fn request_over(&mut self, now: Time, id: RequestId) {
        if let Some(request) = self.requests.remove(id) {
            self.unanswered(now, request);
        }
    }

    /// Gives up all questions to a node that is out of reach.
    pub(crate) fn abandon_requests(&mut self, now: Time, node: NodeId) {
        self.abandon(now, |request| request.to == Some(node));
    }

    /// Gives up the questions that went to an address where nobody was expected by name.
    pub(crate) fn abandon_address(&mut self, now: Time, addr: std::net::SocketAddr) {
        self.abandon(now, |request| request.to.is_none() && request.addr == addr);
    }

    fn abandon(&mut self, now: Time, in_vain: impl Fn(&Request) -> bool) {
        let ids: Vec<RequestId> = self
            .requests
            .open
            .iter()
            .filter(|(_, request)| in_vain(request))
            .map(|&(id, _)| id)
            .collect();
        for id in ids {
            self.timers.cancel(Reason::RequestOver(id));
            self.request_over(now, id);
        }
    }

    /// Whether a question with this purpose is open.
    pub(crate) fn is_asking(&self, wanted: impl Fn(&Request) -> bool) -> bool {
        self.requests
            .open
            .iter()
            .any(|(_, request)| wanted(request))
    }
}

/// Whom an answer goes to.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct Asker {
    pub(crate) node: NodeId,
    pub(crate) addr: std::net::SocketAddr,
    pub(crate) request: u64,
}
