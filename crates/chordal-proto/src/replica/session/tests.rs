use chordal_object::{Arc, Key, NodeId};

use super::Sessions;
use crate::limits::{SESSIONS_MAX, SESSIONS_PER_NODE_MAX};
use crate::view::View;

fn node(number: u8) -> NodeId {
    NodeId::new([number; 32])
}

/// Sessions with these sources, for as many arcs, of which all that may have begun.
fn begun_with(sources: impl Iterator<Item = u8>) -> Sessions {
    let mut sessions = Sessions::default();
    for (index, source) in (0..).zip(sources) {
        let arc = Arc::new(Key::new(index), Key::new(index + 1));
        sessions.queue(arc, View::of(&[node(source)]), node(source), None);
    }
    while sessions.running() < SESSIONS_MAX {
        let Some(planned) = sessions.next() else {
            break;
        };
        sessions.begin(planned);
    }
    sessions
}

fn running_with(sessions: &Sessions, source: u8) -> usize {
    let busy = sessions.busy();
    busy.get(&node(source)).copied().unwrap_or_default()
}

#[test]
fn a_source_that_never_answers_leaves_sessions_to_the_others() {
    let sessions = begun_with([1; 20].into_iter().chain([2; 20]));
    assert_eq!(running_with(&sessions, 1), SESSIONS_PER_NODE_MAX);
    assert_eq!(running_with(&sessions, 2), SESSIONS_PER_NODE_MAX);
}

#[test]
fn what_waits_for_one_source_alone_keeps_nothing_else_from_being_planned() {
    let mut sessions = begun_with([1; 20].into_iter());
    assert!(!sessions.has_queue());
    let arc = Arc::new(Key::new(99), Key::new(100));
    sessions.queue(arc, View::of(&[node(2)]), node(2), None);
    assert!(sessions.has_queue());
}

#[test]
fn many_sources_together_get_no_more_than_all_sessions() {
    let sessions = begun_with(1..=20);
    assert_eq!(sessions.running(), SESSIONS_MAX);
}
