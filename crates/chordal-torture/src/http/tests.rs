use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::time::Duration;

use super::Api;

const PATIENCE: Duration = Duration::from_secs(20);

/// A client of a server that says this and closes the connection.
fn told(answer: &'static str) -> Api {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut asked = Vec::new();
        let mut byte = [0];
        while !asked.ends_with(b"\r\n\r\n") && stream.read(&mut byte).unwrap() > 0 {
            asked.push(byte[0]);
        }
        stream.write_all(answer.as_bytes()).unwrap();
    });
    Api::new(addr, "token".to_owned())
}

#[test]
fn an_answer_comes_whole() {
    let mut api =
        told("HTTP/1.1 200 OK\r\nChordal-Version: 1-2-ab\r\nContent-Length: 3\r\n\r\nabc");
    let answer = api.ask("GET", "/", b"", PATIENCE).unwrap();
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("chordal-version"), Some("1-2-ab"));
    assert_eq!(answer.body, b"abc");
}

#[test]
fn a_body_that_is_cut_short_is_no_answer() {
    let mut api = told("HTTP/1.1 200 OK\r\nContent-Length: 30\r\n\r\nabc");
    api.ask("GET", "/", b"", PATIENCE).unwrap_err();
}

#[test]
fn what_is_not_http_is_no_answer() {
    let mut api = told("garbage\r\n\r\n");
    api.ask("GET", "/", b"", PATIENCE).unwrap_err();
}

#[test]
fn a_complaint_names_its_code() {
    let mut api = told(
        "HTTP/1.1 503 no\r\nContent-Length: 37\r\n\r\n{\"code\":\"minority\",\"message\":\"alone\"}\n",
    );
    let answer = api.ask("GET", "/", b"", PATIENCE).unwrap();
    assert_eq!(answer.complaint(), "503 minority: alone");
}
