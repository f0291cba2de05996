use chordal_node::FalseReceipt;
use serde_json::{Value, json};

use super::*;

/// A receipt that a program of the first version made: it must be read for ever.
const GOLDEN: &str = include_str!("../../tests/golden/receipt-1.json");

fn golden() -> Value {
    serde_json::from_str(GOLDEN).unwrap()
}

fn read(value: &Value) -> Result<Receipt, NoReceipt> {
    ReceiptFile::read(value.to_string().as_bytes())
}

#[test]
fn a_receipt_of_the_first_format_is_read_and_its_signatures_are_good() {
    let receipt = ReceiptFile::read(GOLDEN.as_bytes()).unwrap();
    assert_eq!(receipt.check(&receipt.authority), Ok(()));
    assert_eq!(ReceiptFile::of(&receipt).text(), GOLDEN);
}

/// Every value in an object, by the way to it.
fn leaves(value: &Value, way: &str, found: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            for (name, field) in fields {
                leaves(field, &format!("{way}/{name}"), found);
            }
        }
        Value::Array(items) => {
            for (at, item) in items.iter().enumerate() {
                leaves(item, &format!("{way}/{at}"), found);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
            found.push(way.to_owned());
        }
    }
}

/// Another value of the same form, or nearly.
fn another(value: &Value) -> Value {
    match value {
        Value::Number(number) => json!(number.as_u64().unwrap() + 1),
        Value::Bool(is) => json!(!is),
        Value::String(text) if text.ends_with('Z') => json!(text.replace("20", "19")),
        Value::String(text) => {
            let (last, rest) = text
                .as_bytes()
                .split_last()
                .map_or((b'0', &[][..]), |(l, r)| (*l, r));
            let other = if last == b'1' { '2' } else { '1' };
            json!(format!("{}{other}", std::str::from_utf8(rest).unwrap()))
        }
        Value::Null | Value::Array(_) | Value::Object(_) => json!("x"),
    }
}

#[test]
fn whatever_is_changed_in_the_file_is_noticed() {
    let good = golden();
    let mut ways = Vec::new();
    leaves(&good, "", &mut ways);
    assert!(ways.len() > 40, "{ways:?}");
    for way in ways {
        let mut bad = good.clone();
        let place = bad.pointer_mut(&way).unwrap();
        *place = another(place);
        let trusted: AuthorityId = good["authority"].as_str().unwrap().parse().unwrap();
        if let Ok(receipt) = read(&bad) {
            assert!(receipt.check(&trusted).is_err(), "{way} can be changed");
        }
        let (parent, name) = way.rsplit_once('/').unwrap();
        let mut bad = good.clone();
        let parent = bad.pointer_mut(parent).unwrap();
        if let Value::Array(items) = parent {
            items.remove(name.parse().unwrap());
        } else {
            parent.as_object_mut().unwrap().remove(name).unwrap();
        }
        // Where nothing was read again, nothing need say so.
        if let Ok(receipt) = read(&bad)
            && name != "read"
        {
            assert!(receipt.check(&trusted).is_err(), "{way} can be left out");
        }
    }
}

#[test]
fn what_is_cut_off_anywhere_is_no_receipt() {
    for length in (0..GOLDEN.len() - 2).step_by(17) {
        let cut = ReceiptFile::read(&GOLDEN.as_bytes()[..length]);
        assert!(matches!(cut, Err(NoReceipt::Shape(_))), "{length}");
    }
}

#[test]
fn another_format_and_unknown_fields_are_refused() {
    let mut later = golden();
    later["format"] = json!("chordal receipt 2");
    assert_eq!(
        read(&later),
        Err(NoReceipt::Format("chordal receipt 2".to_owned()))
    );
    let mut more = golden();
    more["note"] = json!("paid");
    assert!(matches!(read(&more), Err(NoReceipt::Shape(_))));
    for field in ["\"size\": 2600000", "\"format\": \"chordal receipt 1\""] {
        let twice = GOLDEN.replacen(field, &format!("{field}, {field}"), 1);
        assert_ne!(twice, GOLDEN);
        let refused = ReceiptFile::read(twice.as_bytes());
        assert!(matches!(refused, Err(NoReceipt::Shape(_))), "{refused:?}");
    }
    let mut upper = golden();
    upper["nonce"] = json!(upper["nonce"].as_str().unwrap().to_uppercase());
    assert_eq!(read(&upper), Err(NoReceipt::Field("nonce")));
}

#[test]
fn a_receipt_of_another_ring_says_so() {
    let receipt = ReceiptFile::read(GOLDEN.as_bytes()).unwrap();
    let known = AuthorityId([7; 32]);
    let checked = receipt.check(&known);
    assert!(
        matches!(checked, Err(FalseReceipt::OtherRing { .. })),
        "{checked:?}"
    );
}

#[test]
fn questions_and_answers_read_back_as_they_were_written() {
    let receipt = ReceiptFile::read(GOLDEN.as_bytes()).unwrap();
    let inquiry = Inquiry {
        nonce: receipt.nonce,
        subject: receipt.subject(),
        record: Some(receipt.record_asked()),
        chunks: receipt.all_chunks(),
        named: BTreeMap::from([(receipt.version.node, vec![0, 2])]),
        named_for_record: BTreeSet::from([receipt.version.node]),
        read: false,
    };
    assert_eq!(Question::of(&inquiry).inquiry(), Ok(inquiry.clone()));
    let attested = Attested {
        wanted: receipt.wanted,
        statements: receipt.statements.clone(),
        unheard: receipt.unheard.clone(),
    };
    let told = Answers::of(&attested);
    assert_eq!(told.attested(receipt.authority, &inquiry), Ok(attested));
    let mut outside = Question::of(&inquiry);
    outside
        .named
        .insert(receipt.version.node.to_string(), "0-999".to_owned());
    assert_eq!(outside.inquiry(), Err(NoReceipt::Field("named")));
}

#[test]
fn places_are_written_as_ranges_and_read_in_no_other_way() {
    let cases: [(&[u32], &str); 5] = [
        (&[], ""),
        (&[0], "0"),
        (&[0, 1], "0-1"),
        (&[0, 1, 2, 5, 7, 8], "0-2,5,7-8"),
        (&[9], "9"),
    ];
    for (list, text) in cases {
        assert_eq!(places::text(list), text);
        assert_eq!(places::read(text, 10, 10).as_deref(), Some(list), "{text}");
    }
    for text in [
        "10",
        "0-10",
        "1-0",
        "1,0",
        "0,1",
        "0-1,1",
        "0-0",
        "01",
        "+1",
        "-1",
        "1-",
        ",",
        "1,",
        "a",
        "0-4294967295",
        " 1",
    ] {
        assert_eq!(places::read(text, 10, 10), None, "{text}");
    }
}

#[test]
fn every_time_that_a_statement_may_say_has_a_date() {
    for at in [0, 1_800_000_000, Holding::AT_MAX] {
        assert_eq!(seconds(&time(at), "time"), Ok(at));
    }
}

#[test]
fn a_short_text_does_not_stand_for_more_places_than_there_can_be_copies() {
    let mut many: Value = serde_json::from_str(GOLDEN).unwrap();
    let holder = many["holders"][0].clone();
    let holders = vec![holder; SIGNERS_PER_CHUNK_MAX + 1];
    many["holders"] = Value::Array(holders);
    assert!(matches!(read(&many), Err(NoReceipt::Field("holds"))));
    many["holders"].as_array_mut().unwrap().pop();
    assert!(read(&many).is_ok());
}
