use super::assumption::stepped_back;
use super::moves::moves;
use super::seen::{Seen, fingerprint};
use super::world::{World, bit};
use super::{Mistake, Outcome, Setting, demonstration, explore};

fn small(returns: u8) -> Setting {
    Setting {
        name: "small",
        seats: 4,
        list_length: 2,
        members: 3..=4,
        principals: true,
        predecessors: false,
        offers: true,
        crashes: 1,
        returns,
        flights: 2,
        mistake: None,
    }
}

#[test]
fn every_world_of_four_seats_is_right() {
    let findings = explore(&small(1));
    assert!(
        matches!(findings.outcome, Outcome::Right),
        "{:?}",
        findings.outcome
    );
    assert!(findings.worlds > 500, "{findings:?}");
}

#[test]
fn every_mistake_is_found_and_its_way_told() {
    for mistake in Mistake::ALL {
        let findings = explore(&demonstration(mistake));
        let Outcome::Wrong { flaw, trace } = findings.outcome else {
            panic!("{} is not found: {:?}", mistake.name(), findings.outcome);
        };
        assert!(!flaw.is_empty() && trace.len() > 1, "{}", mistake.name());
    }
}

#[test]
fn the_settings_of_the_mistakes_are_right_without_them() {
    // The others share the first one's setting; a ring that starts alone has no right one.
    for mistake in [Mistake::AdoptUnasked, Mistake::ForgetPredecessor] {
        let setting = Setting {
            mistake: None,
            ..demonstration(mistake)
        };
        let findings = explore(&setting);
        let right = matches!(findings.outcome, Outcome::Right);
        assert!(right, "{}: {:?}", mistake.name(), findings.outcome);
    }
}

#[test]
fn turning_a_world_turns_what_can_happen_in_it() {
    let setting = small(1);
    let mut seen = Seen::new();
    let mut frontier: Vec<World> = setting.starts().collect();
    for _ in 0..5 {
        let mut found = Vec::new();
        for world in &frontier {
            for by in 1..world.count {
                assert_eq!(after(&setting, &world.turned(by)), after(&setting, world));
            }
            let mut next = Vec::new();
            moves(&setting, world, &mut next).unwrap();
            found.extend(next.iter().map(|next| next.world));
        }
        found.retain(|world| seen.insert(fingerprint(world.packed())));
        found.truncate(300);
        frontier = found;
    }
}

/// The worlds one move away, whichever way they are turned.
fn after(setting: &Setting, world: &World) -> Vec<[u64; 7]> {
    let mut next = Vec::new();
    moves(setting, world, &mut next).unwrap();
    let mut worlds: Vec<_> = next.iter().map(|n| n.world.canonical().packed()).collect();
    worlds.sort_unstable();
    worlds.dedup();
    worlds
}

#[test]
fn a_predecessor_steps_back_only_past_a_live_one() {
    let before = World::ideal(4, 0b1111, 2);
    let mut after = before;
    after.seat_mut(2).predecessor = 0;
    assert!(stepped_back(&before, &after).is_some());
    let mut dead = before;
    dead.seat_mut(1).stand = super::world::Stand::Down;
    assert!(stepped_back(&dead, &after).is_none());
    assert_eq!(before.seat(2).list, bit(3) | bit(0));
}

#[test]
fn a_set_of_fingerprints_knows_what_it_has_seen() {
    let mut seen = Seen::new();
    let words = |n: u64| [n, 0, n << 7, 1];
    for n in 0..200_000 {
        assert!(seen.insert(fingerprint(words(n))));
    }
    assert!(!seen.insert(fingerprint(words(77))));
    assert_eq!(seen.len(), 200_000);
}
