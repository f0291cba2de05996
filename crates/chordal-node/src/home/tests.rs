use std::fs;
use std::path::PathBuf;

use chordal_net::Authority;

use super::{Announcement, Home, HomeError, NodeFolder, RingAuthority, RunningNode};

fn node(port: u16, folder: PathBuf) -> RunningNode {
    RunningNode {
        ring: ([127, 0, 0, 1], port).into(),
        http: Some(([127, 0, 0, 1], port + 1).into()),
        pid: 17,
        folder,
    }
}

#[test]
fn a_folder_has_one_owner_at_a_time() {
    let at = tempfile::tempdir().unwrap();
    let path = at.path().join("nodes/2000");
    let first = NodeFolder::open(&path).unwrap();
    assert!(matches!(
        NodeFolder::open(&path),
        Err(HomeError::Locked { .. })
    ));
    drop(first);
    NodeFolder::open(&path).unwrap();
}

#[cfg(unix)]
#[test]
fn what_is_made_is_for_its_owner_alone() {
    use std::os::unix::fs::MetadataExt as _;
    let at = tempfile::tempdir().unwrap();
    let home = Home::at(at.path().join("home"));
    let path = home.node_folder(2000);
    home.found().unwrap().unwrap();
    let folder = NodeFolder::open(&path).unwrap();
    folder.key().unwrap();
    folder.control_token().unwrap();
    folder.next_incarnation().unwrap();
    let mode = |path: PathBuf| fs::metadata(path).unwrap().mode() & 0o777;
    assert_eq!(mode(home.path().to_owned()), 0o700);
    assert_eq!(mode(path.clone()), 0o700);
    for file in ["node.key", "control.token", "incarnation", "lock"] {
        assert_eq!(mode(path.join(file)), 0o600, "{file}");
    }
    assert_eq!(mode(home.path().join("authority.key")), 0o600);
}

#[test]
fn key_and_token_stay_and_each_start_counts() {
    let at = tempfile::tempdir().unwrap();
    let folder = NodeFolder::open(at.path()).unwrap();
    let (key, token) = (
        folder.key().unwrap().peer_id(),
        folder.control_token().unwrap(),
    );
    assert_eq!(token.len(), 64);
    assert_eq!(folder.next_incarnation().unwrap(), 1);
    drop(folder);
    let folder = NodeFolder::open(at.path()).unwrap();
    assert_eq!(folder.key().unwrap().peer_id(), key);
    assert_eq!(folder.control_token().unwrap(), token);
    assert_eq!(folder.next_incarnation().unwrap(), 2);
}

#[test]
fn a_kept_incarnation_is_never_taken_back() {
    let at = tempfile::tempdir().unwrap();
    let folder = NodeFolder::open(at.path()).unwrap();
    folder.keep_incarnation(40).unwrap();
    folder.keep_incarnation(39).unwrap();
    assert_eq!(folder.next_incarnation().unwrap(), 41);
}

#[test]
fn damaged_files_are_refused_and_left_alone() {
    let at = tempfile::tempdir().unwrap();
    let folder = NodeFolder::open(at.path()).unwrap();
    for (file, content) in [("incarnation", "many"), ("control.token", "short")] {
        fs::write(at.path().join(file), content).unwrap();
        let refused = match file {
            "incarnation" => folder.next_incarnation().unwrap_err(),
            _ => folder.control_token().unwrap_err(),
        };
        assert!(matches!(refused, HomeError::Damaged { .. }));
        let kept = fs::read_to_string(at.path().join(file)).unwrap();
        assert_eq!(kept, content);
    }
}

#[test]
fn nodes_of_one_home_share_its_authority() {
    let at = tempfile::tempdir().unwrap();
    let home = Home::at(at.path());
    assert!(home.authority().unwrap().is_none(), "nobody founded a ring");
    let founded = home.found().unwrap().unwrap().authority().id();
    let known = home.authority().unwrap().unwrap();
    assert!(matches!(known, RingAuthority::Own(_)));
    assert_eq!(known.id(), founded);
    assert_eq!(home.found().unwrap().unwrap().authority().id(), founded);
}

#[test]
fn running_nodes_are_found_while_they_run() {
    let at = tempfile::tempdir().unwrap();
    let home = Home::at(at.path());
    assert_eq!(home.running().unwrap(), []);
    let (one, two) = (
        node(2000, at.path().join("one\nfolder=x")),
        node(2002, at.path().join("two")),
    );
    let first = Announcement::write(&home.running_folder(), &one).unwrap();
    let second = Announcement::write(&home.running_folder(), &two).unwrap();
    assert_eq!(home.running().unwrap(), [one.clone(), two.clone()]);
    assert_eq!(home.find(one.ring).unwrap(), Some(one.clone()));
    assert_eq!(home.find(two.http.unwrap()).unwrap(), Some(two.clone()));
    drop(first);
    assert_eq!(home.running().unwrap(), [two]);
    assert_eq!(home.find(one.ring).unwrap(), None);
    drop(second);
    assert_eq!(fs::read_dir(home.running_folder()).unwrap().count(), 0);
}

#[test]
fn what_a_dead_node_left_is_passed_over_and_replaced() {
    let at = tempfile::tempdir().unwrap();
    let home = Home::at(at.path());
    let one = node(2000, at.path().to_owned());
    drop(Announcement::write(&home.running_folder(), &one).unwrap());
    // A program that was killed leaves its file, without the lock.
    let left = home.running_folder().join("127.0.0.1_2000");
    fs::write(&left, "ring=127.0.0.1:2000\npid=1\nfolder=/old\n").unwrap();
    assert_eq!(home.running().unwrap(), []);
    let _running = Announcement::write(&home.running_folder(), &one).unwrap();
    assert_eq!(home.running().unwrap(), [one]);
}

#[test]
fn a_home_belongs_to_one_ring_whoever_comes_first() {
    let at = tempfile::tempdir().unwrap();
    let ours = Authority::generate().id();
    let founded = Home::at(at.path().join("founded"));
    let own = founded.found().unwrap().unwrap().authority().id();
    assert!(!founded.keep_authority(ours).unwrap());
    assert!(founded.keep_authority(own).unwrap());
    assert_eq!(founded.authority().unwrap().unwrap().id(), own);

    let joined = Home::at(at.path().join("joined"));
    assert!(joined.keep_authority(ours).unwrap());
    assert!(joined.found().unwrap().is_none());
    assert!(!joined.path().join("authority.key").exists());
    assert_eq!(joined.authority().unwrap().unwrap().id(), ours);
}

#[cfg(unix)]
#[test]
fn an_authority_that_cannot_be_looked_at_is_not_taken_for_none() {
    let at = tempfile::tempdir().unwrap();
    let home = Home::at(at.path());
    home.keep_authority(Authority::generate().id()).unwrap();
    // A link to itself: it is there, and nobody can open it.
    let key = at.path().join("authority.key");
    std::os::unix::fs::symlink(&key, &key).unwrap();
    assert!(matches!(home.authority(), Err(HomeError::Io { .. })));
}
