use chordal_object::ChunkId;

use super::{Verdict, Wish};

#[test]
fn a_wish_reads_back_as_it_was_written() {
    let id = ChunkId::of(b"bytes");
    for wish in [Wish::Keep(id), Wish::Send(id), Wish::Expulsions([7; 32])] {
        assert_eq!(Wish::decode(&wish.encode()), Some(wish));
    }
}

#[test]
fn a_verdict_reads_back_as_it_was_written() {
    for verdict in [
        Verdict::Done,
        Verdict::NotThere,
        Verdict::Full,
        Verdict::Failed,
        Verdict::Misunderstood,
        Verdict::Busy,
    ] {
        assert_eq!(Verdict::decode(&verdict.encode()), Some(verdict));
    }
}

#[test]
fn the_bytes_of_a_wish_are_what_the_description_says() {
    let wish = Wish::Keep(ChunkId::new([9; 32])).encode();
    assert_eq!(wish[..], [&[1, 1][..], &[9; 32]].concat());
    assert_eq!(Verdict::Full.encode()[..], [1, 2]);
}

#[test]
fn anything_else_is_no_wish_and_no_verdict() {
    let good = Wish::Send(ChunkId::of(b"bytes")).encode();
    for length in 0..good.len() {
        assert_eq!(Wish::decode(&good[..length]), None, "{length}");
    }
    assert_eq!(Wish::decode(&[&good[..], &[0]].concat()), None);
    for at in 0..2 {
        let mut bad = good.to_vec();
        bad[at] = 9;
        assert_eq!(Wish::decode(&bad), None);
    }
    for bytes in [&[][..], &[1], &[2, 0], &[1, 6], &[1, 0, 0]] {
        assert_eq!(Verdict::decode(bytes), None);
    }
}
