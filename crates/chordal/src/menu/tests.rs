use super::*;

#[test]
fn a_finger_is_printed_as_the_seed_printed_it() {
    let finger = api::Finger {
        start: "798".into(),
        node: "ab".into(),
        addr: "127.0.0.1:5001".into(),
        key: "88".into(),
    };
    assert_eq!(
        finger_row(&finger),
        "KeyID: 798 Value (88, ('127.0.0.1', 5001))"
    );
}

#[test]
fn the_seeds_entries_keep_the_seeds_numbers() {
    for entry in [
        "1. Join Network",
        "2. Leave Network",
        "3. Upload File",
        "4. Download File",
        "5. Print Finger Table",
        "6. Print my predecessor and successor",
    ] {
        assert!(ENTRIES.lines().any(|line| line == entry), "{entry}");
    }
}
