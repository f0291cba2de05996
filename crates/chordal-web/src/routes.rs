//! Which address answers what. The files have a module of their own.

use std::net::SocketAddr;
use std::str::FromStr;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, RawQuery, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Extension, Json, Router, middleware};
use chordal_node::model::Name;
use chordal_node::model::Risk;
use chordal_node::{Counters, Force, Node, NodeError};
use chordal_object::DEFAULT_SPACE;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::failure::{self, Wish};
use crate::guard::{Asker, Gate, Token};
use crate::limits::{
    INVITE_SECONDS_MAX, INVITE_USES_MAX, JOIN_ADDRS_MAX, JSON_BYTES_MAX, LIST_ROWS_DEFAULT,
};
use crate::live::Live;
use crate::members::Members;
use crate::problem::{Code, Problem};
use crate::query::Query;
use crate::receipts::{self, RECEIPT_BYTES_MAX};
use crate::session::Sessions;
use crate::{api, assets, entrance, facts, files, forecast, which};

/// What every request needs.
#[derive(Clone, Debug)]
pub(crate) struct Shared {
    pub(crate) node: Node,
    pub(crate) token: Token,
    pub(crate) sessions: Arc<Sessions>,
    /// The name of the cookie of a session: cookies are of an address, not of a port.
    pub(crate) cookie_name: Arc<str>,
    pub(crate) live: Live,
}

impl Shared {
    fn gate(&self) -> Gate<'_> {
        Gate {
            token: &self.token,
            sessions: &self.sessions,
            cookie_name: &self.cookie_name,
        }
    }
}

/// The whole API, behind its guard.
pub(crate) fn router(shared: Shared) -> Router {
    let file = get(files::get)
        .head(files::head)
        .put(files::put)
        .delete(files::delete);
    // A question about chunks names them.
    let of_chunks = DefaultBodyLimit::max(RECEIPT_BYTES_MAX);
    // A page in a browser has no business with these: only programs that have the node's token.
    let of_programs = Router::new()
        .route("/v1/join", post(join))
        .route("/v1/invite", post(invite))
        .route("/v1/leave", post(leave))
        .route("/v1/forget", post(forget))
        .route("/v1/expel", post(expel))
        .route("/v1/receipts", post(receipts::make))
        .route("/v1/attest", post(receipts::attest).layer(of_chunks))
        .route("/v1/links", post(entrance::link))
        .route_layer(middleware::from_fn(programs_only));
    let guarded = middleware::from_fn_with_state(shared.clone(), guarded);
    Router::new()
        .route("/v1/files", file.layer(DefaultBodyLimit::disable()))
        .route("/v1/stat", get(files::stat))
        .route("/v1/list", get(list))
        .route("/v1/where", get(whereis))
        .route("/v1/status", get(status))
        .route("/v1/ring", get(ring))
        .route("/v1/check", get(check))
        .route("/v1/fingers", get(fingers))
        .route("/v1/counters", get(counters))
        .route("/v1/members", get(members))
        .route("/v1/events", get(events))
        .route("/v1/timeline", get(timeline))
        .route("/v1/risk", get(risk))
        .route("/v1/whatif", get(forecast::whatif))
        .route("/v1/plan", get(forecast::plan))
        .route("/v1/tickets", post(entrance::ticket))
        .merge(of_programs)
        .fallback(no_such_route)
        .method_not_allowed_fallback(no_such_route)
        .layer(guarded)
        // Below are those who have nothing to show yet.
        .route("/v1/session", post(entrance::open).delete(entrance::close))
        .merge(assets::router())
        .layer(DefaultBodyLimit::max(JSON_BYTES_MAX))
        .layer(middleware::map_response(assets::seal))
        .with_state(shared)
}

async fn guarded(State(shared): State<Shared>, mut request: Request, next: Next) -> Response {
    let (method, uri, headers) = (request.method(), request.uri(), request.headers());
    let admitted = shared.gate().admit(method, uri, headers, Instant::now());
    match admitted {
        Ok(asker) => {
            request.extensions_mut().insert(asker);
            next.run(request).await
        }
        Err(problem) => problem.into_response(),
    }
}

