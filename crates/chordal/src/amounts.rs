//! Sizes, rates, times and addresses as people type them.
//!
//! Each parser says in its error what it would have accepted. What a value is for, and whether it
//! makes sense there, is not judged here.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use chordal_node::InviteCode;
use jiff::SpanRelativeTo;

/// An IP address, or `localhost`.
pub(crate) fn parse_ip(text: &str) -> Result<IpAddr, String> {
    if text.eq_ignore_ascii_case("localhost") {
        return Ok(IpAddr::from([127, 0, 0, 1]));
    }
    text.parse()
        .map_err(|_| format!("'{text}' is not an IP address"))
}

/// An IP address with a port.
pub(crate) fn parse_addr(text: &str) -> Result<SocketAddr, String> {
    text.parse()
        .map_err(|_| format!("'{text}' is not IP:PORT, as in 127.0.0.1:2000"))
}

/// Where to join: `HOST:PORT`, a join code, or `-` for standard input. A code is a secret, and is not
/// repeated where it is wrong. Whether anybody listens there is not asked.
pub(crate) fn parse_place(text: &str) -> Result<(), String> {
    let text = text.trim();
    let text = text.strip_prefix("chordal join ").unwrap_or(text);
    if text == "-" {
        return Ok(());
    }
    if !text.contains([':', '.']) {
        let code = text.parse::<InviteCode>();
        return code.map(drop).map_err(|error| error.to_string());
    }
    let port = text.rsplit_once(':').map(|(_, port)| port.parse::<u16>());
    match port {
        Some(Ok(_)) => Ok(()),
        _ => Err(format!("'{text}' is neither IP:PORT nor a join code")),
    }
}

/// Bytes.
pub(crate) fn parse_size(text: &str) -> Result<u64, String> {
    text.parse::<bytesize::ByteSize>()
        .map(|size| size.as_u64())
        .map_err(|_| format!("'{text}' is not a size such as 100GB, 512MiB or 0"))
}

/// Bytes a second, at least one.
pub(crate) fn parse_rate(text: &str) -> Result<u64, String> {
    match parse_size(text)? {
        0 => Err("with 0 it would never be done".to_owned()),
        rate => Ok(rate),
    }
}

/// A number of days, parts of days too.
pub(crate) fn parse_days(text: &str) -> Result<Duration, String> {
    const DAYS_MAX: f64 = 3650.0;
    let days = text.parse::<f64>().ok();
    let days = days.filter(|&days| days > 0.0 && days <= DAYS_MAX);
    days.map(|days| Duration::from_hours(24).mul_f64(days))
        .ok_or_else(|| format!("'{text}' is not a number of days above 0 and up to {DAYS_MAX}"))
}

/// A span of time with its unit, up to weeks. A day has 24 hours.
pub(crate) fn parse_time(text: &str) -> Result<Duration, String> {
    let span = text.parse::<jiff::Span>().ok();
    span.and_then(|span| span.to_duration(SpanRelativeTo::days_are_24_hours()).ok())
        .and_then(|time| Duration::try_from(time).ok())
        .ok_or_else(|| format!("'{text}' is not a time such as 5s, 10m or 2d"))
}

/// The bits of a position.
pub(crate) fn parse_bits(text: &str) -> Result<u8, String> {
    let bits = text.parse::<u8>().ok();
    bits.filter(|bits| (3..=128).contains(bits))
        .ok_or_else(|| format!("'{text}' is not a number from 3 to 128"))
}

/// Yes or no.
pub(crate) fn parse_switch(text: &str) -> Result<bool, String> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "yes" | "on" | "1" => Ok(true),
        "false" | "no" | "off" | "0" => Ok(false),
        _ => Err(format!("'{text}' is neither true nor false")),
    }
}

#[cfg(test)]
mod tests;
