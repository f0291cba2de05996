//! What must be true of a ring, one promise a file. Each is a pure function of what can be seen
//! from outside: the nodes' pointers, their disks, and what clients were promised.

pub(crate) mod copies;
pub(crate) mod nothing_lost;
pub(crate) mod ring;
