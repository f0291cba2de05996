//! Who may ask: requests that carry the token, and that were meant for this host.
//!
//! The token keeps other users of the machine out. The `Host` check keeps web pages out that let
//! their own name point to a loopback address: a name that is not an address is refused.

use std::net::IpAddr;

use axum::http::HeaderMap;
use axum::http::header::{AUTHORIZATION, HOST};
use subtle::ConstantTimeEq;

use crate::problem::{Code, Problem};

/// The secret that every request must carry.
#[derive(Clone)]
pub(crate) struct Token(String);

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

/// Refuses a request that may not ask.
pub(crate) fn check(headers: &HeaderMap, token: &Token) -> Result<(), Problem> {
    check_host(headers)?;
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
            "Send `Authorization: Bearer TOKEN` with the token of the node's file in \
             CHORDAL_HOME/running.",
        ),
    )
}

fn check_host(headers: &HeaderMap) -> Result<(), Problem> {
    let mut hosts = headers.get_all(HOST).iter();
    let (first, second) = (hosts.next(), hosts.next());
    let host = first.and_then(|value| value.to_str().ok());
    match (host, second) {
        (Some(host), None) if is_address(host) => Ok(()),
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
