use redb::backends::InMemoryBackend;

use super::*;

/// A backend whose writes and syncs fail once told to.
#[derive(Debug, Default)]
struct Failing {
    inner: InMemoryBackend,
    fails: Shared<AtomicBool>,
}

impl Failing {
    fn check(&self) -> io::Result<()> {
        if self.fails.load(Ordering::Acquire) {
            Err(io::ErrorKind::StorageFull.into())
        } else {
            Ok(())
        }
    }
}

impl StorageBackend for Failing {
    fn len(&self) -> io::Result<u64> {
        self.inner.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.inner.read(offset, out)
    }

    fn set_len(&self, length: u64) -> io::Result<()> {
        self.check()?;
        self.inner.set_len(length)
    }

    fn sync_data(&self) -> io::Result<()> {
        self.check()?;
        self.inner.sync_data()
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.check()?;
        self.inner.write(offset, data)
    }
}

fn fuse() -> (Fuse, Shared<FuseState>, Shared<AtomicBool>) {
    let (state, fails) = (
        Shared::new(FuseState::default()),
        Shared::new(AtomicBool::new(false)),
    );
    let disk = Failing {
        fails: Shared::clone(&fails),
        ..Failing::default()
    };
    (
        Fuse::new(Box::new(disk), Shared::clone(&state)),
        state,
        fails,
    )
}

fn read(fuse: &Fuse, offset: u64, length: usize) -> Vec<u8> {
    let mut out = vec![9; length];
    fuse.read(offset, &mut out).unwrap();
    out
}

#[test]
fn a_whole_fuse_passes_everything_on() {
    let (fuse, state, _) = fuse();
    fuse.set_len(8).unwrap();
    fuse.write(2, b"abc").unwrap();
    fuse.sync_data().unwrap();
    assert_eq!(read(&fuse, 0, 8), b"\0\0abc\0\0\0");
    assert!(state.cause().is_none());
}

#[test]
fn a_melted_fuse_says_why_and_reads_back_what_was_written_since() {
    let (fuse, state, fails) = fuse();
    fuse.set_len(8).unwrap();
    fuse.write(0, b"abcdefgh").unwrap();
    fails.store(true, Ordering::Release);
    fuse.write(2, b"XY").unwrap();
    fuse.write(3, b"Z!").unwrap();
    fuse.set_len(12).unwrap();
    fuse.write(10, b"end").unwrap();
    assert!(state.cause().unwrap().is_full);
    assert_eq!(fuse.len().unwrap(), 12);
    assert_eq!(read(&fuse, 0, 12), b"abXZ!fgh\0\0en");
    assert_eq!(read(&fuse, 3, 2), b"Z!");
}

#[test]
fn nothing_reaches_the_disk_through_a_melted_fuse_even_when_it_is_well_again() {
    let (fuse, _, fails) = fuse();
    fuse.set_len(4).unwrap();
    fuse.write(0, b"abcd").unwrap();
    fails.store(true, Ordering::Release);
    fuse.sync_data().unwrap();
    fails.store(false, Ordering::Release);
    fuse.write(0, b"WXYZ").unwrap();
    let mut on_disk = [0; 4];
    fuse.disk.read(0, &mut on_disk).unwrap();
    assert_eq!(&on_disk, b"abcd");
    assert_eq!(read(&fuse, 0, 4), b"WXYZ");
}
