use chordal_object::Name;

use super::{ByteRange, PutRequest};
use crate::error::Refused;

#[test]
fn a_range_means_what_http_says() {
    let cases = [
        (ByteRange::From(0), 10, Some(0..10)),
        (ByteRange::From(9), 10, Some(9..10)),
        (ByteRange::From(10), 10, None),
        (ByteRange::FromTo(0, 0), 10, Some(0..1)),
        (ByteRange::FromTo(2, 4), 10, Some(2..5)),
        (ByteRange::FromTo(2, u64::MAX), 10, Some(2..10)),
        (ByteRange::FromTo(4, 2), 10, None),
        (ByteRange::FromTo(10, 12), 10, None),
        (ByteRange::Last(3), 10, Some(7..10)),
        (ByteRange::Last(30), 10, Some(0..10)),
        (ByteRange::Last(0), 10, None),
        (ByteRange::From(0), 0, None),
        (ByteRange::Last(1), 0, None),
    ];
    for (range, size, expected) in cases {
        let expected = expected.ok_or(Refused::Range { size });
        assert_eq!(range.resolve(size), expected, "{range:?} of {size}");
    }
}

#[test]
fn what_is_over_a_limit_is_refused_before_anything_is_asked() {
    let good = PutRequest::new(Name::in_main("a").unwrap());
    assert_eq!(good.check(), Ok(()));
    let mut long = good.clone();
    long.metadata.insert("k".repeat(92), "v".repeat(8100));
    assert_eq!(long.check(), Ok(()));
    long.metadata.insert("x".to_owned(), String::new());
    assert_eq!(long.check(), Err(Refused::Metadata(8193)));
    let mut typed = good.clone();
    typed.content_type = "t".repeat(257);
    assert_eq!(typed.check(), Err(Refused::ContentType(257)));
    let mut big = good;
    big.size = Some((5 << 40) + 1);
    assert_eq!(big.check(), Err(Refused::TooBig));
}
