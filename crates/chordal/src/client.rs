//! Talks to a node over its control API: one method a question, bodies streamed both ways.
//!
//! Connections are kept and used again; a client may be shared by many tasks. A kept connection
//! that the node closed meanwhile is replaced once, and only while nothing was sent on it.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use chordal_web::api;
use chordal_web::problem::Problem;
use chordal_web::receipts::{Answers, Question, ReceiptFile, ReceiptWanted};
use http_body_util::{BodyExt, Empty, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1::{self, SendRequest};
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HOST, HeaderValue, IF_RANGE, RANGE};
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::trouble::Trouble;

mod download;
mod events;
mod upload;

pub(crate) use download::Download;
pub(crate) use events::Events;
pub(crate) use upload::{BECAME_SHORTER, HashLater, Upload, UploadBody};

/// The longest JSON answer that is read, in bytes: a thousand rows of the longest names fit.
const ANSWER_BYTES_MAX: usize = 16 << 20;

/// Connections kept for later use.
const KEPT_MAX: usize = 256;

/// How long the node may take to accept a connection on this machine.
const CONNECT_PATIENCE: Duration = Duration::from_secs(5);

/// A node's control API.
#[derive(Clone, Debug)]
pub(crate) struct Client {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    addr: SocketAddr,
    host: HeaderValue,
    authorization: HeaderValue,
    kept: Mutex<Vec<Connection>>,
}

type Connection = SendRequest<UploadBody>;

/// A connection on loan, given back when its answer was read to the end.
#[derive(Debug)]
pub(crate) struct Loan {
    connection: Connection,
    shared: Arc<Shared>,
}

impl Loan {
    fn give_back(self) {
        let mut kept = self
            .shared
            .kept
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if kept.len() < KEPT_MAX && !self.connection.is_closed() {
            kept.push(self.connection);
        }
    }
}

/// What to ask.
struct Ask<'a> {
    method: Method,
    path: &'a str,
    query: Vec<(&'a str, &'a str)>,
    headers: Vec<(hyper::header::HeaderName, HeaderValue)>,
    body: UploadBody,
}

impl<'a> Ask<'a> {
    fn new(method: Method, path: &'a str, query: &[(&'a str, &'a str)]) -> Self {
        Self {
            method,
            path,
            query: query.to_vec(),
            headers: Vec::new(),
            body: Empty::new().map_err(|never| match never {}).boxed_unsync(),
        }
    }

    fn uri(&self) -> String {
        let mut uri = self.path.to_owned();
        for (index, (name, value)) in self.query.iter().enumerate() {
            uri.push(if index == 0 { '?' } else { '&' });
            uri.push_str(name);
            uri.push('=');
            encode(value, &mut uri);
        }
        uri
    }
}

impl Client {
    /// A client of the API at this address. Connects at the first question.
    pub(crate) fn new(addr: SocketAddr, token: &str) -> Result<Self, Trouble> {
        let addr = reachable(addr);
        let value = |text: String| {
            HeaderValue::from_str(&text)
                .map_err(|_| Trouble::failed("failed", "the control token has strange characters"))
        };
        Ok(Self {
            shared: Arc::new(Shared {
                addr,
                host: value(addr.to_string())?,
                authorization: value(format!("Bearer {token}"))?,
                kept: Mutex::new(Vec::new()),
            }),
        })
    }

    /// Stores a file, which was modified at this time (milliseconds since the Unix epoch), else now.
    pub(crate) async fn put(
        &self,
        name: &str,
        upload: Upload,
        modified_ms: Option<i64>,
    ) -> Result<api::Stored, Trouble> {
        let modified = modified_ms.map(|time| time.to_string());
        let mut query = vec![("name", name)];
        query.extend(modified.as_deref().map(|time| ("modified_ms", time)));
        query.extend(upload.only.if_absent.then_some(("if_absent", "true")));
        let version = upload.only.if_version.as_deref();
        query.extend(version.map(|version| ("if_version", version)));
        let mut ask = Ask::new(Method::PUT, "/v1/files", &query);
        if let Some(media_type) = upload.media_type {
            ask.headers
                .push((CONTENT_TYPE, HeaderValue::from_static(media_type)));
        }
        ask.body = upload.body;
        self.json_of(ask).await
    }

