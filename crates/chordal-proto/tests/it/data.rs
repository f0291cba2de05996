//! Records and chunks on rings that change.

use std::time::Duration;

use chordal_object::ChunkId;
use chordal_proto::Settings;
use chordal_proto::effect::{Answer, Copies, Failure, RepairState};
use chordal_proto::input::{Command, Condition, Draft};

use crate::cluster::Cluster;

const GRACE: Duration = Duration::from_mins(1);

#[test]
fn a_small_ring_keeps_as_many_copies_as_it_has_nodes() {
    for (count, wanted) in [(1, 1), (2, 2), (3, 3), (5, 3)] {
        let mut cluster = Cluster::ring(Settings::default(), count);
        let Ok(Answer::Written {
            copies, version, ..
        }) = cluster.write(0, "a", b"one")
        else {
            panic!("a put must not fail because the ring is small")
        };
        assert_eq!(
            copies,
            Copies {
                durable: wanted,
                wanted
            }
        );
        assert_eq!(version.counter, 1);
        assert_eq!(cluster.copies("a"), wanted as usize);
    }
}

#[test]
fn the_newest_version_is_read_from_everywhere() {
    let mut cluster = Cluster::ring(Settings::default(), 5);
    cluster.write(0, "a", b"one").unwrap();
    cluster.write(3, "a", b"two").unwrap();
    for index in 0..5 {
        let record = cluster.read(index, "a").expect("it was written");
        assert_eq!(record.version.counter, 2);
        assert_eq!(record.file.unwrap().hash, *blake3::hash(b"two").as_bytes());
    }
}

#[test]
fn a_deleted_name_is_gone_everywhere_and_cannot_be_deleted_again() {
    let mut cluster = Cluster::ring(Settings::default(), 4);
    cluster.write(0, "a", b"one").unwrap();
    cluster.delete(2, "a").unwrap();
    assert_eq!(cluster.read(1, "a"), None);
    assert_eq!(cluster.delete(3, "a"), Err(Failure::NotFound));
    assert_eq!(cluster.delete(3, "never was"), Err(Failure::NotFound));
}

#[test]
fn what_is_not_there_to_be_deleted_is_not_there_to_be_read() {
    let mut cluster = Cluster::ring(Settings::default(), 3);
    cluster.write(0, "a", b"one").unwrap();
    // Somebody is about to delete it: one holder has heard of that.
    let machine = cluster.machines.get_mut(&crate::cluster::addr(2)).unwrap();
    let record = machine.records.values_mut().next().unwrap();
    record.file = None;
    record.version.counter += 1;
    let deleted = cluster.delete(2, "a");
    cluster.kill(2);
    assert_eq!(cluster.read(0, "a"), None, "after {deleted:?}");
}

#[test]
fn names_that_share_a_key_stay_different_files() {
    // Eight positions only: names must collide.
    let bits = chordal_object::Bits::new(3).unwrap();
    let mut cluster = Cluster::ring(
        Settings {
            bits,
            ..Settings::default()
        },
        1,
    );
    for index in 0..20 {
        let name = format!("file {index}");
        cluster.write(0, &name, name.as_bytes()).unwrap();
    }
    for index in 0..20 {
        let name = format!("file {index}");
        let hash = cluster.read(0, &name).unwrap().file.unwrap().hash;
        assert_eq!(hash, *blake3::hash(name.as_bytes()).as_bytes());
    }
}

#[test]
fn one_dead_holder_does_not_stop_reads_or_writes_and_leaves_three_copies() {
    let mut cluster = Cluster::ring(Settings::default(), 5);
    cluster.write(0, "a", b"one").unwrap();
    cluster.kill(4);
    cluster.rest(Duration::from_secs(1));
    assert!(cluster.read(0, "a").is_some());
    let Ok(Answer::Written { copies, .. }) = cluster.write(1, "a", b"two") else {
        panic!()
    };
    assert_eq!(copies.durable, 3, "a hint stands in for the dead holder");
}

#[test]
fn copies_are_made_again_only_after_the_grace_time() {
    let mut cluster = Cluster::ring(Settings::default(), 5);
    for index in 0..20 {
        cluster.write(0, &format!("file {index}"), b"x").unwrap();
    }
    cluster.kill(4);
    cluster.rest(GRACE / 2);
    let before: usize = (0..20)
        .map(|index| cluster.copies(&format!("file {index}")))
        .sum();
    assert!(before < 60, "the dead node had some: {before}");
    cluster.rest(GRACE);
    for index in 0..20 {
        assert_eq!(cluster.copies(&format!("file {index}")), 3, "file {index}");
    }
}

