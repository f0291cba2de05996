use chordal_object::{Arc, Key, NodeId};

use super::{Kind, Planned, SessionId, Sessions};
use crate::limits::{CHUNK_SESSIONS_MAX, SESSIONS_MAX, SESSIONS_PER_NODE_MAX};
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

/// Begins a session that has come as far as the chunks.
fn at_the_chunks(sessions: &mut Sessions, arc: (u128, u128), source: u8) -> SessionId {
    let id = sessions.begin(Planned {
        arc: Arc::new(Key::new(arc.0), Key::new(arc.1)),
        view: View::of(&[node(source)]),
        source: node(source),
        confirm: None,
    });
    sessions.get_mut(id).unwrap().kind = Some(Kind::Chunks);
    sessions.copying.push_back(id);
    id
}

/// Lets one session copy, and tells which.
fn copy_next(sessions: &mut Sessions) -> Option<SessionId> {
    let (id, _) = sessions.waiting_to_copy().next()?;
    sessions.get_mut(id).unwrap().copying = true;
    Some(id)
}

#[test]
fn the_chunks_of_an_arc_are_copied_from_one_source_at_a_time() {
    let mut sessions = Sessions::default();
    let first = at_the_chunks(&mut sessions, (0, 10), 1);
    let same = at_the_chunks(&mut sessions, (0, 10), 2);
    let meets = at_the_chunks(&mut sessions, (5, 20), 2);
    let other = at_the_chunks(&mut sessions, (20, 30), 2);
    assert_eq!(copy_next(&mut sessions), Some(first));
    assert_eq!(copy_next(&mut sessions), Some(other));
    assert_eq!(copy_next(&mut sessions), None);
    sessions.end(first);
    assert_eq!(copy_next(&mut sessions), Some(same));
    sessions.end(same);
    assert_eq!(copy_next(&mut sessions), Some(meets));
}

#[test]
fn no_more_sessions_copy_chunks_than_may() {
    let mut sessions = Sessions::default();
    for index in 0..10 {
        at_the_chunks(&mut sessions, (index * 10, index * 10 + 10), 1);
    }
    let begun = std::iter::from_fn(|| copy_next(&mut sessions)).count();
    assert_eq!(begun, CHUNK_SESSIONS_MAX);
}
