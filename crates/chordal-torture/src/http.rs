//! A client of the control API that waits: one request at a time on a kept connection.
//!
//! A request that breaks is not tried again here: whoever asked must know that it may have been
//! done. Only what our nodes send is understood: lengths, no chunked bodies.

use std::io::{self, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use crate::limits::{BODY_BYTES_MAX, HEAD_BYTES_MAX, KEPT_MAX};

#[cfg(test)]
mod tests;

/// A node's control API, as one client uses it.
#[derive(Debug)]
pub(crate) struct Api {
    addr: SocketAddr,
    token: String,
    kept: Option<(TcpStream, Instant)>,
}

/// What a node answered.
#[derive(Debug, Default)]
pub(crate) struct Answer {
    /// The status code.
    pub(crate) status: u16,
    headers: Vec<(String, String)>,
    /// The whole body.
    pub(crate) body: Vec<u8>,
}

impl Answer {
    /// A header's value; its name in small letters.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.iter();
        headers.find_map(|(other, value)| (other == name).then_some(value.as_str()))
    }

    /// The body as JSON; null where it is none.
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// What an answer that is no success complains of.
    pub(crate) fn complaint(&self) -> String {
        let json = self.json();
        let text = |field: &str| json[field].as_str().unwrap_or("?").to_owned();
        format!("{} {}: {}", self.status, text("code"), text("message"))
    }
}

impl Api {
    /// Connects at the first question.
    pub(crate) fn new(addr: SocketAddr, token: String) -> Self {
        Self {
            addr,
            token,
            kept: None,
        }
    }

    /// Asks, and waits for the whole answer, no longer than `patience` in all.
    pub(crate) fn ask(
        &mut self,
        method: &str,
        target: &str,
        body: &[u8],
        patience: Duration,
    ) -> io::Result<Answer> {
        let until = Instant::now() + patience;
        let kept = self.kept.take();
        let mut stream = match kept {
            Some((stream, used)) if used.elapsed() < KEPT_MAX => stream,
            _ => {
                let stream = TcpStream::connect_timeout(&self.addr, patience)?;
                stream.set_nodelay(true)?;
                stream
            }
        };
        let head = format!(
            "{method} {target} HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {}\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n",
            self.addr,
            self.token,
            body.len()
        );
        stream.set_write_timeout(Some(left(until)?))?;
        stream.write_all(&[head.as_bytes(), body].concat())?;
        let answer = read_answer(&mut stream, method, until)?;
        if answer.header("connection") != Some("close") {
            self.kept = Some((stream, Instant::now()));
        }
        Ok(answer)
    }
}

/// The time left, which is not zero.
fn left(until: Instant) -> io::Result<Duration> {
    let left = until.saturating_duration_since(Instant::now());
    if left.is_zero() {
        return Err(io::Error::from(io::ErrorKind::TimedOut));
    }
    Ok(left)
}

fn read_answer(stream: &mut TcpStream, method: &str, until: Instant) -> io::Result<Answer> {
    let mut bytes = Vec::new();
    let end = loop {
        if let Some(end) = find(&bytes, b"\r\n\r\n") {
            break end;
        }
        if bytes.len() > HEAD_BYTES_MAX {
            return Err(strange("a head without an end"));
        }
        read_some(stream, &mut bytes, until)?;
    };
    let body = bytes.split_off(end + 4);
    let mut answer = parse_head(&bytes)?;
    let length = answer.header("content-length");
    let length: usize = match length {
        Some(_) if method == "HEAD" => 0,
        Some(text) => text
            .parse()
            .map_err(|_| strange("a length without sense"))?,
        None => 0,
    };
    if length > BODY_BYTES_MAX || answer.header("transfer-encoding").is_some() {
        return Err(strange("a body that is not read here"));
    }
    answer.body = body;
    while answer.body.len() < length {
        read_some(stream, &mut answer.body, until)?;
    }
    Ok(answer)
}

fn parse_head(bytes: &[u8]) -> io::Result<Answer> {
    let head = std::str::from_utf8(bytes).map_err(|_| strange("a head that is no text"))?;
    let mut lines = head.split("\r\n");
    let status = lines
        .next()
        .and_then(|line| line.strip_prefix("HTTP/1.1 ")?.get(..3)?.parse().ok())
        .ok_or_else(|| strange("no status"))?;
    let headers = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
        .collect();
    Ok(Answer {
        status,
        headers,
        body: Vec::new(),
    })
}

fn read_some(stream: &mut TcpStream, into: &mut Vec<u8>, until: Instant) -> io::Result<()> {
    stream.set_read_timeout(Some(left(until)?))?;
    let mut piece = [0; 16 << 10];
    let read = match stream.read(&mut piece) {
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
            return Err(io::Error::from(io::ErrorKind::TimedOut));
        }
        other => other?,
    };
    if read == 0 {
        return Err(io::Error::from(io::ErrorKind::UnexpectedEof));
    }
    into.extend_from_slice(&piece[..read]);
    Ok(())
}

fn find(bytes: &[u8], what: &[u8]) -> Option<usize> {
    bytes.windows(what.len()).position(|window| window == what)
}

fn strange(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}
