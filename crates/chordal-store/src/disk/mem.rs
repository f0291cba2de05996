//! A disk in memory that fails as disks do, when it is told to.
//!
//! It keeps what a running program sees and what a power cut would leave apart. Nothing in it is
//! random: whoever cuts the power also chooses the fate of everything that was not synced, so a
//! run can be repeated. Chunk bytes are shared, not copied, and the index is sparse, so dozens of
//! these fit in one simulation.

mod image;

use std::collections::BTreeMap;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc as Shared, Mutex};

use bytes::Bytes;
use redb::StorageBackend;

use self::image::IndexImage;
use super::{Disk, DiskError, TEMPORARY_FOLDER};
use crate::locking::lock;

/// Room on a disk that nobody limited.
const CAPACITY_BYTES: u64 = 1 << 50;

/// A unit of writing that is kept or lost whole.
const SECTOR_BYTES: usize = 512;

/// A simulated disk. Clones are the same disk.
#[derive(Debug)]
pub struct MemDisk {
    platter: Shared<Mutex<Platter>>,
    /// Whether this handle has the lock.
    is_owner: AtomicBool,
}

/// What the disk holds and what is to happen to it.
#[derive(Debug, Default)]
struct Platter {
    /// What a running program sees.
    names: BTreeMap<String, File>,
    /// What is left without what follows.
    durable_names: BTreeMap<String, File>,
    /// Changes of names since the last sync of their folder, in order.
    unsynced_names: Vec<NameChange>,
    index: Option<IndexImage>,
    /// Files ever created, for temporary names.
    created: u64,
    /// Bytes of the files that have a name.
    file_bytes: u64,
    capacity_bytes: Option<u64>,
    is_locked: bool,
    syncs: u64,
    fault: Option<Fault>,
    is_dead: bool,
}

/// A file, whatever its names are.
type File = Shared<Mutex<Content>>;

#[derive(Debug)]
struct Content {
    bytes: Bytes,
    is_synced: bool,
}

#[derive(Clone, Debug)]
enum NameChange {
    Create {
        path: String,
        file: File,
    },
    Rename {
        from: String,
        to: String,
        file: File,
    },
    Remove {
        path: String,
        file: File,
    },
}

/// What is to happen at a later sync.
#[derive(Clone, Copy, Debug)]
enum Fault {
    /// The sync with this number fails, and nothing else does.
    Fail(u64),
    /// During the sync with this number the power goes.
    PowerCut(u64),
}

impl Clone for MemDisk {
    fn clone(&self) -> Self {
        Self::of(Shared::clone(&self.platter))
    }
}

impl Drop for MemDisk {
    fn drop(&mut self) {
        if self.is_owner.load(Ordering::Acquire) {
            lock(&self.platter).is_locked = false;
        }
    }
}

impl Default for MemDisk {
    fn default() -> Self {
        Self::new()
    }
}

impl MemDisk {
    /// An empty disk with room for anything.
    pub fn new() -> Self {
        Self::of(Shared::default())
    }

    fn of(platter: Shared<Mutex<Platter>>) -> Self {
        Self {
            platter,
            is_owner: AtomicBool::new(false),
        }
    }

    /// From here on, this many bytes fit.
    pub fn set_capacity(&self, bytes: u64) {
        lock(&self.platter).capacity_bytes = Some(bytes);
    }

    /// From here on, this many bytes fit beside those that are there; nothing: room for anything.
    pub fn leave_room(&self, bytes: Option<u64>) {
        let mut platter = lock(&self.platter);
        platter.capacity_bytes = None;
        let used = CAPACITY_BYTES.saturating_sub(platter.free_bytes());
        platter.capacity_bytes = bytes.map(|bytes| used + bytes);
    }

    /// Syncs so far: every file and every folder made durable, and every sync of the index.
    pub fn syncs(&self) -> u64 {
        lock(&self.platter).syncs
    }

    /// Makes a later sync fail, 1 being the next one. The disk goes on after that, as disks do.
    pub fn fail_sync(&self, nth: u64) {
        let mut platter = lock(&self.platter);
        platter.fault = Some(Fault::Fail(platter.syncs + nth));
    }

