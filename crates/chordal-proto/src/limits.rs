//! Every limit of the core, in one place.

use std::time::Duration;

/// The longest wait for an answer that needs no disk, such as a token's pointers.
pub const ANSWER_WAIT_MAX: Duration = Duration::from_secs(3);

/// The most tokens a node may have.
pub const TOKENS_MAX: usize = 64;

/// The most nodes the table holds beyond those that this node's own pointers name.
pub const TABLE_MAX: usize = 4096;

/// The most nodes the table holds for a moment, while a join or one message brings more.
pub const TABLE_MOMENT_MAX: usize = 3 * TABLE_MAX;

/// The most vanished nodes remembered over the table's bound, for the merge step to ask.
pub const VANISHED_MAX: usize = 8;

/// The most nodes remembered that must introduce themselves before what they said is taken up.
pub const INTRODUCTIONS_MAX: usize = 64;

/// The most nodes of which it is remembered that they are said to be silent.
pub const RUMOURS_MAX: usize = 1024;

/// The most joining nodes whose places are kept for them.
pub const PROMISES_MAX: usize = 1024;

/// The greatest incarnation believed: no node starts that often.
pub const INCARNATION_MAX: u64 = 1 << 48;

/// The greatest counter of a version taken from others: no name is written that often.
pub const COUNTER_MAX: u64 = 1 << 60;

/// The longest control message, in bytes. The network refuses longer frames before allocating.
pub const MESSAGE_BYTES_MAX: usize = 1 << 20;

/// The most bytes of records put into one message.
pub const RECORD_BATCH_BYTES: usize = 512 << 10;

/// The most candidates in one answer of a lookup.
pub const CANDIDATES_MAX: usize = 8;

/// The most tokens at or after a key in one answer of a lookup, the owner included: with half of
/// all nodes silent, one in 256 such answers names none that speaks.
pub const OWNERS_MAX: usize = 8;

/// The most hops of a lookup before it gives up.
pub const HOPS_MAX: usize = 256;

/// The most entries in a successor list, whatever the ring's setting.
pub const SUCCESSORS_MAX: usize = 64;

/// The most members in one message.
pub const MEMBERS_MAX: usize = TABLE_MAX;

/// The most sets of pointers that a question for pointers names as known.
pub const KNOWN_POINTERS_MAX: usize = 2;

/// Into how many parts a node table is cut at most, to be compared.
pub const TABLE_PARTS_MAX: usize = 512;

/// The most tags of table entries in one message.
pub const TABLE_TAGS_MAX: usize = 16_384;

/// The most rows in one page of a listing.
pub const LIST_ROWS_MAX: usize = 1000;

/// The most chunk ids asked about at once.
pub const CHUNK_QUESTION_MAX: usize = 4096;

/// The most chunks noted at once as perhaps not needed any more; further ones are found later.
pub const RELEASED_MAX: usize = 1 << 18;

/// The most chunks of which it is noted when they were touched last; of more, all count as just
/// touched.
pub const TOUCHED_MAX: usize = 1 << 20;

/// The most digests of records asked for at once.
pub const DIGESTS_MAX: usize = 1024;

/// The most bytes one step of a reconciliation may take.
pub const RECONCILE_BYTES_MAX: usize = 256 << 10;

/// The most client operations at work at once; further ones are refused as busy.
pub const OPERATIONS_MAX: usize = 4096;

/// The most nodes asked in one walk over the ring.
pub const WALK_NODES_MAX: usize = TABLE_MAX;

/// The most nodes that a walk over the ring asks at once.
pub const WALK_AT_ONCE_MAX: usize = 64;

/// The most unanswered requests.
pub const REQUESTS_MAX: usize = 65_536;

/// The most reconciliations that a node has begun and not ended, without those that copy chunks.
pub const SESSIONS_MAX: usize = 8;

/// The most of these with one other node: two that have just died leave some to the others.
pub const SESSIONS_PER_NODE_MAX: usize = 3;

/// The most reconciliations that copy chunks at once.
pub const CHUNK_SESSIONS_MAX: usize = 4;

/// The most earlier views of an arc that a node tells of.
pub const VIEWS_MAX: usize = 32;

/// The most holders of an arc.
pub const VIEW_NODES_MAX: usize = 255;

/// The most arcs of whose past a node tells although others hold them by now.
pub const FORMER_ARCS_MAX: usize = 512;

/// The most arcs in one question who counts on them.
pub const COUNTS_QUESTION_MAX: usize = 256;

/// The most bytes that the views of a node's arcs take among what it keeps for its next life.
pub const SAVED_VIEWS_BYTES: usize = 384 << 10;

/// The most chunks a node copies to itself at once while repairing.
pub const REPAIR_TRANSFERS_MAX: usize = 8;

const _: () = assert!(RECORD_BATCH_BYTES < MESSAGE_BYTES_MAX / 2 + 1);
const _: () = assert!(RECONCILE_BYTES_MAX < MESSAGE_BYTES_MAX);
const _: () = assert!(DIGESTS_MAX * 40 < MESSAGE_BYTES_MAX);
const _: () = assert!(CHUNK_QUESTION_MAX * 40 < MESSAGE_BYTES_MAX);

/// Nodes that were expelled, at most; so many statements of 137 bytes fit in one bulk body.
pub const EXPELLED_MAX: usize = 4096;
