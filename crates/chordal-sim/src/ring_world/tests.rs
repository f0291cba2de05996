use std::time::Duration;

use chordal_object::Name;
use chordal_proto::effect::Answer;
use chordal_proto::input::Command;

use super::*;

const PATIENCE: Duration = Duration::from_mins(2);

fn formed(machines: usize, seed: u64) -> RingWorld {
    let mut world = RingWorld::new(RingOptions {
        seed,
        checks: Checks::EveryEvent,
        ..RingOptions::default()
    });
    world.form(machines, PATIENCE).unwrap();
    world
}

#[test]
fn a_ring_forms_and_is_ideal() {
    for machines in [1, 2, 3, 10, 40] {
        let world = formed(machines, 7);
        let certificate = world.certificate();
        assert!(certificate.is_ideal(), "{certificate:?}");
        assert_eq!(certificate.nodes, machines);
    }
}

#[test]
fn a_ring_closes_over_nodes_that_die_at_once() {
    for stop in [Stop::Process, Stop::Machine] {
        let mut world = formed(30, 3);
        for number in [2, 3, 5, 8, 13, 21] {
            world.crash(number, stop);
        }
        assert!(world.not_ideal().is_some());
        world.await_ideal(PATIENCE).unwrap();
        assert_eq!(world.certificate().nodes, 24);
    }
}

#[test]
fn nodes_come_back_by_what_they_remember() {
    let mut world = formed(12, 5);
    world.run_for(Duration::from_secs(5)).unwrap();
    for number in 0..12 {
        world.crash(number, Stop::Machine);
    }
    world.run_for(Duration::from_secs(1)).unwrap();
    for number in 0..12 {
        world.restart(number, Memory::Saved).unwrap();
    }
    world.await_ideal(Duration::from_mins(1)).unwrap();
    assert_eq!(world.certificate().nodes, 12);
}

#[test]
fn whoever_returns_when_nobody_is_left_that_it_remembers_is_told_an_address() {
    let mut world = formed(6, 5);
    world.run_for(Duration::from_secs(5)).unwrap();
    world.crash(1, Stop::Machine);
    world.run_for(Duration::from_secs(5)).unwrap();
    world.crash(2, Stop::Machine);
    world.restart(1, Memory::Saved).unwrap();
    assert!(!world.is_stranded(1));
    world.await_ideal(Duration::from_mins(1)).unwrap();
    for number in 0..6 {
        world.crash(number, Stop::Machine);
    }
    world.form(4, PATIENCE).unwrap();
    world.restart(1, Memory::Saved).unwrap();
    assert!(world.is_stranded(1));
    world.await_ideal(Duration::from_mins(1)).unwrap();
    assert_eq!(world.certificate().nodes, 5);
}

#[test]
fn the_power_fails_while_nodes_are_leaving() {
    let mut world = formed(8, 5);
    for number in [1, 2, 3] {
        world.leave(number, true).unwrap();
    }
    for number in [0, 4, 5, 6, 7] {
        world.crash(number, Stop::Machine);
    }
    assert!(!world.asks_for_invariant());
    world.run_for(Duration::from_secs(5)).unwrap();
}

#[test]
fn lookups_are_answered_with_their_hops() {
    let mut world = formed(20, 9);
    for index in 0..10 {
        let name = Name::new("main", &format!("file {index}")).unwrap();
        world.command(index, Command::Where(name)).unwrap();
    }
    world.run_for(Duration::from_secs(2)).unwrap();
    let replies = world.take_replies();
    assert_eq!(replies.len(), 10);
    for reply in replies {
        let Ok(Answer::Where(found)) = reply.answer else {
            panic!("{reply:?}");
        };
        assert!(!found.hops.is_empty());
    }
}

#[test]
fn a_lookup_asks_an_owner_that_only_the_one_that_looks_holds_for_silent() {
    let mut world = RingWorld::new(RingOptions {
        settings: Settings {
            successors: 2,
            ..Settings::default()
        },
        ..RingOptions::default()
    });
    world.form(24, PATIENCE).unwrap();
    let mut pairs = Vec::new();
    for number in 0..24 {
        let other = (number + 7) % 24;
        let token = world.machines()[other].peer().unwrap().tokens()[0];
        // Far from the token after the owner: that one is asked, and says nothing of the owner.
        let key = world.settings().bits.finger_start(token.predecessor.key, 0);
        world.part(&[number], &[other]);
        world.command(number, Command::LookUp(key)).unwrap();
        pairs.push((number, key, token.key));
    }
    world.run_for(Duration::from_secs(30)).unwrap();
    world.mend();
    world.take_replies();
    for &(number, key, _) in &pairs {
        world.command(number, Command::LookUp(key)).unwrap();
    }
    world.run_for(Duration::from_secs(5)).unwrap();
    let replies = world.take_replies();
    assert_eq!(replies.len(), 24);
    for reply in replies {
        let Ok(Answer::Found(found)) = &reply.answer else {
            panic!("{reply:?}");
        };
        let owner = found.owner.map(|token| token.key);
        assert_eq!(owner, Some(pairs[reply.machine].2), "{reply:?}");
    }
}

#[test]
fn equal_seeds_are_equal_worlds() {
    assert_eq!(formed(15, 4).digest(), formed(15, 4).digest());
    assert_ne!(formed(15, 4).digest(), formed(15, 5).digest());
}

#[test]
fn whoever_takes_a_node_for_dead_of_which_it_has_just_heard_fails() {
    let broken = |plant: RingPlant| {
        let mut world = formed(8, 4);
        world.plant(plant);
        world.set_weather(Weather {
            loss: 0.02,
            ..Weather::fair(Duration::from_millis(10))
        });
        world.run_for(Duration::from_mins(2)).err()
    };
    assert_eq!(broken(RingPlant::Nothing), None);
    let violation = broken(RingPlant::AccuseOnLoss).expect("it is caught");
    assert_eq!(violation.promise, "only silent nodes are taken for dead");
}
