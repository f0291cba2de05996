//! What a running node leaves in the home so that the command line finds it.
//!
//! The file is locked while its node runs; an unlocked one is what a dead node left.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use super::{HomeError, folder};

/// A node of this home that runs now.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RunningNode {
    /// Where it listens for the ring.
    pub ring: SocketAddr,
    /// Where it serves the control API, if it does.
    pub http: Option<SocketAddr>,
    /// The program's process number.
    pub pid: u32,
    /// Its folder.
    pub folder: PathBuf,
}

impl RunningNode {
    /// The secret of its control API.
    pub fn control_token(&self) -> Result<String, HomeError> {
        folder::read_token(&self.folder)
    }
}

/// Keeps the file of a running node, and removes it in the end.
#[derive(Debug)]
pub struct Announcement {
    path: PathBuf,
    /// The lock tells the living from the dead.
    _file: File,
}

impl Announcement {
    /// Writes the file. One that a dead node left under this name is replaced.
    pub(crate) fn write(running: &Path, node: &RunningNode) -> Result<Self, HomeError> {
        folder::make(running)?;
        let path = running.join(file_name(node.ring));
        let write = || {
            let mut file = folder::private_file(&path)?;
            file.try_lock()?;
            file.set_len(0)?;
            file.write_all(to_text(node).as_bytes())?;
            Ok(file)
        };
        let file = write().map_err(|error| HomeError::io(&path, error))?;
        Ok(Self { path, _file: file })
    }
}

impl Drop for Announcement {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_file(&self.path) {
            tracing::debug!(path = %self.path.display(), %error, "the running file stays behind");
        }
    }
}

/// All running nodes with a file in this folder.
pub(super) fn list(running: &Path) -> Result<Vec<RunningNode>, HomeError> {
    let entries = match fs::read_dir(running) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(HomeError::io(running, error)),
    };
    let mut nodes = Vec::new();
    for entry in entries {
        let path = entry.map_err(|error| HomeError::io(running, error))?.path();
        if is_alive(&path) {
            // A file that is just being written or removed speaks of no node yet, or no more.
            nodes.extend(folder::read(&path)?.as_deref().and_then(from_text));
        }
    }
    nodes.sort();
    Ok(nodes)
}

/// Whether somebody holds the file's lock.
fn is_alive(path: &Path) -> bool {
    File::open(path)
        .is_ok_and(|file| matches!(file.try_lock_shared(), Err(fs::TryLockError::WouldBlock)))
}

/// A name without characters that some file system refuses.
fn file_name(addr: SocketAddr) -> String {
    addr.to_string()
        .chars()
        .map(|letter| if letter == ':' { '_' } else { letter })
        .collect()
}

fn to_text(node: &RunningNode) -> String {
    let http = node.http.map(|http| format!("http={http}\n"));
    format!(
        "ring={}\n{}pid={}\nfolder={}\n",
        node.ring,
        http.unwrap_or_default(),
        node.pid,
        node.folder.display()
    )
}

fn from_text(text: &str) -> Option<RunningNode> {
    // The folder comes last and runs to the end, so that it may hold any character.
    let (lines, folder) = text.split_once("folder=")?;
    let value = |key: &str| {
        lines
            .lines()
            .find_map(|line| line.strip_prefix(key)?.strip_prefix('='))
    };
    Some(RunningNode {
        ring: value("ring")?.parse().ok()?,
        http: match value("http") {
            Some(http) => Some(http.parse().ok()?),
            None => None,
        },
        pid: value("pid")?.parse().ok()?,
        folder: PathBuf::from(folder.strip_suffix('\n')?),
    })
}
