//! Storing, reading and deleting files: bodies are streamed both ways, never gathered.
//!
//! Once the first byte of an answer is out, an error can only break the connection: the length
//! was promised, so no client takes a short body for a whole file.

use std::fmt::Write as _;
use std::pin::pin;
use std::time::Duration;

use axum::Json;
use axum::body::{Body, BodyDataStream};
use axum::extract::{RawQuery, State};
use axum::http::header::{
    ACCEPT_RANGES, CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, ETAG,
    IF_RANGE, LAST_MODIFIED, RANGE,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use chordal_node::model::{Name, NameError};
use chordal_node::{ByteRange, Download, FileInfo, NodeError, Only, PutRequest, Refused};
use futures_util::{Stream, StreamExt};

use crate::api;
use crate::facts;
use crate::failure::{self, Wish};
use crate::limits::{DRAIN_BYTES_MAX, DRAIN_PATIENCE, UPLOAD_PATIENCE};
use crate::problem::{Code, Problem};
use crate::query::Query;
use crate::routes::Shared;

/// The version of the file, in answers.
const VERSION: HeaderName = HeaderName::from_static("chordal-version");

/// `PUT /v1/files?name=`: stores the body.
pub(crate) async fn put(
    State(shared): State<Shared>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<api::Stored>, Problem> {
    let request = put_request(query.as_deref(), &headers)?;
    let mut pieces = pin!(patient(body.into_data_stream()));
    match shared.node.put(request, pieces.as_mut()).await {
        Ok(stored) => {
            shared.live.touch();
            Ok(Json(facts::stored(&stored)))
        }
        Err(error) => {
            drain(pieces).await;
            Err(failure::problem(&error, Wish::Put))
        }
    }
}

fn put_request(query: Option<&str>, headers: &HeaderMap) -> Result<PutRequest, Problem> {
    let query = Query::parse(query)?;
    let mut request = PutRequest::new(name_in(&query)?);
    request.content_type = text(headers, &CONTENT_TYPE).unwrap_or_default().into();
    request.size = text(headers, &CONTENT_LENGTH).and_then(|text| text.parse().ok());
    if let Some(text) = query.get("modified_ms") {
        let time = text
            .parse()
            .map_err(|_| bad("'modified_ms' is not a number"))?;
        request.modified_ms = Some(time);
    }
    request.only = only_in(&query)?;
    Ok(request)
}

/// The pieces of a body; one that stalls for too long ends with an error.
fn patient(pieces: BodyDataStream) -> impl Stream<Item = Result<Bytes, String>> + Send {
    futures_util::stream::unfold(Some(pieces), |pieces| async move {
        let mut pieces = pieces?;
        match tokio::time::timeout(UPLOAD_PATIENCE, pieces.next()).await {
            Ok(Some(Ok(piece))) => Some((Ok(piece), Some(pieces))),
            Ok(Some(Err(error))) => Some((Err(error.to_string()), None)),
            Ok(None) => None,
            Err(_) => Some((Err("it stood still for too long".to_owned()), None)),
        }
    })
    // A client that was refused is drained, and may have ended before.
    .fuse()
}

/// Takes what a refused client is still sending, within limits: closing the connection over
/// unread bytes would often reset it before the client has read why it was refused.
async fn drain(pieces: impl Stream<Item = Result<Bytes, String>>) {
    let taking = async {
        let mut pieces = pin!(pieces);
        let mut taken = 0;
        while let Some(Ok(piece)) = pieces.next().await {
            taken += piece.len();
            if taken > DRAIN_BYTES_MAX {
                break;
            }
        }
    };
    let limit: Duration = DRAIN_PATIENCE;
    // Whether it ended by itself or by the clock makes no difference.
    drop(tokio::time::timeout(limit, taking).await);
}

/// `GET /v1/files?name=`: the bytes of a file, or a range of them.
pub(crate) async fn get(
    State(shared): State<Shared>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let query = Query::parse(query.as_deref())?;
    let name = name_in(&query)?;
    let range = text(&headers, &RANGE).and_then(parse_range);
    let wanted = text(&headers, &IF_RANGE);
    let failed = |error: NodeError| failure::problem(&error, Wish::Read);
    let mut download = match shared.node.get(&name, range).await {
        // An empty file has no range; whoever resumes one gets it whole.
        Err(NodeError::Refused(Refused::Range { size: 0 })) => {
            shared.node.get(&name, None).await.map_err(failed)?
        }
        other => other.map_err(failed)?,
    };
    let part = range.is_some() && download.range != (0..download.info.size);
    if part && wanted.is_some_and(|tag| tag != etag(&download.info)) {
        download = shared.node.get(&name, None).await.map_err(failed)?;
    }
    let mut answer = answer(download, range.is_some());
    if query.get("ticket").is_some() {
        // A file is never shown as a page of this origin: it is somebody's, and may hold a script.
        answer
            .headers_mut()
            .insert(CONTENT_DISPOSITION, attachment(&name));
    }
    Ok(answer)
}

/// Has a browser store what comes, under the last part of the name.
fn attachment(name: &Name) -> HeaderValue {
    let path = name.path();
    let last = path
        .rsplit('/')
        .find(|part| !part.is_empty())
        .unwrap_or("file");
    let mut text = "attachment; filename*=UTF-8''".to_owned();
    for byte in last.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            text.push(char::from(byte));
        } else {
            // Writing into a string cannot fail.
            write!(text, "%{byte:02X}").ok();
        }
    }
    visible(&text)
}

