use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{BufMut as _, Bytes, BytesMut};
use proptest::prelude::*;
use tokio::io::{AsyncRead, AsyncWriteExt as _, ReadBuf};

use super::{
    BulkKind, FrameError, Lead, MessageReader, message_lead, read_exactly, write_all, write_parts,
};

const STALL: Duration = Duration::from_secs(10);
const MESSAGE_BYTES_MAX: usize = 100_000;

/// A stream that ends after its bytes, and gives at most so many at a time.
struct Drip<'a> {
    bytes: &'a [u8],
    step: usize,
}

impl AsyncRead for Drip<'_> {
    fn poll_read(
        self: Pin<&mut Self>,
        _cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let now = this.bytes.len().min(this.step).min(buffer.remaining());
        let (head, tail) = this.bytes.split_at(now);
        buffer.put_slice(head);
        this.bytes = tail;
        Poll::Ready(Ok(()))
    }
}

async fn read_all(bytes: &[u8], step: usize) -> Result<Vec<Bytes>, FrameError> {
    let mut stream = Drip { bytes, step };
    let mut reader = MessageReader::new(MESSAGE_BYTES_MAX, STALL);
    let mut messages = Vec::new();
    while let Some(message) = reader.next(&mut stream).await? {
        messages.push(message);
    }
    Ok(messages)
}

fn framed(messages: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = BytesMut::new();
    for message in messages {
        bytes.put_slice(&message_lead(message.len()));
        bytes.put_slice(message);
    }
    bytes.to_vec()
}

fn block<T>(future: impl Future<Output = T>) -> T {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    builder.enable_time().build().unwrap().block_on(future)
}

#[test]
fn the_layout_of_a_lead_never_changes() {
    let lead = Lead {
        kind: BulkKind::Request,
        header: 0x0102_0304,
        body: 0x0506_0708,
    };
    assert_eq!(lead.encode(), [1, 1, 2, 3, 4, 5, 6, 7, 8]);
    let max = usize::MAX;
    assert_eq!(Lead::decode(lead.encode(), max, max).unwrap(), lead);
}

#[test]
fn a_lead_beyond_the_limits_is_refused() {
    let lead = |kind, header, body| {
        let bytes = Lead { kind, header, body }.encode();
        Lead::decode(bytes, 10, 20)
    };
    for kind in [BulkKind::Request, BulkKind::Answer, BulkKind::Dropped] {
        assert!(lead(kind, 10, 20).is_ok());
        assert!(matches!(lead(kind, 11, 0), Err(FrameError::Malformed(_))));
        assert!(matches!(lead(kind, 0, 21), Err(FrameError::Malformed(_))));
    }
    for kind in [0, 4, 255] {
        let bytes = [kind, 0, 0, 0, 0, 0, 0, 0, 0];
        assert!(Lead::decode(bytes, 10, 20).is_err());
    }
}

#[tokio::test]
async fn a_message_too_long_is_refused_by_its_length_alone() {
    let too_long = message_lead(MESSAGE_BYTES_MAX + 1);
    let outcome = read_all(&too_long, 1).await;
    assert!(matches!(
        outcome,
        Err(FrameError::Malformed("message too long"))
    ));
    let outcome = read_all(&[0xff; 4], 4).await;
    assert!(matches!(
        outcome,
        Err(FrameError::Malformed("message too long"))
    ));
}

#[tokio::test]
async fn every_cut_of_a_message_is_noticed() {
    let bytes = framed(&[vec![1, 2, 3], vec![4; 40_000]]);
    for length in [1, 3, 4, 6, 8, 10, 11, 1000, 40_000, bytes.len() - 1] {
        let outcome = read_all(&bytes[..length], 4096).await;
        assert!(matches!(outcome, Err(FrameError::Malformed(_))), "{length}");
    }
    assert_eq!(read_all(&bytes[..7], 4096).await.unwrap().len(), 1);
    assert_eq!(read_all(&[], 1).await.unwrap().len(), 0);
}

#[tokio::test(start_paused = true)]
async fn silence_is_no_fault_between_messages_but_within_one() {
    let (mut ours, mut theirs) = tokio::io::duplex(64);
    let mut reader = MessageReader::new(MESSAGE_BYTES_MAX, STALL);
    let quiet = tokio::time::timeout(STALL * 10, reader.next(&mut theirs));
    assert!(quiet.await.is_err(), "it waits as long as it has to");
    ours.write_all(&[0, 0]).await.unwrap();
    let outcome = reader.next(&mut theirs).await;
    assert!(matches!(outcome, Err(FrameError::Stalled)));
}

#[tokio::test(start_paused = true)]
async fn a_transfer_stalls_in_both_directions() {
    let (mut ours, mut theirs) = tokio::io::duplex(64);
    let outcome = read_exactly(&mut theirs, 10, STALL).await;
    assert!(matches!(outcome, Err(FrameError::Stalled)));
    let outcome = write_all(&mut ours, &[0; 65], STALL).await;
    assert!(matches!(outcome, Err(FrameError::Stalled)));
    let outcome = write_parts(&mut ours, [&[], &[0; 65], &[]], STALL).await;
    assert!(matches!(outcome, Err(FrameError::Stalled)));
}

#[tokio::test(start_paused = true)]
async fn a_slow_transfer_is_no_stalled_one() {
    let (mut ours, mut theirs) = tokio::io::duplex(64);
    let sending = async {
        for byte in 0..20 {
            tokio::time::sleep(STALL / 2).await;
            ours.write_all(&[byte]).await.unwrap();
        }
    };
    let (read, ()) = tokio::join!(read_exactly(&mut theirs, 20, STALL), sending);
    assert_eq!(read.unwrap().len(), 20);
}

#[tokio::test]
async fn parts_are_written_one_after_the_other() {
    for (parts, whole) in [
        ([b"".as_slice(), b"", b""], b"".as_slice()),
        ([b"a", b"", b"b"], b"ab"),
        ([b"", b"abc", b""], b"abc"),
        ([b"lead", b"header", b"body"], b"leadheaderbody"),
    ] {
        let (mut ours, mut theirs) = tokio::io::duplex(3);
        let writing = async {
            write_parts(&mut ours, parts, STALL).await.unwrap();
            drop(ours);
        };
        let reading = read_exactly(&mut theirs, whole.len(), STALL);
        let ((), read) = tokio::join!(writing, reading);
        assert_eq!(read.unwrap(), whole);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn messages_survive_any_fragmentation(
        lengths in proptest::collection::vec(
            prop_oneof![0..20_usize, 3000..6000_usize, 30_000..60_000_usize],
            0..12,
        ),
        step in prop_oneof![1..10_usize, 1000..40_000_usize],
    ) {
        let fill = |(at, length): (usize, &usize)| vec![u8::try_from(at).unwrap(); *length];
        let messages: Vec<Vec<u8>> = lengths.iter().enumerate().map(fill).collect();
        let bytes = framed(&messages);
        let read = block(read_all(&bytes, step)).unwrap();
        prop_assert!(read == messages);
    }

    #[test]
    fn no_bytes_break_the_reader(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        drop(block(read_all(&bytes, 7)));
    }
}
