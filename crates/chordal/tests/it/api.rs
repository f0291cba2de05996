//! The control API as a script meets it, byte by byte.

use std::io::{Read, Write};
use std::net::TcpStream;

use crate::support::{Home, Node, bytes};

/// Sends a request with these header lines, and reads to the end of the connection.
fn ask(node: &Node, request: &str, headers: &str, body: &[u8]) -> (u16, String, Vec<u8>) {
    let mut stream = TcpStream::connect(&node.http).unwrap();
    let head = format!("{request} HTTP/1.1\r\nConnection: close\r\n{headers}\r\n");
    stream.write_all(head.as_bytes()).unwrap();
    stream.write_all(body).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    let split = answer
        .windows(4)
        .position(|window| window == b"\r\n\r\n")
        .expect("an answer with a head");
    let head = String::from_utf8_lossy(&answer[..split]).to_ascii_lowercase();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    (status, head, answer[split + 4..].to_vec())
}

fn started() -> (Home, Node, String) {
    let home = Home::new();
    let node = home.node(&[]);
    let headers = format!(
        "Host: {}\r\nAuthorization: Bearer {}\r\n",
        node.http,
        home.token(&node)
    );
    (home, node, headers)
}

#[test]
fn only_who_shows_the_token_and_means_this_host_is_served() {
    let (home, node, headers) = started();
    let host = format!("Host: {}\r\n", node.http);
    assert_eq!(ask(&node, "GET /v1/status", &headers, b"").0, 200);
    assert_eq!(ask(&node, "GET /v1/status", &host, b"").0, 401);
    assert_eq!(ask(&node, "GET /nothing", &host, b"").0, 401);
    let wrong = format!("{host}Authorization: Bearer {}\r\n", "0".repeat(64));
    assert_eq!(ask(&node, "PUT /v1/files?name=a", &wrong, b"").0, 401);
    let rebound = format!(
        "Host: evil.example\r\nAuthorization: Bearer {}\r\n",
        home.token(&node)
    );
    assert_eq!(ask(&node, "GET /v1/status", &rebound, b"").0, 403);
    assert_eq!(ask(&node, "GET /nothing", &headers, b"").0, 404);
    assert_eq!(ask(&node, "POST /v1/status", &headers, b"").0, 404);
    assert_eq!(node.run(&home, &["stat", "a"]).code, 3);
}

#[test]
fn chunked_uploads_and_ranges_work_for_any_client() {
    let (_home, node, headers) = started();
    let chunked = format!("{headers}Transfer-Encoding: chunked\r\n");
    let body = b"5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n";
    let (status, _, _) = ask(&node, "PUT /v1/files?name=..%2Fa%20b", &chunked, body);
    assert_eq!(status, 200);
    let get = "GET /v1/files?name=..%2Fa%20b";
    let (status, head, body) = ask(&node, get, &headers, b"");
    assert_eq!((status, body.as_slice()), (200, &b"hello world"[..]));
    assert!(head.contains("content-length: 11"), "{head}");

    for (range, status, part) in [
        ("bytes=6-", 206, "world"),
        ("bytes=0-4", 206, "hello"),
        ("bytes=-3", 206, "rld"),
        ("bytes=4-100", 206, "o world"),
    ] {
        let headers = format!("{headers}Range: {range}\r\n");
        let (code, head, body) = ask(&node, get, &headers, b"");
        assert_eq!(
            (code, body.as_slice()),
            (status, part.as_bytes()),
            "{range}"
        );
        assert!(head.contains("content-range: bytes "), "{head}");
    }
    let outside = format!("{headers}Range: bytes=11-\r\n");
    assert_eq!(ask(&node, get, &outside, b"").0, 416);
    let other = format!(
        "{headers}Range: bytes=6-\r\nIf-Range: \"{}\"\r\n",
        "0".repeat(64)
    );
    let (status, _, body) = ask(&node, get, &other, b"");
    assert_eq!((status, body.as_slice()), (200, &b"hello world"[..]));

    let (status, head, body) = ask(&node, "HEAD /v1/files?name=..%2Fa%20b", &headers, b"");
    assert_eq!((status, body.len()), (200, 0));
    assert!(head.contains("content-length: 11"), "{head}");
    assert_eq!(
        ask(&node, "DELETE /v1/files?name=..%2Fa%20b", &headers, b"").0,
        200
    );
    assert_eq!(ask(&node, get, &headers, b"").0, 404);
}

#[test]
fn an_upload_that_ends_early_is_not_a_file() {
    let (home, node, headers) = started();
    let mut stream = TcpStream::connect(&node.http).unwrap();
    let head =
        format!("PUT /v1/files?name=torn HTTP/1.1\r\n{headers}Content-Length: 5000000\r\n\r\n");
    stream.write_all(head.as_bytes()).unwrap();
    stream.write_all(&bytes(1, 3_000_000)).unwrap();
    drop(stream);
    assert_eq!(node.run(&home, &["stat", "torn"]).code, 3);
}

#[test]
fn requests_that_mean_nothing_are_refused() {
    let (_home, node, headers) = started();
    for request in [
        "GET /v1/files",
        "GET /v1/files?name=",
        "GET /v1/files?name=%ff",
        "GET /v1/files?name=%zz",
        "GET /v1/list?space=A",
        "GET /v1/list?limit=0",
        "GET /v1/list?limit=x",
        "POST /v1/join",
    ] {
        let (status, _, body) = ask(&node, request, &headers, b"");
        assert_eq!(status, 400, "{request}");
        let problem: serde_json::Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(problem["code"], "bad_request", "{request}");
    }
    let (status, _, _) = ask(&node, "GET /v1/counters", &headers, b"");
    assert_eq!(status, 200);
}
