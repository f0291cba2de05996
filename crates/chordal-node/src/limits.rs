//! Every limit of the driver, in one place.

use std::time::Duration;

/// How many free ports a node tries that was told to take any.
pub(crate) const FREE_PORT_TRIES: u32 = 8;

/// Bytes of chunks that puts and gets keep in memory beyond the one chunk each may always have.
pub(crate) const CHUNK_BUDGET_BYTES: usize = 32 << 20;

/// Chunks that one put has under way at a time.
pub(crate) const PUT_WINDOW: usize = 16;

/// Chunks that one get asks for ahead of its reader.
pub(crate) const GET_WINDOW: usize = 12;

/// How often an upload asks for its chunks to be kept that nothing refers to yet: with a silence of
/// [`BODY_STALL`] in between well under [`chordal_proto::Timing::protect`].
pub(crate) const KEEP_EVERY: Duration = Duration::from_secs(45);

/// Files written at a time; further puts wait their turn.
pub(crate) const PUTS_MAX: usize = 256;

/// Files read at a time; further gets wait their turn.
pub(crate) const GETS_MAX: usize = 256;

/// Bytes of bulk bodies received from other nodes and not yet on the disk.
pub(crate) const INBOUND_BYTES_MAX: usize = 48 << 20;

/// The longest bulk body: a chunk of the largest size that a ring may set.
pub(crate) const BULK_BODY_BYTES_MAX: usize = chordal_store::limits::CHUNK_BYTES_MAX;

/// Bulk connections to one other node: one chunk at a time travels on each, the others wait.
pub(crate) const BULK_CONNECTIONS_MAX: usize = 8;

/// How many of these connections may carry copies that are made again: the rest is for clients.
pub(crate) const BULK_COPIES_MAX: usize = BULK_CONNECTIONS_MAX / 2;

/// Chunks read at a time for other nodes that make copies; further requests wait.
pub(crate) const COPIES_SERVED_MAX: usize = 4;

/// How long another node's copy is put off before it is told to ask again: well below the silence after
/// which it would take this one for dead.
pub(crate) const COPY_WAIT_MAX: Duration = Duration::from_secs(5);

/// How long the bytes of a copy may take, in all: several share a slow line, and what is given up comes
/// again from its first byte. One that stands still is given up by the network, much sooner.
pub(crate) const COPY_MAX: Duration = Duration::from_mins(5);

/// How often a holder that is busy is asked for a copy in one turn.
pub(crate) const COPY_TRIES: u32 = 8;

/// Chunks read for other nodes at a time; further requests wait.
pub(crate) const SERVED_MAX: usize = 32;

/// Commands of clients that wait for the driver.
pub(crate) const COMMANDS_MAX: usize = 1024;

/// Inputs of one kind that the driver takes in one turn, so that no source starves the others.
pub(crate) const TURN_INPUTS_MAX: usize = 256;

/// Threads that ask the index at a time.
pub(crate) const ASKERS_MAX: usize = 2;

/// Threads that read chunks at a time.
pub(crate) const READERS_MAX: usize = 4;

/// Threads that make chunks durable at a time: the file system merges their syncs.
pub(crate) const STAGERS_MAX: usize = 16;

/// Orders that wait for the disk, of each kind; further ones fail at once.
pub(crate) const DISK_QUEUE_MAX: usize = 65_536;

/// Orders whose changes share one commit.
pub(crate) const COMMIT_ORDERS_MAX: usize = 1024;

/// Records read at a time to judge what deaths would lose.
pub(crate) const LOSS_READS_MAX: usize = 32;

/// Parts of one file that are looked at for that; a file of a terabyte has no more.
pub(crate) const LOSS_CHUNKS_MAX: u64 = 1 << 20;

/// Tokens of a node.
pub(crate) const TOKENS: u8 = 8;

/// Notices kept for a slow listener.
pub(crate) const NOTICES_MAX: usize = 1024;

/// Events of the ring that the chronicle keeps.
pub(crate) const CHRONICLE_EVENTS_MAX: usize = 4096;

/// For how long it keeps them.
pub(crate) const CHRONICLE_KEPT: Duration = Duration::from_hours(24);

