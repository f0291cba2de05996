use super::*;

fn keep(options: u32) -> u32 {
    options - 1
}

fn lose(_: u32) -> u32 {
    0
}

/// Tears whatever can tear, keeping every other sector.
fn tear() -> impl FnMut(u32) -> u32 {
    let mut sector = 0;
    move |options| {
        if options == 3 {
            return 1;
        }
        sector += 1;
        sector % 2
    }
}

fn file(text: &'static str) -> Bytes {
    Bytes::from_static(text.as_bytes())
}

#[test]
fn a_file_that_was_written_durably_survives_any_fate() {
    let disk = MemDisk::new();
    disk.write_durable("a/b", &file("x")).unwrap();
    let fates: [&mut dyn FnMut(u32) -> u32; 3] = [&mut keep, &mut lose, &mut tear()];
    for fate in fates {
        assert_eq!(disk.crash(fate).read("a/b", 9).unwrap(), Some(file("x")));
    }
    assert!(disk.read("a/b", 9).is_err(), "the old disk is dead");
}

#[test]
fn a_cut_during_the_sync_of_a_file_leaves_the_old_one() {
    let disk = MemDisk::new();
    disk.write_durable("a/b", &file("old")).unwrap();
    disk.cut_power_at_sync(1);
    assert!(matches!(
        disk.write_durable("a/b", &file("new")),
        Err(DiskError::Sync(_))
    ));
    assert_eq!(
        disk.crash(&mut keep).read("a/b", 9).unwrap(),
        Some(file("old"))
    );
}

#[test]
fn a_cut_during_the_sync_of_a_folder_leaves_the_old_or_the_new_file_whole() {
    let disk = MemDisk::new();
    disk.write_durable("a/b", &file("old")).unwrap();
    disk.cut_power_at_sync(2);
    assert!(disk.write_durable("a/b", &file("new")).is_err());
    assert_eq!(
        disk.crash(&mut keep).read("a/b", 9).unwrap(),
        Some(file("new"))
    );
    assert_eq!(
        disk.crash(&mut lose).read("a/b", 9).unwrap(),
        Some(file("old"))
    );
}

#[test]
fn an_unsynced_removal_may_come_back() {
    let disk = MemDisk::new();
    disk.write_durable("a/b", &file("x")).unwrap();
    assert!(disk.remove("a/b").unwrap());
    assert!(!disk.remove("a/b").unwrap());
    assert_eq!(
        disk.crash(&mut lose).read("a/b", 9).unwrap(),
        Some(file("x"))
    );
    assert_eq!(disk.crash(&mut keep).read("a/b", 9).unwrap(), None);
}

#[test]
fn unsynced_writes_of_the_index_are_lost_torn_or_kept_and_synced_ones_stay() {
    let disk = MemDisk::new();
    let index = disk.index_backend().unwrap();
    index.set_len(8192).unwrap();
    index.write(0, &[1; 8192]).unwrap();
    index.sync_data().unwrap();
    index.write(4096, &[2; 2048]).unwrap();
    let at = |disk: &MemDisk, place: usize| disk.index_bytes()[place];
    let lost = disk.crash(&mut lose);
    assert_eq!((at(&lost, 0), at(&lost, 4096)), (1, 1));
    let kept = disk.crash(&mut keep);
    assert_eq!(
        (
            at(&kept, 0),
            at(&kept, 4096),
            at(&kept, 6143),
            at(&kept, 6144)
        ),
        (1, 2, 2, 1)
    );
    let torn = disk.crash(&mut tear());
    assert_eq!(
        [4096, 4608, 5120, 5632].map(|place| at(&torn, place)),
        [2, 1, 2, 1]
    );
}

#[test]
fn an_unsynced_growth_of_the_index_may_be_lost() {
    let disk = MemDisk::new();
    let index = disk.index_backend().unwrap();
    index.set_len(4096).unwrap();
    index.sync_data().unwrap();
    index.set_len(100).unwrap();
    assert_eq!(disk.crash(&mut lose).index_bytes().len(), 4096);
    assert_eq!(disk.crash(&mut keep).index_bytes().len(), 100);
}

#[test]
fn a_shrunk_index_grows_back_with_zeroes() {
    let disk = MemDisk::new();
    let index = disk.index_backend().unwrap();
    index.write(0, &[7; 10_000]).unwrap();
    index.set_len(5000).unwrap();
    index.set_len(10_000).unwrap();
    let bytes = disk.index_bytes();
    assert!(bytes[..5000].iter().all(|&byte| byte == 7));
    assert!(bytes[5000..].iter().all(|&byte| byte == 0));
    assert!(index.read(9_999, &mut [0; 2]).is_err());
}

#[test]
fn a_full_disk_takes_nothing_more_and_keeps_what_it_has() {
    let disk = MemDisk::new();
    disk.write_durable("a", &file("12345")).unwrap();
    disk.set_capacity(8);
    assert_eq!(disk.free_bytes().unwrap(), 3);
    assert!(matches!(
        disk.write_durable("b", &file("1234")),
        Err(DiskError::Full)
    ));
    disk.write_durable("a", &file("123")).unwrap();
    assert_eq!(disk.free_bytes().unwrap(), 5);
    disk.remove("a").unwrap();
    assert_eq!(disk.free_bytes().unwrap(), 8);
    let error = disk.index_backend().unwrap().write(0, &[1]).unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::StorageFull);
}

#[test]
fn a_failed_sync_fails_once_and_leaves_no_file() {
    let disk = MemDisk::new();
    disk.fail_sync(1);
    assert!(matches!(
        disk.write_durable("a", &file("x")),
        Err(DiskError::Sync(_))
    ));
    assert!(disk.paths().is_empty());
    disk.write_durable("a", &file("x")).unwrap();
}

#[test]
fn rot_flips_one_bit_for_good() {
    let disk = MemDisk::new();
    disk.write_durable("a", &file("x")).unwrap();
    assert!(disk.rot("a", 0));
    assert!(!disk.rot("a", 8));
    assert!(!disk.rot("b", 0));
    assert_eq!(disk.crash(&mut lose).read("a", 9).unwrap(), Some(file("y")));
}

#[test]
fn a_file_over_the_limit_is_not_read() {
    let disk = MemDisk::new();
    disk.write_durable("a", &file("123")).unwrap();
    assert_eq!(
        disk.read("a", 2).unwrap_err().kind(),
        io::ErrorKind::FileTooLarge
    );
    assert_eq!(disk.read("a", 3).unwrap(), Some(file("123")));
}

#[test]
fn the_lock_is_given_up_with_its_handle_alone() {
    let disk = MemDisk::new();
    let (owner, other) = (disk.clone(), disk.clone());
    assert!(owner.lock().unwrap());
    assert!(!other.lock().unwrap());
    drop(disk);
    assert!(!other.lock().unwrap());
    drop(owner);
    assert!(other.lock().unwrap());
}
