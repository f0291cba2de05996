use super::*;

#[test]
fn a_problem_of_the_api_keeps_its_code_and_gets_its_exit_code() {
    for (code, text, exit) in [
        (Code::BadRequest, "bad_request", Exit::Usage),
        (Code::NotFound, "not_found", Exit::NotFound),
        (Code::TooFewCopies, "too_few_copies", Exit::TooFewCopies),
        (Code::Minority, "minority", Exit::TooFewCopies),
        (Code::Refused, "refused", Exit::Refused),
        (Code::Full, "full", Exit::Failed),
        (Code::Unauthorised, "unauthorised", Exit::Failed),
    ] {
        let trouble = Trouble::from(Problem::new(code, "x"));
        assert_eq!((trouble.code.as_str(), trouble.exit()), (text, exit));
    }
}

#[test]
fn the_paragraph_says_what_happened_what_is_still_true_and_what_to_do() {
    let trouble = Trouble::failed("x", "it broke")
        .still("All files are safe.")
        .advice("Try again.")
        .about(vec![Missing {
            node: "0123456789abcdef".into(),
            addr: "127.0.0.1:1".into(),
        }]);
    assert_eq!(
        trouble.paragraph(),
        "it broke. Not answering, or not caught up yet: 01234567 at 127.0.0.1:1. All files are safe. Try again."
    );
}

#[test]
fn a_reader_that_went_away_is_no_error() {
    let trouble = Trouble::output(&std::io::ErrorKind::BrokenPipe.into());
    assert!(trouble.is_silent());
    let trouble = Trouble::output(&std::io::ErrorKind::StorageFull.into());
    assert!(!trouble.is_silent());
}