/// Other nodes of which it is counted what was moved between them and this one.
pub(crate) const MOVED_NODES_MAX: usize = 4096;

/// Nodes remembered because a malformed message of theirs was logged: each is logged once.
pub(crate) const COMPLAINED_MAX: usize = 4096;

/// How long a client may send nothing in the middle of a put.
pub(crate) const BODY_STALL: Duration = Duration::from_mins(1);

/// How long an ordered shutdown may take in all.
pub(crate) const SHUTDOWN_MAX: Duration = Duration::from_secs(10);

/// How long it waits at most for clients' work under way.
pub(crate) const GRACE_MAX: Duration = Duration::from_secs(6);

/// How long the farewell to the neighbours may take.
pub(crate) const FAREWELL_MAX: Duration = Duration::from_secs(1);

/// How long connections may take to end in order.
pub(crate) const CLOSE_MAX: Duration = Duration::from_secs(1);

/// How often the time that a step of the scrub took is rested after it, so that a busy disk is left
/// alone.
pub(crate) const SCRUB_REST_PER_WORK: u32 = 4;

/// How long the scrub rests after the disk failed.
pub(crate) const SCRUB_REST: Duration = Duration::from_hours(1);

/// For how long at most the scrub waits before it looks at how much there is to do by then.
pub(crate) const SCRUB_WAIT_MAX: Duration = Duration::from_mins(5);

/// How often it is kept for the next life how far the scrub has come.
pub(crate) const SCRUB_KEEP_EVERY: Duration = Duration::from_mins(10);

/// Records that one step of the scrub looks at.
pub(crate) const SCRUB_RECORDS: usize = 256;

/// Chunks that one step of the scrub reads at most.
pub(crate) const SCRUB_STEP_CHUNKS: usize = 64;

/// Bytes of chunks after which a step of the scrub ends.
pub(crate) const SCRUB_STEP_BYTES: u64 = 1 << 20;

/// What a record or a chunk costs a scrub beyond its bytes, in bytes that could be read meanwhile.
pub(crate) const SCRUB_THING_BYTES: u64 = 4 << 10;

/// How long a look for stray files pauses between two folders at least.
pub(crate) const SWEEP_PAUSE: Duration = Duration::from_millis(250);

/// How long no look for stray files is begun after one at least.
pub(crate) const SWEEP_REST: Duration = Duration::from_hours(1);

/// Damaged copies that are remembered until they are replaced; of more, it is not counted that they
/// were.
pub(crate) const WAITING_COPIES_MAX: usize = 16_384;

const _: () = assert!(BULK_BODY_BYTES_MAX <= INBOUND_BYTES_MAX);
const _: () = assert!(WAITING_COPIES_MAX * 32 <= chordal_store::limits::META_VALUE_BYTES_MAX / 2);
const _: () = assert!(
    GRACE_MAX.as_millis() + FAREWELL_MAX.as_millis() + CLOSE_MAX.as_millis()
        < SHUTDOWN_MAX.as_millis()
);

/// Inputs of the core that wait to be recorded; further ones are left out of the recording.
pub(crate) const RECORD_QUEUE_MAX: usize = 65_536;

/// Bytes of such inputs.
pub(crate) const RECORD_QUEUE_BYTES_MAX: usize = 64 << 20;

/// Bytes in one file of a recording, after the state it begins with.
pub(crate) const RECORD_SEGMENT_BYTES: u64 = 16 << 20;

/// Files of a recording that are kept.
pub(crate) const RECORD_SEGMENTS_MAX: usize = 8;

/// Addresses of former acquaintances at which a node whose index was lost looks for its ring.
pub(crate) const SEEDS_MAX: usize = 8;

/// Pause before such a node asks again that its former self be forgotten.
pub(crate) const FORGET_AGAIN: Duration = Duration::from_secs(5);

/// How often it asks: for a day, by when every grace time is over.
pub(crate) const FORGET_TRIES_MAX: u32 = 17_280;

/// How often a node that knows of expelled ones compares with another one.
pub(crate) const EXPULSIONS_EVERY: Duration = Duration::from_secs(3);

