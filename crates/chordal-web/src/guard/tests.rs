use axum::http::HeaderValue;

use super::*;

fn code_of(host: &str, authorization: Option<&str>) -> Option<Code> {
    let mut headers = HeaderMap::new();
    headers.insert(HOST, HeaderValue::from_str(host).unwrap());
    if let Some(value) = authorization {
        headers.insert(AUTHORIZATION, HeaderValue::from_str(value).unwrap());
    }
    check(&headers, &Token::new("right".into()))
        .err()
        .map(|problem| problem.code)
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
    let mut headers = HeaderMap::new();
    headers.insert(AUTHORIZATION, HeaderValue::from_static("Bearer right"));
    let token = Token::new("right".into());
    assert_eq!(check(&headers, &token).unwrap_err().code, Code::WrongHost);
    headers.append(HOST, HeaderValue::from_static("127.0.0.1"));
    assert!(check(&headers, &token).is_ok());
    headers.append(HOST, HeaderValue::from_static("127.0.0.1"));
    assert_eq!(check(&headers, &token).unwrap_err().code, Code::WrongHost);
}

#[test]
fn a_token_is_not_printed_by_accident() {
    assert!(!format!("{:?}", Token::new("right".into())).contains("right"));
}
