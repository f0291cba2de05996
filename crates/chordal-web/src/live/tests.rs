use super::*;
use crate::api::{NodeHealth, PicturedNode, Repair, RingPicture};
use crate::pace::Progress;
use crate::safety::Safety;

fn node(id: &str, state: &str) -> PicturedNode {
    PicturedNode {
        health: NodeHealth {
            id: id.into(),
            addr: "127.0.0.1:1".into(),
            state: state.into(),
            used_bytes: Some(1),
            offered_bytes: 2,
            scrub: None,
        },
        tokens: Vec::new(),
        share: 0.5,
        copies_wanted: Some(0),
        handing_off: Some(0),
    }
}

fn scene(nodes: Vec<PicturedNode>) -> Scene {
    let repair = Repair {
        state: "idle".into(),
        copies_missing: 0,
    };
    Scene {
        node: "a".into(),
        addr: "127.0.0.1:1".into(),
        safety: Safety::of(nodes.iter().map(|node| &node.health), &repair),
        ring: RingPicture {
            name: "x".into(),
            bits: 128,
            whole: true,
            problems: Vec::new(),
            nodes,
        },
        repair,
        progress: Progress::default(),
        flows: Vec::new(),
        noted: 0,
    }
}

fn ids(change: &SceneChange) -> Vec<&str> {
    let nodes = change.scene.ring.nodes.iter();
    nodes.map(|node| node.health.id.as_str()).collect()
}

#[test]
fn a_change_names_only_what_is_not_as_it_was() {
    let before = scene(vec![
        node("a", "alive"),
        node("b", "alive"),
        node("c", "alive"),
    ]);
    let after = scene(vec![
        node("a", "alive"),
        node("b", "suspect"),
        node("d", "alive"),
    ]);
    let change = change(&before, &after);
    assert_eq!(ids(&change), ["b", "d"]);
    assert_eq!(change.removed, ["c"]);
    assert!(ids(&super::change(&after, &after)).is_empty());
}

#[test]
fn what_did_not_change_is_not_told() {
    let live = Live::new(CancellationToken::new());
    let mut watching = live.scenes.subscribe();
    live.publish(scene(vec![node("a", "alive")]));
    assert!(watching.has_changed().unwrap());
    drop(watching.borrow_and_update());
    live.publish(scene(vec![node("a", "alive")]));
    assert!(!watching.has_changed().unwrap());
    live.publish(scene(vec![node("a", "gone")]));
    assert!(watching.has_changed().unwrap());
}

#[tokio::test]
async fn a_watcher_is_told_the_whole_and_then_the_newest_and_the_end() {
    let stop = CancellationToken::new();
    let live = Live::new(stop.clone());
    live.publish(scene(vec![node("a", "alive")]));
    let answer = live.watch(None).unwrap();
    let mut body = answer.into_body().into_data_stream();
    let first = body.next().await.unwrap().unwrap();
    let first = String::from_utf8_lossy(&first).into_owned();
    assert!(first.starts_with("event: scene\n"), "{first}");
    live.publish(scene(vec![node("a", "suspect")]));
    live.publish(scene(vec![node("a", "gone")]));
    let second = body.next().await.unwrap().unwrap();
    let second = String::from_utf8_lossy(&second).into_owned();
    assert!(second.starts_with("event: change\n"), "{second}");
    assert!(
        second.contains("gone") && !second.contains("suspect"),
        "{second}"
    );
    stop.cancel();
    assert!(body.next().await.is_none());
}

#[tokio::test]
async fn a_session_that_is_over_is_told_nothing_more() {
    let live = Live::new(CancellationToken::new());
    let answer = live.watch(Some(Instant::now())).unwrap();
    let mut body = answer.into_body().into_data_stream();
    assert!(body.next().await.is_none());
}

#[tokio::test]
async fn there_is_a_limit_to_how_many_watch() {
    let live = Live::new(CancellationToken::new());
    let answers: Vec<_> = (0..WATCHERS_MAX)
        .map(|_| live.watch(None).unwrap())
        .collect();
    assert_eq!(live.watch(None).unwrap_err().code, Code::Busy);
    drop(answers);
    assert!(live.watch(None).is_ok());
}

#[test]
fn flows_are_what_moved_since_the_last_look() {
    let id = |number| NodeId::new([number; 32]);
    let moved = |fetched, given| Moved { fetched, given };
    let before = BTreeMap::from([(id(1), moved(5, 0)), (id(2), moved(1, 1))]);
    let now = BTreeMap::from([
        (id(1), moved(7, 0)),
        (id(2), moved(1, 1)),
        (id(3), moved(0, 4)),
    ]);
    let flows = flows(&before, &now);
    let told: Vec<_> = flows
        .iter()
        .map(|flow| (flow.fetched, flow.given))
        .collect();
    assert_eq!(told, [(2, 0), (0, 4)]);
}