/// How long it waits for another node to answer that.
pub(crate) const EXPULSIONS_WAIT: Duration = Duration::from_secs(3);

/// Nodes that are told of an expulsion at a time.
pub(crate) const EXPULSIONS_TOLD_AT_ONCE: usize = 32;

/// Peers just met that wait to be compared with; with others it is done later.
pub(crate) const MET_MAX: usize = 256;

const _: () = assert!(chordal_net::EXPELLED_MAX == chordal_proto::limits::EXPELLED_MAX);
const _: () =
    assert!(chordal_net::EXPELLED_MAX * chordal_net::Expulsion::BYTES <= BULK_BODY_BYTES_MAX);

/// How long the local network is listened to for nodes of the ring.
pub(crate) const NEARBY_WAIT: Duration = Duration::from_secs(3);

/// How often a member that reaches nobody looks there.
pub(crate) const NEARBY_EVERY: Duration = Duration::from_secs(10);

const _: () = assert!(NEARBY_WAIT.as_millis() < NEARBY_EVERY.as_millis());

/// Addresses that are taken from there at most.
pub(crate) const NEARBY_FOUND_MAX: usize = 8;

/// How long a program waits for another one of its home that changes the same file.
pub(crate) const HOME_LOCK_MAX: Duration = Duration::from_secs(3);

/// Invitations that may be open at a time.
pub(crate) const INVITATIONS_MAX: usize = 64;

/// Invitations that are kept, those included that are over.
pub(crate) const INVITATIONS_KEPT_MAX: usize = 256;

/// Bytes of the list of those who were let in; of more, it is not noted that they were.
pub(crate) const ROSTER_BYTES_MAX: usize = 16 << 20;

/// Chunks about which one question to a holder may be: its names are two MiB.
pub(crate) const ATTEST_IDS_MAX: usize = 65_536;

const _: () = assert!(ATTEST_IDS_MAX * 32 <= BULK_BODY_BYTES_MAX);

/// The same where the holder is to read its copies again: so few that a slow disk does it within [`ATTEST_WORK`].
pub(crate) const ATTEST_READ_IDS_MAX: usize = 4;

/// Names that such a question looks up at a time, so that the node's own questions come in between.
pub(crate) const ATTEST_LOOKUPS: usize = 1024;

/// Such questions that a node works on at a time; further ones are to come again.
pub(crate) const ATTEST_AT_ONCE: usize = 2;

/// When somebody may ask again whose question to read came while another one was worked on.
pub(crate) const ATTEST_BUSY: Duration = Duration::from_millis(200);

/// How long a node works on one: less than the network waits for the first byte of an answer.
pub(crate) const ATTEST_WORK: Duration = Duration::from_secs(7);

/// When somebody may ask again whose question took longer.
pub(crate) const ATTEST_SLOW: Duration = Duration::from_secs(2);

/// How long a holder is waited for that reads for others or has read enough for the time being.
pub(crate) const ATTEST_PATIENCE: Duration = Duration::from_mins(2);

/// The same at most, where the pause that it tells is longer than that.
pub(crate) const ATTEST_PATIENCE_MAX: Duration = Duration::from_mins(10);

/// The longest time after which a holder that told of a pause is asked again.
pub(crate) const ATTEST_PAUSE_MAX: Duration = Duration::from_secs(10);

/// How long one exchange is waited for: the question may take a while on a slow line.
pub(crate) const ATTEST_WAIT: Duration = Duration::from_secs(20);

/// Holders that are asked at a time.
pub(crate) const ATTEST_NODES_AT_ONCE: usize = 32;

/// Nodes behind a key's holders that may have copies in place of silent ones.
pub(crate) const ATTEST_BEHIND: u8 = 2;

/// How often holders are asked for a receipt whose last copies may be on their way.
pub(crate) const RECEIPT_TRIES: u32 = 5;

/// Pause between two tries.
pub(crate) const RECEIPT_PAUSE: Duration = Duration::from_millis(300);

/// Chunks of a file that a receipt can be of, those that list others included.
pub const RECEIPT_CHUNKS_MAX: usize = 131_072;
