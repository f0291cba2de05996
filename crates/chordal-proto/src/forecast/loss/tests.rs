use super::super::example::{node, ring};
use super::*;

fn loss(count: u8, dead: &[u8]) -> Loss {
    let nodes = (1..=count).map(|number| node(number, true)).collect();
    let dead: Vec<NodeId> = dead.iter().map(|&number| id(number)).collect();
    Loss::new(&ring(nodes), &Settings::default(), &dead)
}

fn id(number: u8) -> NodeId {
    NodeId::new([number; 32])
}

#[test]
fn one_death_of_three_leaves_everything_short_and_nothing_lost() {
    let loss = loss(3, &[2]);
    assert_eq!(loss.shares().keys().collect::<Vec<_>>(), [&Fate::Short]);
    let part = loss.part(Key::new(7));
    assert_eq!((part.wanted, part.now, part.left), (3, 3, 2));
    assert_eq!(loss.minority(), None);
}

#[test]
fn the_death_of_all_holders_loses_what_they_held_and_nothing_else() {
    let whole = loss(9, &[]);
    let key = Key::new(1 << 100);
    let dead: Vec<u8> = whole.held.of(key).iter().map(|n| n.as_bytes()[0]).collect();
    let loss = loss(9, &dead);
    assert_eq!(loss.part(key).fate, Fate::Lost);
    let shares = loss.shares();
    assert!(
        shares[&Fate::Lost] > 0.0 && shares[&Fate::Lost] < 0.5,
        "{shares:?}"
    );
    assert!((shares.values().sum::<f64>() - 1.0).abs() < 1e-9);
    assert!(whole.shares().keys().eq([&Fate::Whole]));
}

#[test]
fn what_only_a_silent_node_may_have_is_in_doubt_and_not_lost() {
    let nodes = (1..=3).map(|number| node(number, number != 3)).collect();
    let loss = Loss::new(&ring(nodes), &Settings::default(), &[id(1), id(2)]);
    assert!(loss.shares().keys().eq([&Fate::InDoubt]));
    assert_eq!(loss.minority(), Some((0, 3)));
}

#[test]
fn of_two_nodes_either_goes_on_alone_and_of_three_no_single_one() {
    assert_eq!(loss(2, &[1]).minority(), None);
    assert_eq!(loss(3, &[1, 2]).minority(), Some((1, 3)));
}

#[test]
fn a_key_is_looked_up_in_the_arc_that_has_it() {
    let whole = loss(5, &[]);
    for (arc, holders) in &whole.held.arcs {
        assert_eq!(whole.held.of(arc.upto), holders);
        let behind = Key::new(arc.after.position().wrapping_add(1));
        assert_eq!(whole.held.of(behind), holders);
    }
}
