use std::convert::Infallible;
use std::sync::{Arc, Mutex};

use bytes::{Bytes, BytesMut};
use chordal_object::{Chunk, Content, LIST_CHUNK_IDS, Name};
use chordal_proto::Settings;
use chordal_proto::effect::Failure;
use futures_util::{StreamExt as _, stream};

use super::{get, stat};
use crate::client::Client;
use crate::client::fake::{Kept, client};
use crate::error::{NodeError, Refused};
use crate::files::{ByteRange, FileBody, PutRequest};
use crate::limits::{CHUNK_BUDGET_BYTES, GET_WINDOW};
use crate::put::put;

fn settings() -> Settings {
    Settings {
        chunk_bytes: 64,
        inline_bytes: 16,
        ..Settings::default()
    }
}

fn name() -> Name {
    Name::in_main("file").unwrap()
}

/// Files that are being written or read.
fn files_open(client: &Client) -> u64 {
    client
        .counting
        .snapshot(chordal_net::Counters::default())
        .files_open
}

fn content(length: usize) -> Bytes {
    (0..length)
        .map(|at| u8::try_from(at * 7919 % 253).unwrap())
        .collect()
}

async fn stored(length: usize) -> (Arc<Client>, Arc<Mutex<Kept>>) {
    let (client, kept) = client(settings());
    let body = stream::iter([Ok::<_, Infallible>(content(length))]);
    put(&client, PutRequest::new(name()), body).await.unwrap();
    (client, kept)
}

async fn collect(mut body: FileBody) -> Result<Bytes, NodeError> {
    let mut bytes = BytesMut::new();
    while let Some(piece) = body.next().await {
        bytes.extend_from_slice(&piece?);
    }
    Ok(bytes.freeze())
}

#[tokio::test]
async fn every_size_comes_back_as_it_was_stored() {
    // The last one has two list chunks under a third: more data chunks than one list has room for.
    for length in [
        0,
        1,
        16,
        17,
        64,
        65,
        1000,
        64 * 256 + 1,
        64 * LIST_CHUNK_IDS + 100,
    ] {
        let (client, _) = stored(length).await;
        let download = get(&client, &name(), None).await.unwrap();
        assert_eq!(download.range, 0..length as u64);
        assert_eq!(download.info.size, length as u64);
        assert_eq!(collect(download.body).await.unwrap(), content(length));
        assert_eq!(files_open(&client), 0);
    }
}

#[tokio::test]
async fn a_range_brings_its_bytes_and_no_chunk_more() {
    let cases = [
        (ByteRange::From(999), 999..1000, 1),
        (ByteRange::FromTo(0, 0), 0..1, 1),
        (ByteRange::FromTo(63, 64), 63..65, 2),
        (ByteRange::FromTo(64, 127), 64..128, 1),
        (ByteRange::Last(130), 870..1000, 3),
        (ByteRange::From(0), 0..1000, 16),
    ];
    for (asked, range, chunks) in cases {
        let (client, kept) = stored(1000).await;
        let download = get(&client, &name(), Some(asked)).await.unwrap();
        assert_eq!(download.range, range.start as u64..range.end as u64);
        assert_eq!(collect(download.body).await.unwrap(), content(1000)[range]);
        assert_eq!(kept.lock().unwrap().fetches, chunks, "{asked:?}");
    }
}

#[tokio::test]
async fn a_range_in_a_tree_of_lists_reads_one_list() {
    let length = 64 * LIST_CHUNK_IDS + 100;
    let (client, kept) = stored(length).await;
    let range = ByteRange::Last(110);
    let download = get(&client, &name(), Some(range)).await.unwrap();
    let expected = content(length).slice(length - 110..);
    assert_eq!(collect(download.body).await.unwrap(), expected);
    // Three data chunks in two lists.
    assert_eq!(kept.lock().unwrap().fetches, 3 + 2);
}

#[tokio::test]
async fn a_range_of_an_inline_file_is_cut_too() {
    let (client, _) = stored(16).await;
    let range = ByteRange::FromTo(3, 5);
    let download = get(&client, &name(), Some(range)).await.unwrap();
    assert_eq!(collect(download.body).await.unwrap(), content(16)[3..6]);
    let outside = get(&client, &name(), Some(ByteRange::From(16))).await;
    let refused = NodeError::Refused(Refused::Range { size: 16 });
    assert_eq!(outside.unwrap_err(), refused);
}

