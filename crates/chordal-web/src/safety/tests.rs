use super::*;

fn node(state: &str, offered_bytes: u64) -> NodeHealth {
    NodeHealth {
        id: "aa".into(),
        addr: "127.0.0.1:1".into(),
        state: state.into(),
        used_bytes: None,
        offered_bytes,
        scrub: None,
    }
}

fn safety(nodes: &[NodeHealth], state: &str, copies_missing: u64) -> (String, u64) {
    let repair = Repair {
        state: state.into(),
        copies_missing,
    };
    let safety = Safety::of(nodes, &repair);
    (safety.state, safety.unplug)
}

#[test]
fn of_a_ring_at_rest_any_one_node_may_be_unplugged() {
    let nodes: Vec<_> = (0..5).map(|_| node("alive", 1)).collect();
    for (count, state, unplug) in [
        (1, "one_copy", 0),
        (2, "safe", 1),
        (3, "safe", 1),
        (5, "safe", 1),
    ] {
        assert_eq!(safety(&nodes[..count], "idle", 0), (state.into(), unplug));
    }
}

#[test]
fn only_members_that_keep_something_count() {
    let nodes = [
        node("alive", 1),
        node("alive", 0),
        node("gone", 1),
        node("left", 1),
    ];
    assert_eq!(safety(&nodes, "idle", 0), ("one_copy".into(), 0));
    let nodes = [node("alive", 1), node("suspect", 1)];
    assert_eq!(safety(&nodes, "idle", 0), ("safe".into(), 0));
}

#[test]
fn while_anything_is_missing_nothing_may_be_unplugged() {
    let nodes: Vec<_> = (0..5).map(|_| node("alive", 1)).collect();
    assert_eq!(safety(&nodes, "working", 0), ("working".into(), 0));
    assert_eq!(safety(&nodes, "working", 7), ("working".into(), 0));
    assert_eq!(safety(&nodes, "waiting", 7), ("waiting".into(), 0));
    assert_eq!(safety(&nodes, "idle", 1), ("missing".into(), 0));
}

#[test]
fn copies_that_nobody_can_hold_are_not_said_to_be_made() {
    let repair = Repair {
        state: "working".into(),
        copies_missing: 18,
    };
    let words = |nodes: &[NodeHealth]| Safety::of(nodes, &repair).words;
    let two = [node("alive", 1), node("suspect", 1)];
    assert!(words(&two).contains("no node left to hold them"));
    let four = [
        node("alive", 1),
        node("suspect", 1),
        node("alive", 1),
        node("alive", 1),
    ];
    assert!(words(&four).contains("the ring is making them"));
}

#[test]
fn where_most_nodes_are_silent_nothing_else_is_said() {
    let ring = |alive: usize, silent: usize| {
        let alive = std::iter::repeat_n(node("alive", 1), alive);
        let silent = std::iter::repeat_n(node("suspect", 1), silent);
        alive.chain(silent).collect::<Vec<_>>()
    };
    for (alive, silent) in [(1, 2), (2, 2), (2, 3)] {
        let found = safety(&ring(alive, silent), "waiting", 7);
        assert_eq!(found, ("minority".into(), 0), "{alive} {silent}");
    }
    for (alive, silent) in [(1, 1), (2, 1), (3, 2)] {
        let (state, _) = safety(&ring(alive, silent), "waiting", 7);
        assert_eq!(state, "waiting", "{alive} {silent}");
    }
}