    /// Begins to fetch a file, from a byte on; from the first one where the content is no longer
    /// the one of that hash.
    pub(crate) async fn get(
        &self,
        name: &str,
        resume: Option<(u64, &str)>,
    ) -> Result<Download, Trouble> {
        let mut ask = Ask::new(Method::GET, "/v1/files", &[("name", name)]);
        if let Some((from, hash)) = resume {
            let header = |text: String| HeaderValue::from_str(&text).expect("visible ASCII");
            ask.headers.push((RANGE, header(format!("bytes={from}-"))));
            ask.headers.push((IF_RANGE, header(format!("\"{hash}\""))));
        }
        let (answer, loan) = self.send(ask).await?;
        if !answer.status().is_success() {
            return Err(self.problem(answer, loan).await);
        }
        Download::new(answer, loan)
    }

    /// Describes a file.
    pub(crate) async fn stat(&self, name: &str) -> Result<api::Stat, Trouble> {
        self.json("/v1/stat", &[("name", name)]).await
    }

    /// Deletes a file.
    pub(crate) async fn remove(
        &self,
        name: &str,
        if_version: Option<&str>,
    ) -> Result<api::Removed, Trouble> {
        let mut query = vec![("name", name)];
        query.extend(if_version.map(|version| ("if_version", version)));
        self.json_of(Ask::new(Method::DELETE, "/v1/files", &query))
            .await
    }

    /// A page of names.
    pub(crate) async fn list(
        &self,
        space: &str,
        prefix: &str,
        after: Option<&str>,
    ) -> Result<api::Page, Trouble> {
        let mut query = vec![("space", space), ("prefix", prefix)];
        query.extend(after.map(|after| ("after", after)));
        self.json("/v1/list", &query).await
    }

    /// Where a file is.
    pub(crate) async fn whereis(&self, name: &str) -> Result<api::Where, Trouble> {
        self.json("/v1/where", &[("name", name)]).await
    }

    /// How the ring is.
    pub(crate) async fn status(&self) -> Result<api::Status, Trouble> {
        self.json("/v1/status", &[]).await
    }

    /// The ring with all its places.
    pub(crate) async fn ring(&self) -> Result<api::RingPicture, Trouble> {
        self.json("/v1/ring", &[]).await
    }

    /// Watches the ring.
    pub(crate) async fn events(&self) -> Result<Events, Trouble> {
        let (answer, loan) = self.send(Ask::new(Method::GET, "/v1/events", &[])).await?;
        if !answer.status().is_success() {
            return Err(self.problem(answer, loan).await);
        }
        Ok(Events::new(answer.into_body(), loan))
    }

    /// What happened in the last day, as far as the node saw it.
    pub(crate) async fn timeline(&self) -> Result<api::Timeline, Trouble> {
        self.json("/v1/timeline", &[]).await
    }

    /// Has the live ring walked.
    pub(crate) async fn check(&self) -> Result<api::Check, Trouble> {
        self.json("/v1/check", &[]).await
    }

    /// The node's finger tables.
    pub(crate) async fn fingers(&self) -> Result<api::Fingers, Trouble> {
        self.json("/v1/fingers", &[]).await
    }

    /// Joins the ring of whoever answers at one of these addresses.
    pub(crate) async fn join(&self, addrs: Vec<String>) -> Result<api::Joined, Trouble> {
        self.order("/v1/join", &api::Join { addrs }).await
    }

    /// Opens an invitation.
    pub(crate) async fn invite(&self, uses: u32, seconds: u64) -> Result<api::Invited, Trouble> {
        self.order("/v1/invite", &api::Invite { uses, seconds })
            .await
    }

    /// A link to the dashboard, for one use.
    pub(crate) async fn dashboard_link(&self) -> Result<api::DashboardLink, Trouble> {
        self.json_of(Ask::new(Method::POST, "/v1/links", &[])).await
    }

    /// Where the API is reached.
    pub(crate) fn addr(&self) -> SocketAddr {
        self.shared.addr
    }

    /// Hands everything over and leaves.
    pub(crate) async fn leave(&self, force: bool) -> Result<api::Left, Trouble> {
        self.order("/v1/leave", &api::Leave { force }).await
    }

