//! A folder of each format, written once and for all: every later program must go on reading it.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use chordal_object::{Arc, Record};
use chordal_store::{Change, Outcome, RealDisk, Store};

use crate::world::{
    LAST, chunk, chunk_key, file, key_of, name, one, path_of, put, put_chunk, record, tombstone,
};

/// The format that is written now.
const FORMAT: u32 = 2;

fn fixture(format: u32) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/it/format-{format}"))
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
fn a_folder_of_any_format_opens_and_holds_what_was_put_in() {
    for format in 1..=FORMAT {
        let folder = tempfile::tempdir().unwrap();
        copy(&fixture(format), folder.path()).unwrap();
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
}

#[test]
fn the_files_of_each_format_are_where_its_page_says() {
    for format in 1..=FORMAT {
        assert_eq!(
            fs::read_to_string(fixture(format).join("FORMAT")).unwrap(),
            format!("chordal store {format}\n")
        );
        for chunk in [chunk(1, 100), chunk(2, 257)] {
            let stored = fs::read(fixture(format).join(path_of(&chunk))).unwrap();
            assert_eq!(&stored, chunk.bytes());
        }
        let index = fs::read(fixture(format).join("index.redb")).unwrap();
        assert!(index.starts_with(b"redb\x1a\x0a\xa9\x0d\x0a"));
    }
}

/// Puts what stores had before they told what is referred to.
fn as_of_format_1(folder: &Path, records: &[Record]) {
    copy(&fixture(1), folder).expect("the fixture is copied");
    // A program of format 1 writes the same rows, but for the two tables it does not know.
    let store = Store::open(Box::new(RealDisk::new(folder))).expect("the store opens");
    for record in records {
        put(&store, record);
    }
    drop(store);
    let database = redb::Database::open(folder.join("index.redb")).expect("the index opens");
    let transaction = database.begin_write().expect("it is nobody else's");
    for table in ["references", "lists"] {
        let table = redb::TableDefinition::<&[u8], &[u8]>::new(table);
        transaction.delete_table(table).expect("the table goes");
    }
    transaction.commit().expect("that is durable");
    fs::write(folder.join("FORMAT"), "chordal store 1\n").expect("the format is written");
}

#[test]
fn a_folder_of_format_1_learns_what_its_records_refer_to() {
    let folder = tempfile::tempdir().unwrap();
    let (one, other) = (chunk(1, 100).id(), chunk(2, 257).id());
    as_of_format_1(folder.path(), &[file("big", 1, &[one], 0)]);
    let store = Store::open(Box::new(RealDisk::new(folder.path()))).unwrap();
    let referenced = store.referenced(&[one, other]).unwrap();
    assert_eq!(referenced, Some(vec![true, false]));
    let written = fs::read_to_string(folder.path().join("FORMAT")).unwrap();
    assert_eq!(written, format!("chordal store {FORMAT}\n"));
}

#[test]
fn a_folder_with_lists_of_format_1_never_says_that_nothing_refers_to_a_chunk() {
    let folder = tempfile::tempdir().unwrap();
    let (one, other) = (chunk(1, 100).id(), chunk(2, 257).id());
    as_of_format_1(folder.path(), &[file("huge", 1, &[one], 1)]);
    let store = Store::open(Box::new(RealDisk::new(folder.path()))).unwrap();
    assert_eq!(store.referenced(&[other]).unwrap(), None);
}

#[test]
#[ignore = "writes the fixture of a new format; an old one is never written again"]
fn write_the_fixture() {
    let fixture = fixture(FORMAT);
    assert!(!fixture.exists(), "the fixture of a format is written once");
    let store = Store::open(Box::new(RealDisk::new(&fixture))).unwrap();
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
    fs::remove_file(fixture.join("lock")).unwrap();
}