fn answer(download: Download, range_asked: bool) -> Response {
    let Download { info, range, body } = download;
    let mut headers = describe(&info);
    headers.insert(CONTENT_LENGTH, (range.end - range.start).into());
    let part = range_asked && range != (0..info.size);
    if part {
        let text = format!("bytes {}-{}/{}", range.start, range.end - 1, info.size);
        headers.insert(CONTENT_RANGE, visible(&text));
    }
    let status = if part {
        StatusCode::PARTIAL_CONTENT
    } else {
        StatusCode::OK
    };
    let name = info.name.to_string();
    let body = body.inspect(move |piece| {
        if let Err(error) = piece {
            tracing::warn!(name, %error, "a download broke off");
        }
    });
    (status, headers, Body::from_stream(body)).into_response()
}

/// `HEAD /v1/files?name=`: the same without the bytes.
pub(crate) async fn head(
    State(shared): State<Shared>,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let info = info(&shared, query.as_deref()).await?;
    let mut headers = describe(&info);
    headers.insert(CONTENT_LENGTH, info.size.into());
    Ok((headers, Body::empty()).into_response())
}

/// `GET /v1/stat?name=`: what is known of a file, as JSON.
pub(crate) async fn stat(
    State(shared): State<Shared>,
    RawQuery(query): RawQuery,
) -> Result<Json<api::Stat>, Problem> {
    let info = info(&shared, query.as_deref()).await?;
    Ok(Json(facts::stat(info, &shared.node.settings())))
}

async fn info(shared: &Shared, query: Option<&str>) -> Result<FileInfo, Problem> {
    let name = name_in(&Query::parse(query)?)?;
    let info = shared.node.stat(&name).await;
    info.map_err(|error| failure::problem(&error, Wish::Read))
}

/// `DELETE /v1/files?name=&if_version=`.
pub(crate) async fn delete(
    State(shared): State<Shared>,
    RawQuery(query): RawQuery,
) -> Result<Json<api::Removed>, Problem> {
    let query = Query::parse(query.as_deref())?;
    let (name, only) = (name_in(&query)?, only_in(&query)?);
    let removed = shared.node.remove(&name, only.as_ref()).await;
    shared.live.touch();
    removed
        .map(|removed| Json(facts::removed(name.to_string(), removed)))
        .map_err(|error| failure::problem(&error, Wish::Remove))
}

/// The file that a request speaks of.
pub(crate) fn name_in(query: &Query) -> Result<Name, Problem> {
    query
        .need("name")?
        .parse()
        .map_err(|error: NameError| bad(&error.to_string()))
}

/// What must be true of the file that a request would change.
fn only_in(query: &Query) -> Result<Option<Only>, Problem> {
    match (query.get("if_absent"), query.get("if_version")) {
        (None, None) => Ok(None),
        (Some("true"), None) => Ok(Some(Only::IfAbsent)),
        (None, Some(version)) => Ok(Some(Only::IfVersion(version.to_owned()))),
        (Some(_), None) => Err(bad("'if_absent' is 'true' or not there at all")),
        (Some(_), Some(_)) => Err(bad("'if_absent' and 'if_version' exclude each other")),
    }
}

fn bad(message: &str) -> Problem {
    Problem::new(Code::BadRequest, message)
}

fn describe(info: &FileInfo) -> HeaderMap {
    let mut headers = HeaderMap::new();
    let media_type = HeaderValue::from_str(&info.content_type)
        .ok()
        .filter(|value| !value.is_empty())
        .unwrap_or(HeaderValue::from_static("application/octet-stream"));
    headers.insert(CONTENT_TYPE, media_type);
    headers.insert(ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    headers.insert(ETAG, visible(&etag(info)));
    headers.insert(VERSION, visible(&info.version.to_string()));
    if let Some(date) = http_date(info.modified_ms) {
        headers.insert(LAST_MODIFIED, visible(&date));
    }
    headers
}

fn etag(info: &FileInfo) -> String {
    format!("\"{}\"", facts::hash(&info.hash))
}

/// A time as HTTP writes it, where a calendar holds it.
fn http_date(unix_ms: i64) -> Option<String> {
    let time = jiff::Timestamp::from_millisecond(unix_ms).ok()?;
    Some(time.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string())
}

fn visible(text: &str) -> HeaderValue {
    HeaderValue::from_str(text).expect("digits, letters and punctuation")
}

fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

/// One range of bytes. Others are ignored, as HTTP allows: the answer is the whole file.
fn parse_range(text: &str) -> Option<ByteRange> {
    let (first, last) = text.trim().strip_prefix("bytes=")?.split_once('-')?;
    let number = |text: &str| {
        let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        digits.then(|| text.parse::<u64>().ok()).flatten()
    };
    match (first, last) {
        ("", last) => number(last).map(ByteRange::Last),
        (first, "") => number(first).map(ByteRange::From),
        (first, last) => {
            let (first, last) = (number(first)?, number(last)?);
            (first <= last).then_some(ByteRange::FromTo(first, last))
        }
    }
}

#[cfg(test)]
mod tests;
