//! What must be true of a ring, one promise a file. Each is a pure function of what can be seen
//! from outside: the nodes' pointers, their disks, and what clients were promised. What must be
//! true of the pointers is `chordal_proto::certificate`, the same for everybody who asks.

pub(crate) mod copies;
pub(crate) mod holders;
pub(crate) mod nothing_lost;
pub(crate) mod space;
pub(crate) mod whole;
