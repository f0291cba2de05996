//! Locks between the programs of one home, waited for no longer than a while: a stopped program must
//! not stop the others.

use std::fs::{File, TryLockError};
use std::io;
use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::HomeError;
use super::folder::private_file;
use crate::limits::HOME_LOCK_MAX;

/// How long is waited between two looks at a lock that somebody else has.
const LOOK_AGAIN: Duration = Duration::from_millis(5);

/// Does this while nobody else does anything under the same lock. May wait.
pub(super) fn locked<T, E: From<HomeError>>(
    path: &Path,
    work: impl FnOnce() -> Result<T, E>,
) -> Result<T, E> {
    let lock = private_file(path).and_then(|file| take(file, HOME_LOCK_MAX));
    let lock = lock.map_err(|error| HomeError::io(path, error))?;
    let done = work();
    drop(lock);
    done
}

/// The file, locked.
fn take(file: File, patience: Duration) -> io::Result<File> {
    let begun = Instant::now();
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::Error(error)) => return Err(error),
            Err(TryLockError::WouldBlock) if begun.elapsed() >= patience => {
                let what = "another program of this home has it locked for too long";
                return Err(io::Error::new(io::ErrorKind::TimedOut, what));
            }
            Err(TryLockError::WouldBlock) => sleep(LOOK_AGAIN),
        }
    }
}

#[cfg(test)]
mod tests;
