//! A folder of format 1, written once and for all: every later program must go on reading it.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use chordal_object::{Arc, Record};
use chordal_store::{Change, Outcome, RealDisk, Store};

use crate::world::{
    LAST, chunk, chunk_key, key_of, name, one, path_of, put, put_chunk, record, tombstone,
};

fn fixture() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/format-1")
}

fn records() -> [Record; 3] {
    [
        record("letters/a.txt", 3, "a small file inside its record"),
        record("letters/\u{e9}.txt", 1, ""),
        tombstone("letters/gone", 2),
    ]
}

fn copy(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}

#[test]
fn a_folder_of_format_1_opens_and_holds_what_was_put_in() {
    let folder = tempfile::tempdir().unwrap();
    copy(&fixture(), folder.path()).unwrap();
    let store = Store::open(Box::new(RealDisk::new(folder.path()))).unwrap();
    for record in records() {
        assert_eq!(
            store.record(key_of(&record), &record.name).unwrap(),
            Some(record.clone())
        );
    }
    for chunk in [chunk(1, 100), chunk(2, 257)] {
        assert_eq!(store.read_chunk(chunk.id()).unwrap(), Some(chunk));
    }
    assert_eq!(
        store.meta("ring").unwrap(),
        Some(Bytes::from_static(b"home"))
    );
    let counts = store.count_in(Arc::FULL, LAST).unwrap();
    assert_eq!((counts.records, counts.chunks), (3, 2));
    assert_eq!(store.usage().bytes, counts.bytes);
    let listed = store.list("main", "letters/", None, 10).unwrap();
    let paths: Vec<&str> = listed.iter().map(|line| line.name.path()).collect();
    assert_eq!(
        paths,
        ["letters/a.txt", "letters/gone", "letters/\u{e9}.txt"]
    );

    assert_eq!(
        put(&store, &record("letters/a.txt", 4, "and it can be changed")),
        Outcome::Stored
    );
    assert_eq!(
        store
            .record(key_of(&records()[0]), &name("letters/a.txt"))
            .unwrap()
            .map(|r| r.version.counter),
        Some(4)
    );
}

#[test]
fn the_files_of_format_1_are_where_its_page_says() {
    assert_eq!(
        fs::read_to_string(fixture().join("FORMAT")).unwrap(),
        "chordal store 1\n"
    );
    for chunk in [chunk(1, 100), chunk(2, 257)] {
        let stored = fs::read(fixture().join(path_of(&chunk))).unwrap();
        assert_eq!(&stored, chunk.bytes());
    }
    assert!(
        fs::read(fixture().join("index.redb"))
            .unwrap()
            .starts_with(b"redb\x1a\x0a\xa9\x0d\x0a")
    );
}

#[test]
#[ignore = "writes the fixture of a new format; an old one is never written again"]
fn write_the_fixture() {
    assert!(
        !fixture().exists(),
        "the fixture of a format is written once"
    );
    let store = Store::open(Box::new(RealDisk::new(fixture()))).unwrap();
    for record in records() {
        put(&store, &record);
    }
    let removed = chunk(3, 50);
    for chunk in [&chunk(1, 100), &chunk(2, 257), &removed] {
        put_chunk(&store, chunk);
    }
    one(
        &store,
        Change::RemoveChunk {
            key: chunk_key(&removed),
            id: removed.id(),
        },
    );
    one(
        &store,
        Change::Meta {
            name: "ring".to_owned(),
            value: Some(Bytes::from_static(b"home")),
        },
    );
    drop(store);
    fs::remove_file(fixture().join("lock")).unwrap();
}
