//! Every limit of the control API, in one place.

use std::time::Duration;

/// The most connections served at once; further ones wait in the system's queue.
pub(crate) const CONNECTIONS_MAX: usize = 512;

/// How long a client may take to send a request's head, or keep a connection idle.
pub(crate) const HEAD_PATIENCE: Duration = Duration::from_secs(10);

/// How long an upload may be silent. Long, because the bytes may come from a pipe that a person or
/// a slow program fills; short enough that a forgotten one does not stay for ever.
pub(crate) const UPLOAD_PATIENCE: Duration = Duration::from_hours(1);

/// How long, and how many bytes, are taken from a client whose upload was refused midway, so that
/// it gets to read the reason.
pub(crate) const DRAIN_PATIENCE: Duration = Duration::from_secs(3);

/// See [`DRAIN_PATIENCE`].
pub(crate) const DRAIN_BYTES_MAX: usize = 256 << 20;

/// How long requests under way are waited for when the server stops.
pub(crate) const STOP_PATIENCE: Duration = Duration::from_secs(5);

/// Pause after a failed accept, so that a lack of file descriptors does not become a busy loop.
pub(crate) const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// The read buffer of a connection, and so the longest head of a request, in bytes. Uploads are
/// read in pieces of up to this size.
pub(crate) const BUFFER_BYTES_MAX: usize = 256 << 10;

/// The most header fields of a request.
pub(crate) const HEADERS_MAX: usize = 64;

/// The longest JSON body of a request, in bytes.
pub(crate) const JSON_BYTES_MAX: usize = 64 << 10;

/// The most addresses in one wish to join.
pub(crate) const JOIN_ADDRS_MAX: usize = 64;

/// The most machines that one invitation lets in.
pub(crate) const INVITE_USES_MAX: u32 = 1000;

/// The longest time that an invitation is good for, in seconds: a year.
pub(crate) const INVITE_SECONDS_MAX: u64 = 366 * 86_400;

/// Rows in a page of a listing when nobody says how many.
pub(crate) const LIST_ROWS_DEFAULT: u32 = 1000;

/// The most nodes in one question what their deaths or leaves would do.
pub(crate) const FORECAST_NODES_MAX: usize = 64;

/// The most flows told of a plan, the largest ones.
pub(crate) const PLAN_FLOWS_MAX: usize = 1000;

/// Links to the dashboard that are good at a time; of more the oldest is void.
pub(crate) const LINKS_MAX: usize = 16;

/// How long such a link is good for.
pub(crate) const LINK_LASTS: Duration = Duration::from_mins(5);

/// Sessions of the dashboard at a time; of more the one unused for longest ends.
pub(crate) const SESSIONS_MAX: usize = 32;

/// How long a session lasts.
pub(crate) const SESSION_LASTS: Duration = Duration::from_hours(24);

/// Downloads that were asked for and have not begun; of more the oldest is void.
pub(crate) const TICKETS_MAX: usize = 256;

/// How soon such a download must begin.
pub(crate) const TICKET_LASTS: Duration = Duration::from_mins(1);

/// How many may watch the ring at a time.
pub(crate) const WATCHERS_MAX: usize = 16;

/// The shortest time between two changes that a watcher is told.
pub(crate) const LOOK_PAUSE: Duration = Duration::from_millis(250);

/// How many times as long as a look at the whole ring took nobody looks again: a large ring is not
/// to be kept busy by being watched.
pub(crate) const LOOK_REST_PER_WORK: u32 = 4;

/// How long a ring in which nothing happens is not looked at.
pub(crate) const LOOK_IDLE: Duration = Duration::from_secs(5);

/// The same while copies are missing or nodes are silent.
pub(crate) const LOOK_BUSY: Duration = Duration::from_secs(1);

/// How often a watcher of a ring in which nothing happens is told that the connection lives.
pub(crate) const WATCH_ALIVE: Duration = Duration::from_secs(15);

/// A watched node that says nothing for so long, not even that it is there, stands still or cannot be
/// reached.
pub const WATCH_SILENCE_MAX: Duration = WATCH_ALIVE.saturating_mul(3);

/// How far back the pace of repair is looked for.
pub(crate) const PACE_WINDOW: Duration = Duration::from_secs(30);

/// Looks that it is taken from.
pub(crate) const PACE_LOOKS_MAX: usize = 128;

const _: () = assert!(JSON_BYTES_MAX < BUFFER_BYTES_MAX);
