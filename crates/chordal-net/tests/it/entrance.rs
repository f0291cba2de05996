use std::sync::Arc;

use chordal_net::{
    Admission, BindError, CertificateError, Config, ConnectError, Endpoint, Event, Limits, NodeKey,
    Refusal, RequestError, Target,
};

use super::{Bytes, Node, Ring, loopback, until};

async fn unreachable(node: &mut Node) -> ConnectError {
    loop {
        if let Event::Unreachable { error, .. } = node.event().await {
            return error;
        }
    }
}

#[tokio::test]
async fn a_peer_with_another_key_than_expected_is_refused() {
    let ring = Ring::new();
    let (mut a, b) = (ring.node().await, ring.node().await);
    let expected = NodeKey::generate().peer_id();
    let found = b.id();
    let to = Target {
        addr: b.endpoint.local_addr(),
        expect: Some(expected),
    };
    let wrong = ConnectError::WrongPeer { expected, found };
    a.endpoint.send(to, Bytes::from_static(b"secret"));
    assert_eq!(unreachable(&mut a).await, wrong);
    let answer = a.endpoint.request(to, Bytes::new(), None).await;
    assert_eq!(answer, Err(RequestError::Connect(wrong)));
    assert_eq!(b.endpoint.counters().messages_in, 0);
    assert_eq!(
        a.endpoint.counters().refused_handshakes,
        1,
        "the request met the pause"
    );
    until(|| b.endpoint.counters().refused_handshakes == 1).await;
}

#[tokio::test]
async fn nodes_of_two_rings_refuse_each_other_and_know_why() {
    let (mut a, mut b) = (Ring::new().node().await, Ring::new().node().await);
    a.send(&b, "hello");
    b.send(&a, "hello");
    let other_ring = ConnectError::WeRefuse(Refusal::OtherRing);
    assert_eq!(unreachable(&mut a).await, other_ring);
    assert_eq!(unreachable(&mut b).await, other_ring);
    until(|| a.endpoint.counters().refused_handshakes == 2).await;
    until(|| b.endpoint.counters().refused_handshakes == 2).await;
    let counters = [a.endpoint.counters(), b.endpoint.counters()];
    assert!(counters.iter().all(|counters| counters.messages_in == 0));
    assert_eq!(a.endpoint.peers(), []);
}

#[tokio::test]
async fn a_node_that_reaches_itself_notices() {
    let ring = Ring::new();
    let mut a = ring.node().await;
    let itself = ConnectError::WeRefuse(Refusal::Itself);
    let addr = a.endpoint.local_addr();
    for expect in [None, Some(a.id())] {
        a.endpoint.send(Target { addr, expect }, Bytes::new());
        assert_eq!(unreachable(&mut a).await, itself);
    }
}

#[tokio::test]
async fn two_nodes_with_the_same_key_do_not_connect() {
    let ring = Ring::new();
    let key = NodeKey::generate();
    let mut a = ring.node_at(key.clone(), loopback(0)).await;
    let b = ring.node_at(key, loopback(0)).await;
    let addr = b.endpoint.local_addr();
    a.endpoint.send(Target { addr, expect: None }, Bytes::new());
    let itself = ConnectError::WeRefuse(Refusal::Itself);
    assert_eq!(unreachable(&mut a).await, itself);
}

#[tokio::test]
async fn an_expelled_node_is_told_so() {
    let ring = Ring::new();
    let key = NodeKey::generate();
    let own = ring.admission(&key);
    let config = Config {
        admission: Arc::clone(&own),
        ..ring.config(key, loopback(0))
    };
    let (endpoint, events) = Endpoint::bind(config).await.unwrap();
    let mut a = Node { endpoint, events };
    let key = NodeKey::generate();
    let admission = ring.admission(&key);
    admission.expel(ring.authority.expel(a.id(), 0)).unwrap();
    let config = Config {
        admission,
        ..ring.config(key, loopback(0))
    };
    let (endpoint, events) = Endpoint::bind(config).await.unwrap();
    let mut b = Node { endpoint, events };
    a.send(&b, "hello");
    let expelled = ConnectError::TheyRefuse(Refusal::Expelled);
    assert_eq!(unreachable(&mut a).await, expelled);
    assert!(own.is_refused(&a.id()), "it has the authority's word");
    b.send(&a, "hello");
    let expelled = ConnectError::WeRefuse(Refusal::Expelled);
    assert_eq!(unreachable(&mut b).await, expelled);
}

#[tokio::test]
async fn expelling_a_node_ends_its_connections() {
    let ring = Ring::new();
    let mut a = ring.node().await;
    let key = NodeKey::generate();
    let admission = ring.admission(&key);
    let config = Config {
        admission: Arc::clone(&admission),
        ..ring.config(key, loopback(0))
    };
    let (endpoint, events) = Endpoint::bind(config).await.unwrap();
    let mut b = Node { endpoint, events };
    a.reaches(&mut b).await;
    assert!(matches!(a.event().await, Event::Connected { .. }));
    admission.expel(ring.authority.expel(a.id(), 0)).unwrap();
    assert!(matches!(a.event().await, Event::Disconnected { .. }));
    a.send(&b, "me again");
    let expelled = ConnectError::TheyRefuse(Refusal::Expelled);
    assert_eq!(unreachable(&mut a).await, expelled);
}

#[tokio::test]
async fn an_expelled_node_cannot_ask_over_an_open_connection() {
    let ring = Ring::new();
    let a = ring.node().await;
    let key = NodeKey::generate();
    let admission = ring.admission(&key);
    let config = Config {
        admission: Arc::clone(&admission),
        ..ring.config(key, loopback(0))
    };
    let (endpoint, events) = Endpoint::bind(config).await.unwrap();
    let to = Target {
        addr: endpoint.local_addr(),
        expect: Some(endpoint.local_id()),
    };
    let b = Node { endpoint, events }.echo();
    a.endpoint.request(to, Bytes::new(), None).await.unwrap();
    admission.expel(ring.authority.expel(a.id(), 0)).unwrap();
    let refused = a.endpoint.request(to, Bytes::new(), None).await;
    refused.unwrap_err();
    assert_eq!(b.counters().requests_in, 1);
}

#[tokio::test]
async fn an_endpoint_does_not_start_with_a_certificate_that_all_would_refuse() {
    let ring = Ring::new();
    let key = NodeKey::generate();
    let other = NodeKey::generate();
    let cases = [
        (
            ring.authority.issue(other.peer_id(), 0),
            CertificateError::OtherNode,
        ),
        (
            Ring::new().authority.issue(key.peer_id(), 0),
            CertificateError::OtherAuthority,
        ),
    ];
    for (certificate, expected) in cases {
        let config = Config {
            listen: loopback(0),
            key: key.clone(),
            admission: Arc::new(Admission::new(ring.authority.id(), certificate)),
            limits: Limits::default(),
        };
        let error = Endpoint::bind(config).await.unwrap_err();
        assert!(matches!(error, BindError::Certificate(why) if why == expected));
    }
}
