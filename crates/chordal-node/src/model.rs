//! The words that the edges speak with a node: names, records, the answers of the ring and its
//! settings. The edges depend on this crate alone; here is all that they need of the others.

pub use chordal_object::{
    Arc, Bits, ChunkId, Holding, Key, METADATA_BYTES_MAX, Name, NameError, NodeId, PATH_BYTES_MAX,
    Record, RecordCopy, Subject, Version,
};
pub use chordal_proto::certificate::{Certificate, Flaw};
pub use chordal_proto::effect::{
    Copies, CopyState, Failure, Holder, Hop, NodeReport, NodeState, Notice, Reached, RepairState,
    RingCheck, RingStatus, SilentNode, TokenFingers, Unheard, Verdict, Whereabouts,
};
pub use chordal_proto::forecast::{Change, Deaths, Fate, Flow, Loss, Moves, NodeMoves, Part, Risk};
pub use chordal_proto::member::{Member, Standing, Token};
pub use chordal_proto::message::{Care, JoinRefusal, NodeStatus, Row, TokenPointers, Via};
pub use chordal_proto::{Profile, Settings, Timing, is_minority, quorum};
