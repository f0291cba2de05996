//! What nodes say to each other. `proto/peer.proto` and `docs/protocol.md` describe the bytes.
//!
//! A decoded message is within its limits and made of valid parts; whether it is *true* is for
//! the receiver to judge.

use bytes::Bytes;
use chordal_object::{Arc, ChunkId, Key, Name, NodeId, Record, Version};
use serde::{Deserialize, Serialize};

use crate::certificate::TokenView;
use crate::history::History;
use crate::member::{Member, Token};
use crate::settings::Settings;
use crate::view::View;

/// A message with the number that ties an answer to its question.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Envelope {
    /// The asker's number for the question, repeated in the answer; 0 when no answer is expected.
    pub request: u64,
    /// The sender's incarnation: messages of an earlier life are refused.
    pub incarnation: u64,
    /// What is said.
    pub message: Message,
}

/// What is said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Message {
    /// Are you there?
    Ping,
    /// I am.
    Pong,
    /// I stop for a while; my copies stay on my disk.
    Pause,
    /// A node does not answer.
    Silent(Silent),

    /// I would like to be in your ring.
    AskRing(AskRing),
    /// What my ring is, or why you cannot be in it.
    RingInfo(RingInfo),
    /// Where should this node's tokens be?
    AskPlaces {
        /// Bytes that the asker offers.
        offered_bytes: u64,
        /// How many tokens it would take if it offered as much as the others; at most
        /// [`crate::limits::TOKENS_MAX`].
        tokens: u8,
    },
    /// There: one salt for each token, or none where the answerer cannot tell.
    Places(Vec<u8>),

    /// What are the pointers of your token at this key?
    GetState(GetState),
    /// These are they.
    State(TokenState),
    /// They are those of this digest, one of those you named.
    StateKnown(u64),
    /// I have no token there.
    NoToken(Key),
    /// The pointers of my token at this key changed; if it is your successor, ask for them.
    PointersChanged(Key),
    /// `of` might be the predecessor of your token `to` (Zave's *rectify*).
    Notify {
        /// The candidate.
        of: Token,
        /// The receiver's token.
        to: Key,
    },

    /// Who owns a key?
    FindOwner {
        /// The key.
        key: Key,
        /// The asker's table digest; see [`GetState::table`].
        table: Option<u64>,
    },
    /// I know who does.
    Owner(OwnerFound),
    /// I do not, but these are strictly closer, the closest first.
    Closer(Closer),

    /// Membership changed; pass it on to the nodes after you and before `until`.
    Spread {
        /// The changed entries.
        members: Vec<Member>,
        /// Where the receiver's part of the ring ends.
        until: Key,
    },
    /// This is the digest of my node table; answer when yours differs.
    TableDigest {
        /// The digest.
        digest: u64,
        /// The two disagreed about holders, so that also a difference counts that is about to
        /// end by itself.
        disagreed: bool,
    },
    /// These are the digests of my table's parts, as many as a power of two.
    TableParts(Vec<u32>),
    /// This is what my table has where yours differs.
    TableTags(TableTags),
    /// Entries of my node table.
    Table {
        /// The entries.
        members: Vec<Member>,
        /// Whether the sender wants the receiver's entries in return.
        want_yours: bool,
        /// Tags of entries that the sender lacks.
        want: Vec<u64>,
    },

    /// What do you hold of this name?
    ReadRecord(ReadRecord),
    /// This.
    RecordRead(RecordRead),
    /// Hold this version.
    WriteRecord(WriteRecord),
    /// It is durable here, or not.
    RecordWritten(Stored),
    /// Would you hold this chunk?
    OfferChunk(OfferChunk),
    /// Yes, no, or I have it.
    ChunkOffered(ChunkOffered),
    /// Which of these chunks do you hold?
    AskChunks(Vec<ChunkId>),
    /// In the order asked.
    ChunksHeld(Vec<bool>),

    /// Do you hold these chunks? Then keep them for a while: something that refers to them is about
    /// to be written. Answered by `ChunksHeld`.
    KeepChunks(Vec<ChunkId>),
    /// Does anything that you hold refer to these chunks?
    AskReferences(AskReferences),
    /// Whether it does.
    References(References),
    /// A record let go of these chunks: perhaps nothing refers to them any more.
    Released(Vec<ChunkId>),

    /// One step of comparing what we two hold of an arc.
    Reconcile(Reconcile),
    /// The other side's step.
    Reconciled(Reconciled),
    /// Do we two hold the same of an arc?
    CompareArc(CompareArc),
    /// Whether the receiver does.
    ArcCompared(ArcCompared),
    /// On which of these arcs do you count, under these views?
    AskCounts(Vec<(Arc, View)>),
    /// In the order asked.
    Counts(Vec<bool>),
    /// Send me these records of an arc, named by their digests.
    FetchRecords {
        /// The arc that was compared.
        arc: Arc,
        /// `Record::copy_digest` of each.
        digests: Vec<[u8; 32]>,
    },
    /// As many of them as fit one message; ask again for the rest.
    Records(Vec<Record>),
    /// I want to drop what I hold of this arc: fetch from me what you lack, then confirm.
    AskConfirm {
        /// The arc.
        arc: Arc,
        /// Whom the asker takes for its holders.
        view: View,
        /// The asker's number for what it noted before it asked.
        round: u64,
    },
    /// Whether the receiver now holds all that the asker had when it asked.
    Confirm(Confirm),

    /// Which names do you hold?
    List(List),
    /// These.
    Listed(Listed),
    /// How are you?
    AskStatus,
    /// So.
    Status(NodeStatus),
    /// What are the pointers of all your tokens?
    AskPointers,
    /// These are they.
    Pointers(NodePointers),
}

