//! The files of the dashboard, part of the program: no build step, nothing from anywhere else.
//!
//! They hold no secret and are served to whoever means this host. What they may do is written on
//! them: scripts, styles and requests of this origin alone.

use axum::Router;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use axum::response::{IntoResponse, Response};
use axum::routing::get;

use crate::guard;

/// One file.
#[derive(Clone, Copy, Debug)]
struct Asset {
    path: &'static str,
    media_type: &'static str,
    text: &'static str,
}

/// What a page of the dashboard may do.
const PAGE_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
    img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// What anything else may do that comes from here, files of users above all.
const DATA_POLICY: &str = "default-src 'none'; frame-ancestors 'none'; sandbox allow-downloads";

const RESOURCE_POLICY: HeaderName = HeaderName::from_static("cross-origin-resource-policy");
const OPENER_POLICY: HeaderName = HeaderName::from_static("cross-origin-opener-policy");

macro_rules! assets {
    ($($media_type:literal: $($name:literal),+;)+) => {
        &[$($(Asset {
            path: concat!("/", $name),
            media_type: $media_type,
            text: include_str!(concat!("../assets/", $name)),
        }),+),+]
    };
}

const ASSETS: &[Asset] = assets! {
    "text/html; charset=utf-8": "index.html";
    "image/svg+xml": "icon.svg";
    "text/css; charset=utf-8":
        "base.css", "frame.css", "parts.css", "ring.css", "files.css";
    "text/javascript; charset=utf-8":
        "theme.js", "app.js", "api.js", "session.js", "live.js", "dom.js", "words.js", "trouble.js",
        "geometry.js", "ring.js", "legend.js", "ring-view.js", "nodes-view.js", "files-view.js",
        "browse.js", "upload.js", "details.js", "confirm.js", "repair-view.js", "check-view.js", "risk.js",
        "timeline-view.js", "past.js";
};

/// Serves the files.
pub(crate) fn router<S: Clone + Send + Sync + 'static>() -> Router<S> {
    let index = ASSETS.iter().filter(|asset| asset.path == "/index.html");
    let index = index.map(|asset| ("/", *asset));
    let all = ASSETS.iter().map(|asset| (asset.path, *asset));
    all.chain(index)
        .fold(Router::new(), |router, (path, asset)| {
            router.route(
                path,
                get(async move |headers: HeaderMap| serve(&headers, asset)),
            )
        })
}

fn serve(headers: &HeaderMap, asset: Asset) -> Response {
    if let Err(problem) = guard::meant_for_here(headers) {
        return problem.into_response();
    }
    let policy = (CONTENT_SECURITY_POLICY, PAGE_POLICY);
    let media_type = (CONTENT_TYPE, asset.media_type);
    ([policy, media_type], asset.text).into_response()
}

/// Writes on every answer what a browser may do with it.
pub(crate) async fn seal(mut answer: Response) -> Response {
    let headers = answer.headers_mut();
    for (name, value) in [
        (CONTENT_SECURITY_POLICY, DATA_POLICY),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (REFERRER_POLICY, "no-referrer"),
        (RESOURCE_POLICY, "same-origin"),
        (OPENER_POLICY, "same-origin"),
        (CACHE_CONTROL, "no-store"),
    ] {
        headers
            .entry(name)
            .or_insert(HeaderValue::from_static(value));
    }
    answer
}

#[cfg(test)]
mod tests;
