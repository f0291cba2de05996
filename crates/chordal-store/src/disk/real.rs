//! A folder of the machine's file system.

use std::collections::BTreeSet;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::process;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use redb::StorageBackend;
use redb::backends::FileBackend;

use super::{Disk, DiskError, TEMPORARY_FOLDER};
use crate::limits::LOST_INDEXES_MAX;
use crate::locking::lock;

const LOCK_FILE: &str = "lock";
const INDEX_FILE: &str = "index.redb";

/// A folder on a local file system. Network file systems are not meant: their locks and syncs
/// promise less.
#[derive(Debug)]
pub struct RealDisk {
    folder: PathBuf,
    /// The open lock file: the operating system gives the lock up when the process ends.
    lock_file: Mutex<Option<File>>,
    /// Folders whose own names are known to be durable since this disk was made.
    durable_folders: Mutex<BTreeSet<PathBuf>>,
    /// Makes temporary names unique in this process.
    written: AtomicU64,
}

impl RealDisk {
    /// The disk in this folder. Touches nothing before [`Disk::lock`].
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self {
            folder: folder.into(),
            lock_file: Mutex::new(None),
            durable_folders: Mutex::new(BTreeSet::new()),
            written: AtomicU64::new(0),
        }
    }

    /// Creates a folder where there is none and makes its name durable, once per folder.
    ///
    /// The set is held while syncing, so that nobody relies on a name that another thread has
    /// created but not synced.
    fn ensure_folder(&self, folder: &Path) -> Result<(), DiskError> {
        let mut durable = lock(&self.durable_folders);
        if durable.contains(folder) {
            return Ok(());
        }
        match fs::create_dir(folder) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error.into()),
        }
        if let Some(parent) = folder.parent() {
            sync_folder(parent)?;
        }
        durable.insert(folder.to_owned());
        Ok(())
    }
}

impl Disk for RealDisk {
    fn lock(&self) -> io::Result<bool> {
        fs::create_dir_all(&self.folder)?;
        let file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .open(self.folder.join(LOCK_FILE))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Ok(false),
            Err(TryLockError::Error(error)) => return Err(error),
        }
        *lock(&self.lock_file) = Some(file);
        if let Some(parent) = self
            .folder
            .parent()
            .filter(|parent| !parent.as_os_str().is_empty())
        {
            File::open(parent)?.sync_all()?;
        }
        Ok(true)
    }

    fn write_durable(&self, path: &str, bytes: &Bytes) -> Result<(), DiskError> {
        let temporary_folder = self.folder.join(TEMPORARY_FOLDER);
        self.ensure_folder(&temporary_folder)?;
        let target = self.folder.join(path);
        let folder = target.parent().unwrap_or(&self.folder);
        if folder != self.folder {
            let above = folder.parent().unwrap_or(&self.folder);
            if above != self.folder {
                self.ensure_folder(above)?;
            }
            self.ensure_folder(folder)?;
        }
        let number = self.written.fetch_add(1, Ordering::Relaxed);
        let temporary = temporary_folder.join(format!("{}-{number}", process::id()));
        let written = write_synced(&temporary, bytes)
            .and_then(|()| fs::rename(&temporary, &target).map_err(DiskError::from));
        if let Err(error) = written {
            // Best effort: what stays here is removed when the store is opened next.
            drop(fs::remove_file(&temporary));
            return Err(error);
        }
        sync_folder(folder)
    }

    fn read(&self, path: &str, bytes_max: usize) -> io::Result<Option<Bytes>> {
        let file = match File::open(self.folder.join(path)) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let length = file.metadata()?.len();
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        if length > bytes_max {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        // The length is asked first so that the buffer is allocated once and fits exactly.
        let mut bytes = Vec::with_capacity(length);
        file.take(length as u64).read_to_end(&mut bytes)?;
        Ok(Some(Bytes::from(bytes)))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let target = self.folder.join(to);
        if let Some(folder) = target.parent() {
            fs::create_dir_all(folder)?;
        }
        fs::rename(self.folder.join(from), target)
    }

    fn remove(&self, path: &str) -> io::Result<bool> {
        match fs::remove_file(self.folder.join(path)) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }

    fn list(&self, folder: &str) -> io::Result<Vec<String>> {
        let entries = match fs::read_dir(self.folder.join(folder)) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        let mut names = Vec::new();
        for entry in entries {
            let entry = entry?;
            // A name that is not UTF-8, or not a file's, is none of ours.
            if entry.file_type()?.is_file()
                && let Ok(name) = entry.file_name().into_string()
            {
                names.push(name);
            }
        }
        Ok(names)
    }

    fn free_bytes(&self) -> io::Result<u64> {
        let stat = rustix::fs::statvfs(&self.folder)?;
        Ok(stat.f_bavail.saturating_mul(stat.f_frsize))
    }

    fn set_index_aside(&self) -> io::Result<()> {
        let index = self.folder.join(INDEX_FILE);
        let aside = |number| self.folder.join(format!("{INDEX_FILE}.lost-{number}"));
        let mut free = 1..LOST_INDEXES_MAX;
        let number = free.find(|&number| !aside(number).exists());
        match fs::rename(index, aside(number.unwrap_or(LOST_INDEXES_MAX))) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            end => end,
        }
    }

    fn index_backend(&self) -> io::Result<Box<dyn StorageBackend>> {
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(self.folder.join(INDEX_FILE))?;
        File::open(&self.folder)?.sync_all()?;
        let backend = FileBackend::new(file).map_err(io::Error::other)?;
        Ok(Box::new(backend))
    }
}

/// Writes a new file and makes its bytes durable, not yet its name.
fn write_synced(path: &Path, bytes: &[u8]) -> Result<(), DiskError> {
    let mut file = OpenOptions::new().write(true).create_new(true).open(path)?;
    file.write_all(bytes)?;
    file.sync_data().map_err(DiskError::of_sync)
}

/// Makes the names in a folder durable.
fn sync_folder(folder: &Path) -> Result<(), DiskError> {
    File::open(folder)?.sync_all().map_err(DiskError::of_sync)
}