/// A wish to join.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AskRing {
    /// The asker as it will be known.
    pub member: Member,
    /// What the asker's own ring is set to.
    pub settings: Settings,
}

/// Word of a node that does not answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Silent {
    /// The node.
    pub node: NodeId,
    /// What several others found out and all are told. Nothing: it matters to the receiver, who
    /// is to see for itself.
    pub rumour: Option<Rumour>,
}

/// What several nodes found out of one and tell all others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rumour {
    /// Which of the node's lives it is about.
    pub incarnation: u64,
    /// Where the receiver's part of the ring ends.
    pub until: Key,
}

/// The answer to a wish to join.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RingInfo {
    /// What the ring is set to.
    pub settings: Settings,
    /// The answerer.
    pub member: Member,
    /// What the ring last believed of the asker, if it remembers it.
    pub you: Option<Member>,
    /// Why the asker cannot be in the ring.
    pub refusal: Option<JoinRefusal>,
    /// The answerer knows a part of the ring only, and so will the asker.
    pub part: bool,
}

/// Why a node cannot be in a ring.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum JoinRefusal {
    /// The rings have different settings (bits, profile, copies, chunk size).
    OtherSettings,
    /// Another node has the same position (only on small rings).
    PositionTaken(Key),
}

/// A question for a token's pointers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GetState {
    /// The token.
    pub token: Key,
    /// The digest of the asker's node table. Where it is the answerer's too, the answer carries
    /// no entries.
    pub table: Option<u64>,
    /// What the pointers may be as far as the asker knows, at most
    /// [`crate::limits::KNOWN_POINTERS_MAX`]: pointers named here are not sent again.
    pub known: Vec<KnownPointers>,
}

/// Pointers that need not be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KnownPointers {
    /// How many entries of the successor list the digest is over; nothing for all of them up to
    /// the predecessor.
    pub count: Option<std::num::NonZeroU8>,
    /// Over the predecessor and these entries.
    pub digest: u64,
}

/// A token's pointers, all read at one moment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenState {
    /// Whose.
    pub token: Key,
    /// The predecessor.
    pub predecessor: Token,
    /// The successor list, nearest first.
    pub successors: Vec<Token>,
    /// Entries for the nodes named above.
    pub members: Vec<Member>,
}

/// The pointers of all of a node's tokens that are on the ring, read at one moment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodePointers {
    /// The answerer's tokens with their predecessors and whole successor lists.
    pub tokens: Vec<TokenView>,
    /// Entries for the nodes named above.
    pub members: Vec<Member>,
}

/// The end of a lookup.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OwnerFound {
    /// The first token at or after the key of which the answerer does not know that it is silent.
    pub owner: Token,
    /// The owner's predecessor, or the token before the key in the answerer's list.
    pub predecessor: Token,
    /// Tokens after the owner, nearest first.
    pub successors: Vec<Token>,
    /// Entries for the nodes named above.
    pub members: Vec<Member>,
}

