use chordal_object::Key;
use chordal_proto::codec;
use chordal_proto::message::{Envelope, GetState, Message};

use super::*;

#[test]
fn messages_are_counted_under_their_names() {
    let mut traffic = Traffic::new();
    let messages = [
        Message::Ping,
        Message::Pong,
        Message::GetState(GetState {
            token: Key::new(7),
            table: None,
            known: Vec::new(),
        }),
        Message::TableDigest {
            digest: 3,
            disagreed: false,
        },
        Message::AskStatus,
    ];
    let mut bytes = 0;
    for (request, message) in (0..).zip(messages) {
        let envelope = Envelope {
            request: request * 1000,
            incarnation: 12,
            message,
        };
        let encoded = codec::encode(&envelope);
        bytes += encoded.len() as u64;
        traffic.count(&encoded);
    }
    let names: Vec<&str> = traffic.by_kind().map(|(name, _)| name).collect();
    let expected = ["ping", "pong", "get_state", "table_digest", "ask_status"];
    assert_eq!(names, expected);
    assert_eq!(traffic.total(), Count { messages: 5, bytes });
    assert_eq!(traffic.since(&traffic).total(), Count::default());
}

#[test]
fn what_is_no_message_is_counted_too() {
    let mut traffic = Traffic::new();
    traffic.count(&[]);
    traffic.count(&[0xff; 12]);
    assert_eq!(traffic.of("other").messages, 2);
}
