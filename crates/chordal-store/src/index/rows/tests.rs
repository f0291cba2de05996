use chordal_object::{Content, File};
use proptest::collection::vec;
use proptest::prelude::any;
use proptest::{prop_assert, prop_assert_eq, proptest};

use super::*;

fn version() -> Version {
    Version {
        counter: 0x0102,
        incarnation: 3,
        node: NodeId::new([4; 32]),
    }
}

fn record() -> Record {
    let content = Bytes::from_static(b"hello");
    Record {
        name: Name::new("main", "a\0b").unwrap(),
        version: version(),
        modified_ms: -5,
        file: Some(File {
            size: 5,
            hash: *blake3::hash(&content).as_bytes(),
            content_type: String::new(),
            metadata: std::collections::BTreeMap::new(),
            content: Content::Inline(content),
        }),
        original: None,
        promised: None,
        replaced: None,
    }
}

#[test]
fn names_read_back_whatever_bytes_their_paths_hold() {
    for path in ["a", "a\0b", "\0", "/../", "\u{10ffff}"] {
        let name = Name::new("abc", path).unwrap();
        assert_eq!(parse_name(&name_row(&name)), Ok(name));
    }
    for row in [&b""[..], b"abc", b"abc\0", b"A\0b", b"abc\0\xff"] {
        assert_eq!(parse_name(row), Err(BadRow), "{row:?}");
    }
}

#[test]
fn names_sort_by_space_then_path() {
    let spaces = ["abc", "abc-d", "abc.d", "abc0", "abcd"];
    let rows: Vec<_> = spaces
        .iter()
        .flat_map(|space| ["a", "a/b", "a0"].map(|path| name_row(&Name::new(space, path).unwrap())))
        .collect();
    assert!(rows.is_sorted());
}

#[test]
fn facts_are_laid_out_as_documented() {
    let facts = RecordFacts {
        version: version(),
        digest: [5; 32],
        bytes: 0x0607_0809,
    };
    let row = facts.to_row();
    assert_eq!(row.len(), 84);
    assert_eq!(row[..8], [0, 0, 0, 0, 0, 0, 1, 2]);
    assert_eq!(row[8..16], [0, 0, 0, 0, 0, 0, 0, 3]);
    assert_eq!((row[16], row[47], row[48], row[79]), (4, 4, 5, 5));
    assert_eq!(row[80..], [6, 7, 8, 9]);
    assert_eq!(RecordFacts::parse(&row), Ok(facts));
    assert_eq!(RecordFacts::parse(&row[1..]), Err(BadRow));
    assert_eq!(RecordFacts::parse(&[&row[..], &[0]].concat()), Err(BadRow));
}

#[test]
fn totals_and_chunk_facts_read_back() {
    let totals = Totals {
        records: 1,
        chunks: 2,
        record_bytes: 3,
        chunk_bytes: 4,
    };
    assert_eq!(Totals::parse(&totals.to_row()), Ok(totals));
    assert_eq!(Totals::parse(&[0; 31]), Err(BadRow));
    let facts = ChunkFacts {
        key: Key::new(9),
        bytes: 10,
    };
    assert_eq!(facts.to_row().len(), 20);
    assert_eq!(ChunkFacts::parse(&facts.to_row()), Ok(facts));
    assert_eq!(ChunkFacts::parse(&[0; 21]), Err(BadRow));
}

#[test]
fn every_flipped_bit_of_a_record_is_noticed() {
    let (record, key) = (record(), Key::new(77));
    let place = name_row(&record.name);
    let row = body_row(key, &place, &record.encode());
    assert_eq!(parse_body(&place, &row), Ok((key, record.clone())));
    assert_eq!(body_bytes(&row), record.encode().len() as u64);
    for bit in 0..row.len() * 8 {
        let mut rotten = row.clone();
        rotten[bit / 8] ^= 1 << (bit % 8);
        assert_eq!(parse_body(&place, &rotten), Err(BadRow), "bit {bit}");
    }
    let other = name_row(&Name::new("main", "other").unwrap());
    assert_eq!(parse_body(&other, &row), Err(BadRow));
}

proptest! {
    #[test]
    fn any_bytes_are_a_row_or_not_but_never_a_panic(row in vec(any::<u8>(), 0..200)) {
        prop_assert!(parse_body(b"main\0a", &row).is_err());
        prop_assert!(parse_name(&row).is_ok_and(|name| name_row(&name) == row) || parse_name(&row).is_err());
        prop_assert_eq!(RecordFacts::parse(&row).is_ok(), row.len() == 84);
        prop_assert_eq!(ChunkFacts::parse(&row).is_ok(), row.len() == 20);
        prop_assert_eq!(Totals::parse(&row).is_ok(), row.len() == 32);
        prop_assert_eq!(parse_keyed(&row).is_ok(), row.len() >= 16);
        prop_assert!(body_bytes(&row) <= row.len() as u64);
    }
}
