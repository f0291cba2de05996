//! Errors of the control API: what happened, what is still true, what to do.
//!
//! The code is the contract; the sentences are for people and may change. A problem travels as
//! the JSON body of an answer that is no success.

use std::fmt;

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};

/// What kind of problem it is. Scripts branch on this.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Code {
    /// The request is not one that can be answered.
    BadRequest,
    /// The token is missing or wrong.
    Unauthorised,
    /// The request names a host that this API is not.
    WrongHost,
    /// A page of another origin asks.
    WrongOrigin,
    /// There is no such address in the API.
    NoSuchRoute,
    /// There is no such file.
    NotFound,
    /// No node of that id or address was ever heard of.
    UnknownNode,
    /// The name is not as a conditional write asked for.
    Conflict,
    /// The range lies outside the file.
    OutOfRange,
    /// Too few nodes that hold copies answer.
    TooFewCopies,
    /// This node sees only a minority of its ring.
    Minority,
    /// Asked for too much at once, or the node is about to stop.
    Busy,
    /// No holder has room.
    Full,
    /// Nobody could be joined.
    Unjoinable,
    /// The ring would not have this node, or leaving or forgetting would lose copies.
    Refused,
    /// The upload ended before its end.
    UploadCut,
    /// A disk failed.
    Disk,
    /// The bytes that came are not those that were stored.
    Corrupt,
    /// Anything else.
    Failed,
    /// A code that this version does not know.
    #[serde(other)]
    Unknown,
}

/// A problem, for programs and for people.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{message}")]
pub struct Problem {
    /// What kind.
    pub code: Code,
    /// What happened.
    pub message: String,
    /// What is still true.
    pub still_true: String,
    /// What to do.
    pub to_do: String,
    /// The nodes whose silence is the reason, if any.
    #[serde(default)]
    pub missing: Vec<Missing>,
}

/// A node that was needed and did not answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Missing {
    /// Its id.
    pub node: String,
    /// Its address.
    pub addr: String,
}

impl fmt::Display for Missing {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let short = self.node.get(..8).unwrap_or(&self.node);
        write!(out, "{short} at {}", self.addr)
    }
}

impl Problem {
    /// A problem that no node's silence is the reason of.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            still_true: "Nothing was changed.".to_owned(),
            to_do: String::new(),
            missing: Vec::new(),
        }
    }

    /// The same with what is still true.
    #[must_use]
    pub fn still(mut self, sentence: impl Into<String>) -> Self {
        self.still_true = sentence.into();
        self
    }

    /// The same with what to do.
    #[must_use]
    pub fn advice(mut self, sentence: impl Into<String>) -> Self {
        self.to_do = sentence.into();
        self
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        (self.code.status(), Json(self)).into_response()
    }
}

impl Code {
    /// The HTTP status that comes with it.
    pub const fn status(self) -> StatusCode {
        match self {
            Self::BadRequest | Self::UploadCut => StatusCode::BAD_REQUEST,
            Self::Unauthorised => StatusCode::UNAUTHORIZED,
            Self::WrongHost | Self::WrongOrigin => StatusCode::FORBIDDEN,
            Self::NoSuchRoute | Self::NotFound | Self::UnknownNode => StatusCode::NOT_FOUND,
            Self::Conflict => StatusCode::PRECONDITION_FAILED,
            Self::OutOfRange => StatusCode::RANGE_NOT_SATISFIABLE,
            Self::TooFewCopies | Self::Minority | Self::Busy => StatusCode::SERVICE_UNAVAILABLE,
            Self::Full => StatusCode::INSUFFICIENT_STORAGE,
            Self::Unjoinable => StatusCode::BAD_GATEWAY,
            Self::Refused => StatusCode::CONFLICT,
            Self::Disk | Self::Corrupt | Self::Failed | Self::Unknown => {
                StatusCode::INTERNAL_SERVER_ERROR
            }
        }
    }
}
