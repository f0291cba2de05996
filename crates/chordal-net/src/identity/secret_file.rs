//! A 32-byte secret in a file: written whole or not at all, readable by its owner alone.
//!
//! Several programs may create the same file at once: one wins, the others read the winner's.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use super::{hex, random};

/// A key file could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum KeyFileError {
    /// The file exists but is not a key. It was left as it is.
    #[error(
        "{} is not a key file: it has {found} bytes instead of 32; it was not touched \
         (restore it from a copy, or move it away to start with a new identity)",
        path.display()
    )]
    Size {
        /// The file.
        path: PathBuf,
        /// Its size in bytes.
        found: u64,
    },
    /// The system refused.
    #[error("key file {}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// The secret in the file at `path`; made and written there (mode 0600, synced) when missing.
pub(crate) fn load_or_create(path: &Path) -> Result<[u8; 32], KeyFileError> {
    let io_error = |source| KeyFileError::Io {
        path: path.to_owned(),
        source,
    };
    if let Some(seed) = load(path)? {
        return Ok(seed);
    }
    create(path, &random()).map_err(io_error)?;
    // Whoever won the race to create it: the file now says what the key is.
    load(path)?.ok_or_else(|| io_error(io::ErrorKind::NotFound.into()))
}

fn load(path: &Path) -> Result<Option<[u8; 32]>, KeyFileError> {
    let io_error = |source| KeyFileError::Io {
        path: path.to_owned(),
        source,
    };
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(io_error(error)),
    };
    let metadata = file.metadata().map_err(io_error)?;
    let found = metadata.len();
    if !metadata.is_file() || found != 32 {
        let path = path.to_owned();
        return Err(KeyFileError::Size { path, found });
    }
    warn_when_readable_by_others(path, &metadata);
    let mut seed = [0; 32];
    io::Read::read_exact(&mut &file, &mut seed).map_err(io_error)?;
    Ok(Some(seed))
}

/// Writes a temporary file beside `path`, syncs it, and gives it the name only if nobody has it.
fn create(path: &Path, seed: &[u8; 32]) -> io::Result<()> {
    let folder = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    fs::create_dir_all(folder)?;
    let mark: String = hex(&random::<8>()).collect();
    let temporary = folder.join(format!(".key-{mark}.tmp"));
    let named = write_synced(&temporary, seed).and_then(|()| name(&temporary, path));
    let removed = fs::remove_file(&temporary);
    named?;
    match removed {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => sync_folder(folder),
    }
}

fn write_synced(path: &Path, seed: &[u8; 32]) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(seed)?;
    file.sync_all()
}

/// A hard link never replaces a file, so two creators cannot overwrite each other; where the file
/// system has no hard links, a rename has to do.
fn name(temporary: &Path, path: &Path) -> io::Result<()> {
    match fs::hard_link(temporary, path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(_) => fs::rename(temporary, path),
        Ok(()) => Ok(()),
    }
}

#[cfg(unix)]
fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

#[cfg(not(unix))]
fn sync_folder(_folder: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(unix)]
fn warn_when_readable_by_others(path: &Path, metadata: &fs::Metadata) {
    let mode = std::os::unix::fs::MetadataExt::mode(metadata);
    if mode & 0o077 != 0 {
        tracing::warn!(path = %path.display(), "key file is readable by others: chmod 600 it");
    }
}

#[cfg(not(unix))]
fn warn_when_readable_by_others(_path: &Path, _metadata: &fs::Metadata) {}
