//! Every limit of the torture, in one place.

use std::time::Duration;

/// How long a node may take to say that it is ready.
pub(crate) const READY_PATIENCE: Duration = Duration::from_mins(1);

/// How long one request may take. What takes longer was refused for as long.
pub(crate) const REQUEST_PATIENCE: Duration = Duration::from_secs(12);

/// How long a client goes on asking for one thing before it gives up.
pub(crate) const CLIENT_PATIENCE: Duration = Duration::from_secs(40);

/// How long a kept connection is used again after it was used last: a node closes it after ten.
pub(crate) const KEPT_MAX: Duration = Duration::from_secs(5);

/// How long a client that was refused waits before it asks again.
pub(crate) const REFUSED_PAUSE: Duration = Duration::from_millis(50);

/// How long a ring may take to be right again after an event, beyond the grace time.
pub(crate) const HEAL_PATIENCE: Duration = Duration::from_mins(2);

/// How long one thing may take of which it is measured how long it takes.
pub(crate) const BAR_PATIENCE: Duration = Duration::from_mins(20);

/// How often it is looked whether it is.
pub(crate) const LOOK_EVERY: Duration = Duration::from_millis(250);

/// How long a node may take to end after it was asked to.
pub(crate) const END_PATIENCE: Duration = Duration::from_secs(20);

/// How long a node may take to leave: it hands everything over first.
pub(crate) const LEAVE_PATIENCE: Duration = Duration::from_mins(2);

/// How often a node is started again when another program has taken its port meanwhile.
pub(crate) const START_TRIES: u32 = 5;

/// The longest head of an answer, in bytes.
pub(crate) const HEAD_BYTES_MAX: usize = 64 << 10;

/// The longest body of an answer, in bytes.
pub(crate) const BODY_BYTES_MAX: usize = 64 << 20;

/// Failures that are told in full; further ones are only counted.
pub(crate) const FAILURES_TOLD_MAX: usize = 10;

/// Lines of a file's history, and events before it, that a failure tells.
pub(crate) const LINES_TOLD_MAX: usize = 40;

/// Reads of the last look: beyond, each file is read through as many nodes as fit, at least two.
pub(crate) const LAST_READS_MAX: usize = 60_000;

/// Names that all clients write, and how long before they take others.
pub(crate) const SHARED_NAMES: usize = 32;

/// See [`SHARED_NAMES`].
pub(crate) const SHARED_FOR: Duration = Duration::from_secs(20);
