//! Measures two endpoints over loopback: bulk bytes, and small messages.
//!
//! `cargo run --release -p chordal-net --example throughput`

#![expect(
    clippy::print_stdout,
    reason = "a measuring program prints its figures"
)]

use std::error::Error;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use chordal_net::{Admission, Authority, Config, Endpoint, Event, Events, Limits, NodeKey, Target};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let authority = Authority::generate();
    let (client, mut client_events) = bind(&authority).await?;
    let (server, server_events) = bind(&authority).await?;
    let to = Target {
        addr: server.local_addr(),
        expect: Some(server.local_id()),
    };
    let serving = tokio::spawn(serve(server.clone(), server_events));

    for lanes in [1, 4] {
        bulk(&client, to, lanes, Direction::Up).await?;
        bulk(&client, to, lanes, Direction::Down).await?;
    }
    latency(&client, to).await?;
    messages(&client, &mut client_events, to).await;

    client.close(Duration::from_secs(1)).await;
    server.close(Duration::from_secs(1)).await;
    serving.await?;
    Ok(())
}

async fn bind(authority: &Authority) -> Result<(Endpoint, Events), Box<dyn Error>> {
    let key = NodeKey::generate();
    let certificate = authority.issue(key.peer_id(), 0);
    let config = Config {
        listen: "127.0.0.1:0".parse()?,
        key,
        admission: Arc::new(Admission::new(authority.id(), certificate)),
        limits: Limits::default(),
    };
    Ok(Endpoint::bind(config).await?)
}

/// Answers a request with a body of as many bytes as its header asks for, and every thousandth
/// message with an empty one.
async fn serve(server: Endpoint, mut events: Events) {
    let body = Bytes::from(vec![7; BODY_BYTES]);
    let mut received = 0_u64;
    while let Some(event) = events.next().await {
        match event {
            Event::Request(request) => {
                let answer = request.header.is_empty().then(|| body.clone());
                request.respond(Bytes::new(), answer);
            }
            Event::Message { from, addr, .. } => {
                received += 1;
                if received.is_multiple_of(WINDOW / 2) {
                    let expect = Some(from);
                    server.send(Target { addr, expect }, Bytes::new());
                }
            }
            Event::Connected { .. }
            | Event::Disconnected { .. }
            | Event::Unreachable { .. }
            | Event::Undelivered { .. } => {}
        }
    }
}

#[derive(Clone, Copy, Debug)]
enum Direction {
    Up,
    Down,
}

async fn bulk(
    client: &Endpoint,
    to: Target,
    lanes: usize,
    direction: Direction,
) -> Result<(), Box<dyn Error>> {
    let body = Bytes::from(vec![7; BODY_BYTES]);
    let (header, body) = match direction {
        Direction::Up => (Bytes::from_static(b"store"), Some(body)),
        Direction::Down => (Bytes::new(), None),
    };
    client.request(to, header.clone(), body.clone()).await?;
    let started = Instant::now();
    let each = BULK_BODIES / lanes;
    let mut tasks = Vec::new();
    for _ in 0..lanes {
        let (client, header, body) = (client.clone(), header.clone(), body.clone());
        tasks.push(tokio::spawn(async move {
            for _ in 0..each {
                client.request(to, header.clone(), body.clone()).await?;
            }
            Ok::<(), chordal_net::RequestError>(())
        }));
    }
    for task in tasks {
        task.await??;
    }
    let rate = rate(each * lanes * BODY_BYTES, started) / 1e9;
    println!("bulk {direction:?}, {lanes} at once, 1 MiB bodies: {rate:.2} GB/s");
    Ok(())
}

async fn latency(client: &Endpoint, to: Target) -> Result<(), Box<dyn Error>> {
    let started = Instant::now();
    let header = Bytes::from_static(b"store");
    for _ in 0..ROUND_TRIPS {
        client.request(to, header.clone(), None).await?;
    }
    let each = started.elapsed() / ROUND_TRIPS;
    println!("empty request, one at a time: {each:?}");
    Ok(())
}

async fn messages(client: &Endpoint, events: &mut Events, to: Target) {
    let message = Bytes::from(vec![7; MESSAGE_BYTES]);
    let started = Instant::now();
    let mut sent = 0;
    let mut allowed = WINDOW;
    while sent < MESSAGES {
        while sent < allowed.min(MESSAGES) {
            client.send(to, message.clone());
            sent += 1;
        }
        match events.next().await {
            Some(Event::Message { .. }) => allowed += WINDOW / 2,
            Some(Event::Connected { .. }) => {}
            other => {
                println!("unexpected: {other:?}");
                return;
            }
        }
    }
    let rate = rate(usize::try_from(sent).unwrap_or(0), started);
    println!("messages of {MESSAGE_BYTES} bytes: {rate:.0} a second");
}

#[expect(
    clippy::cast_precision_loss,
    reason = "a rate is printed with three digits"
)]
fn rate(amount: usize, since: Instant) -> f64 {
    amount as f64 / since.elapsed().as_secs_f64()
}

const BODY_BYTES: usize = 1 << 20;
const BULK_BODIES: usize = 4096;
const ROUND_TRIPS: u32 = 20_000;
const MESSAGES: u64 = 2_000_000;
const MESSAGE_BYTES: usize = 100;
const WINDOW: u64 = 4096;
