use super::*;

const COOKIE_NAME: &str = "chordal-80";

/// What a request with these headers is told; nothing when it is admitted.
fn refusal(sessions: &Sessions, request: &str, lines: &[(HeaderName, &str)]) -> Option<Code> {
    let (method, uri) = request.split_once(' ').unwrap();
    let mut headers = HeaderMap::new();
    for (name, value) in lines {
        headers.append(name, HeaderValue::from_str(value).unwrap());
    }
    let token = Token::new("right".into());
    let gate = Gate {
        token: &token,
        sessions,
        cookie_name: COOKIE_NAME,
    };
    let method: Method = method.parse().unwrap();
    let admitted = gate.admit(&method, &uri.parse().unwrap(), &headers, Instant::now());
    admitted.err().map(|problem| problem.code)
}

fn code_of(host: &str, authorization: Option<&str>) -> Option<Code> {
    let mut lines = vec![(HOST, host)];
    lines.extend(authorization.map(|value| (AUTHORIZATION, value)));
    refusal(&Sessions::default(), "GET /v1/status", &lines)
}

/// A session's cookie line and token.
fn session(sessions: &Sessions) -> (String, String) {
    let now = Instant::now();
    let link = sessions.link(now);
    let opened = sessions.open(link.reveal(), now).unwrap();
    let line = format!("other=1; {COOKIE_NAME}={}", opened.cookie.reveal());
    (line, opened.token.reveal().to_owned())
}

#[test]
fn only_the_whole_token_opens() {
    assert_eq!(code_of("127.0.0.1:80", Some("Bearer right")), None);
    assert_eq!(code_of("127.0.0.1:80", Some("bearer right")), None);
    for wrong in [
        None,
        Some("Bearer "),
        Some("Bearer righ"),
        Some("Bearer rightt"),
        Some("Bearer wrong"),
        Some("Basic right"),
        Some("right"),
        Some("B"),
    ] {
        assert_eq!(
            code_of("127.0.0.1:80", wrong),
            Some(Code::Unauthorised),
            "{wrong:?}"
        );
    }
}

#[test]
fn a_name_that_points_here_is_not_served() {
    for host in [
        "127.0.0.1",
        "[::1]:80",
        "[::1]",
        "localhost:9",
        "10.0.0.7:1",
    ] {
        assert_eq!(code_of(host, Some("Bearer right")), None, "{host}");
    }
    for host in [
        "evil.example:80",
        "127.0.0.1.evil.example",
        "",
        "[evil",
        "localhost.x:1",
    ] {
        assert_eq!(
            code_of(host, Some("Bearer right")),
            Some(Code::WrongHost),
            "{host}"
        );
    }
}

#[test]
fn a_request_without_host_or_with_two_is_refused() {
    let sessions = Sessions::default();
    let right = (AUTHORIZATION, "Bearer right");
    let host = (HOST, "127.0.0.1");
    let ask = |lines: &[_]| refusal(&sessions, "GET /v1/status", lines);
    assert_eq!(ask(std::slice::from_ref(&right)), Some(Code::WrongHost));
    assert_eq!(ask(&[right.clone(), host.clone()]), None);
    assert_eq!(ask(&[right, host.clone(), host]), Some(Code::WrongHost));
}

#[test]
fn a_page_needs_both_halves_of_its_session() {
    let sessions = Sessions::default();
    let (cookie, token) = session(&sessions);
    let host = (HOST, "127.0.0.1:80");
    let ask = |more: &[(HeaderName, &str)]| {
        let mut lines = vec![host.clone()];
        lines.extend_from_slice(more);
        refusal(&sessions, "GET /v1/status", &lines)
    };
    let (cookie, token) = ((COOKIE, cookie.as_str()), (SESSION_TOKEN, token.as_str()));
    assert_eq!(ask(&[cookie.clone(), token.clone()]), None);
    assert_eq!(ask(std::slice::from_ref(&cookie)), Some(Code::Unauthorised));
    assert_eq!(ask(&[token]), Some(Code::Unauthorised));
    let wrong = (SESSION_TOKEN, "0");
    assert_eq!(ask(&[cookie, wrong]), Some(Code::Unauthorised));
}

#[test]
fn a_page_of_another_origin_is_refused_whatever_it_shows() {
    let sessions = Sessions::default();
    let (cookie, token) = session(&sessions);
    let ask = |more: (HeaderName, &str)| {
        let lines = [
            (HOST, "127.0.0.1:80"),
            (COOKIE, cookie.as_str()),
            (SESSION_TOKEN, token.as_str()),
            more,
        ];
        refusal(&sessions, "DELETE /v1/files?name=a", &lines)
    };
    assert_eq!(ask((ORIGIN, "http://127.0.0.1:80")), None);
    assert_eq!(ask((FETCH_SITE, "same-origin")), None);
    for other in [
        "http://127.0.0.1:81",
        "https://127.0.0.1:80",
        "http://evil.example",
        "null",
        "",
    ] {
        assert_eq!(ask((ORIGIN, other)), Some(Code::WrongOrigin), "{other}");
    }
    assert_eq!(ask((FETCH_SITE, "same-site")), Some(Code::WrongOrigin));
    let lines = [
        (HOST, "127.0.0.1:80"),
        (AUTHORIZATION, "Bearer right"),
        (ORIGIN, "http://evil.example"),
    ];
    let program = refusal(&sessions, "GET /v1/status", &lines);
    assert_eq!(program, Some(Code::WrongOrigin));
}

#[test]
fn a_ticket_opens_the_download_it_was_made_for_and_nothing_else() {
    let sessions = Sessions::default();
    let (cookie, _) = session(&sessions);
    let value = cookie.rsplit_once('=').unwrap().1;
    let ticket = || sessions.ticket(value, "main:a b", Instant::now());
    let ask = |request: &str| {
        let lines = [(HOST, "127.0.0.1:80"), (COOKIE, cookie.as_str())];
        refusal(&sessions, request, &lines)
    };
    let refused = Some(Code::Unauthorised);
    let ticket_for = |what: &str| format!("{what}&ticket={}", ticket().reveal());
    assert_eq!(ask(&ticket_for("GET /v1/files?name=main:b")), refused);
    assert_eq!(ask(&ticket_for("DELETE /v1/files?name=main:a+b")), refused);
    assert_eq!(ask(&ticket_for("GET /v1/stat?name=main:a+b")), refused);
    let good = ticket_for("GET /v1/files?name=main:a%20b");
    assert_eq!(ask(&good), None);
    assert_eq!(ask(&good), refused);
}

#[test]
fn a_token_is_not_printed_by_accident() {
    assert!(!format!("{:?}", Token::new("right".into())).contains("right"));
}
