//! Real nodes in one process, over real sockets on the loopback and real disks in a temporary
//! home. Few, since each waits for real time; what can be decided without sockets is tested below.

#![expect(
    clippy::unwrap_used,
    reason = "a test may fail anywhere, its helpers included"
)]

mod bad_start;
mod cluster;
mod files;
mod garbage;
mod invitations;
mod membership;
mod pause;
mod rebuilt;
mod receipts;
mod space;
mod traffic;
