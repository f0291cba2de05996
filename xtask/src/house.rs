//! Where the workspace is and which files belong to it. Nothing else here touches the file system
//! to look for files.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

#[cfg(test)]
mod tests;

/// The workspace's root folder.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("the package lies in the workspace's root folder")
        .to_path_buf()
}

/// The files of the house, sorted, as paths from the root with `/` between folders: everything
/// that git tracks or would track, or simply everything where there is no repository.
pub(crate) fn files(root: &Path) -> Result<Vec<String>> {
    let mut files = match listed_by_git(root) {
        Some(files) => files,
        None => found_on_disk(root)?,
    };
    files.sort();
    files.dedup();
    Ok(files)
}

/// `None` without a repository, or without git, as in an unpacked archive.
fn listed_by_git(root: &Path) -> Option<Vec<String>> {
    if !root.join(".git").exists() {
        return None;
    }
    let output = Command::new("git")
        .args([
            "ls-files",
            "-z",
            "--cached",
            "--others",
            "--exclude-standard",
        ])
        .current_dir(root)
        .output()
        .ok()?;
    if !output.status.success() {
        return None;
    }
    let names = String::from_utf8(output.stdout).ok()?;
    // A file that is tracked and deleted in the working tree is still listed.
    let present = |name: &&str| root.join(name).is_file();
    Some(
        names
            .split_terminator('\0')
            .filter(present)
            .map(String::from)
            .collect(),
    )
}

fn found_on_disk(root: &Path) -> Result<Vec<String>> {
    let mut found = Vec::new();
    let mut folders = vec![String::new()];
    while let Some(folder) = folders.pop() {
        let here = root.join(&folder);
        let entries =
            fs::read_dir(&here).with_context(|| format!("cannot list {}", here.display()))?;
        for entry in entries {
            let entry = entry.with_context(|| format!("cannot list {}", here.display()))?;
            let Ok(name) = entry.file_name().into_string() else {
                continue;
            };
            let kind = entry.file_type()?;
            if kind.is_file() {
                found.push(format!("{folder}{name}"));
            } else if kind.is_dir() && name != "target" && name != ".git" {
                folders.push(format!("{folder}{name}/"));
            }
        }
    }
    Ok(found)
}

/// The last part of a path as [`files`] gives it.
pub(crate) fn file_name(path: &str) -> &str {
    path.rsplit_once('/').map_or(path, |(_, name)| name)
}

/// What follows the last dot of a file's name.
pub(crate) fn extension(path: &str) -> Option<&str> {
    file_name(path)
        .rsplit_once('.')
        .map(|(_, extension)| extension)
}