async fn programs_only(
    Extension(asker): Extension<Asker>,
    request: Request,
    next: Next,
) -> Result<Response, Problem> {
    if asker == Asker::Program {
        return Ok(next.run(request).await);
    }
    Err(Problem::new(Code::Refused, "the dashboard may not do this")
        .advice("Use the command line: `chordal --help`."))
}

/// `GET /v1/events`: the ring as it is, and then what changes.
async fn events(
    State(shared): State<Shared>,
    Extension(asker): Extension<Asker>,
) -> Result<Response, Problem> {
    let until = match asker {
        Asker::Program => None,
        Asker::Page { ends, .. } => Some(ends),
    };
    shared.live.watch(until)
}

/// `GET /v1/timeline`: what happened in the last day.
async fn timeline(State(shared): State<Shared>) -> Json<api::Timeline> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let now = now.unwrap_or_default().as_millis();
    let now_ms = i64::try_from(now).unwrap_or(i64::MAX);
    let chronicle = shared.node.chronicle();
    let settings = shared.node.settings();
    Json(facts::timeline(&chronicle, now_ms, &settings))
}

async fn no_such_route(request: Request) -> Problem {
    let (method, path) = (request.method(), request.uri().path());
    Problem::new(
        Code::NoSuchRoute,
        format!("there is nothing to {method} at {path}"),
    )
    .advice("The API is described in docs/cli.md.")
}

/// `GET /v1/list?space=&prefix=&after=&limit=`: a page of names.
async fn list(
    State(shared): State<Shared>,
    RawQuery(query): RawQuery,
) -> Result<Json<api::Page>, Problem> {
    let query = Query::parse(query.as_deref())?;
    let space = query.get("space").unwrap_or(DEFAULT_SPACE);
    let prefix = query.get("prefix").unwrap_or_default();
    check_space(space)?;
    let limit = limit(&query)?;
    let page = shared.node.list(space, prefix, query.get("after"), limit);
    page.await
        .map(|page| Json(facts::page(page)))
        .map_err(|error| failure::problem(&error, Wish::Look))
}

/// How many rows a page is to have at most.
pub(crate) fn limit(query: &Query) -> Result<u32, Problem> {
    match query.get("limit") {
        None => Ok(LIST_ROWS_DEFAULT),
        Some(text) => text
            .parse()
            .ok()
            .filter(|&limit| limit > 0)
            .ok_or_else(|| bad("'limit' is not a number above 0")),
    }
}

pub(crate) fn check_space(space: &str) -> Result<(), Problem> {
    // A name needs a path; this one is as good as any.
    Name::new(space, "x")
        .map(drop)
        .map_err(|error| bad(&error.to_string()))
}

/// `GET /v1/where?name=`.
async fn whereis(
    State(shared): State<Shared>,
    RawQuery(query): RawQuery,
) -> Result<Json<api::Where>, Problem> {
    let name = files::name_in(&Query::parse(query.as_deref())?)?;
    let found = shared.node.whereis(&name).await;
    found
        .map(|found| {
            let settings = shared.node.settings();
            Json(facts::whereabouts(name.to_string(), &found, &settings))
        })
        .map_err(|error| failure::problem(&error, Wish::Look))
}

/// `GET /v1/status`.
async fn status(State(shared): State<Shared>) -> Result<Json<api::Status>, Problem> {
    let ring = shared.node.status().await;
    ring.map(|ring| Json(facts::status(&ring)))
        .map_err(|error| failure::problem(&error, Wish::Look))
}

/// `GET /v1/ring`.
async fn ring(State(shared): State<Shared>) -> Result<Json<api::RingPicture>, Problem> {
    let ring = shared.node.status().await;
    ring.map(|ring| Json(facts::picture(&ring, &shared.node.settings())))
        .map_err(|error| failure::problem(&error, Wish::Look))
}

