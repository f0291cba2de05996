use chordal_web::api::{HeardNode, SilentNode};

use super::*;

fn right() -> Check {
    Check {
        ring: "chordal".to_owned(),
        verdict: "right".to_owned(),
        nodes: 3,
        tokens: 24,
        on_ring: 24,
        flaws: Vec::new(),
        heard: vec![
            HeardNode {
                id: "aa".repeat(32),
                addr: "127.0.0.1:2000".to_owned(),
                tokens: 8,
            };
            3
        ],
        silent: Vec::new(),
        unasked: 0,
        walks: 1,
        ms: 1.5,
    }
}

fn token(key: &str, node: &str, answers: bool) -> NamedToken {
    NamedToken {
        key: key.to_owned(),
        node: node.repeat(32),
        addr: Some("127.0.0.1:2001".to_owned()),
        answers,
    }
}

#[test]
fn a_right_ring_is_no_trouble_unless_it_has_another_size() {
    assert!(trouble(&right(), None).is_none());
    assert!(trouble(&right(), Some(3)).is_none());
    let other = trouble(&right(), Some(4)).unwrap();
    assert_eq!(
        (other.exit(), other.code.as_str()),
        (Exit::Failed, "other_size")
    );
    assert!(!is_right(&right(), Some(4)));
}

#[test]
fn a_wrong_ring_fails_and_an_uncertain_one_has_an_exit_code_of_its_own() {
    let mut wrong = right();
    wrong.verdict = "wrong".to_owned();
    let told = trouble(&wrong, None).unwrap();
    assert_eq!(
        (told.exit(), told.code.as_str()),
        (Exit::Failed, "ring_wrong")
    );
    let mut unknown = right();
    unknown.verdict = "unknown".to_owned();
    unknown.silent = vec![
        SilentNode {
            id: "bb".repeat(32),
            addr: "127.0.0.1:2009".to_owned(),
            pointers: 0,
        };
        4
    ];
    let told = trouble(&unknown, None).unwrap();
    assert_eq!(told.exit(), Exit::TooFewCopies);
    assert!(told.message.contains("3 answered of 7"), "{}", told.message);
    assert_eq!(told.missing.len(), 4);
}

#[test]
fn a_flaw_names_its_nodes_and_their_addresses() {
    let key = "0123456789abcdef0123456789abcdef";
    let flaw = CheckFlaw {
        kind: "predecessor".to_owned(),
        message: format!("the predecessor of token {key} of node aaaaaaaa is 17, not 16"),
        tokens: vec![
            token(key, "aa", true),
            token("17", "bb", false),
            token("16", "aa", true),
        ],
    };
    assert_eq!(
        flaw_line(&flaw),
        "the predecessor of token 01234567… of node aaaaaaaa is 17 (bbbbbbbb, silent), \
         not 16 (aaaaaaaa)"
    );
    assert_eq!(
        places(&[flaw.clone(), flaw]),
        [
            "node aaaaaaaa is at 127.0.0.1:2001",
            "node bbbbbbbb is at 127.0.0.1:2001"
        ]
    );
}

#[test]
fn a_ring_that_settles_is_told_from_one_that_is_torn() {
    let mut check = right();
    check.verdict = "wrong".to_owned();
    let flaw = |kind: &str| CheckFlaw {
        kind: kind.to_owned(),
        message: "words".to_owned(),
        tokens: Vec::new(),
    };
    check.flaws = vec![flaw("successor"), flaw("appendage")];
    assert!(headline(&check, Paint::none()).contains("not at rest"));
    check.flaws.push(flaw("separate_rings"));
    assert!(headline(&check, Paint::none()).contains("not one ordered ring"));
    assert!(diagnosis(&check).0.contains("more than one ring"));
}
