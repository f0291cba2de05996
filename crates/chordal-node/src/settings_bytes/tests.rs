use chordal_object::Bits;
use chordal_proto::{Profile, Settings};

use super::{decode, encode};

fn classic() -> Settings {
    Settings {
        ring_name: "Wohnzimmer ü".to_owned(),
        bits: Bits::CLASSIC,
        profile: Profile::Classic,
        replicas: 2,
        successors: 5,
        chunk_bytes: 1 << 16,
        inline_bytes: 7,
    }
}

#[test]
fn settings_read_back_as_they_were_written() {
    for settings in [Settings::default(), classic()] {
        assert_eq!(decode(&encode(&settings)), Some(settings));
    }
}

#[test]
fn the_bytes_are_what_the_description_says() {
    let bytes = encode(&classic());
    assert_eq!(bytes[..13], [1, 10, 2, 2, 5, 0, 1, 0, 0, 0, 0, 0, 7]);
    assert_eq!(bytes[13..], *"Wohnzimmer ü".as_bytes());
}

#[test]
fn a_later_format_and_nonsense_are_no_settings() {
    let good = encode(&classic());
    for length in 0..13 {
        assert_eq!(decode(&good[..length]), None, "{length}");
    }
    for (at, byte) in [(0, 2), (1, 2), (1, 129), (2, 3)] {
        let mut bad = good.to_vec();
        bad[at] = byte;
        assert_eq!(decode(&bad), None, "{at}");
    }
    assert_eq!(decode(&[&good[..], &[0xff]].concat()), None, "not UTF-8");
}