/// `GET /v1/check`: the live ring is walked for it.
async fn check(State(shared): State<Shared>) -> Result<Json<api::Check>, Problem> {
    let check = shared.node.check().await;
    check
        .map(|check| Json(facts::check(&check)))
        .map_err(|error| failure::problem(&error, Wish::Look))
}

/// `GET /v1/risk`: what would be lost if nodes died now.
async fn risk(State(shared): State<Shared>) -> Result<Json<api::Risk>, Problem> {
    let ring = shared.node.status().await;
    let ring = ring.map_err(|error| failure::problem(&error, Wish::Look))?;
    let settings = shared.node.settings();
    let judged = tokio::task::spawn_blocking(move || Risk::of(&ring, &settings)).await;
    match judged {
        Ok(risk) => Ok(Json(facts::risk(&risk))),
        Err(_) => Err(Problem::new(Code::Busy, "the node is stopping")),
    }
}

/// `GET /v1/fingers`.
async fn fingers(State(shared): State<Shared>) -> Result<Json<api::Fingers>, Problem> {
    let tables = shared.node.fingers().await;
    tables
        .map(|tables| Json(facts::fingers(&tables)))
        .map_err(|error| failure::problem(&error, Wish::Look))
}

/// `GET /v1/counters`.
async fn counters(State(shared): State<Shared>) -> Json<Value> {
    Json(counts(&shared.node.counters()))
}

/// `POST /v1/join`: enters the ring of whoever answers at one of the addresses.
async fn join(State(shared): State<Shared>, body: Bytes) -> Result<Json<api::Joined>, Problem> {
    let wish: api::Join = json_body(&body)?;
    if wish.addrs.is_empty() || wish.addrs.len() > JOIN_ADDRS_MAX {
        return Err(bad(&format!("1 to {JOIN_ADDRS_MAX} addresses are needed")));
    }
    let addrs = wish.addrs.iter().map(|text| {
        SocketAddr::from_str(text).map_err(|_| bad(&format!("'{text}' is not an address IP:PORT")))
    });
    let addrs = addrs.collect::<Result<Vec<_>, _>>()?;
    let node = shared.node.clone();
    let nodes = detached(async move { node.join(addrs).await }, Wish::Join).await?;
    Ok(Json(api::Joined { nodes }))
}

/// `POST /v1/invite`: a code that lets other machines in.
async fn invite(State(shared): State<Shared>, body: Bytes) -> Result<Json<api::Invited>, Problem> {
    let wish: api::Invite = json_body(&body)?;
    if wish.uses == 0 || wish.uses > INVITE_USES_MAX {
        return Err(bad(&format!("1 to {INVITE_USES_MAX} uses are possible")));
    }
    if wish.seconds == 0 || wish.seconds > INVITE_SECONDS_MAX {
        return Err(bad("an invitation lasts a second to a year"));
    }
    let lasts = Duration::from_secs(wish.seconds);
    let invited = shared.node.invite(wish.uses, lasts).await;
    let code = invited.map_err(|error| failure::no_invitation(&error))?;
    Ok(Json(api::Invited {
        code: code.to_string(),
        addrs: code.addrs.iter().map(ToString::to_string).collect(),
        uses: wish.uses,
        seconds: wish.seconds,
    }))
}

/// `POST /v1/leave`: hands everything over and leaves for good.
async fn leave(State(shared): State<Shared>, body: Bytes) -> Result<Json<api::Left>, Problem> {
    let wish: api::Leave = if body.is_empty() {
        api::Leave::default()
    } else {
        json_body(&body)?
    };
    let force = if wish.force { Force::Yes } else { Force::No };
    let node = shared.node.clone();
    detached(async move { node.leave(force).await }, Wish::Leave).await?;
    Ok(Json(api::Left {
        left: true,
        node: shared.node.id().to_string(),
        addr: shared.node.addr().to_string(),
    }))
}

