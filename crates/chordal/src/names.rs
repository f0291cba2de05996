//! Names of the ring and paths of this machine, and the narrow bridge between them.
//!
//! A name is never used as a path: what becomes one is checked part by part, and a name that has
//! a part no folder should see is refused, not mended.

use std::path::{Path, PathBuf};

use chordal_object::{DEFAULT_SPACE, Name};

use crate::trouble::Trouble;

/// Reads a name as typed.
pub(crate) fn parse(text: &str) -> Result<Name, Trouble> {
    text.parse()
        .map_err(|error: chordal_object::NameError| Trouble::usage(error.to_string()))
}

/// The beginning of names: a space, and what the paths begin with, which may be nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Prefix {
    pub(crate) space: String,
    pub(crate) path: String,
}

impl Prefix {
    /// Reads `PREFIX`, `SPACE:` or `SPACE:PREFIX`.
    pub(crate) fn parse(text: &str) -> Result<Self, Trouble> {
        if text.is_empty() {
            return Ok(Self {
                space: DEFAULT_SPACE.to_owned(),
                path: String::new(),
            });
        }
        // A prefix is a name whose end is open, so one letter more makes it a name.
        let mut name = text.to_owned();
        if text.ends_with(':') {
            name.push('x');
        }
        let name = parse(&name)?;
        let open = text.ends_with(':') && name.path() == "x";
        let path = match (open, text.ends_with(':')) {
            (true, _) => "",
            (false, true) => name.path().strip_suffix('x').unwrap_or_default(),
            (false, false) => name.path(),
        };
        Ok(Self {
            space: name.space().to_owned(),
            path: path.to_owned(),
        })
    }

    /// Whether a path is this prefix itself or lies below it, as files lie in a folder: `a` has
    /// `a` and `a/b`, and not `ab`. What ends with a slash, and nothing at all, has all that begins
    /// with it.
    pub(crate) fn has(&self, path: &str) -> bool {
        let Some(rest) = path.strip_prefix(self.path.as_str()) else {
            return false;
        };
        let is_open = self.path.is_empty() || self.path.ends_with('/');
        is_open || rest.is_empty() || rest.starts_with('/')
    }

    /// The name of a path below this prefix; a slash stands between them.
    pub(crate) fn join(&self, path: &str) -> Result<Name, Trouble> {
        let slash = if self.path.is_empty() || self.path.ends_with('/') {
            ""
        } else {
            "/"
        };
        Name::new(&self.space, &format!("{}{slash}{path}", self.path))
            .map_err(|error| Trouble::usage(format!("{path}: {error}")))
    }
}

/// Whether a text names a place in a space, `SPACE:` or `SPACE:PREFIX`, and not just any path.
pub(crate) fn is_place(text: &str) -> bool {
    match text.split_once(':') {
        Some((space, _)) => Name::new(space, "x").is_ok(),
        None => false,
    }
}

/// The name that a local file has in the ring when nobody says another.
pub(crate) fn of_file(path: &Path) -> Result<String, Trouble> {
    path.file_name()
        .ok_or_else(|| Trouble::usage(format!("{}: this names no file", path.display())))?
        .to_str()
        .map(str::to_owned)
        .ok_or_else(|| not_utf8(path))
}

/// A local path that cannot be a name.
pub(crate) fn not_utf8(path: &Path) -> Trouble {
    Trouble::usage(format!(
        "{}: the name is not UTF-8, and names in a ring are",
        path.display()
    ))
    .advice("Rename the file, or store it alone with --as NAME.")
}

/// What a file of the ring is called on this machine: the last part of its path.
pub(crate) fn local_file(name: &Name) -> Result<String, Trouble> {
    let last = name.path().rsplit('/').next().unwrap_or_default();
    if is_local_part(last) {
        Ok(last.to_owned())
    } else {
        Err(unfit(name))
    }
}

/// Where a file of the ring goes below a folder of this machine: its path, or what is left of it
/// behind `prefix` up to the prefix's last slash.
pub(crate) fn local_path(name: &Name, prefix: &str) -> Result<PathBuf, Trouble> {
    let folder = prefix.rfind('/').map_or(0, |slash| slash + 1);
    let below = name.path().get(folder..).unwrap_or_default();
    if below.split('/').all(is_local_part) {
        Ok(below.split('/').collect())
    } else {
        Err(unfit(name))
    }
}

fn unfit(name: &Name) -> Trouble {
    let shown = crate::out::visible(&name.to_string());
    Trouble::usage(format!("'{shown}' cannot be a file's name on this machine"))
        .advice("Say what to call it: chordal get NAME FILE.")
}

/// Whether a part of a path is plain on every system: no way up, no drive, no stream, no device.
fn is_local_part(part: &str) -> bool {
    let plain = !part.is_empty() && part != "." && part != "..";
    let forbidden = |letter: char| {
        letter == '\0' || letter == '/' || (cfg!(windows) && r#"\:*?"<>|"#.contains(letter))
    };
    plain && part.len() <= 255 && !part.chars().any(forbidden)
}

#[cfg(test)]
mod tests;