    /// Makes the power go during a later sync, 1 being the next one: that sync and all that
    /// follows fail. [`MemDisk::crash`] then tells what is left.
    pub fn cut_power_at_sync(&self, nth: u64) {
        let mut platter = lock(&self.platter);
        platter.fault = Some(Fault::PowerCut(platter.syncs + nth));
    }

    /// Whether the power has gone.
    pub fn is_dead(&self) -> bool {
        lock(&self.platter).is_dead
    }

    /// Cuts the power, if it is still on, and returns the disk as it is found afterwards. This one
    /// stays dead.
    ///
    /// Whatever was not synced has a fate that `choose` decides: given n it answers a number below
    /// n. For every unsynced change it is asked with 3: 0 loses it, 1 tears it (changes of names,
    /// which cannot tear, are lost), 2 keeps it; for each 512-byte sector of a torn one with 2: 0
    /// loses it, 1 keeps it.
    #[must_use = "the disk that was cut off is dead"]
    pub fn crash(&self, choose: &mut dyn FnMut(u32) -> u32) -> Self {
        let mut platter = lock(&self.platter);
        platter.is_dead = true;
        let left = platter.what_is_left(choose);
        Self::of(Shared::new(Mutex::new(left)))
    }

    /// Ends the owner without a chance to say goodbye, as `kill -9` does: nothing written is lost,
    /// synced or not.
    #[must_use = "the disk of the killed owner is dead"]
    pub fn kill(&self) -> Self {
        self.crash(&mut |options| options - 1)
    }

    /// Flips one bit of a file, for good; `false` when the file is not there or not that long.
    pub fn rot(&self, path: &str, bit: u64) -> bool {
        let platter = lock(&self.platter);
        let Ok(at) = usize::try_from(bit / 8) else {
            return false;
        };
        let mask = 1_u8 << (bit % 8);
        let Some(file) = platter.names.get(path) else {
            return false;
        };
        let mut content = lock(file);
        let mut bytes = content.bytes.to_vec();
        let Some(byte) = bytes.get_mut(at) else {
            return false;
        };
        *byte ^= mask;
        content.bytes = Bytes::from(bytes);
        true
    }

    /// The paths of all files but the index, in order.
    pub fn paths(&self) -> Vec<String> {
        lock(&self.platter).names.keys().cloned().collect()
    }

    /// Flips one bit of the index, for good; `false` when it is not that long.
    pub fn rot_index(&self, bit: u64) -> bool {
        lock(&self.platter)
            .index
            .as_mut()
            .is_some_and(|index| index.rot(bit))
    }

    /// The bytes of the index as a running program sees them, for tests that look for a place.
    pub fn index_bytes(&self) -> Vec<u8> {
        lock(&self.platter)
            .index
            .as_ref()
            .map_or_else(Vec::new, IndexImage::bytes)
    }
}

impl Platter {
    fn check_power(&self) -> io::Result<()> {
        if self.is_dead {
            Err(io::Error::other("the power is off"))
        } else {
            Ok(())
        }
    }

    /// Counts a sync that is about to happen, and has it fail if it is to.
    fn sync(&mut self) -> io::Result<()> {
        self.check_power()?;
        self.syncs += 1;
        match self.fault {
            Some(Fault::Fail(at)) if self.syncs >= at => {
                self.fault = None;
                Err(io::Error::other("the disk failed to sync"))
            }
            Some(Fault::PowerCut(at)) if self.syncs >= at => {
                self.is_dead = true;
                Err(io::Error::other("the power went off"))
            }
            Some(Fault::Fail(_) | Fault::PowerCut(_)) | None => Ok(()),
        }
    }

    fn free_bytes(&self) -> u64 {
        let index = self.index.as_ref().map_or(0, IndexImage::used_bytes);
        self.capacity_bytes
            .unwrap_or(CAPACITY_BYTES)
            .saturating_sub(self.file_bytes + index)
    }

