//! Frames: how messages, requests and answers lie in the byte stream.
//!
//! A message is a 32-bit big-endian length and that many bytes. A request or answer is a 9-byte
//! lead (kind, header length, body length), the header, and the raw body. Every length is checked
//! against the limits before anything is allocated for it.

use std::io::{self, IoSlice};
use std::time::Duration;

use bytes::{Buf as _, BufMut as _, Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::time::timeout;

use crate::limits::READ_BUFFER;

/// A transfer failed.
#[derive(Debug)]
pub(crate) enum FrameError {
    /// The connection ended or broke.
    Io(io::Error),
    /// No byte moved for too long.
    Stalled,
    /// The bytes break the protocol or a limit.
    Malformed(&'static str),
}

impl From<io::Error> for FrameError {
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::InvalidData {
            Self::Malformed("broken TLS record")
        } else {
            Self::Io(error)
        }
    }
}

/// Reads messages. Keeps a small buffer, a larger one while the connection is busy.
#[derive(Debug)]
pub(crate) struct MessageReader {
    buffer: BytesMut,
    grown: bool,
    last_read: usize,
    message_bytes_max: usize,
    stall: Duration,
}

impl MessageReader {
    pub(crate) fn new(message_bytes_max: usize, stall: Duration) -> Self {
        Self {
            buffer: BytesMut::new(),
            grown: false,
            last_read: 0,
            message_bytes_max,
            stall,
        }
    }

    /// The next message; `None` when the connection ended between two messages.
    ///
    /// Small messages are copied out of the buffer, so that one kept for long never keeps its
    /// neighbours in memory; large ones are read into a buffer of exactly their size.
    pub(crate) async fn next(
        &mut self,
        stream: &mut (impl AsyncRead + Unpin),
    ) -> Result<Option<Bytes>, FrameError> {
        loop {
            let announced = self.buffer.first_chunk::<4>().copied();
            if let Some(length) = announced.map(length) {
                if length > self.message_bytes_max {
                    return Err(FrameError::Malformed("message too long"));
                }
                if let Some(message) = self.buffer.get(4..4 + length) {
                    let message = Bytes::copy_from_slice(message);
                    self.buffer.advance(4 + length);
                    return Ok(Some(message));
                }
                if 4 + length > READ_BUFFER.1 {
                    return self.read_large(stream, length).await.map(Some);
                }
            }
            if !self.fill(stream).await? {
                return Ok(None);
            }
        }
    }

    async fn read_large(
        &mut self,
        stream: &mut (impl AsyncRead + Unpin),
        length: usize,
    ) -> Result<Bytes, FrameError> {
        let mut message = BytesMut::with_capacity(length);
        message.put_slice(&self.buffer[4..]);
        self.buffer = BytesMut::new();
        read_up_to(stream, &mut message, length, self.stall).await?;
        Ok(message.freeze())
    }

    /// Reads what there is. False at the end of the stream.
    async fn fill(&mut self, stream: &mut (impl AsyncRead + Unpin)) -> Result<bool, FrameError> {
        let (quiet, busy) = READ_BUFFER;
        let between = self.buffer.is_empty();
        if between && self.grown && self.last_read < quiet {
            self.grown = false;
            self.buffer = BytesMut::new();
        }
        let size = if self.grown { busy } else { quiet };
        if self.buffer.capacity() - self.buffer.len() < quiet / 2 {
            let room = size.saturating_sub(self.buffer.len());
            self.buffer.reserve(room.max(quiet));
        }
        // Between messages there may be silence for as long as it likes; within one, not.
        let read = if between {
            stream.read_buf(&mut self.buffer).await?
        } else {
            paced(self.stall, stream.read_buf(&mut self.buffer)).await?
        };
        if read == 0 && !between {
            return Err(FrameError::Malformed("message cut short"));
        }
        self.last_read = read;
        self.grown |= self.buffer.len() == self.buffer.capacity();
        Ok(read > 0)
    }
}

/// Puts a message's length before it.
pub(crate) fn message_lead(length: usize) -> [u8; 4] {
    let length = u32::try_from(length).expect("messages are bounded far below 4 GiB");
    length.to_be_bytes()
}

/// What a bulk frame is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BulkKind {
    Request,
    Answer,
    /// The request was dropped without an answer; no header, no body.
    Dropped,
}

/// The first 9 bytes of a bulk frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Lead {
    pub(crate) kind: BulkKind,
    pub(crate) header: usize,
    pub(crate) body: usize,
}

