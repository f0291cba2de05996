use super::*;

#[test]
fn ranges_are_read_as_http_writes_them() {
    for (text, range) in [
        ("bytes=0-", Some(ByteRange::From(0))),
        ("bytes=5-9", Some(ByteRange::FromTo(5, 9))),
        ("bytes=-4", Some(ByteRange::Last(4))),
        ("bytes=9-5", None),
        ("bytes=-", None),
        ("bytes=0-1,3-4", None),
        ("bytes=+1-2", None),
        ("bytes=99999999999999999999-", None),
        ("lines=0-1", None),
        ("", None),
    ] {
        assert_eq!(parse_range(text), range, "{text}");
    }
}

#[test]
fn a_date_is_written_as_http_wants_it() {
    assert_eq!(
        http_date(1_700_000_000_123).as_deref(),
        Some("Tue, 14 Nov 2023 22:13:20 GMT")
    );
    assert_eq!(http_date(i64::MIN), None);
}

#[test]
fn what_a_put_says_of_its_file_is_taken_over() {
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain"));
    headers.insert(CONTENT_LENGTH, HeaderValue::from_static("17"));
    let request = put_request(Some("name=pics:a%2Fb&modified_ms=-5"), &headers).unwrap();
    assert_eq!(request.name.to_string(), "pics:a/b");
    assert_eq!(request.content_type, "text/plain");
    assert_eq!((request.size, request.modified_ms), (Some(17), Some(-5)));
}

#[test]
fn a_put_without_a_possible_name_is_refused_before_its_body_is_read() {
    for query in [
        None,
        Some("name="),
        Some("name=a&modified_ms=x"),
        Some("nam=a"),
    ] {
        let problem = put_request(query, &HeaderMap::new()).unwrap_err();
        assert_eq!(problem.code, Code::BadRequest, "{query:?}");
    }
    let long = format!("name={}", "x".repeat(1025));
    assert!(put_request(Some(&long), &HeaderMap::new()).is_err());
}
