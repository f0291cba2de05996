//! What lies where: crates with a README, modules with a noun for a name, no big files.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

#[cfg(test)]
mod tests;

/// Whoever clones the house pays for every byte for ever.
const FILE_BYTES_MAX: u64 = 1 << 20;

/// Names that say nothing, and so collect everything.
const NOT_NOUNS: &[&str] = &[
    "common", "helper", "helpers", "misc", "types", "util", "utils",
];

/// Findings about the files at `root`.
pub(super) fn check(root: &Path, files: &[String]) -> Result<Vec<String>> {
    let mut found = crates_without_readme(files);
    for path in files {
        let file = root.join(path);
        let metadata = fs::metadata(file).with_context(|| format!("cannot read {path}"))?;
        found.extend(too_big(path, metadata.len()));
        found.extend(nameless_module(path));
    }
    Ok(found)
}

fn crates_without_readme(files: &[String]) -> Vec<String> {
    let manifests = files
        .iter()
        .filter_map(|path| path.strip_suffix("/Cargo.toml"));
    let folders: BTreeSet<&str> = manifests.collect();
    folders
        .into_iter()
        .map(|folder| format!("{folder}/README.md"))
        .filter(|readme| !files.contains(readme))
        .map(|readme| format!("{readme}: missing; every crate says what it is"))
        .collect()
}

fn nameless_module(path: &str) -> Option<String> {
    let parts = path.strip_suffix(".rs")?;
    let word = parts.split('/').find(|part| NOT_NOUNS.contains(part))?;
    Some(format!("{path}: \"{word}\" names nothing; what is in it?"))
}

fn too_big(path: &str, bytes: u64) -> Option<String> {
    (bytes > FILE_BYTES_MAX).then(|| format!("{path}: {bytes} bytes, more than {FILE_BYTES_MAX}"))
}
