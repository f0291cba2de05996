//! Bytes on their way from a node.

use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::Response;
use hyper::body::Incoming;
use hyper::header::{CONTENT_LENGTH, CONTENT_RANGE, ETAG};

use super::{Loan, broke_off};
use crate::trouble::Trouble;

/// A file that is being fetched.
#[derive(Debug)]
pub(crate) struct Download {
    /// The whole file's size in bytes.
    pub(crate) size: u64,
    /// BLAKE3 of the whole file, in hexadecimal digits.
    pub(crate) hash: String,
    /// The file's byte that comes first.
    pub(crate) from: u64,
    left: u64,
    body: Incoming,
    loan: Option<Loan>,
}

impl Download {
    pub(super) fn new(answer: Response<Incoming>, loan: Loan) -> Result<Self, Trouble> {
        let header = |name| answer.headers().get(name)?.to_str().ok();
        let strange = || {
            Trouble::failed("failed", "the node's answer was not understood")
                .advice("The node may be of another version: compare `chordal --version`.")
        };
        let left: u64 = header(CONTENT_LENGTH)
            .and_then(|text| text.parse().ok())
            .ok_or_else(strange)?;
        let hash = header(ETAG)
            .map(|tag| tag.trim_matches('"').to_owned())
            .filter(|hash| blake3::Hash::from_hex(hash).is_ok())
            .ok_or_else(strange)?;
        let (from, size) = match header(CONTENT_RANGE) {
            None => (0, left),
            Some(range) => part_of(range).ok_or_else(strange)?,
        };
        Ok(Self {
            size,
            hash,
            from,
            left,
            body: answer.into_body(),
            loan: Some(loan),
        })
    }

    /// The next bytes; nothing after the last ones. A body that ends early is an error.
    pub(crate) async fn next(&mut self) -> Result<Option<Bytes>, Trouble> {
        while let Some(frame) = self.body.frame().await {
            match frame {
                Ok(frame) => {
                    if let Ok(bytes) = frame.into_data() {
                        self.left = self.left.saturating_sub(bytes.len() as u64);
                        return Ok(Some(bytes));
                    }
                }
                Err(error) => return Err(self.cut(&error.to_string())),
            }
        }
        if self.left > 0 {
            return Err(self.cut("the end is missing"));
        }
        if let Some(loan) = self.loan.take() {
            loan.give_back();
        }
        Ok(None)
    }

    fn cut(&mut self, reason: &str) -> Trouble {
        let addr = self.loan.take().map(|loan| loan.shared.addr);
        match addr {
            Some(addr) => broke_off(addr, reason),
            None => Trouble::failed("connection", reason),
        }
        .advice("Run the command again; if it ends at the same place, look at `chordal status`.")
    }
}

/// First byte and whole size of `bytes 5-9/10`.
fn part_of(range: &str) -> Option<(u64, u64)> {
    let (part, size) = range.strip_prefix("bytes ")?.split_once('/')?;
    let (from, _) = part.split_once('-')?;
    Some((from.parse().ok()?, size.parse().ok()?))
}
