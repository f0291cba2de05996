//! How a browser gets in: a program asks for a link, the page exchanges it for a session.

use std::sync::Arc;
use std::time::Instant;

use axum::Extension;
use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::header::SET_COOKIE;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use chordal_node::model::{Name, NameError};

use crate::api;
use crate::failure::{self, Wish};
use crate::guard::{self, Asker};
use crate::limits::LINK_LASTS;
use crate::problem::{Code, Problem};
use crate::routes::{self, Shared};
use crate::session::no_session;

/// `POST /v1/links`: a link to the dashboard.
pub(crate) async fn link(State(shared): State<Shared>) -> Json<api::DashboardLink> {
    let link = shared.sessions.link(Instant::now());
    Json(api::DashboardLink {
        link: link.reveal().to_owned(),
        seconds: LINK_LASTS.as_secs(),
    })
}

/// `POST /v1/session`: exchanges a link.
pub(crate) async fn open(
    State(shared): State<Shared>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Problem> {
    guard::meant_for_here(&headers)?;
    let wish: api::OpenSession = routes::json_body(&body)?;
    let opened = shared.sessions.open(&wish.link, Instant::now())?;
    let seconds = opened.lasts.as_secs();
    let cookie = cookie(&shared.cookie_name, opened.cookie.reveal(), seconds);
    let token = api::SessionToken {
        token: opened.token.reveal().to_owned(),
        seconds,
    };
    Ok(([(SET_COOKIE, cookie)], Json(token)).into_response())
}

/// `DELETE /v1/session`: ends the session of the page that asks.
pub(crate) async fn close(
    State(shared): State<Shared>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    guard::meant_for_here(&headers)?;
    let now = Instant::now();
    let token = headers.get(guard::SESSION_TOKEN);
    let token = token.and_then(|value| value.to_str().ok());
    let known = guard::cookie(&headers, &shared.cookie_name).zip(token);
    let (known, token) = known.ok_or_else(no_session)?;
    shared.sessions.check(known, token, now)?;
    shared.sessions.end(known, now);
    let cookie = cookie(&shared.cookie_name, "", 0);
    Ok((StatusCode::NO_CONTENT, [(SET_COOKIE, cookie)]).into_response())
}

/// `POST /v1/tickets`: a ticket for one download, of a file that is there.
pub(crate) async fn ticket(
    State(shared): State<Shared>,
    Extension(asker): Extension<Asker>,
    body: Bytes,
) -> Result<Json<api::Ticket>, Problem> {
    let Asker::Page { cookie, .. } = asker else {
        return Err(Problem::new(Code::BadRequest, "only a page needs a ticket")
            .advice("Ask for the file itself."));
    };
    let wish: api::WantTicket = routes::json_body(&body)?;
    let name: Name = wish
        .name
        .parse()
        .map_err(|error: NameError| Problem::new(Code::BadRequest, error.to_string()))?;
    let found = shared.node.stat(&name).await;
    found.map_err(|error| failure::problem(&error, Wish::Read))?;
    let name = name.to_string();
    let ticket = shared.sessions.ticket(&cookie, &name, Instant::now());
    Ok(Json(api::Ticket {
        ticket: ticket.reveal().to_owned(),
        name,
    }))
}

fn cookie(name: &Arc<str>, value: &str, seconds: u64) -> HeaderValue {
    let text = format!("{name}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Strict");
    HeaderValue::from_str(&text).expect("digits, letters and punctuation")
}
