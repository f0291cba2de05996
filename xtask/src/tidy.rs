//! The house rules that a program can check, one concern a module.
//!
//! Every check takes paths and text and returns findings, one line each, so that its own tests can
//! show it failing on a small made-up tree.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use crate::house;

mod layout;
mod links;
mod messages;
mod source;

#[cfg(test)]
mod tests;

/// Everything untidy in the house at `root`.
pub(crate) fn check(root: &Path) -> Result<Vec<String>> {
    let files = house::files(root)?;
    let mut found = layout::check(root, &files)?;
    for path in &files {
        if source::is_ours(path) {
            let text = read(root, path)?;
            found.extend(source::check(path, &text));
        }
    }
    found.extend(links::check(root, &files)?);
    found.extend(messages::check(root, &files)?);
    Ok(found)
}

/// The text of a file of the house.
fn read(root: &Path, path: &str) -> Result<String> {
    fs::read_to_string(root.join(path)).with_context(|| format!("cannot read {path}"))
}