    fn create(&mut self, path: String, bytes: Bytes) -> File {
        self.created += 1;
        self.file_bytes += bytes.len() as u64;
        let file = Shared::new(Mutex::new(Content {
            bytes,
            is_synced: false,
        }));
        self.names.insert(path.clone(), Shared::clone(&file));
        self.unsynced_names.push(NameChange::Create {
            path,
            file: Shared::clone(&file),
        });
        file
    }

    fn rename(&mut self, from: &str, to: &str) -> io::Result<()> {
        let file = self.names.remove(from).ok_or(io::ErrorKind::NotFound)?;
        if let Some(replaced) = self.names.insert(to.to_owned(), Shared::clone(&file)) {
            self.file_bytes -= length_of(&replaced);
        }
        let (from, to) = (from.to_owned(), to.to_owned());
        self.unsynced_names
            .push(NameChange::Rename { from, to, file });
        Ok(())
    }

    fn remove(&mut self, path: &str) -> bool {
        let Some(file) = self.names.remove(path) else {
            return false;
        };
        self.file_bytes -= length_of(&file);
        self.unsynced_names.push(NameChange::Remove {
            path: path.to_owned(),
            file,
        });
        true
    }

    /// Makes the names in a folder durable.
    fn sync_folder(&mut self, folder: &str) {
        for change in std::mem::take(&mut self.unsynced_names) {
            if change.folder() == folder {
                change.apply(&mut self.durable_names);
            } else {
                self.unsynced_names.push(change);
            }
        }
    }

    fn what_is_left(&self, choose: &mut dyn FnMut(u32) -> u32) -> Self {
        let mut names = self.durable_names.clone();
        for change in &self.unsynced_names {
            if choose(3) == 2 {
                change.apply(&mut names);
            }
        }
        let mut file_bytes = 0;
        for file in names.values_mut() {
            let content = lock(file);
            let bytes = if content.is_synced {
                content.bytes.clone()
            } else {
                what_is_left_of(&content.bytes, choose)
            };
            drop(content);
            file_bytes += bytes.len() as u64;
            *file = Shared::new(Mutex::new(Content {
                bytes,
                is_synced: true,
            }));
        }
        Self {
            durable_names: names.clone(),
            names,
            created: self.created,
            file_bytes,
            index: self.index.as_ref().map(|index| index.what_is_left(choose)),
            capacity_bytes: self.capacity_bytes,
            ..Self::default()
        }
    }
}

impl NameChange {
    /// The folder whose sync makes the change durable: of a rename, the one it went to.
    fn folder(&self) -> &str {
        let (Self::Create { path, .. } | Self::Rename { to: path, .. } | Self::Remove { path, .. }) =
            self;
        path.rsplit_once('/').map_or("", |(folder, _)| folder)
    }

    fn apply(&self, names: &mut BTreeMap<String, File>) {
        match self {
            Self::Create { path, file } => {
                names.insert(path.clone(), Shared::clone(file));
            }
            Self::Rename { from, to, file } => {
                forget(names, from, file);
                names.insert(to.clone(), Shared::clone(file));
            }
            Self::Remove { path, file } => forget(names, path, file),
        }
    }
}

/// Takes a name away from this file, unless it has become another's.
fn forget(names: &mut BTreeMap<String, File>, path: &str, file: &File) {
    if names
        .get(path)
        .is_some_and(|named| Shared::ptr_eq(named, file))
    {
        names.remove(path);
    }
}

fn length_of(file: &File) -> u64 {
    lock(file).bytes.len() as u64
}

/// A new file whose bytes were not synced: none of them, some, or all; its length is known.
fn what_is_left_of(bytes: &Bytes, choose: &mut dyn FnMut(u32) -> u32) -> Bytes {
    match choose(3) {
        0 => Bytes::new(),
        1 => {
            let mut torn = bytes.to_vec();
            for sector in torn.chunks_mut(SECTOR_BYTES) {
                if choose(2) == 0 {
                    sector.fill(0);
                }
            }
            Bytes::from(torn)
        }
        _ => bytes.clone(),
    }
}

