use super::super::example::{mending, scene};
use super::*;

#[test]
fn repair_is_told_by_what_it_does() {
    let mut ring = mending(5);
    assert_eq!(done(&ring), Some(0.75));
    ring.progress.per_second = None;
    ring.progress.left_s = None;
    assert_eq!(repair(&ring), "30 copies missing");
    ring.repair.state = "waiting".into();
    assert!(repair(&ring).contains("waited for"));
    assert_eq!(done(&ring), None);
    assert_eq!(repair(&scene(5)), "nothing to do");
    assert_eq!(done(&scene(5)), None);
}

#[test]
fn a_node_that_left_is_in_no_list() {
    let mut ring = scene(5);
    ring.ring.nodes[3].health.state = "left".into();
    assert!(headline(&ring).contains("4 nodes"));
    let mut view = View::new(false);
    view.take(News::Scene(Box::new(ring)));
    assert_eq!(view.nodes().len(), 4);
}
