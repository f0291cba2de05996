//! Stores whose index is lost.

use std::fs;
use std::path::Path;

use bytes::Bytes;
use chordal_store::{OpenError, RealDisk, Rebuilt, Store};

use crate::world::{chunk, chunk_key, key_of, name, path_of, put, put_chunk, record};

fn open(folder: &Path) -> Result<Store, OpenError> {
    Store::open(Box::new(RealDisk::new(folder)))
}

fn filled(folder: &Path) {
    let store = open(folder).expect("a new store");
    for seed in 0..20 {
        put_chunk(&store, &chunk(seed, 3000));
    }
    put(&store, &record("f", 1, "x"));
}

fn rebuild(folder: &Path) -> Result<(Store, Rebuilt), OpenError> {
    let keys: Vec<_> = (0..20).map(|seed| chunk(seed, 3000)).collect();
    let key_of = |id| {
        let found = keys.iter().find(|chunk| chunk.id() == id);
        chunk_key(found.expect("it was stored"))
    };
    let meta = vec![("why".to_owned(), Bytes::from_static(b"lost"))];
    Store::rebuild(Box::new(RealDisk::new(folder)), key_of, meta)
}

#[test]
fn an_index_that_is_gone_or_unreadable_is_made_anew_from_the_chunk_files() {
    let harms: [fn(&Path); 3] = [
        |index| fs::remove_file(index).unwrap(),
        |index| fs::write(index, b"not an index").unwrap(),
        |index| {
            let mut bytes = fs::read(index).unwrap();
            let end = bytes.len().min(8192);
            bytes[9..end].fill(0xee);
            fs::write(index, bytes).unwrap();
        },
    ];
    for harm in harms {
        let folder = tempfile::tempdir().unwrap();
        filled(folder.path());
        harm(&folder.path().join("index.redb"));
        fs::write(folder.path().join(path_of(&chunk(3, 3000))), b"rot").unwrap();
        fs::write(folder.path().join("chunks/00/note"), b"of somebody").ok();
        let lost = open(folder.path()).unwrap_err();
        assert!(matches!(lost, OpenError::IndexLost(_)), "{lost}");

        let (store, rebuilt) = rebuild(folder.path()).unwrap();
        assert_eq!((rebuilt.chunks, rebuilt.damaged), (19, 1));
        drop(store);
        let store = open(folder.path()).unwrap();
        for seed in 0..20 {
            let chunk = chunk(seed, 3000);
            let expected = (seed != 3).then_some(chunk.clone());
            assert_eq!(store.read_chunk(chunk.id()).unwrap(), expected, "{seed}");
        }
        let f = record("f", 1, "x");
        assert_eq!(store.record(key_of(&f), &name("f")).unwrap(), None);
        assert_eq!(store.usage().chunks, 19);
        assert_eq!(store.meta("why").unwrap().unwrap(), "lost");
        put(&store, &f);
        assert_eq!(store.record(key_of(&f), &name("f")).unwrap(), Some(f));
    }
}

#[test]
fn a_rebuild_that_was_cut_short_begins_anew_and_the_old_index_stays_beside() {
    let folder = tempfile::tempdir().unwrap();
    filled(folder.path());
    let before = fs::read(folder.path().join("index.redb")).unwrap();
    fs::write(folder.path().join("REBUILDING"), b"").unwrap();
    let lost = open(folder.path()).unwrap_err();
    assert!(matches!(lost, OpenError::IndexLost(_)), "{lost}");
    let (store, rebuilt) = rebuild(folder.path()).unwrap();
    assert_eq!(rebuilt.chunks, 20);
    drop(store);
    assert!(!folder.path().join("REBUILDING").exists());
    let aside = fs::read(folder.path().join("index.redb.lost-1")).unwrap();
    assert_eq!(aside, before);
    open(folder.path()).unwrap();
}

#[test]
fn a_folder_without_a_store_is_not_rebuilt() {
    let folder = tempfile::tempdir().unwrap();
    let refused = rebuild(folder.path()).unwrap_err();
    assert!(matches!(refused, OpenError::Damaged(_)), "{refused}");
}
