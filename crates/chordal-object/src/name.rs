//! Names of files: `SPACE:PATH`, where a bare `PATH` means `main:PATH`.
//!
//! A name is never a path of any file system: `..`, slashes and newlines in it are only letters.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The space that a bare path is in.
pub const DEFAULT_SPACE: &str = "main";

/// The longest path, in bytes of UTF-8.
pub const PATH_BYTES_MAX: usize = 1024;

/// What a file is called: a space and a path in it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "(String, String)", into = "(String, String)")]
pub struct Name {
    space: String,
    path: String,
}

/// Why a text is not a name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// A path has 1 to 1,024 bytes.
    #[error("a file name has 1 to {PATH_BYTES_MAX} bytes; this one has {0}")]
    PathLength(usize),
    /// A space's name follows the rules of an S3 bucket name.
    #[error(
        "'{0}' cannot name a space: 3 to 63 lower-case letters, digits, dots and hyphens, \
         a letter or digit first and last, no two dots together"
    )]
    Space(String),
}

impl Name {
    /// A path in a space.
    pub fn new(space: &str, path: &str) -> Result<Self, NameError> {
        if !is_space(space) {
            return Err(NameError::Space(space.to_owned()));
        }
        if path.is_empty() || path.len() > PATH_BYTES_MAX {
            return Err(NameError::PathLength(path.len()));
        }
        Ok(Self {
            space: space.to_owned(),
            path: path.to_owned(),
        })
    }

    /// A path in the default space, whatever colons it holds.
    pub fn in_main(path: &str) -> Result<Self, NameError> {
        Self::new(DEFAULT_SPACE, path)
    }

    /// The space.
    pub fn space(&self) -> &str {
        &self.space
    }

    /// The path.
    pub fn path(&self) -> &str {
        &self.path
    }
}

impl TryFrom<(String, String)> for Name {
    type Error = NameError;

    fn try_from((space, path): (String, String)) -> Result<Self, NameError> {
        Self::new(&space, &path)
    }
}

impl From<Name> for (String, String) {
    fn from(name: Name) -> Self {
        (name.space, name.path)
    }
}

impl FromStr for Name {
    type Err = NameError;

    /// Reads `SPACE:PATH` where the text before the first colon can name a space, else all of it
    /// is a path in `main`. So `photos:a.jpg` is in the space `photos`, while `12:30` and
    /// `C:\notes` are paths; `main:photos:a.jpg` forces a path with a colon.
    fn from_str(text: &str) -> Result<Self, NameError> {
        match text.split_once(':') {
            Some((space, path)) if is_space(space) => Self::new(space, path),
            _ => Self::in_main(text),
        }
    }
}

impl fmt::Display for Name {
    /// The shortest text that reads back as this name.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bare = self.space == DEFAULT_SPACE
            && self
                .path
                .split_once(':')
                .is_none_or(|(before, _)| !is_space(before));
        if bare {
            out.write_str(&self.path)
        } else {
            write!(out, "{}:{}", self.space, self.path)
        }
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{:?}", self.to_string())
    }
}

/// Whether a text can name a space: the rules of an S3 bucket name.
fn is_space(text: &str) -> bool {
    let bytes = text.as_bytes();
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    (3..=63).contains(&bytes.len())
        && bytes
            .iter()
            .all(|&byte| plain(byte) || byte == b'.' || byte == b'-')
        && bytes.first().is_some_and(|&byte| plain(byte))
        && bytes.last().is_some_and(|&byte| plain(byte))
        && !text.contains("..")
}

#[cfg(test)]
mod tests;