/// `POST /v1/forget`: gives a silent node up at once.
async fn forget(
    State(shared): State<Shared>,
    body: Bytes,
) -> Result<Json<api::Forgotten>, Problem> {
    let wish: api::Forget = json_body(&body)?;
    let node = shared.node.clone();
    let status = node
        .status()
        .await
        .map_err(|error| failure::problem(&error, Wish::Forget))?;
    let named = which::node(&status.nodes, &wish.node)?;
    let (id, addr) = (named.member.node, named.member.addr);
    let force = if wish.force { Force::Yes } else { Force::No };
    detached(async move { node.forget(id, force).await }, Wish::Forget).await?;
    Ok(Json(api::Forgotten {
        forgotten: true,
        node: id.to_string(),
        addr: addr.to_string(),
    }))
}

/// `GET /v1/members`.
async fn members(State(shared): State<Shared>) -> Result<Json<api::Members>, Problem> {
    let members = Members::of(&shared.node).await?;
    Ok(Json(members.told()))
}

/// `POST /v1/expel`: expels a node for good.
async fn expel(State(shared): State<Shared>, body: Bytes) -> Result<Json<api::Expelled>, Problem> {
    let wish: api::Expel = json_body(&body)?;
    let node = shared.node.clone();
    let (id, addr) = Members::of(&node).await?.find(&wish.node)?;
    let force = if wish.force { Force::Yes } else { Force::No };
    // To the end even when the client goes away.
    let expelling = tokio::spawn(async move { node.expel(id, force).await });
    let expelled = match expelling.await {
        Ok(expelled) => expelled.map_err(|error| failure::not_expelled(&error))?,
        Err(_) => {
            return Err(Problem::new(Code::Failed, "the operation broke off")
                .still("It may have been done in part.")
                .advice("Look at `chordal members`, and expel it again."));
        }
    };
    Ok(Json(api::Expelled {
        expelled: true,
        node: id.to_string(),
        addr: addr.map(|addr| addr.to_string()),
        since: facts::unix_time(expelled.since),
        told: expelled.told,
    }))
}

/// Runs to the end even when the client goes away: half a leave helps nobody.
async fn detached<T: Send + 'static>(
    work: impl Future<Output = Result<T, NodeError>> + Send + 'static,
    wish: Wish,
) -> Result<T, Problem> {
    match tokio::spawn(work).await {
        Ok(result) => result.map_err(|error| failure::problem(&error, wish)),
        Err(_) => Err(Problem::new(Code::Failed, "the operation broke off")
            .still("It may have been done in part.")
            .advice("Look at `chordal status` and the node's log.")),
    }
}

pub(crate) fn json_body<T: DeserializeOwned>(body: &[u8]) -> Result<T, Problem> {
    serde_json::from_slice(body)
        .map_err(|error| bad(&format!("the body is not understood: {error}")))
}

fn bad(message: &str) -> Problem {
    Problem::new(Code::BadRequest, message)
}

fn counts(counters: &Counters) -> Value {
    json!({
        "puts": counters.puts,
        "gets": counters.gets,
        "removes": counters.removes,
        "lists": counters.lists,
        "failures": counters.failures,
        "bytes_in": counters.bytes_in,
        "bytes_out": counters.bytes_out,
        "files_open": counters.files_open,
        "chunks_pushed": counters.chunks_pushed,
        "chunks_fetched": counters.chunks_fetched,
        "chunks_served": counters.chunks_served,
        "copied_bytes": counters.copied_bytes,
        "copying_bytes_per_second": counters.copying_bytes_per_second,
        "transfers_failed": counters.transfers_failed,
        "disk_failures": counters.disk_failures,
        "commits": counters.commits,
        "changes": counters.changes,
        "quarantined": counters.quarantined,
        "malformed": counters.malformed,
        "messages_sent": counters.messages_sent,
        "messages_received": counters.messages_received,
        "connections_open": counters.connections_open,
        "connections_refused": counters.connections_refused,
    })
}