    /// Gives a silent node up for good.
    pub(crate) async fn forget(
        &self,
        node: String,
        force: bool,
    ) -> Result<api::Forgotten, Trouble> {
        self.order("/v1/forget", &api::Forget { node, force }).await
    }

    /// Expels a node for good.
    pub(crate) async fn expel(&self, node: String, force: bool) -> Result<api::Expelled, Trouble> {
        self.order("/v1/expel", &api::Expel { node, force }).await
    }

    /// Who is and was in the ring.
    pub(crate) async fn members(&self) -> Result<api::Members, Trouble> {
        self.json("/v1/members", &[]).await
    }

    /// What would become of a page of files if these nodes died.
    pub(crate) async fn what_if(
        &self,
        nodes: &[String],
        space: &str,
        prefix: &str,
        after: Option<&str>,
        limit: u64,
    ) -> Result<api::WhatIf, Trouble> {
        let limit = limit.to_string();
        let mut query = vec![("space", space), ("prefix", prefix), ("limit", &limit)];
        query.extend(nodes.iter().map(|node| ("node", node.as_str())));
        query.extend(after.map(|after| ("after", after)));
        self.json("/v1/whatif", &query).await
    }

    /// What would move if a node joined that offers so many bytes.
    pub(crate) async fn plan_join(&self, offered_bytes: u64) -> Result<api::Plan, Trouble> {
        let bytes = offered_bytes.to_string();
        self.json("/v1/plan", &[("join", &bytes)]).await
    }

    /// What would move if these nodes left, one after the other.
    pub(crate) async fn plan_leave(&self, nodes: &[String]) -> Result<api::Plan, Trouble> {
        let nodes = nodes.iter().map(|node| ("leave", node.as_str()));
        self.json("/v1/plan", &nodes.collect::<Vec<_>>()).await
    }

    /// What any one, two or three deaths would lose.
    pub(crate) async fn risk(&self) -> Result<api::Risk, Trouble> {
        self.json("/v1/risk", &[]).await
    }

    /// Has a receipt of a file made, if this is its version.
    pub(crate) async fn receipt(&self, name: &str, version: &str) -> Result<ReceiptFile, Trouble> {
        let wanted = ReceiptWanted {
            name: name.to_owned(),
            version: Some(version.to_owned()),
        };
        self.order("/v1/receipts", &wanted).await
    }

    /// Asks holders what they hold.
    pub(crate) async fn attest(&self, question: &Question) -> Result<Answers, Trouble> {
        self.order("/v1/attest", question).await
    }

    async fn json<T: DeserializeOwned>(
        &self,
        path: &str,
        query: &[(&str, &str)],
    ) -> Result<T, Trouble> {
        self.json_of(Ask::new(Method::GET, path, query)).await
    }

