//! The dashboard's entrance and its stream, byte by byte.

use std::cell::Cell;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::Instant;

use serde_json::Value;

use crate::support::{Home, Node, PATIENCE};

/// An answer of the node.
struct Answer {
    status: u16,
    head: String,
    body: String,
}

impl Answer {
    fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }

    fn header(&self, name: &str) -> &str {
        let lines = self.head.lines();
        let mut values = lines.filter_map(|line| line.split_once(": "));
        let found = values.find(|(known, _)| known.eq_ignore_ascii_case(name));
        found
            .unwrap_or_else(|| panic!("no {name} in {}", self.head))
            .1
    }
}

/// Sends a request with these header lines, which need not name the host.
fn ask(node: &Node, request: &str, headers: &[&str], body: &str) -> Answer {
    let mut stream = TcpStream::connect(&node.http).unwrap();
    let host = format!("Host: {}", node.http);
    let length = format!("Content-Length: {}", body.len());
    let mut lines = vec![request, "Connection: close", &length];
    lines.extend_from_slice(headers);
    if !headers.iter().any(|line| line.starts_with("Host: ")) {
        lines.push(&host);
    }
    let head = lines.join("\r\n").replacen("\r\n", " HTTP/1.1\r\n", 1);
    let head = format!("{head}\r\n\r\n{body}");
    stream.write_all(head.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    Answer {
        status: head.split(' ').nth(1).unwrap().parse().unwrap(),
        head: head.to_owned(),
        body: body.to_owned(),
    }
}

/// What `chordal open` prints behind `#`.
fn link(home: &Home, node: &Node) -> String {
    let printed = node.ok(home, &["open", "--no-browser"]).out;
    let line = printed.lines().next().unwrap();
    let (place, link) = line.split_once("/#").unwrap();
    assert_eq!(place, format!("http://{}", node.http));
    link.to_owned()
}

/// Header lines of a page that came in by such a link.
fn session(home: &Home, node: &Node) -> [String; 2] {
    let wish = format!("{{\"link\":\"{}\"}}", link(home, node));
    let opened = ask(node, "POST /v1/session", &[], &wish);
    assert_eq!(opened.status, 200, "{}", opened.body);
    let cookie = opened.header("set-cookie");
    for part in ["HttpOnly", "SameSite=Strict", "Path=/", "Max-Age="] {
        assert!(cookie.contains(part), "{cookie}");
    }
    let cookie = cookie.split(';').next().unwrap();
    let token = opened.json()["token"].as_str().unwrap().to_owned();
    [
        format!("Cookie: {cookie}"),
        format!("Chordal-Session: {token}"),
    ]
}

#[test]
fn a_link_opens_the_dashboard_once() {
    let home = Home::new();
    let node = home.node(&[]);
    let page = ask(&node, "GET /", &[], "");
    assert_eq!(page.status, 200);
    let policy = page.header("content-security-policy");
    assert!(policy.contains("script-src 'self'") && policy.contains("frame-ancestors 'none'"));
    assert_eq!(
        ask(&node, "GET /app.js", &["Host: evil.example"], "").status,
        403
    );

    let [cookie, token] = session(&home, &node);
    let both = [cookie.as_str(), token.as_str()];
    assert_eq!(ask(&node, "GET /v1/status", &both, "").status, 200);
    assert_eq!(ask(&node, "GET /v1/status", &both[..1], "").status, 401);
    assert_eq!(ask(&node, "GET /v1/status", &both[1..], "").status, 401);

    let link = link(&home, &node);
    let wish = format!("{{\"link\":\"{link}\"}}");
    let elsewhere = ["Origin: http://127.0.0.1:1"];
    let refused = ask(&node, "POST /v1/session", &elsewhere, &wish);
    assert_eq!(refused.json()["code"], "wrong_origin");
    assert_eq!(ask(&node, "POST /v1/session", &[], &wish).status, 200);
    assert_eq!(ask(&node, "POST /v1/session", &[], &wish).status, 401);
    assert_eq!(ask(&node, "POST /v1/session", &[], "{}").status, 400);

    assert_eq!(ask(&node, "DELETE /v1/session", &both, "").status, 204);
    assert_eq!(ask(&node, "GET /v1/status", &both, "").status, 401);
}

#[test]
fn a_page_stores_and_fetches_but_does_not_rule_the_ring() {
    let home = Home::new();
    let node = home.node(&[]);
    let [cookie, token] = session(&home, &node);
    let own = format!("Origin: http://{}", node.http);
    let both = [cookie.as_str(), token.as_str(), own.as_str()];
    let put = ask(
        &node,
        "PUT /v1/files?name=a.html",
        &both,
        "<script>alert(1)</script>",
    );
    assert_eq!(put.status, 200);
    for request in [
        "POST /v1/leave",
        "POST /v1/forget",
        "POST /v1/invite",
        "POST /v1/links",
    ] {
        let refused = ask(&node, request, &both, "{}");
        assert_eq!(refused.json()["code"], "refused", "{request}");
    }
    let other = [
        cookie.as_str(),
        token.as_str(),
        "Origin: http://127.0.0.1:9",
    ];
    let refused = ask(&node, "DELETE /v1/files?name=a.html", &other, "");
    assert_eq!(refused.json()["code"], "wrong_origin");

    let missing = ask(&node, "POST /v1/tickets", &both, "{\"name\":\"b\"}");
    assert_eq!(missing.status, 404);
    let ticket = ask(&node, "POST /v1/tickets", &both, "{\"name\":\"a.html\"}").json();
    let (name, ticket) = (ticket["name"].as_str().unwrap(), &ticket["ticket"]);
    let request = format!(
        "GET /v1/files?name={name}&ticket={}",
        ticket.as_str().unwrap()
    );
    let got = ask(&node, &request, &both[..1], "");
    assert_eq!(got.body, "<script>alert(1)</script>");
    assert!(got.header("content-disposition").starts_with("attachment"));
    assert!(got.header("content-security-policy").contains("sandbox"));
    assert_eq!(got.header("x-content-type-options"), "nosniff");
    assert_eq!(ask(&node, &request, &both[..1], "").status, 401);
}

#[test]
fn whoever_watches_hears_of_a_death_and_holds_up_no_stop() {
    let home = Home::new();
    let [first, second, mut third] = home.ring_of_three(&[]);
    let [cookie, token] = session(&home, &first);
    let mut stream = TcpStream::connect(&first.http).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let head = format!(
        "GET /v1/events HTTP/1.1\r\nHost: {}\r\n{cookie}\r\n{token}\r\n\r\n",
        first.http
    );
    stream.write_all(head.as_bytes()).unwrap();
    let mut lines = BufReader::new(stream).lines();
    let mut told = |kind: &str, what: &dyn Fn(&Value) -> bool| {
        let mut event = String::new();
        loop {
            let line = lines.next().expect("it is told").unwrap();
            if let Some(name) = line.strip_prefix("event: ") {
                name.clone_into(&mut event);
            }
            let data = line.strip_prefix("data: ").filter(|_| event == kind);
            if data.is_some_and(|data| what(&serde_json::from_str(data).unwrap())) {
                return;
            }
        }
    };
    let noted = Cell::new(0);
    told("scene", &|scene| {
        noted.set(scene["noted"].as_u64().unwrap());
        scene["ring"]["nodes"].as_array().unwrap().len() == 3
    });
    third.kill();
    let is_silent = |node: &Value| node["id"] == third.id.as_str() && node["state"] == "suspect";
    told("change", &|change| {
        let mut nodes = change["ring"]["nodes"].as_array().unwrap().iter();
        nodes.any(is_silent)
    });
    // It may have failed to answer the look that the watcher was told of before it was suspected.
    told("change", &|change| {
        change["noted"].as_u64().unwrap() > noted.get()
    });
    let timeline = ask(&first, "GET /v1/timeline", &[&cookie, &token], "").json();
    let mut events = timeline["events"].as_array().unwrap().iter();
    assert!(events.any(|event| event["node"] == third.id.as_str() && event["what"] == "suspected"));

    let begun = Instant::now();
    first.signal("-TERM");
    assert_eq!(first.wait().0, 0);
    assert!(begun.elapsed().as_secs() < 10, "{:?}", begun.elapsed());
    drop(second);
}