/// A step of a lookup.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Closer {
    /// Tokens strictly between the answerer's token and the key, closest to the key first, at
    /// most [`crate::limits::CANDIDATES_MAX`], each with the pointer that knew it. The last may be
    /// the answerer's predecessor instead, where the key lies shortly before that.
    pub candidates: Vec<(Token, Via)>,
    /// Entries for the nodes named above.
    pub members: Vec<Member>,
}

/// Which pointer a hop of a lookup used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Via {
    /// The asking node itself.
    Own,
    /// The node table.
    Table,
    /// The i-th finger.
    Finger(u8),
    /// The successor list.
    Successor,
    /// The predecessor.
    Predecessor,
}

/// What a node table has in some of its parts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableTags {
    /// Into how many parts it is cut: a power of two, at most
    /// [`crate::limits::TABLE_PARTS_MAX`].
    pub parts: u16,
    /// Which of them are meant.
    pub which: Vec<u16>,
    /// A tag of each entry there.
    pub tags: Vec<u64>,
}

/// A question for a name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReadRecord {
    /// The name; its key follows from the ring's settings.
    pub name: Name,
    /// Whom the asker takes for the holders, or nothing to be answered under any view (then the
    /// answer does not count towards a quorum).
    pub view: Option<View>,
    /// Only the version and size are wanted: inline content is left out of the answer.
    pub head: bool,
    /// The version that the asker means to write if what it finds allows it: a holder that answers
    /// promises to take no lower one from then on, also over a restart.
    pub promise: Option<Version>,
}

/// A holder's answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(
    clippy::large_enum_variant,
    reason = "nearly every answer is the large one"
)]
pub enum RecordRead {
    /// What it holds. `counts` is false while the holder has not synchronised this arc yet.
    Held {
        /// The newest version it holds, a tombstone included.
        record: Option<Record>,
        /// Whether the answer counts towards a majority.
        counts: bool,
        /// What the holder promised with this answer.
        promised: Option<Version>,
    },
    /// It has promised this higher version to somebody.
    Promised(Version),
    /// The holder believes in other holders; compare tables and ask again.
    WrongView,
    /// Its disk failed.
    Failed,
}

/// A version to hold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WriteRecord {
    /// The record.
    pub record: Record,
    /// Whom the writer takes for the holders; nothing for a copy that no view asks for (a hint,
    /// a read repair).
    pub view: Option<View>,
    /// Whether it counts only where nothing newer is. A client's write without a condition does
    /// also where somebody else's replaced it at once.
    pub exact: bool,
}

/// What became of a copy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Stored {
    /// This version, or a newer one, is durable here.
    Durable {
        /// The newest version here.
        newest: Version,
        /// Whether this copy counts towards a majority: false while the holder has not
        /// synchronised the arc yet, or was asked under no view.
        counts: bool,
    },
    /// The holder believes in other holders; compare tables and ask again.
    WrongView,
    /// It has promised this higher version to somebody, and takes no lower one.
    Promised(Version),
    /// No room here.
    Full {
        /// Bytes left.
        free: u64,
    },
    /// Its disk failed.
    Failed,
}

/// A chunk that wants a home.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OfferChunk {
    /// Its name.
    pub chunk: ChunkId,
    /// Its length.
    pub bytes: u32,
    /// Whom the writer takes for the holders; nothing for a hint.
    pub view: Option<View>,
}

/// Whether it finds one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ChunkOffered {
    /// Send it.
    Wanted,
    /// It is durable here already.
    Have,
    /// The holder believes in other holders; compare tables and ask again.
    WrongView,
    /// No room here.
    Full {
        /// Bytes left.
        free: u64,
    },
    /// Its disk failed.
    Failed,
}

/// A question whether anything refers to some chunks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AskReferences {
    /// The digest of the asker's node table: the answer counts only under the same one.
    pub table: u64,
    /// The chunks, at most [`crate::limits::CHUNK_QUESTION_MAX`].
    pub chunks: Vec<ChunkId>,
}

