use std::path::Path;

use chordal_object::NodeId;
use clap::Parser as _;

use super::Fleet;
use crate::options::Options;

fn fleet() -> Fleet {
    let options = Options::parse_from(["torture", "--chordal", "chordal"]);
    Fleet::new(&options, Path::new("nowhere"))
}

#[test]
fn a_version_is_read_back_by_the_ids_of_known_nodes() {
    let fleet = fleet();
    let id = NodeId::new([7; 32]);
    fleet.lock().ids.insert(id.short(), id);
    let version = fleet.version(&format!("3-2-{}", id.short())).unwrap();
    assert_eq!(
        (version.counter, version.incarnation, version.node),
        (3, 2, id)
    );
    assert_eq!(fleet.version("3-2-00000000"), None);
    assert_eq!(fleet.version("3"), None);
}

#[test]
fn with_two_machines_down_nothing_is_promised_until_one_is_back() {
    let fleet = fleet();
    let before = fleet.majority_since().unwrap();
    fleet.one_down();
    assert_eq!(fleet.majority_since(), Some(before));
    fleet.one_down();
    assert_eq!(fleet.majority_since(), None);
    fleet.one_back();
    assert!(fleet.majority_since().unwrap() > before);
}