#[test]
fn copies_of_two_dead_holders_are_made_at_once_and_count_when_they_may() {
    let mut cluster = Cluster::ring(Settings::default(), 5);
    for index in 0..20 {
        cluster.write(0, &format!("file {index}"), b"x").unwrap();
    }
    cluster.kill(3);
    cluster.kill(4);
    cluster.rest(Duration::from_secs(10));
    let mut refused = 0;
    for index in 0..20 {
        let name = format!("file {index}");
        assert_eq!(cluster.copies(&name), 3, "{name}");
        let read = cluster.ask(0, Command::ReadRecord(name.parse().unwrap()));
        // Both who died may have had a newer version than the one who did not.
        refused += usize::from(matches!(read, Err(Failure::TooFewCopies { .. })));
        assert!(
            matches!(
                read,
                Ok(Answer::Record(Some(_))) | Err(Failure::TooFewCopies { .. })
            ),
            "{read:?}"
        );
    }
    assert!(refused > 0 && refused < 20, "{refused}");
    cluster.rest(GRACE);
    for index in 0..20 {
        assert!(cluster.read(0, &format!("file {index}")).is_some());
    }
}

#[test]
fn one_of_two_dead_holders_that_returns_is_enough() {
    let mut cluster = Cluster::ring(Settings::default(), 5);
    for index in 0..20 {
        cluster.write(0, &format!("file {index}"), b"x").unwrap();
    }
    cluster.kill(3);
    let disk = cluster.kill(4);
    cluster.rest(Duration::from_secs(10));
    cluster.restart(4, disk);
    cluster.rest(Duration::from_secs(10));
    for index in 0..20 {
        assert!(cluster.read(0, &format!("file {index}")).is_some());
    }
}

#[test]
fn a_minority_takes_no_writes() {
    let mut cluster = Cluster::ring(Settings::default(), 5);
    for index in 2..5 {
        cluster.kill(index);
    }
    cluster.rest(Duration::from_secs(15));
    let refused = cluster.write(0, "a", b"one");
    assert_eq!(
        refused,
        Err(Failure::Minority {
            reached: 2,
            known: 5
        })
    );
}

#[test]
fn a_node_that_joins_gets_its_copies_and_the_former_holder_drops_its_own() {
    let mut cluster = Cluster::ring(Settings::default(), 3);
    for index in 0..30 {
        cluster.write(0, &format!("file {index}"), b"x").unwrap();
    }
    cluster.start(7, None);
    cluster.join(7, 0).unwrap();
    cluster.rest(Duration::from_secs(30));
    for index in 0..30 {
        assert_eq!(cluster.copies(&format!("file {index}")), 3, "file {index}");
    }
    let newcomer = cluster.machines[&crate::cluster::addr(7)].records.len();
    assert!(newcomer > 0, "the newcomer holds its share");
}

#[test]
fn files_of_a_node_that_was_alone_come_along_when_it_joins() {
    let mut cluster = Cluster::ring(Settings::default(), 3);
    cluster.start(7, None);
    cluster.write(7, "mine", b"x").unwrap();
    cluster.join(7, 0).unwrap();
    cluster.rest(Duration::from_secs(30));
    assert!(cluster.read(1, "mine").is_some());
    assert_eq!(cluster.copies("mine"), 3);
}

#[test]
fn a_leaving_node_hands_over_first() {
    let mut cluster = Cluster::ring(Settings::default(), 4);
    for index in 0..20 {
        cluster.write(0, &format!("file {index}"), b"x").unwrap();
    }
    let chunk = ChunkId::of(b"chunk");
    cluster
        .ask(0, Command::StoreChunk { chunk, bytes: 5 })
        .unwrap();
    assert_eq!(
        cluster.ask(2, Command::Leave { force: false }),
        Ok(Answer::Left)
    );
    let left = cluster.kill(2);
    assert!(
        left.records.is_empty() && left.chunks.is_empty(),
        "everything was handed over"
    );
    for index in 0..20 {
        assert_eq!(cluster.copies(&format!("file {index}")), 3, "file {index}");
    }
    let counted = cluster.ask(0, Command::CountCopies(vec![chunk]));
    assert_eq!(
        counted,
        Ok(Answer::Copies(vec![Copies {
            durable: 3,
            wanted: 3
        }]))
    );
}

#[test]
fn leaving_is_refused_while_others_are_down() {
    let mut cluster = Cluster::ring(Settings::default(), 4);
    cluster.write(0, "a", b"x").unwrap();
    cluster.kill(3);
    cluster.rest(Duration::from_secs(5));
    let refused = cluster.ask(0, Command::Leave { force: false });
    assert!(
        matches!(refused, Err(Failure::UnsafeLeave(_))),
        "{refused:?}"
    );
}

