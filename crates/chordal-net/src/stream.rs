//! The byte stream under TLS: a TCP socket, or a pipe in memory.
//!
//! This is the seam between the protocol and what carries it. Everything above (TLS, admission,
//! framing, pools) is the same for both.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, DuplexStream, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

use crate::counters::{Meters, add, count};
use crate::limits::SOCKET_PROBE;
use crate::memory::Wire;

/// Where connections come from.
#[derive(Debug)]
pub(crate) enum Listener {
    Tcp(TcpListener),
    Memory(mpsc::Receiver<(DuplexStream, SocketAddr)>),
}

impl Listener {
    pub(crate) async fn accept(&mut self) -> io::Result<(Raw, SocketAddr)> {
        match self {
            Self::Tcp(listener) => {
                let (socket, from) = listener.accept().await?;
                Ok((Raw::Tcp(socket), from))
            }
            Self::Memory(arrivals) => match arrivals.recv().await {
                Some((pipe, from)) => Ok((Raw::Memory(pipe), from)),
                None => Err(io::ErrorKind::NotConnected.into()),
            },
        }
    }
}

/// How connections are made.
#[derive(Debug)]
pub(crate) enum Dialler {
    Tcp,
    Memory(Wire),
}

impl Dialler {
    pub(crate) async fn connect(&self, addr: SocketAddr) -> io::Result<Raw> {
        match self {
            Self::Tcp => TcpStream::connect(addr).await.map(Raw::Tcp),
            Self::Memory(wire) => wire.connect(addr).await.map(Raw::Memory),
        }
    }
}

/// A fresh connection, before it is counted.
#[derive(Debug)]
pub(crate) enum Raw {
    Tcp(TcpStream),
    Memory(DuplexStream),
}

/// A connection that counts its bytes, and itself as long as it is open.
#[derive(Debug)]
pub(crate) struct Stream {
    raw: Raw,
    meters: Arc<Meters>,
}

impl Stream {
    /// Sets the socket's options (see [`set_options`]) and starts counting.
    pub(crate) fn new(raw: Raw, meters: &Arc<Meters>) -> io::Result<Self> {
        if let Raw::Tcp(socket) = &raw {
            set_options(socket)?;
        }
        count(&meters.open_connections);
        Ok(Self {
            raw,
            meters: Arc::clone(meters),
        })
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        self.meters.open_connections.fetch_sub(1, Relaxed);
    }
}

/// No waiting to fill packets, and a machine that vanished without a word is noticed within
/// seconds instead of the quarter of an hour that TCP would try.
fn set_options(socket: &TcpStream) -> io::Result<()> {
    socket.set_nodelay(true)?;
    let socket = socket2::SockRef::from(socket);
    let (after, between) = SOCKET_PROBE;
    let keep_alive = socket2::TcpKeepalive::new()
        .with_time(after)
        .with_interval(between);
    socket.set_tcp_keepalive(&keep_alive)?;
    #[cfg(any(target_os = "linux", target_os = "android"))]
    socket.set_tcp_user_timeout(Some(crate::limits::SOCKET_DEAD_AFTER))?;
    Ok(())
}

impl AsyncRead for Stream {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buffer.filled().len();
        ready!(match &mut this.raw {
            Raw::Tcp(socket) => Pin::new(socket).poll_read(cx, buffer),
            Raw::Memory(pipe) => Pin::new(pipe).poll_read(cx, buffer),
        })?;
        add(&this.meters.bytes_in, buffer.filled().len() - before);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written = ready!(match &mut this.raw {
            Raw::Tcp(socket) => Pin::new(socket).poll_write(cx, bytes),
            Raw::Memory(pipe) => Pin::new(pipe).poll_write(cx, bytes),
        })?;
        add(&this.meters.bytes_out, written);
        Poll::Ready(Ok(written))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written = ready!(match &mut this.raw {
            Raw::Tcp(socket) => Pin::new(socket).poll_write_vectored(cx, slices),
            Raw::Memory(pipe) => Pin::new(pipe).poll_write_vectored(cx, slices),
        })?;
        add(&this.meters.bytes_out, written);
        Poll::Ready(Ok(written))
    }

    fn is_write_vectored(&self) -> bool {
        match &self.raw {
            Raw::Tcp(socket) => socket.is_write_vectored(),
            Raw::Memory(pipe) => pipe.is_write_vectored(),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.get_mut().raw {
            Raw::Tcp(socket) => Pin::new(socket).poll_flush(cx),
            Raw::Memory(pipe) => Pin::new(pipe).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.get_mut().raw {
            Raw::Tcp(socket) => Pin::new(socket).poll_shutdown(cx),
            Raw::Memory(pipe) => Pin::new(pipe).poll_shutdown(cx),
        }
    }
}
