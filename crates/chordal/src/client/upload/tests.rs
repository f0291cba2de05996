use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::*;

/// What a reader of these bytes sends: the bytes or the error, and the hash.
fn sent(source: &'static [u8], size: Option<u64>) -> (io::Result<Bytes>, Option<blake3::Hash>) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    let (upload, hash) = Upload::reader(source, size, drop);
    runtime.block_on(async {
        let body = upload
            .body
            .collect()
            .await
            .map(http_body_util::Collected::to_bytes);
        (body, hash.await.ok().and_then(Result::ok))
    })
}

#[test]
fn what_is_read_is_sent_and_hashed() {
    for size in [None, Some(5)] {
        let (body, hash) = sent(b"hello", size);
        assert_eq!(body.unwrap(), "hello");
        assert_eq!(hash, Some(blake3::hash(b"hello")));
    }
    let (body, hash) = sent(b"", Some(0));
    assert_eq!((body.unwrap().len(), hash), (0, Some(blake3::hash(b""))));
}

#[test]
fn a_file_that_grew_is_sent_as_it_was_and_one_that_shrank_is_not_sent() {
    let (body, hash) = sent(b"hello, world", Some(5));
    assert_eq!(body.unwrap(), "hello");
    assert_eq!(hash, Some(blake3::hash(b"hello")));
    let (body, hash) = sent(b"hell", Some(5));
    assert!(body.is_err());
    assert_eq!(hash, None);
}

#[test]
fn the_length_is_announced_where_it_is_known() {
    let (upload, _) = Upload::reader(&b"hello"[..], Some(5), drop);
    assert_eq!(upload.body.size_hint().exact(), Some(5));
    let (upload, _) = Upload::reader(&b"hello"[..], None, drop);
    assert_eq!(upload.body.size_hint().exact(), None);
}

#[test]
fn the_watcher_sees_every_byte() {
    let seen = Arc::new(AtomicU64::new(0));
    let count = Arc::clone(&seen);
    let (upload, _) = Upload::reader(io::repeat(7), Some(3_000_000), move |bytes| {
        count.fetch_add(bytes, Ordering::Relaxed);
    });
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    runtime.block_on(upload.body.collect()).unwrap();
    assert_eq!(seen.load(Ordering::Relaxed), 3_000_000);
}
