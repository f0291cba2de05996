use super::{KeyFileError, NodeKey, PeerId, nonce, random, sign, signed_by};

#[test]
fn a_peer_id_survives_being_written_and_read() {
    let id = NodeKey::generate().peer_id();
    let text = id.to_string();
    assert_eq!(text.len(), 64);
    assert_eq!(text.parse::<PeerId>(), Ok(id));
    assert_eq!(text.to_uppercase().parse::<PeerId>(), Ok(id));
    assert!(text.starts_with(&id.short()));
    assert_eq!(id.short().len(), 8);
}

#[test]
fn text_that_is_not_a_peer_id_is_refused() {
    let odd = "é".repeat(32);
    for text in ["", "00", "+0", &"g".repeat(64), &"0".repeat(65), &odd] {
        assert!(text.parse::<PeerId>().is_err(), "{text}");
    }
    let sign = format!("+{}", "0".repeat(63));
    assert!(sign.parse::<PeerId>().is_err());
}

#[test]
fn the_public_key_of_a_seed_is_the_one_of_the_standard() {
    // RFC 8032, section 7.1, test 1.
    let seed = "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60";
    let public = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";
    let seed: PeerId = seed.parse().unwrap();
    let key = NodeKey::from_seed(seed.0);
    assert_eq!(key.peer_id().to_string(), public);
}

#[test]
fn a_signature_holds_for_its_message_and_key_only() {
    let seed = random();
    let key = NodeKey::from_seed(seed);
    let signature = sign(&seed, b"message");
    assert!(signed_by(&key.peer_id().0, b"message", &signature));
    assert!(!signed_by(&key.peer_id().0, b"massage", &signature));
    let other = NodeKey::generate();
    assert!(!signed_by(&other.peer_id().0, b"message", &signature));
}

#[test]
fn printing_a_key_never_shows_the_secret() {
    let key = NodeKey::from_seed([0xab; 32]);
    let shown = format!("{key:?}");
    assert!(!shown.contains("abab"), "{shown}");
    assert!(!shown.contains("171, 171"), "{shown}");
}

#[test]
fn a_key_file_is_made_once_and_read_after() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("new/folder/node.key");
    let first = NodeKey::load_or_create(&path).unwrap();
    let second = NodeKey::load_or_create(&path).unwrap();
    assert_eq!(first.peer_id(), second.peer_id());
    assert_eq!(std::fs::metadata(&path).unwrap().len(), 32);
    let names = std::fs::read_dir(path.parent().unwrap()).unwrap();
    assert_eq!(names.count(), 1, "no temporary file stays behind");
}

#[cfg(unix)]
#[test]
fn a_key_file_is_readable_by_its_owner_alone() {
    use std::os::unix::fs::MetadataExt as _;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("node.key");
    NodeKey::load_or_create(&path).unwrap();
    assert_eq!(std::fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
}

#[test]
fn a_file_of_another_size_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("node.key");
    for size in [0_usize, 31, 33] {
        std::fs::write(&path, vec![7; size]).unwrap();
        let error = NodeKey::load_or_create(&path).unwrap_err();
        let expected = u64::try_from(size).unwrap();
        assert!(matches!(error, KeyFileError::Size { found, .. } if found == expected));
        assert!(error.to_string().contains("not touched"));
        assert_eq!(std::fs::read(&path).unwrap(), vec![7; size]);
    }
}

#[test]
fn many_creators_at_once_agree_on_one_key() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("node.key");
    let ids: Vec<PeerId> = std::thread::scope(|scope| {
        let make = || NodeKey::load_or_create(&path).unwrap().peer_id();
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(make)).collect();
        let joined = threads.into_iter().map(|thread| thread.join().unwrap());
        joined.collect()
    });
    assert!(ids.iter().all(|id| *id == ids[0]), "{ids:?}");
}

#[test]
fn a_signature_holds_for_its_signer_its_words_and_its_purpose_alone() {
    let (key, other) = (NodeKey::from_seed([1; 32]), NodeKey::from_seed([2; 32]));
    let signature = key.sign("chordal test", b"words");
    let is_good = |id: PeerId, purpose: &str, words: &[u8]| id.signed(purpose, words, &signature);
    assert!(is_good(key.peer_id(), "chordal test", b"words"));
    assert!(!is_good(other.peer_id(), "chordal test", b"words"));
    assert!(!is_good(key.peer_id(), "chordal test", b"word"));
    assert!(!is_good(key.peer_id(), "chordal", b"words"));
    assert!(!is_good(key.peer_id(), "chordal tes", b"t\0words"));
    assert_ne!(nonce(), nonce());
}
