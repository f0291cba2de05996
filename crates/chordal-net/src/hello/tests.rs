use bytes::Bytes;
use proptest::prelude::*;

use super::{Hello, HelloError, Purpose};

fn hello() -> Hello {
    Hello {
        version_min: 1,
        version_max: 1,
        purpose: Purpose::Bulk,
        instance: 0x0102_0304_0506_0708,
        certificate: Bytes::from_static(b"certificate"),
        listens: "[2001:db8::1]:2000".parse().unwrap(),
    }
}

#[test]
fn a_greeting_survives_the_wire() {
    let hello = hello();
    assert_eq!(Hello::decode(&hello.encode()), Ok(hello));
}

#[test]
fn the_bytes_of_a_greeting_never_change() {
    let golden = b"chordal\0\x00\x01\x00\x01\x02\x01\x02\x03\x04\x05\x06\x07\x08\
        \x00\x0bcertificate\x12[2001:db8::1]:2000";
    assert_eq!(hello().encode(), golden);
}

#[test]
fn a_later_version_may_add_to_a_greeting() {
    let mut bytes = hello().encode();
    bytes.extend_from_slice(b"something new");
    assert_eq!(Hello::decode(&bytes), Ok(hello()));
}

#[test]
fn versions_must_overlap() {
    for (min, max, overlap) in [(1, 1, true), (0, 5, true), (1, 9, true), (2, 9, false)] {
        let mut bytes = hello().encode();
        bytes[8..10].copy_from_slice(&u16::to_be_bytes(min));
        bytes[10..12].copy_from_slice(&u16::to_be_bytes(max));
        let decoded = Hello::decode(&bytes);
        assert_eq!(decoded.is_ok(), overlap, "{min} to {max}");
        if !overlap {
            assert_eq!(decoded, Err(HelloError::NoCommonVersion { min, max }));
            // Whatever follows the versions may look different in another version.
            assert_eq!(Hello::decode(&bytes[..12]), decoded);
        }
    }
}

#[test]
fn every_cut_of_a_greeting_is_refused() {
    let bytes = hello().encode();
    for length in 0..bytes.len() {
        let decoded = Hello::decode(&bytes[..length]);
        assert!(decoded.is_err(), "{length}");
    }
}

#[test]
fn addresses_nobody_can_listen_on_are_refused() {
    for text in [
        "",
        "127.0.0.1",
        "127.0.0.1:0",
        "localhost:2000",
        "1.2.3.4:70000",
    ] {
        let mut bytes = hello().encode();
        bytes.truncate(bytes.len() - 19);
        bytes.push(u8::try_from(text.len()).unwrap());
        bytes.extend_from_slice(text.as_bytes());
        assert!(
            matches!(Hello::decode(&bytes), Err(HelloError::Malformed(_))),
            "{text}"
        );
    }
}

proptest! {
    #[test]
    fn no_bytes_break_the_decoder(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        drop(Hello::decode(&bytes));
    }

    #[test]
    fn no_damage_breaks_the_decoder(at in 0..53_usize, to in any::<u8>()) {
        let mut bytes = hello().encode();
        bytes[at] = to;
        if let Ok(decoded) = Hello::decode(&bytes) {
            prop_assert!(decoded.encode().len() <= super::HELLO_BYTES_MAX);
        }
    }
}