/// The answer to [`AskReferences`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct References {
    /// Whether the answer counts: the answerer has the asker's node table, counts on every arc that
    /// it holds, for good, and handed nothing off for a while.
    pub steady: bool,
    /// In the order asked, whether a record or a list of chunks refers to each; empty where the
    /// answer does not count.
    pub referenced: Vec<bool>,
}

/// Which kind of thing is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Kind {
    /// Records, tombstones included.
    Records,
    /// Chunks.
    Chunks,
}

/// A question whether two nodes hold the same of an arc.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CompareArc {
    /// The arc.
    pub arc: Arc,
    /// Whom the asker takes for the arc's holders; see [`Reconcile::view`].
    pub view: View,
    /// Over the asker's records and chunks there.
    pub digest: [u8; 16],
}

/// The answer to [`Message::CompareArc`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ArcCompared {
    /// How the two compare.
    Compared {
        /// Whether they hold the same.
        same: bool,
        /// What the answerer's word is worth.
        word: Word,
    },
    /// Its disk failed, or it has too much to do.
    Failed,
}

/// What an answerer's word on an arc is worth.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Word {
    /// Whether it has come under the view, for good.
    pub agrees: bool,
    /// Under which views it was before.
    pub history: History,
}

/// One step of a comparison, by the `negentropy` protocol.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reconcile {
    /// The arc compared.
    pub arc: Arc,
    /// What of it.
    pub kind: Kind,
    /// Whom the asker takes for the arc's holders; the answerer must agree for its answer to make
    /// the asker complete.
    pub view: View,
    /// The asker's step.
    pub payload: Bytes,
}

/// The answer to a step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Reconciled {
    /// The answerer's step.
    Step {
        /// For `negentropy`.
        payload: Bytes,
        /// What its word is worth.
        word: Word,
    },
    /// Its disk failed, or it has too much to do.
    Failed,
}

/// The answer to [`Message::AskConfirm`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Confirm {
    /// Everything is durable here.
    Held,
    /// Not a holder of that arc in that view.
    WrongView,
    /// Not yet; ask again later.
    NotYet,
}

/// A page of names wanted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct List {
    /// In this space.
    pub space: String,
    /// Paths that begin with this.
    pub prefix: String,
    /// Paths greater than this.
    pub after: Option<String>,
    /// At most so many, and at most [`crate::limits::LIST_ROWS_MAX`].
    pub limit: u32,
}

/// A page of names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listed {
    /// In ascending order of the path.
    pub rows: Vec<Row>,
    /// Whether there are further ones after the last row.
    pub more: bool,
    /// The arcs of which the answerer has all that was acknowledged.
    pub complete: Vec<Arc>,
    /// Whether its disk failed; then nothing else here counts.
    pub failed: bool,
}

/// One name in a listing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row {
    /// The name.
    pub name: Name,
    /// The version described.
    pub version: Version,
    /// When it was written, in milliseconds since the Unix epoch.
    pub modified_ms: i64,
    /// Size in bytes and BLAKE3 hash; nothing for a deleted name.
    pub file: Option<(u64, [u8; 32])>,
}

/// How a node is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeStatus {
    /// Its entry.
    pub member: Member,
    /// Its tokens with their nearest pointers.
    pub tokens: Vec<TokenPointers>,
    /// Bytes stored.
    pub used_bytes: u64,
    /// Copies this node should hold and does not have yet.
    pub copies_wanted: u64,
    /// Copies that others should hold of what this node is the first reachable holder of, and that
    /// are out of reach: their holders are suspect.
    pub copies_unreachable: u64,
    /// Arcs it has not synchronised yet.
    pub arcs_incomplete: u32,
    /// Things it holds only until their holders have them.
    pub handing_off: u64,
    /// Nodes it suspects.
    pub suspects: Vec<NodeId>,
    /// What looking after its copies came to.
    pub care: Care,
}

/// What looking after a node's copies came to, over all its lives.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Care {
    /// When every copy had been read again last, in seconds since the Unix epoch; 0 for never.
    pub round_ended_s: u64,
    /// Copies that were found damaged or missing.
    pub found: u64,
    /// How many of them were replaced since.
    pub mended: u64,
}

/// A token with its nearest pointers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenPointers {
    /// The position.
    pub key: Key,
    /// The token before.
    pub predecessor: Token,
    /// The token after.
    pub successor: Token,
}
