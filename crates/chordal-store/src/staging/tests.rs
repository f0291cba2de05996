use std::thread;

use bytes::Bytes;

use super::*;
use crate::disk::MemDisk;

fn claims() -> (Shared<Claims>, MemDisk, ChunkId) {
    let disk = MemDisk::new();
    let id = ChunkId::of(b"x");
    disk.write_durable(&chunk_path(id), &Bytes::from_static(b"x"))
        .unwrap();
    (Claims::new(Shared::new(disk.clone())), disk, id)
}

fn write(claims: &Shared<Claims>, id: ChunkId) -> Writing {
    match claims.stage(id) {
        Turn::Write(writing) => writing,
        Turn::Staged(_) => panic!("nobody staged it"),
    }
}

#[test]
fn a_chunk_is_removed_only_while_nobody_stages_it() {
    let (claims, _, id) = claims();
    let writing = write(&claims, id);
    assert!(claims.try_remove(id).is_none());
    let claim = writing.done(true);
    assert!(claims.try_remove(id).is_none());
    drop(claim);
    let removing = claims.try_remove(id).unwrap();
    assert!(claims.try_remove(id).is_none());
    drop(removing);
    assert!(claims.try_remove(id).is_some());
}

#[test]
fn a_writer_that_fails_leaves_the_turn_to_the_next() {
    let (claims, _, id) = claims();
    drop(write(&claims, id));
    drop(write(&claims, id));
    assert!(claims.try_remove(id).is_some());
}

#[test]
fn who_stages_during_a_removal_waits_for_its_end() {
    let (claims, _, id) = claims();
    let removing = claims.try_remove(id).unwrap();
    thread::scope(|scope| {
        let stager = scope.spawn(|| matches!(claims.stage(id), Turn::Write(_)));
        drop(removing);
        assert!(stager.join().unwrap());
    });
}

#[test]
fn the_last_stager_of_an_uncommitted_chunk_removes_its_file() {
    let (claims, disk, id) = claims();
    let first = write(&claims, id).done(false);
    let Turn::Staged(second) = claims.stage(id) else {
        panic!("it is staged");
    };
    drop(first);
    assert_eq!(disk.paths(), [chunk_path(id)]);
    drop(second);
    assert!(disk.paths().is_empty());
    assert!(claims.try_remove(id).is_some());
}

#[test]
fn one_stager_that_commits_keeps_the_file_for_all() {
    let (claims, disk, id) = claims();
    let first = write(&claims, id).done(false);
    let Turn::Staged(second) = claims.stage(id) else {
        panic!("it is staged");
    };
    first.keep();
    drop(first);
    drop(second);
    assert_eq!(disk.paths(), [chunk_path(id)]);
}
