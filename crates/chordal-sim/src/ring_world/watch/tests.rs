use chordal_object::{Bits, NodeId};

use super::*;
use crate::dice::Dice;

fn token(key: u128) -> Token {
    Token {
        key: Key::new(key),
        node: NodeId::from_slice(&[u8::try_from(key).unwrap(); 32]).unwrap(),
    }
}

fn view(own: u128, successors: &[u128]) -> TokenView {
    let predecessor = token(own);
    TokenView {
        token: token(own),
        predecessor,
        successors: successors.iter().map(|&key| token(key)).collect(),
    }
}

fn at(seconds: u64) -> Time {
    Time::from_nanos(0) + Duration::from_secs(seconds)
}

#[test]
fn principals_are_counted_as_the_certificate_counts_them() {
    let mut dice = Dice::new(1, "watch test");
    let mut watch = Watch::new(2);
    watch.shake(at(0));
    let mut views: BTreeMap<u128, TokenView> = BTreeMap::new();
    for step in 0..3000 {
        let own = dice.below(24) as u128;
        let before: Vec<TokenView> = views.remove(&own).into_iter().collect();
        let after = if dice.chance(0.7) {
            let mut others: Vec<u128> = (0..24)
                .filter(|&key| key != own && dice.chance(0.3))
                .collect();
            others.sort_by_key(|&key| Bits::MAX.distance(Key::new(own), Key::new(key)));
            others.truncate(3);
            if others.is_empty() {
                others.push(own);
            }
            vec![view(own, &others)]
        } else {
            Vec::new()
        };
        watch.change(at(step), &before, &after).unwrap();
        views.extend(after.into_iter().map(|view| (own, view)));
        let all: Vec<TokenView> = views.values().cloned().collect();
        assert_eq!(watch.views(), all);
        assert_eq!(watch.principals, certificate::principals(&all));
    }
}

/// A ring of the tokens 10, 20, 30, 40 with lists of two.
fn ring_of_four() -> (Watch, Vec<TokenView>) {
    let mut watch = Watch::new(2);
    watch.shake(at(0));
    let views = vec![
        view(10, &[20, 30]),
        view(20, &[30, 40]),
        view(30, &[40, 10]),
        view(40, &[10, 20]),
    ];
    for view in &views {
        watch
            .change(at(1), &[], std::slice::from_ref(view))
            .unwrap();
    }
    assert!(watch.is_calm());
    watch.resume(at(1));
    watch.change(at(1), &[], &views).unwrap();
    (watch, views)
}

#[test]
fn a_living_token_taken_for_dead_suspends_the_invariant_until_all_is_well() {
    let (mut watch, views) = ring_of_four();
    assert!(watch.is_sound());
    let drops = [view(10, &[30, 40])];
    watch.change(at(5), &views[..1], &drops).unwrap();
    assert!(!watch.is_sound());
    assert_eq!(watch.accused(), 1);
    assert!(!watch.is_calm());
    watch.change(at(9), &drops, &views[..1]).unwrap();
    assert!(watch.is_calm());
    watch.resume(at(9));
    assert!(watch.is_sound());
    assert_eq!(watch.shaken_time(at(20)), Duration::from_secs(1 + 4));
}

/// Two lists pass by a living token, one after the other; what the watch says to the second.
fn two_are_passed_by(watch: &mut Watch, views: &[TokenView], now: Time) -> Result<(), Flaw> {
    watch
        .change(now, &views[2..3], &[view(30, &[40, 20])])
        .unwrap();
    watch.change(now, &views[..1], &[view(10, &[20, 40])])
}

#[test]
fn a_token_that_is_passed_by_without_being_dropped_breaks_the_invariant() {
    let (mut watch, views) = ring_of_four();
    watch.change(at(1) + FLIGHT, &[], &views).unwrap();
    assert!(two_are_passed_by(&mut watch, &views, at(20)).is_err());
}

#[test]
fn lists_that_were_on_their_way_may_pass_by_a_token() {
    let (mut watch, views) = ring_of_four();
    watch.change(at(2), &[], &views).unwrap();
    assert!(two_are_passed_by(&mut watch, &views, at(2)).is_ok());
}

#[test]
fn the_death_of_a_token_is_no_accusation() {
    let (mut watch, views) = ring_of_four();
    watch.die(at(5), &views[1..2], |_| true);
    let closes = [view(10, &[30, 40])];
    watch.change(at(6), &views[..1], &closes).unwrap();
    assert!(watch.is_sound());
    assert_eq!(watch.accused(), 0);
}

#[test]
fn more_deaths_than_lists_survive_suspend_the_invariant() {
    let (mut watch, views) = ring_of_four();
    watch.die(at(5), &views[1..3], |_| true);
    assert!(!watch.is_sound());
}

#[test]
fn a_token_that_is_about_to_leave_is_not_counted_on_when_others_die() {
    let (mut watch, views) = ring_of_four();
    watch.die(at(5), &views[1..2], |token| token != views[2].token);
    assert!(!watch.is_sound());
}

#[test]
fn lists_on_their_way_keep_somebody_for_who_follows_and_for_who_joins() {
    let (mut watch, views) = ring_of_four();
    // A moment ago 10 told 20 and 30; by now it knows of 40 too, and no other list needs 20 or 30.
    watch
        .change(at(2), &views[..1], &[view(10, &[30, 40])])
        .unwrap();
    let without = |gone: &[u128]| {
        let gone: Vec<Token> = gone.iter().map(|&key| token(key)).collect();
        watch.outlive_answers(at(2), |token| !gone.contains(&token))
    };
    assert!(without(&[20]));
    assert!(without(&[30]));
    // Who joins behind 10 with its old list would know the dead alone, though 10 itself lives.
    assert!(!without(&[20, 30]));
}
