use std::collections::BTreeSet;
use std::convert::Infallible;
use std::io;

use bytes::Bytes;
use chordal_object::{ChunkList, Content, Name};
use chordal_proto::Settings;
use chordal_proto::effect::{Copies, Failure};
use futures_util::{StreamExt as _, stream};
use tokio::time::sleep;

use super::put;
use crate::client::Client;
use crate::client::fake::{ALL, client, silent};
use crate::error::NodeError;
use crate::files::PutRequest;
use crate::limits::{KEEP_EVERY, PUT_WINDOW};

fn settings() -> Settings {
    Settings {
        chunk_bytes: 64,
        inline_bytes: 16,
        ..Settings::default()
    }
}

fn request() -> PutRequest {
    PutRequest::new(Name::in_main("file").unwrap())
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
        .map(|at| u8::try_from(at * 31 % 251).unwrap())
        .collect()
}

fn body(
    content: &Bytes,
    piece: usize,
) -> impl futures_util::Stream<Item = Result<Bytes, Infallible>> {
    let pieces: Vec<_> = (0..content.len())
        .step_by(piece)
        .map(|at| Ok(content.slice(at..content.len().min(at + piece))))
        .collect();
    stream::iter(pieces)
}

#[tokio::test]
async fn every_size_is_stored_whole_however_the_body_is_cut() {
    for length in [0, 1, 16, 17, 63, 64, 65, 128, 1000, 64 * 256, 64 * 257] {
        for piece in [1, 7, 64, 65, 100_000] {
            let (client, kept) = client(settings());
            let content = content(length);
            let result = put(&client, request(), body(&content, piece))
                .await
                .unwrap();
            assert_eq!(result.size, length as u64);
            assert_eq!(result.hash, *blake3::hash(&content).as_bytes());
            assert_eq!(result.copies, ALL);
            let kept = kept.lock().unwrap();
            let file = kept.records[&request().name].file.clone().unwrap();
            assert_eq!((file.size, file.hash), (result.size, result.hash));
            match file.content {
                Content::Inline(bytes) => assert!(length <= 16 && bytes == content),
                Content::Chunks(list) => {
                    assert!(length > 16);
                    assert_eq!(list.depth, u32::from(length > 64 * 256), "{length}");
                }
            }
            assert_eq!(files_open(&client), 0);
        }
    }
}

#[tokio::test]
async fn what_a_list_lists_is_kept_before_the_list_is_stored() {
    let (client, kept) = client(settings());
    put(&client, request(), body(&content(64 * 257), 64))
        .await
        .unwrap();
    let kept = kept.lock().unwrap();
    let file = kept.records[&request().name].file.clone().unwrap();
    let Content::Chunks(list) = file.content else {
        panic!("it is too long for its record")
    };
    let lists = list.ids.iter().map(|id| kept.chunks[id].bytes());
    let listed = lists.flat_map(|bytes| ChunkList::ids_of_list(bytes).unwrap());
    assert_eq!(listed.collect::<BTreeSet<_>>(), kept.kept);
}

#[tokio::test(start_paused = true)]
async fn a_slow_upload_has_its_chunks_kept_again_and_again() {
    let (client, kept) = client(settings());
    let pieces = stream::iter(0..8).then(async |number: u8| {
        sleep(KEEP_EVERY / 2).await;
        Ok::<_, Infallible>(Bytes::from(vec![number; 64]))
    });
    put(&client, request(), pieces).await.unwrap();
    let kept = kept.lock().unwrap();
    assert_eq!(kept.chunks.len(), 8);
    assert!(kept.kept.len() >= 6, "{} were kept", kept.kept.len());
}

#[tokio::test]
async fn a_body_that_breaks_off_writes_nothing() {
    let (client, kept) = client(settings());
    let pieces = stream::iter([Ok(content(200)), Err(io::Error::other("gone"))]);
    let error = put(&client, request(), pieces).await.unwrap_err();
    assert_eq!(error, NodeError::Interrupted("gone".to_owned()));
    assert!(kept.lock().unwrap().records.is_empty());
}

#[tokio::test]
async fn a_body_of_another_length_than_announced_writes_nothing() {
    for (announced, length) in [(100, 99), (100, 101), (0, 1), (10, 0), (64, 1000)] {
        let (client, kept) = client(settings());
        let mut request = request();
        request.size = Some(announced);
        let error = put(&client, request, body(&content(length), 50)).await;
        assert!(
            matches!(error, Err(NodeError::Interrupted(_))),
            "{announced} {length}"
        );
        assert!(kept.lock().unwrap().records.is_empty());
    }
}

#[tokio::test]
async fn a_chunk_that_cannot_be_stored_fails_the_put_before_its_record() {
    let (client, kept) = client(settings());
    kept.lock().unwrap().chunks_until_failure = Some(5);
    let error = put(&client, request(), body(&content(64 * 40), 64)).await;
    assert_eq!(error, Err(NodeError::Failed(Failure::Disk)));
    assert!(kept.lock().unwrap().records.is_empty());
}

#[tokio::test]
async fn the_copies_told_are_those_of_the_worst_chunk() {
    let copies = |durable, wanted| Copies { durable, wanted };
    let (client, kept) = client(settings());
    kept.lock().unwrap().copies = vec![ALL, copies(2, 3), ALL];
    let result = put(&client, request(), body(&content(64 * 4), 64)).await;
    assert_eq!(result.unwrap().copies, copies(2, 3));
    assert!(kept.lock().unwrap().copies.is_empty());
}

#[tokio::test]
async fn chunks_travel_in_a_window() {
    let (client, kept) = client(settings());
    let content = content(64 * 500);
    put(&client, request(), body(&content, 64 * 500))
        .await
        .unwrap();
    let most = kept.lock().unwrap().under_way_max;
    assert!((2..=PUT_WINDOW).contains(&most), "{most}");
}

#[tokio::test]
async fn where_memory_is_short_one_chunk_at_a_time_goes_on() {
    let (client, kept) = client(settings());
    let all = client.more_room(crate::limits::CHUNK_BUDGET_BYTES).unwrap();
    let content = content(64 * 50);
    put(&client, request(), body(&content, 640)).await.unwrap();
    assert_eq!(kept.lock().unwrap().under_way_max, 1);
    drop(all);
}

#[tokio::test(start_paused = true)]
async fn a_sender_that_falls_silent_is_given_up() {
    let (client, kept) = client(settings());
    let silent = stream::pending::<Result<Bytes, Infallible>>();
    let error = put(&client, request(), silent).await;
    assert!(matches!(error, Err(NodeError::Interrupted(_))));
    assert!(kept.lock().unwrap().records.is_empty());
}

#[tokio::test]
async fn what_is_over_a_limit_asks_nothing_of_the_core() {
    let (client, mut orders, _, _) = silent(settings());
    let mut request = request();
    request.content_type = "t".repeat(300);
    let error = put(&client, request, body(&content(1000), 64)).await;
    assert!(matches!(error, Err(NodeError::Refused(_))));
    assert!(orders.try_recv().is_err());
}
