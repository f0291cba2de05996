use bytes::Bytes;
use chordal_object::Chunk;
use chordal_proto::Settings;
use chordal_proto::input::Command;
use futures_util::FutureExt as _;

use super::fake::{silent, withdrawn};
use crate::error::NodeError;

#[tokio::test]
async fn a_wish_that_is_dropped_is_withdrawn_and_its_bytes_with_it() {
    let (client, mut orders, inbox, held) = silent(Settings::default());
    let chunk = Chunk::new(Bytes::from_static(b"bytes"));
    let mut stored = Box::pin(client.store_chunk(chunk.clone()));
    assert!(stored.as_mut().now_or_never().is_none());
    let order = orders.recv().await.unwrap();
    assert_eq!(held.get(order.operation), Some(chunk));
    assert!(withdrawn(&inbox).is_empty());
    drop(stored);
    assert_eq!(withdrawn(&inbox), [order.operation]);
    assert_eq!(held.get(order.operation), None);
    assert!(order.reply.is_closed());
}

#[tokio::test]
async fn a_driver_that_ended_answers_stopping() {
    let (client, mut orders, inbox, _) = silent(Settings::default());
    let mut asked = Box::pin(client.ask(Command::Status));
    assert!(asked.as_mut().now_or_never().is_none());
    drop(orders.recv().await);
    assert_eq!(asked.await, Err(NodeError::Stopping));
    drop(orders);
    assert_eq!(client.ask(Command::Status).await, Err(NodeError::Stopping));
    assert!(withdrawn(&inbox).is_empty());
}

#[tokio::test]
async fn no_new_file_is_opened_once_the_node_stops() {
    let (client, _orders, _, _) = silent(Settings::default());
    let open = client.open_get().await.unwrap();
    client.work.close();
    assert!(matches!(client.open_put().await, Err(NodeError::Stopping)));
    assert!(client.work.wait().now_or_never().is_none());
    drop(open);
    client.work.wait().await;
}
