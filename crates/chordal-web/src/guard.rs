//! Who may ask: programs that carry the node's token, and pages of the dashboard with both halves of
//! a session; and only requests that were meant for this host and come from no other origin.
//!
//! The token keeps other users of the machine out. The `Host` check keeps web pages out that let
//! their own name point to a loopback address: a name that is not an address is refused. The
//! `Origin` check refuses what a browser sends for a page of anybody else.

use std::net::IpAddr;
use std::time::Instant;

use axum::http::header::{AUTHORIZATION, COOKIE, HOST, ORIGIN};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, Uri};
use subtle::ConstantTimeEq;

use crate::problem::{Code, Problem};
use crate::query::Query;
use crate::session::{Sessions, no_session};

/// The half of a session that the page keeps.
pub(crate) const SESSION_TOKEN: HeaderName = HeaderName::from_static("chordal-session");

/// Where a request comes from, in the browser's own words.
const FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// The secret that every program must carry.
#[derive(Clone)]
pub(crate) struct Token(String);

/// Who asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Asker {
    /// A program that has the node's token.
    Program,
    /// A page of the dashboard.
    Page {
        /// The half of its session that the browser keeps.
        cookie: String,
        /// When the session ends.
        ends: Instant,
    },
}

/// What admits.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Gate<'a> {
    pub(crate) token: &'a Token,
    pub(crate) sessions: &'a Sessions,
    /// The name of the session's cookie.
    pub(crate) cookie_name: &'a str,
}

impl Token {
    /// Takes over a secret; it should be made of random visible ASCII.
    pub(crate) fn new(secret: String) -> Self {
        Self(secret)
    }
}

impl std::fmt::Debug for Token {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("Token(..)")
    }
}

impl Gate<'_> {
    /// Refuses a request that may not ask.
    pub(crate) fn admit(
        self,
        method: &Method,
        uri: &Uri,
        headers: &HeaderMap,
        now: Instant,
    ) -> Result<Asker, Problem> {
        meant_for_here(headers)?;
        let is_page = headers.contains_key(SESSION_TOKEN) || headers.contains_key(COOKIE);
        if headers.contains_key(AUTHORIZATION) || !is_page {
            return check_token(headers, self.token).map(|()| Asker::Program);
        }
        check_site(headers)?;
        let cookie = cookie(headers, self.cookie_name).ok_or_else(no_session)?;
        let token = headers.get(SESSION_TOKEN);
        let ends = match token.and_then(|value| value.to_str().ok()) {
            Some(token) => self.sessions.check(cookie, token, now)?,
            None => self.redeem(method, uri, cookie, now)?,
        };
        Ok(Asker::Page {
            cookie: cookie.to_owned(),
            ends,
        })
    }

    /// A download by the browser itself shows a ticket instead of the token.
    fn redeem(
        self,
        method: &Method,
        uri: &Uri,
        cookie: &str,
        now: Instant,
    ) -> Result<Instant, Problem> {
        if *method != Method::GET || uri.path() != "/v1/files" {
            return Err(no_session());
        }
        let query = Query::parse(uri.query())?;
        let ticket = query.get("ticket").ok_or_else(no_session)?;
        self.sessions
            .redeem(cookie, ticket, query.need("name")?, now)
    }
}

/// Refuses what was meant for another host, or is sent for a page of another origin.
pub(crate) fn meant_for_here(headers: &HeaderMap) -> Result<(), Problem> {
    let host = check_host(headers)?;
    let mut origins = headers.get_all(ORIGIN).iter();
    let ours = |origin: &[u8]| {
        let named = origin.strip_prefix(b"http://");
        named.is_some_and(|named| named.eq_ignore_ascii_case(host.as_bytes()))
    };
    if origins.all(|origin| ours(origin.as_bytes())) {
        return Ok(());
    }
    Err(wrong_origin())
}

/// Refuses what a browser sends for a page that is not ours.
fn check_site(headers: &HeaderMap) -> Result<(), Problem> {
    match headers.get(FETCH_SITE).map(HeaderValue::as_bytes) {
        None | Some(b"same-origin" | b"none") => Ok(()),
        Some(_) => Err(wrong_origin()),
    }
}

fn wrong_origin() -> Problem {
    Problem::new(Code::WrongOrigin, "a page of another origin asks")
        .advice("Open the dashboard itself with `chordal open`.")
}

/// The value of a cookie.
pub(crate) fn cookie<'a>(headers: &'a HeaderMap, wanted: &str) -> Option<&'a str> {
    let lines = headers.get_all(COOKIE).iter();
    let pairs = lines.filter_map(|line| line.to_str().ok());
    let mut pairs = pairs
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='));
    pairs.find_map(|(name, value)| (name == wanted).then_some(value))
}

fn check_token(headers: &HeaderMap, token: &Token) -> Result<(), Problem> {
    let given = headers
        .get(AUTHORIZATION)
        .and_then(|value| value.as_bytes().split_first_chunk::<7>())
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case(b"Bearer "))
        .map(|(_, given)| given);
    let right = given.is_some_and(|given| bool::from(given.ct_eq(token.0.as_bytes())));
    if right {
        return Ok(());
    }
    Err(
        Problem::new(Code::Unauthorised, "the control token is missing or wrong").advice(
            "Send `Authorization: Bearer TOKEN` with what the file control.token in the node's folder \
             holds; for the dashboard run `chordal open`.",
        ),
    )
}

fn check_host(headers: &HeaderMap) -> Result<&str, Problem> {
    let mut hosts = headers.get_all(HOST).iter();
    let (first, second) = (hosts.next(), hosts.next());
    let host = first.and_then(|value| value.to_str().ok());
    match (host, second) {
        (Some(host), None) if is_address(host) => Ok(host),
        _ => Err(Problem::new(
            Code::WrongHost,
            "the Host header is not an address: the control API has no name",
        )
        .advice("Use the IP address of the node, for example http://127.0.0.1:PORT.")),
    }
}

/// Whether a `Host` is an address or `localhost`, with or without a port.
fn is_address(host: &str) -> bool {
    let bare = match host.strip_prefix('[') {
        Some(rest) => rest.split_once(']').map(|(inside, _)| inside),
        None => Some(host.rsplit_once(':').map_or(host, |(before, _)| before)),
    };
    bare.is_some_and(|bare| bare.eq_ignore_ascii_case("localhost") || is_ip(bare))
}

fn is_ip(text: &str) -> bool {
    text.parse::<IpAddr>().is_ok()
}

#[cfg(test)]
mod tests;