impl Disk for MemDisk {
    fn lock(&self) -> io::Result<bool> {
        let mut platter = lock(&self.platter);
        platter.check_power()?;
        if platter.is_locked {
            return Ok(false);
        }
        platter.is_locked = true;
        self.is_owner.store(true, Ordering::Release);
        Ok(true)
    }

    fn write_durable(&self, path: &str, bytes: &Bytes) -> Result<(), DiskError> {
        let mut platter = lock(&self.platter);
        platter.check_power()?;
        if platter.free_bytes() < bytes.len() as u64 {
            return Err(DiskError::Full);
        }
        let temporary = format!("{TEMPORARY_FOLDER}/{}", platter.created);
        let file = platter.create(temporary.clone(), bytes.clone());
        if let Err(error) = platter.sync() {
            if !platter.is_dead {
                platter.remove(&temporary);
            }
            return Err(DiskError::of_sync(error));
        }
        lock(&file).is_synced = true;
        platter.rename(&temporary, path)?;
        platter.sync().map_err(DiskError::of_sync)?;
        let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
        platter.sync_folder(folder);
        Ok(())
    }

    fn read(&self, path: &str, bytes_max: usize) -> io::Result<Option<Bytes>> {
        let platter = lock(&self.platter);
        platter.check_power()?;
        let bytes = platter.names.get(path).map(|file| lock(file).bytes.clone());
        match bytes {
            Some(bytes) if bytes.len() > bytes_max => Err(io::ErrorKind::FileTooLarge.into()),
            found => Ok(found),
        }
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let mut platter = lock(&self.platter);
        platter.check_power()?;
        platter.rename(from, to)
    }

    fn remove(&self, path: &str) -> io::Result<bool> {
        let mut platter = lock(&self.platter);
        platter.check_power()?;
        Ok(platter.remove(path))
    }

    fn list(&self, folder: &str) -> io::Result<Vec<String>> {
        let platter = lock(&self.platter);
        platter.check_power()?;
        let prefix = format!("{folder}/");
        let inside = platter.names.range(prefix.clone()..);
        Ok(inside
            .map_while(|(path, _)| path.strip_prefix(&prefix))
            .filter(|name| !name.contains('/'))
            .map(str::to_owned)
            .collect())
    }

    fn free_bytes(&self) -> io::Result<u64> {
        let platter = lock(&self.platter);
        platter.check_power()?;
        Ok(platter.free_bytes())
    }

    fn set_index_aside(&self) -> io::Result<()> {
        let mut platter = lock(&self.platter);
        platter.check_power()?;
        platter.index = None;
        Ok(())
    }

    fn index_backend(&self) -> io::Result<Box<dyn StorageBackend>> {
        let mut platter = lock(&self.platter);
        platter.check_power()?;
        platter.index.get_or_insert_default();
        Ok(Box::new(MemIndex {
            platter: Shared::clone(&self.platter),
        }))
    }
}

/// The index on a simulated disk.
#[derive(Debug)]
struct MemIndex {
    platter: Shared<Mutex<Platter>>,
}

impl MemIndex {
    fn with<T>(&self, act: impl FnOnce(&mut IndexImage) -> io::Result<T>) -> io::Result<T> {
        let mut platter = lock(&self.platter);
        platter.check_power()?;
        act(platter.index.get_or_insert_default())
    }
}

impl StorageBackend for MemIndex {
    fn len(&self) -> io::Result<u64> {
        self.with(|index| Ok(index.len()))
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.with(|index| index.read(offset, out))
    }

    fn set_len(&self, length: u64) -> io::Result<()> {
        self.with(|index| {
            index.set_len(length);
            Ok(())
        })
    }

    fn sync_data(&self) -> io::Result<()> {
        let mut platter = lock(&self.platter);
        platter.sync()?;
        if let Some(index) = platter.index.as_mut() {
            index.sync();
        }
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        let mut platter = lock(&self.platter);
        platter.check_power()?;
        let free = platter.free_bytes();
        let index = platter.index.get_or_insert_default();
        if index.growth_bytes(offset, data.len()) > free {
            return Err(io::ErrorKind::StorageFull.into());
        }
        index.write(offset, data);
        Ok(())
    }
}

#[cfg(test)]
mod tests;
