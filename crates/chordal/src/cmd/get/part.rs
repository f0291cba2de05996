//! The hidden file that a download grows in until it is whole.
//!
//! Its name holds the hash of what is fetched, so that what came of another version is never
//! mixed in. It is locked while somebody writes it.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use bytes::Bytes;
use tokio::sync::mpsc;

use super::Existing;
use crate::trouble::Trouble;

/// Digits of the hash in the name: enough to tell versions of one file apart.
const HASH_DIGITS: usize = 16;

/// What the names of all parts end with.
const ENDING: &str = ".chordal-part";

/// The longest beginning of the file's own name in the part's name, in bytes.
const NAME_BYTES: usize = 200;

#[derive(Debug)]
pub(super) struct Part {
    path: PathBuf,
    file: File,
    length: u64,
}

impl Part {
    /// Opens what an earlier try left, or begins a new one, beside the file's future place.
    pub(super) fn open(dest: &Path, hash: &str) -> Result<Self, Trouble> {
        let path = part_path(dest, hash);
        let failed = |error: io::Error| {
            Trouble::file(&path, &error).advice("Choose a folder that exists and can be written.")
        };
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(failed)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(Trouble::failed(
                    "busy",
                    format!("another get is fetching {}", dest.display()),
                )
                .advice("Wait for it, or choose another place."));
            }
            // File systems without locks: the rename at the end still lets only whole files through.
            Err(TryLockError::Error(error)) => tracing::debug!(%error, "no lock"),
        }
        let length = file.metadata().map_err(failed)?.len();
        Ok(Self { path, file, length })
    }

    /// Bytes that are here already.
    pub(super) fn length(&self) -> u64 {
        self.length
    }

    /// Forgets them.
    pub(super) fn restart(&mut self) -> Result<(), Trouble> {
        self.file
            .set_len(0)
            .map_err(|error| Trouble::file(&self.path, &error))?;
        self.length = 0;
        Ok(())
    }

    /// Hashes what is here, then appends and hashes what comes. Blocks.
    pub(super) fn write_all(
        mut self,
        mut pieces: mpsc::Receiver<Bytes>,
    ) -> Result<(Self, blake3::Hash), Trouble> {
        let mut write = || {
            let mut hasher = blake3::Hasher::new();
            self.file.seek(SeekFrom::Start(0))?;
            hasher.update_reader(Read::by_ref(&mut self.file).take(self.length))?;
            while let Some(bytes) = pieces.blocking_recv() {
                hasher.update(&bytes);
                self.file.write_all(&bytes)?;
            }
            Ok(hasher.finalize())
        };
        match write() {
            Ok(hash) => Ok((self, hash)),
            Err(error) => Err(Trouble::file(&self.path, &error)
                .still("No file was made; what came so far is kept.")
                .advice("Look whether this disk is full, then run the command again.")),
        }
    }

    /// Puts the whole file into its place.
    pub(super) fn finish(self, dest: &Path, existing: Existing) -> Result<(), Trouble> {
        let failed = |error: io::Error| Trouble::file(dest, &error);
        if existing == Existing::Keep {
            // A link refuses to replace, where a rename would do it silently.
            match fs::hard_link(&self.path, dest) {
                Ok(()) => {
                    return fs::remove_file(&self.path).map_err(failed);
                }
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                    self.discard();
                    return Err(exists(dest));
                }
                // File systems without links: look, then rename.
                Err(_) if dest.symlink_metadata().is_ok() => {
                    self.discard();
                    return Err(exists(dest));
                }
                Err(_) => {}
            }
        }
        fs::rename(&self.path, dest).map_err(failed)
    }

    /// Removes it.
    pub(super) fn discard(self) {
        if let Err(error) = fs::remove_file(&self.path) {
            tracing::warn!(path = %self.path.display(), %error, "a part of a download stays behind");
        }
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        // An empty part is worth nothing to the next try. A finished one is not there any more.
        let empty = self
            .file
            .metadata()
            .is_ok_and(|metadata| metadata.len() == 0);
        if empty && self.path.exists() {
            drop(fs::remove_file(&self.path));
        }
    }
}

/// The local file is there already.
pub(super) fn exists(path: &Path) -> Trouble {
    Trouble::failed("exists", format!("{} exists already", path.display()))
        .still("It was not touched.")
        .advice("Replace it with --force, or name another place: chordal get NAME DEST.")
}

fn part_path(dest: &Path, hash: &str) -> PathBuf {
    let name = dest.file_name().unwrap_or_default().to_string_lossy();
    let mut end = name.len().min(NAME_BYTES);
    while !name.is_char_boundary(end) {
        end -= 1;
    }
    let (name, hash) = (
        name.get(..end).unwrap_or_default(),
        hash.get(..HASH_DIGITS).unwrap_or(hash),
    );
    dest.with_file_name(format!(".{name}.{hash}{ENDING}"))
}

/// Whether a file is called as what came so far of another one.
pub(crate) fn is_part(path: &Path) -> bool {
    let name = path.file_name().map(std::ffi::OsStr::to_string_lossy);
    name.is_some_and(|name| name.starts_with('.') && name.ends_with(ENDING))
}

#[cfg(test)]
mod tests;