#[test]
fn a_node_stays_when_another_falls_silent_while_it_leaves() {
    let mut cluster = Cluster::ring(Settings::default(), 4);
    for index in 0..20 {
        cluster.write(0, &format!("file {index}"), b"x").unwrap();
    }
    cluster.kill(3);
    let refused = cluster.ask(0, Command::Leave { force: false });
    assert!(
        matches!(refused, Err(Failure::UnsafeLeave(_))),
        "{refused:?}"
    );
    cluster.rest(Duration::from_secs(10));
    let me = cluster.machines[&crate::cluster::addr(0)]
        .peer
        .member()
        .clone();
    assert_eq!(me.standing, chordal_proto::member::Standing::Present);
    // Where the silent node is one of those who know what was written meanwhile, it is waited for.
    cluster.rest(Duration::from_mins(1));
    for index in 0..20 {
        assert!(cluster.read(1, &format!("file {index}")).is_some());
    }
}

#[test]
fn whoever_left_begins_the_next_life_alone() {
    let mut cluster = Cluster::ring(Settings::default(), 3);
    cluster.ask(2, Command::Leave { force: false }).unwrap();
    let disk = cluster.kill(2);
    cluster.restart(2, disk);
    cluster.rest(Duration::from_secs(20));
    assert_eq!(
        cluster.machines[&crate::cluster::addr(2)]
            .peer
            .members()
            .len(),
        1
    );
}

#[test]
fn a_node_without_tokens_reads_and_writes_and_holds_nothing() {
    let mut cluster = Cluster::ring(Settings::default(), 3);
    cluster.start_with(9, None, 0);
    cluster.join(9, 1).unwrap();
    cluster.rest(Duration::from_secs(5));
    let Ok(Answer::Written { copies, .. }) = cluster.write(9, "a", b"x") else {
        panic!()
    };
    assert_eq!(
        copies,
        Copies {
            durable: 3,
            wanted: 3
        }
    );
    assert!(cluster.read(9, "a").is_some());
    assert!(
        cluster.machines[&crate::cluster::addr(9)]
            .records
            .is_empty()
    );
}

#[test]
fn a_listing_is_sorted_paged_and_knows_that_it_is_complete() {
    let mut cluster = Cluster::ring(Settings::default(), 5);
    for index in 0..25 {
        cluster.write(0, &format!("file {index:02}"), b"x").unwrap();
    }
    cluster.delete(0, "file 07").unwrap();
    let mut names = Vec::new();
    let mut after = None;
    loop {
        let (space, prefix) = ("main".to_owned(), "file".to_owned());
        let list = Command::List {
            space,
            prefix,
            after,
            limit: 4,
        };
        let Ok(Answer::Listed {
            rows,
            more,
            last,
            missing,
        }) = cluster.ask(3, list)
        else {
            panic!()
        };
        assert_eq!(missing, []);
        names.extend(rows.iter().map(|row| row.name.path().to_owned()));
        if !more {
            break;
        }
        after = last;
    }
    let expected: Vec<String> = (0..25)
        .filter(|&index| index != 7)
        .map(|index| format!("file {index:02}"))
        .collect();
    assert_eq!(names, expected);
}

#[test]
fn a_page_of_the_longest_names_fits_its_message() {
    let mut cluster = Cluster::ring(Settings::default(), 3);
    for index in 0..900 {
        cluster.write(0, &format!("{index:0>1024}"), b"").unwrap();
    }
    let (space, prefix) = ("main".to_owned(), String::new());
    let list = Command::List {
        space,
        prefix,
        after: None,
        limit: 1000,
    };
    let Ok(Answer::Listed {
        rows,
        more,
        missing,
        ..
    }) = cluster.ask(1, list)
    else {
        panic!()
    };
    assert_eq!(missing, []);
    assert!(more && rows.len() > 100, "{} rows", rows.len());
}

#[test]
fn the_last_node_does_not_leave_unless_forced() {
    let mut cluster = Cluster::ring(Settings::default(), 1);
    cluster.write(0, "a", b"x").unwrap();
    let refused = cluster.ask(0, Command::Leave { force: false });
    assert!(
        matches!(refused, Err(Failure::UnsafeLeave(_))),
        "{refused:?}"
    );
}