/// Length of a [`Lead`] in bytes.
pub(crate) const LEAD_BYTES: usize = 9;

impl Lead {
    pub(crate) fn encode(self) -> [u8; LEAD_BYTES] {
        let kind = match self.kind {
            BulkKind::Request => 1,
            BulkKind::Answer => 2,
            BulkKind::Dropped => 3,
        };
        let mut bytes = [kind; LEAD_BYTES];
        bytes[1..5].copy_from_slice(&message_lead(self.header));
        bytes[5..].copy_from_slice(&message_lead(self.body));
        bytes
    }

    /// Reads a lead and holds it against the limits.
    pub(crate) fn decode(
        bytes: [u8; LEAD_BYTES],
        header_bytes_max: usize,
        body_bytes_max: usize,
    ) -> Result<Self, FrameError> {
        let [kind, h0, h1, h2, h3, b0, b1, b2, b3] = bytes;
        let kind = match kind {
            1 => BulkKind::Request,
            2 => BulkKind::Answer,
            3 => BulkKind::Dropped,
            _ => return Err(FrameError::Malformed("unknown kind of frame")),
        };
        let header = length([h0, h1, h2, h3]);
        let body = length([b0, b1, b2, b3]);
        if header > header_bytes_max {
            return Err(FrameError::Malformed("header too long"));
        }
        if body > body_bytes_max {
            return Err(FrameError::Malformed("body too long"));
        }
        Ok(Self { kind, header, body })
    }
}

fn length(bytes: [u8; 4]) -> usize {
    usize::try_from(u32::from_be_bytes(bytes)).unwrap_or(usize::MAX)
}

/// Reads exactly `length` bytes into a buffer of exactly that size.
pub(crate) async fn read_exactly(
    stream: &mut (impl AsyncRead + Unpin),
    length: usize,
    stall: Duration,
) -> Result<Bytes, FrameError> {
    if length == 0 {
        return Ok(Bytes::new());
    }
    let mut buffer = BytesMut::with_capacity(length);
    read_up_to(stream, &mut buffer, length, stall).await?;
    Ok(buffer.freeze())
}

async fn read_up_to(
    stream: &mut (impl AsyncRead + Unpin),
    buffer: &mut BytesMut,
    length: usize,
    stall: Duration,
) -> Result<(), FrameError> {
    while buffer.len() < length {
        let room = length - buffer.len();
        let mut rest = (&mut *buffer).limit(room);
        match timeout(stall, stream.read_buf(&mut rest)).await {
            Err(_) => return Err(FrameError::Stalled),
            Ok(Ok(0)) => return Err(FrameError::Malformed("frame cut short")),
            Ok(read) => read?,
        };
    }
    Ok(())
}

/// Writes the parts one after the other, from where they lie, and flushes them.
pub(crate) async fn write_parts(
    stream: &mut (impl AsyncWrite + Unpin),
    parts: [&[u8]; 3],
    stall: Duration,
) -> Result<(), FrameError> {
    let mut slices = parts.map(IoSlice::new);
    let mut rest = &mut slices[..];
    IoSlice::advance_slices(&mut rest, 0);
    while !rest.is_empty() {
        let written = paced(stall, stream.write_vectored(rest)).await?;
        if written == 0 {
            return Err(FrameError::Io(io::ErrorKind::WriteZero.into()));
        }
        IoSlice::advance_slices(&mut rest, written);
    }
    paced(stall, stream.flush()).await
}

/// Writes all bytes; does not flush.
pub(crate) async fn write_all(
    stream: &mut (impl AsyncWrite + Unpin),
    mut bytes: &[u8],
    stall: Duration,
) -> Result<(), FrameError> {
    while !bytes.is_empty() {
        let written = paced(stall, stream.write(bytes)).await?;
        if written == 0 {
            return Err(FrameError::Io(io::ErrorKind::WriteZero.into()));
        }
        bytes = &bytes[written..];
    }
    Ok(())
}

/// One step of a transfer, which must end within `stall`.
pub(crate) async fn paced<T>(
    stall: Duration,
    step: impl Future<Output = io::Result<T>>,
) -> Result<T, FrameError> {
    match timeout(stall, step).await {
        Ok(result) => Ok(result?),
        Err(_) => Err(FrameError::Stalled),
    }
}

#[cfg(test)]
mod tests;
