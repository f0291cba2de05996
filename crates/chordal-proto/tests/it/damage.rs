//! Copies that a disk lost, and told of.

use std::time::Duration;

use chordal_object::Name;
use chordal_proto::input::Damaged;
use chordal_proto::{Input, Settings};

use crate::cluster::{Cluster, addr};

#[test]
fn a_copy_that_a_disk_lost_is_there_again_within_seconds() {
    let mut cluster = Cluster::ring(Settings::default(), 4);
    cluster.write(0, "a", b"x").unwrap();
    // Long enough for comparisons that find nothing to have become rare.
    cluster.rest(Duration::from_mins(20));
    let name: Name = "a".parse().unwrap();
    let key = cluster.settings.name_key(&name);
    let holder = (0..4).map(addr).find(|at| {
        let disk = cluster.machines.get_mut(at).expect("it runs");
        disk.records.remove(&(key, name.clone())).is_some()
    });
    assert_eq!(cluster.copies("a"), 2);
    cluster.rest(Duration::from_secs(20));
    assert_eq!(cluster.copies("a"), 2, "nobody knows yet");
    let damaged = Input::Damaged(Damaged::Record(name));
    cluster.drive(holder.expect("somebody held it"), damaged);
    cluster.rest(Duration::from_secs(20));
    assert_eq!(cluster.copies("a"), 3);
}