#[test]
fn holders_that_all_died_are_not_taken_for_having_had_nothing() {
    let mut cluster = Cluster::ring(Settings::default(), 9);
    cluster.write(0, "a", b"x").unwrap();
    let name: chordal_object::Name = "a".parse().unwrap();
    let key = cluster.settings.name_key(&name);
    let holders: Vec<u16> = (0..9)
        .filter(|&index| {
            let machine = &cluster.machines[&crate::cluster::addr(index)];
            machine.records.contains_key(&(key, name.clone()))
        })
        .collect();
    let disks: Vec<_> = holders.iter().map(|&index| cluster.kill(index)).collect();
    cluster.rest(GRACE * 3);
    let asker = (0..9).find(|index| !holders.contains(index)).unwrap();
    let read = cluster.ask(asker, Command::ReadRecord(name));
    assert!(
        matches!(read, Err(Failure::TooFewCopies { .. })),
        "not 'no such file': {read:?}"
    );
    for (&index, disk) in holders.iter().zip(disks) {
        cluster.restart(index, disk);
    }
    cluster.rest(Duration::from_secs(30));
    assert!(
        cluster.read(asker, "a").is_some(),
        "it is back with its holders"
    );
}

#[test]
fn the_status_tells_what_is_missing_and_when_it_is_mended() {
    let mut cluster = Cluster::ring(Settings::default(), 4);
    for index in 0..10 {
        cluster.write(0, &format!("file {index}"), b"x").unwrap();
    }
    let status = |cluster: &mut Cluster| match cluster.ask(0, Command::Status) {
        Ok(Answer::Status(status)) => status,
        other => panic!("{other:?}"),
    };
    let well = status(&mut cluster);
    assert!(
        well.whole && well.problems.is_empty(),
        "{:?}",
        well.problems
    );
    assert_eq!((well.copies_missing, well.repair), (0, RepairState::Idle));

    cluster.kill(3);
    cluster.rest(Duration::from_secs(10));
    let hurt = status(&mut cluster);
    assert!(
        hurt.whole,
        "the ring closed over the dead node: {:?}",
        hurt.problems
    );
    assert!(hurt.copies_missing > 0);
    assert_eq!(hurt.repair, RepairState::Waiting);

    cluster.rest(GRACE + Duration::from_secs(10));
    let mended = status(&mut cluster);
    assert_eq!(
        (mended.copies_missing, mended.repair),
        (0, RepairState::Idle)
    );
}

/// Has this many nodes write a name under the same condition at once; how many wrote it.
fn race(cluster: &mut Cluster, nodes: u16, condition: Condition) -> Vec<Result<Answer, Failure>> {
    let drafts = (0..nodes).map(|index| Draft {
        name: "a".parse().unwrap(),
        modified_ms: i64::from(index),
        file: Some(crate::cluster::inline(format!("{index}").as_bytes())),
        condition: Some(condition),
    });
    let drafts: Vec<Draft> = drafts.collect();
    cluster.ask_at_once(drafts.into_iter().enumerate().map(|(index, draft)| {
        let index = u16::try_from(index).unwrap();
        (index, Command::WriteRecord(draft))
    }))
}

#[test]
fn of_many_that_write_a_name_if_it_is_absent_one_does() {
    for nodes in [3, 5, 9] {
        let mut cluster = Cluster::ring(Settings::default(), nodes);
        let answers = race(&mut cluster, nodes, Condition::Absent);
        let mut written = Vec::new();
        for answer in &answers {
            match answer {
                Ok(Answer::Written { version, .. }) => written.push(*version),
                Err(Failure::Conflict { present: Some(_) } | Failure::Uncertain) => {}
                other => panic!("{other:?}"),
            }
        }
        assert_eq!(written.len(), 1, "{answers:?}");
        let record = cluster.read(0, "a").expect("it was written");
        assert_eq!(record.client_version(), written[0]);
        let again = race(&mut cluster, nodes, Condition::Version(written[0]));
        let won = again.iter().filter(|answer| answer.is_ok());
        assert_eq!(won.count(), 1, "{again:?}");
    }
}

#[test]
fn a_condition_that_is_not_met_changes_nothing() {
    let mut cluster = Cluster::ring(Settings::default(), 4);
    let Ok(Answer::Written { version, .. }) = cluster.write(0, "a", b"one") else {
        panic!("it is a first write")
    };
    let refused = race(&mut cluster, 1, Condition::Absent);
    assert_eq!(
        refused,
        [Err(Failure::Conflict {
            present: Some(version)
        })]
    );
    cluster.delete(1, "a").unwrap();
    let refused = race(&mut cluster, 1, Condition::Version(version));
    assert_eq!(refused, [Err(Failure::Conflict { present: None })]);
    let written = race(&mut cluster, 1, Condition::Absent);
    assert!(matches!(written[..], [Ok(Answer::Written { .. })]));
}
