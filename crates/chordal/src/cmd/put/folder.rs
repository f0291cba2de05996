//! All files below a folder.
//!
//! Links to files are followed, links to folders are not: a circle must not become endless. Whatever
//! else is no file (sockets, pipes, devices, links to nothing) is left out, and said to be; so is what a
//! `get` has not finished.

use std::path::{Path, PathBuf};

use crate::cmd::get::part;
use crate::names;
use crate::trouble::Trouble;

/// What lies below a folder.
#[derive(Debug, Default)]
pub(super) struct Below {
    /// The files in order, each with its name: the folder's own name and the path below it, with
    /// slashes. `.` has no name of its own.
    pub(super) files: Vec<(PathBuf, String)>,
    /// What is neither a file nor a folder.
    pub(super) left_out: Vec<PathBuf>,
}

/// Looks below `folder`.
pub(super) fn below(folder: &Path) -> Result<Below, Trouble> {
    let mut found = Below::default();
    let mut folders = vec![(folder.to_path_buf(), name_of(folder)?)];
    while let Some((here, name)) = folders.pop() {
        let entries = std::fs::read_dir(&here).map_err(|error| Trouble::file(&here, &error))?;
        for entry in entries {
            let entry = entry.map_err(|error| Trouble::file(&here, &error))?;
            let path = entry.path();
            let part = entry
                .file_name()
                .into_string()
                .map_err(|_| names::not_utf8(&path))?;
            let below = if name.is_empty() {
                part
            } else {
                format!("{name}/{part}")
            };
            let kind = entry
                .file_type()
                .map_err(|error| Trouble::file(&path, &error))?;
            if kind.is_dir() {
                folders.push((path, below));
            } else if part::is_part(&path) {
                // What an interrupted `get` left, and goes on with.
                found.left_out.push(path);
            } else if kind.is_file() || (kind.is_symlink() && path.is_file()) {
                found.files.push((path, below));
            } else {
                found.left_out.push(path);
            }
        }
    }
    found.files.sort_by(|a, b| a.1.cmp(&b.1));
    found.left_out.sort();
    Ok(found)
}

fn name_of(folder: &Path) -> Result<String, Trouble> {
    match folder.file_name() {
        Some(_) => names::of_file(folder),
        // `.`, `..` and `/`: what they hold is meant, not they themselves.
        None => Ok(String::new()),
    }
}
