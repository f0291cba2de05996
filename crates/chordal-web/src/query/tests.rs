use super::*;

#[test]
fn any_utf8_name_survives_percent_encoding() {
    let query = Query::parse(Some("name=..%2F%C3%A4%20%0A%2B&limit=5")).unwrap();
    assert_eq!(query.get("name"), Some("../ä \n+"));
    assert_eq!(query.get("limit"), Some("5"));
    assert_eq!(query.get("after"), None);
}

#[test]
fn a_plus_is_a_space_as_forms_write_it() {
    let query = Query::parse(Some("name=a+b")).unwrap();
    assert_eq!(query.get("name"), Some("a b"));
}

#[test]
fn bytes_that_are_not_utf8_are_refused_and_not_replaced() {
    assert_eq!(
        Query::parse(Some("name=%FF")).unwrap_err().code,
        Code::BadRequest
    );
}

#[test]
fn a_broken_escape_is_refused() {
    for text in ["name=%", "name=%2", "name=%zz", "name=%+1"] {
        assert!(Query::parse(Some(text)).is_err(), "{text}");
    }
}

#[test]
fn a_missing_parameter_is_named() {
    let query = Query::parse(None).unwrap();
    let problem = query.need("name").unwrap_err();
    assert!(problem.message.contains("'name'"), "{}", problem.message);
}
