use super::*;

const ONE_CHANGE: Setting = Setting { changes: 1, ..BASE };

#[test]
fn every_read_finds_what_was_acknowledged_while_a_holder_changes() {
    let findings = explore(&ONE_CHANGE);
    assert!(findings.wrong.is_none(), "{findings:#?}");
    assert!(!findings.unfinished);
    assert!(findings.worlds > 1_000, "{}", findings.worlds);
}

#[test]
fn whoever_answers_under_any_view_is_caught() {
    let findings = explore(&Setting {
        mistake: Some(Mistake::AnyView),
        ..ONE_CHANGE
    });
    assert!(findings.wrong.is_some(), "{} worlds", findings.worlds);
}
