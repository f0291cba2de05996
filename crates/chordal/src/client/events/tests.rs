use super::*;
use crate::watch::example::scene;

#[test]
fn events_are_taken_whole_however_their_bytes_come_and_comments_are_none() {
    let mut unread = BytesMut::from("event: scene\nda");
    assert_eq!(take_event(&mut unread), None);
    unread.extend_from_slice(b"ta: {}\n\n:\n\nevent: x\n");
    let first = take_event(&mut unread).unwrap();
    assert_eq!(first, ("scene".to_owned(), "{}".to_owned()));
    let comment = take_event(&mut unread).unwrap();
    assert_eq!(comment, (String::new(), String::new()));
    assert_eq!(take_event(&mut unread), None);
}

#[test]
fn a_change_brings_what_is_new_and_takes_what_is_gone() {
    let before = scene(5);
    let mut after = before.clone();
    after.ring.nodes[2].health.state = "suspect".to_owned();
    let gone = after.ring.nodes.remove(4).health.id;
    after.noted += 1;
    let mut told = after.clone();
    told.ring.nodes = vec![after.ring.nodes[2].clone()];
    let change = SceneChange {
        scene: told,
        removed: vec![gone],
    };
    let data = serde_json::to_string(&change).unwrap();
    let together = put_together(Some(before.clone()), "change", &data).unwrap();
    assert_eq!(together, Some(after));
    // Before there is a scene nothing can change.
    assert_eq!(put_together(None, "change", &data).unwrap(), None);
    assert_eq!(
        put_together(Some(before.clone()), "", "").unwrap(),
        Some(before)
    );
}