    async fn order<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &impl Serialize,
    ) -> Result<T, Trouble> {
        let text = serde_json::to_vec(body).expect("our own shapes are JSON");
        let mut ask = Ask::new(Method::POST, path, &[]);
        ask.headers
            .push((CONTENT_TYPE, HeaderValue::from_static("application/json")));
        ask.body = Full::new(Bytes::from(text))
            .map_err(|never| match never {})
            .boxed_unsync();
        self.json_of(ask).await
    }

    async fn json_of<T: DeserializeOwned>(&self, ask: Ask<'_>) -> Result<T, Trouble> {
        let (answer, loan) = self.send(ask).await?;
        if !answer.status().is_success() {
            return Err(self.problem(answer, loan).await);
        }
        let bytes = self.whole(answer, loan).await?;
        serde_json::from_slice(&bytes).map_err(|error| {
            Trouble::failed(
                "failed",
                format!("the node's answer was not understood: {error}"),
            )
            .advice("The node may be of another version: compare `chordal --version`.")
        })
    }

    /// The problem that an answer tells of.
    async fn problem(&self, answer: Response<Incoming>, loan: Loan) -> Trouble {
        let status = answer.status();
        match self.whole(answer, loan).await {
            Ok(bytes) => match serde_json::from_slice::<Problem>(&bytes) {
                Ok(problem) => problem.into(),
                Err(_) => self.stranger(status),
            },
            Err(trouble) => trouble,
        }
    }

    /// Whoever answers does not talk as a node does.
    fn stranger(&self, status: StatusCode) -> Trouble {
        Trouble::failed(
            "failed",
            format!("{} answered {status}, which no node does", self.shared.addr),
        )
        .advice("Look whether another program listens there.")
    }

    async fn whole(&self, answer: Response<Incoming>, loan: Loan) -> Result<Bytes, Trouble> {
        let body = http_body_util::Limited::new(answer.into_body(), ANSWER_BYTES_MAX);
        let bytes = body
            .collect()
            .await
            .map_err(|error| self.broke_off(&error.to_string()))?
            .to_bytes();
        loan.give_back();
        Ok(bytes)
    }

    async fn send(&self, ask: Ask<'_>) -> Result<(Response<Incoming>, Loan), Trouble> {
        let mut request = Request::builder()
            .method(ask.method.clone())
            .uri(ask.uri())
            .header(HOST, self.shared.host.clone())
            .header(AUTHORIZATION, self.shared.authorization.clone());
        for (name, value) in ask.headers {
            request = request.header(name, value);
        }
        let mut request = request
            .body(ask.body)
            .map_err(|error| Trouble::usage(error.to_string()))?;
        loop {
            let (mut connection, used_before) = self.connection().await?;
            match connection.try_send_request(request).await {
                Ok(answer) => {
                    let shared = Arc::clone(&self.shared);
                    return Ok((answer, Loan { connection, shared }));
                }
                // Nothing was sent, so the request comes back.
                Err(mut error) => match error.take_message() {
                    Some(unsent) if used_before => request = unsent,
                    _ => return Err(self.broke_off(&error.into_error().to_string())),
                },
            }
        }
    }

    /// A connection that is ready, and whether it was used before.
    async fn connection(&self) -> Result<(Connection, bool), Trouble> {
        while let Some(mut kept) = self.pop() {
            if kept.ready().await.is_ok() {
                return Ok((kept, true));
            }
        }
        let connecting = tokio::net::TcpStream::connect(self.shared.addr);
        let stream = tokio::time::timeout(CONNECT_PATIENCE, connecting)
            .await
            .unwrap_or_else(|_| Err(std::io::ErrorKind::TimedOut.into()))
            .and_then(|stream| stream.set_nodelay(true).map(|()| stream))
            .map_err(|error| {
                Trouble::failed(
                    "no_node",
                    format!("no node answers at {}: {error}", self.shared.addr),
                )
                .still("What the ring stores is not affected.")
                .advice("Start the node again with `chordal up`, or name another with --node.")
            })?;
        let (connection, driver) = http1::handshake(TokioIo::new(stream))
            .await
            .map_err(|error| self.broke_off(&error.to_string()))?;
        // The driver ends with the connection; its errors show on the requests.
        drop(tokio::spawn(driver));
        Ok((connection, false))
    }

    fn pop(&self) -> Option<Connection> {
        self.shared
            .kept
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .pop()
    }

    fn broke_off(&self, reason: &str) -> Trouble {
        broke_off(self.shared.addr, reason)
    }
}

/// The connection to a node ended before its answer did.
fn broke_off(addr: SocketAddr, reason: &str) -> Trouble {
    Trouble::failed(
        "connection",
        format!("the connection to the node at {addr} broke off ({reason})"),
    )
    .still("What was acknowledged before is safe.")
    .advice("Look whether the node runs with `chordal status`, then run the command again.")
}

/// An address to connect to, for one that was listened on.
fn reachable(addr: SocketAddr) -> SocketAddr {
    let ip = if !addr.ip().is_unspecified() {
        addr.ip()
    } else if addr.is_ipv4() {
        Ipv4Addr::LOCALHOST.into()
    } else {
        Ipv6Addr::LOCALHOST.into()
    };
    SocketAddr::new(ip, addr.port())
}

/// Percent-encodes all but letters, digits and `-._~`.
fn encode(value: &str, uri: &mut String) {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    for byte in value.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            uri.push(char::from(byte));
        } else {
            uri.push('%');
            uri.push(char::from(DIGITS[usize::from(byte >> 4)]));
            uri.push(char::from(DIGITS[usize::from(byte & 15)]));
        }
    }
}

#[cfg(test)]
mod tests;
