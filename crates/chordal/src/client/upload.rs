//! Bytes on their way to a node, hashed as they go.
//!
//! Files are read by a thread of their own, a few pieces ahead of the network, so that disk and
//! network work at the same time and memory stays constant.

use std::io::{self, Read};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Bytes, BytesMut};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full};
use hyper::body::{Body, Frame, SizeHint};
use tokio::sync::{mpsc, oneshot};

use crate::cli::OnlyArgs;

/// Bytes in one piece.
const PIECE_BYTES: usize = 1 << 20;

/// Pieces read ahead.
const PIECES_AHEAD: usize = 4;

/// The body of a request.
pub(crate) type UploadBody = UnsyncBoxBody<Bytes, io::Error>;

/// What to store.
#[derive(Debug)]
pub(crate) struct Upload {
    pub(super) body: UploadBody,
    pub(super) media_type: Option<&'static str>,
    pub(super) only: OnlyArgs,
}

/// The BLAKE3 hash of what was sent, known when all of it was; or why it could not be read.
pub(crate) type HashLater = oneshot::Receiver<io::Result<blake3::Hash>>;

/// What is said of a file that had fewer bytes than when it was opened.
pub(crate) const BECAME_SHORTER: &str = "the file became shorter meanwhile";

impl Upload {
    /// Bytes in memory.
    pub(crate) fn bytes(bytes: Bytes) -> Self {
        Self {
            body: Full::new(bytes)
                .map_err(|never| match never {})
                .boxed_unsync(),
            media_type: None,
            only: OnlyArgs::default(),
        }
    }

    /// Everything a reader gives, or with `size` exactly so many bytes: a file that turns out
    /// shorter ends the upload with an error. `seen` is told how many bytes were taken.
    pub(crate) fn reader(
        source: impl Read + Send + 'static,
        size: Option<u64>,
        seen: impl Fn(u64) + Send + 'static,
    ) -> (Self, HashLater) {
        let (pieces_in, pieces) = mpsc::channel(PIECES_AHEAD);
        let (hash_in, hash) = oneshot::channel();
        // Not a task of the runtime: a pipe that never ends must not keep the program alive.
        std::thread::spawn(move || {
            let (whole, error) = match read_all(source, size, &pieces_in) {
                Ok(None) => return,
                Ok(Some(whole)) => (Ok(whole), None),
                Err(error) => {
                    let same = io::Error::new(error.kind(), error.to_string());
                    (Err(error), Some(same))
                }
            };
            // A failed upload has nobody who wants to know. It is known before the upload breaks off.
            hash_in.send(whole).ok();
            if let Some(error) = error {
                pieces_in.blocking_send(Err(error)).ok();
            }
        });
        let body = Pieces {
            pieces,
            left: size,
            seen: Box::new(seen),
        };
        let upload = Self {
            body: body.boxed_unsync(),
            media_type: None,
            only: OnlyArgs::default(),
        };
        (upload, hash)
    }

    /// The same, to be stored only where this is true.
    pub(crate) fn only(mut self, only: &OnlyArgs) -> Self {
        self.only.clone_from(only);
        self
    }

    /// The same with a media type.
    pub(crate) fn of_type(mut self, media_type: Option<&'static str>) -> Self {
        self.media_type = media_type;
        self
    }
}

/// Reads to the end and returns the hash; nothing when nobody listens.
fn read_all(
    mut source: impl Read,
    size: Option<u64>,
    pieces: &mpsc::Sender<io::Result<Bytes>>,
) -> io::Result<Option<blake3::Hash>> {
    let mut hasher = blake3::Hasher::new();
    let mut left = size;
    loop {
        let wanted = left.map_or(PIECE_BYTES, |left| {
            usize::try_from(left).map_or(PIECE_BYTES, |left| left.min(PIECE_BYTES))
        });
        if wanted == 0 {
            return Ok(Some(hasher.finalize()));
        }
        let piece = read_piece(&mut source, wanted)?;
        if piece.is_empty() && size.is_some() {
            return Err(io::Error::other(BECAME_SHORTER));
        }
        if piece.is_empty() {
            return Ok(Some(hasher.finalize()));
        }
        hasher.update(&piece);
        left = left.map(|left| left - piece.len() as u64);
        if pieces.blocking_send(Ok(piece)).is_err() {
            return Ok(None);
        }
    }
}

/// Reads until there are so many bytes, or the end. A pipe's bytes are not held back: what one
/// read gives is a piece.
fn read_piece(source: &mut impl Read, wanted: usize) -> io::Result<Bytes> {
    let mut buffer = BytesMut::zeroed(wanted);
    loop {
        match source.read(&mut buffer) {
            Ok(count) => {
                buffer.truncate(count);
                return Ok(buffer.freeze());
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

struct Pieces {
    pieces: mpsc::Receiver<io::Result<Bytes>>,
    left: Option<u64>,
    seen: Box<dyn Fn(u64) + Send>,
}

impl Body for Pieces {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        if self.left == Some(0) {
            return Poll::Ready(None);
        }
        let piece = ready!(self.pieces.poll_recv(context));
        if let Some(Ok(piece)) = &piece {
            let length = piece.len() as u64;
            self.left = self.left.map(|left| left.saturating_sub(length));
            (self.seen)(length);
        }
        Poll::Ready(piece.map(|piece| piece.map(Frame::data)))
    }

    fn size_hint(&self) -> SizeHint {
        self.left
            .map_or_else(SizeHint::default, SizeHint::with_exact)
    }
}

#[cfg(test)]
mod tests;
