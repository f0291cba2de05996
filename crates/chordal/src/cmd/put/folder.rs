//! All files below a folder.
//!
//! Links to files are followed, links to folders are not: a circle must not become endless.

use std::path::{Path, PathBuf};

use crate::names;
use crate::trouble::Trouble;

/// The files below `folder` in order, each with its name: the folder's own name and the path below
/// it, with slashes. `.` has no name of its own.
pub(super) fn files(folder: &Path) -> Result<Vec<(PathBuf, String)>, Trouble> {
    let mut found = Vec::new();
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
            } else if kind.is_file() || (kind.is_symlink() && path.is_file()) {
                found.push((path, below));
            }
        }
    }
    found.sort_by(|a, b| a.1.cmp(&b.1));
    Ok(found)
}

fn name_of(folder: &Path) -> Result<String, Trouble> {
    match folder.file_name() {
        Some(_) => names::of_file(folder),
        // `.`, `..` and `/`: what they hold is meant, not they themselves.
        None => Ok(String::new()),
    }
}
