//! The socket of a service manager: a path, or on Linux a name behind an `@`.

use std::ffi::OsStr;
use std::io;

/// A socket that takes words and answers nothing.
#[derive(Debug)]
pub(super) struct Socket {
    #[cfg(unix)]
    to: std::os::unix::net::UnixDatagram,
}

#[cfg(unix)]
impl Socket {
    /// The socket of this name.
    pub(super) fn to(name: &OsStr) -> io::Result<Self> {
        let to = std::os::unix::net::UnixDatagram::unbound()?;
        // A manager that reads nothing must not hold the node up.
        to.set_nonblocking(true)?;
        to.connect_addr(&addr(name)?)?;
        Ok(Self { to })
    }

    /// Sends it all, or nothing.
    pub(super) fn send(&self, words: &str) -> io::Result<()> {
        self.to.send(words.as_bytes()).map(drop)
    }
}

#[cfg(unix)]
fn addr(name: &OsStr) -> io::Result<std::os::unix::net::SocketAddr> {
    use std::os::unix::ffi::OsStrExt as _;
    use std::os::unix::net::SocketAddr;

    match name.as_bytes() {
        [b'/', ..] => SocketAddr::from_pathname(name),
        #[cfg(any(target_os = "linux", target_os = "android"))]
        [b'@', name @ ..] => {
            use std::os::linux::net::SocketAddrExt as _;
            SocketAddr::from_abstract_name(name)
        }
        _ => Err(io::Error::new(
            io::ErrorKind::Unsupported,
            "it is neither a path nor a name behind an @",
        )),
    }
}

#[cfg(not(unix))]
impl Socket {
    pub(super) fn to(_: &OsStr) -> io::Result<Self> {
        Err(io::ErrorKind::Unsupported.into())
    }

    pub(super) fn send(&self, _: &str) -> io::Result<()> {
        Ok(())
    }
}
