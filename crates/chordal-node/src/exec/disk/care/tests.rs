use super::*;

fn log() -> CareLog {
    let mut log = CareLog {
        began_s: 7,
        ..CareLog::default()
    };
    log.found(CopyName::of_chunk(ChunkId::of(b"a")));
    log.found(CopyName::of_record(&Name::in_main("b").unwrap()));
    log.end_round();
    log
}

#[test]
fn a_log_is_read_as_it_was_written() {
    let places = [
        Place::Records(None),
        Place::Records(Some(Bytes::from_static(b"main\0x"))),
        Place::Chunks(None),
        Place::Chunks(Some(ChunkId::of(b"c"))),
    ];
    for place in places {
        let log = CareLog {
            place,
            is_news: false,
            ..log()
        };
        assert_eq!(CareLog::decode(log.encode()), Some(log));
    }
}

#[test]
fn bytes_that_are_no_log_are_none() {
    let whole = log().encode();
    for length in 0..whole.len() {
        drop(CareLog::decode(whole.slice(..length)));
    }
    let other = [&[2], &whole[1..]].concat();
    assert_eq!(CareLog::decode(Bytes::from(other)), None);
    assert_eq!(CareLog::decode(whole.slice(..whole.len() - 1)), None);
}

#[test]
fn a_copy_is_found_once_and_mended_once() {
    let mut log = CareLog::default();
    let copy = CopyName::of_chunk(ChunkId::of(b"a"));
    assert!(log.found(copy));
    assert!(!log.found(copy));
    log.stored(CopyName::of_chunk(ChunkId::of(b"b")));
    log.stored(copy);
    log.stored(copy);
    assert_eq!((log.care.found, log.care.mended), (1, 1));
    assert!(!log.has_waiting());
}
