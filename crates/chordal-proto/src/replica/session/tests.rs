use std::collections::BTreeSet;

use chordal_object::{Arc, Key, NodeId};

use super::{Kind, Planned, SessionId, Sessions, TURN_MAX};
use crate::limits::{CHUNK_SESSIONS_MAX, SESSIONS_MAX, SESSIONS_PER_NODE_MAX};
use crate::time::Time;
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

/// Lets one session copy, and tells which: of as many copies as the number of its source.
fn copy_next(sessions: &mut Sessions) -> Option<SessionId> {
    copy_next_at(sessions, Time::from_nanos(0))
}

fn copy_next_at(sessions: &mut Sessions, now: Time) -> Option<SessionId> {
    let copies = |planned: Planned| usize::from(planned.source.as_bytes()[0]);
    sessions.let_copy(now, copies).map(|(id, _)| id)
}

#[test]
fn the_most_endangered_go_first_and_one_place_goes_by_age() {
    let mut sessions = Sessions::default();
    let safe: Vec<SessionId> = (0..10)
        .map(|index| at_the_chunks(&mut sessions, (index * 10, index * 10 + 10), 2))
        .collect();
    let mut copying: Vec<SessionId> = std::iter::from_fn(|| copy_next(&mut sessions)).collect();
    assert_eq!(copying, safe[..CHUNK_SESSIONS_MAX]);
    // Two arcs lose another copy meanwhile.
    let endangered = [20, 21].map(|at| at_the_chunks(&mut sessions, (at * 10, at * 10 + 10), 1));
    // The one that has waited longest has its place still; all others go to the endangered.
    for next in [endangered[0], endangered[1], safe[CHUNK_SESSIONS_MAX]] {
        sessions.end(copying.remove(1));
        assert_eq!(copy_next(&mut sessions), Some(next));
    }
    sessions.end(copying[0]);
    let late = at_the_chunks(&mut sessions, (900, 910), 1);
    let oldest = safe[CHUNK_SESSIONS_MAX + 1];
    assert_eq!(copy_next(&mut sessions), Some(oldest), "not {late:?}");
}

#[test]
fn a_turn_ends_where_others_wait_for_the_same_arc() {
    let mut sessions = Sessions::default();
    let slow = at_the_chunks(&mut sessions, (0, 10), 1);
    assert_eq!(copy_next(&mut sessions), Some(slow));
    let (soon, late) = (Time::from_nanos(1), Time::from_nanos(0) + TURN_MAX);
    assert!(!sessions.is_over(late, slow), "nobody else wants it");
    at_the_chunks(&mut sessions, (10, 20), 2);
    assert!(!sessions.is_over(late, slow), "another arc");
    at_the_chunks(&mut sessions, (5, 10), 2);
    assert!(!sessions.is_over(soon, slow));
    assert!(sessions.is_over(late, slow));
}

#[test]
fn sessions_begin_at_different_chunks_and_take_each_once() {
    let chunk = |number: u8| [number; 32];
    let mut firsts = BTreeSet::new();
    let mut sessions = Sessions::default();
    for _ in 0..16 {
        let id = at_the_chunks(&mut sessions, (0, 10), 1);
        let session = sessions.get_mut(id).unwrap();
        session.lacking = (0..=255).map(chunk).collect();
        let taken: Vec<[u8; 32]> = std::iter::from_fn(|| session.next_lacking(id)).collect();
        let all: BTreeSet<[u8; 32]> = taken.iter().copied().collect();
        assert_eq!((taken.len(), all.len()), (256, 256));
        firsts.insert(taken[0]);
    }
    assert_eq!(firsts.len(), 16);
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