#[tokio::test]
async fn a_name_that_is_not_there_is_not_found() {
    let (client, kept) = stored(100).await;
    let missing = Name::in_main("other").unwrap();
    let not_found = NodeError::Failed(Failure::NotFound);
    assert_eq!(get(&client, &missing, None).await.unwrap_err(), not_found);
    assert_eq!(stat(&client, &missing).await.unwrap_err(), not_found);
    kept.lock().unwrap().records.get_mut(&name()).unwrap().file = None;
    assert_eq!(get(&client, &name(), None).await.unwrap_err(), not_found);
    assert_eq!(stat(&client, &name()).await.unwrap_err(), not_found);
}

#[tokio::test]
async fn a_chunk_that_is_nowhere_ends_the_stream_with_an_error() {
    let (client, kept) = stored(1000).await;
    let lost = Chunk::new(content(1000).slice(640..704)).id();
    kept.lock().unwrap().chunks.remove(&lost);
    let mut body = get(&client, &name(), None).await.unwrap().body;
    let mut bytes = 0;
    let error = loop {
        match body.next().await.expect("the stream does not end short") {
            Ok(piece) => bytes += piece.len(),
            Err(error) => break error,
        }
    };
    assert_eq!(bytes, 640);
    assert!(matches!(error, NodeError::Corrupt { chunk, .. } if chunk == lost));
    assert!(body.next().await.is_none(), "nothing comes after an error");
}

#[tokio::test]
async fn a_chunk_or_list_of_the_wrong_length_is_an_error() {
    // A record that lies about its size.
    let (client, kept) = stored(1000).await;
    change_file(&kept, |file| file.size = 990);
    let short = collect(get(&client, &name(), None).await.unwrap().body).await;
    assert!(matches!(short, Err(NodeError::Corrupt { .. })));
    // A list that ends before the file does.
    let (client, kept) = stored(64 * 300).await;
    change_file(&kept, |file| file.size = 64 * 301);
    let short = collect(get(&client, &name(), None).await.unwrap().body).await;
    assert!(matches!(short, Err(NodeError::Corrupt { .. })));
    // A list chunk that is no list.
    let (client, kept) = stored(64 * 300).await;
    let odd = Chunk::new(Bytes::from_static(b"not ids"));
    kept.lock().unwrap().chunks.insert(odd.id(), odd.clone());
    change_file(&kept, |file| {
        let Content::Chunks(list) = &mut file.content else {
            panic!("a file of chunks");
        };
        list.ids = vec![odd.id()];
    });
    let odd = collect(get(&client, &name(), None).await.unwrap().body).await;
    assert!(matches!(odd, Err(NodeError::Corrupt { .. })));
}

fn change_file(kept: &Mutex<Kept>, change: impl FnOnce(&mut chordal_object::File)) {
    let mut kept = kept.lock().unwrap();
    let record = kept.records.get_mut(&name()).unwrap();
    change(record.file.as_mut().unwrap());
}

#[tokio::test]
async fn chunks_are_asked_for_ahead_of_the_reader_and_no_further() {
    let (client, kept) = stored(64 * 200).await;
    let mut body = get(&client, &name(), None).await.unwrap().body;
    body.next().await.unwrap().unwrap();
    tokio::task::yield_now().await;
    let asked = kept.lock().unwrap().fetches;
    assert!((2..=GET_WINDOW + 1).contains(&asked), "{asked}");
}

#[tokio::test]
async fn where_memory_is_short_one_chunk_at_a_time_goes_on() {
    let (client, kept) = stored(64 * 50).await;
    kept.lock().unwrap().under_way_max = 0;
    let all = client.more_room(CHUNK_BUDGET_BYTES).unwrap();
    let body = get(&client, &name(), None).await.unwrap().body;
    assert_eq!(collect(body).await.unwrap(), content(64 * 50));
    assert_eq!(kept.lock().unwrap().under_way_max, 1);
    drop(all);
    assert!(
        client.more_room(CHUNK_BUDGET_BYTES).is_some(),
        "all is given back"
    );
}

#[tokio::test]
async fn a_body_that_is_dropped_gives_its_memory_back() {
    let (client, _) = stored(64 * 200).await;
    let mut body = get(&client, &name(), None).await.unwrap().body;
    body.next().await.unwrap().unwrap();
    assert!(client.more_room(CHUNK_BUDGET_BYTES).is_none());
    assert_eq!(files_open(&client), 1);
    drop(body);
    assert!(client.more_room(CHUNK_BUDGET_BYTES).is_some());
    assert_eq!(files_open(&client), 0);
}
