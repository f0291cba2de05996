//! The settings file: TOML, one line a setting, without sections.
//!
//! What is wrong in it is refused with its line and with what would be right; nothing is skipped. The
//! file is read and never written. A relative path in it begins at the file's own folder, since
//! nobody knows where a service was started.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{ErrorKind, Read as _};
use std::ops::Range;
use std::path::{Path, PathBuf};

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::{HOME, Kind, SETTINGS, Setting};
use crate::out::visible;
use crate::trouble::{Exit, Trouble};

/// What the file in a home is called.
pub(super) const FILE_NAME: &str = "chordal.toml";

/// The longest file that is read. The longest sensible one has some hundred lines.
const BYTES_MAX: u64 = 64 << 10;

/// A mistyped name that is this similar to a known one (1 is the same) was meant to be it.
const SIMILAR: f64 = 0.7;

/// So many letters of a name stand for it.
const PART: usize = 3;

/// Where a file of settings is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// It was named: it has to be there.
    Named(PathBuf),
    /// It is looked for in the home.
    Home(PathBuf),
}

/// What stands in a file.
#[derive(Debug)]
pub(super) struct Written {
    pub(super) setting: &'static Setting,
    pub(super) values: Vec<OsString>,
    /// From 1.
    pub(super) line: usize,
}

/// Something wrong, and where.
#[derive(Debug, PartialEq, Eq)]
struct Wrong {
    line: usize,
    what: String,
}

impl Place {
    /// Where the file is, or would be.
    pub(crate) fn path(&self) -> &Path {
        match self {
            Self::Named(path) | Self::Home(path) => path,
        }
    }

    /// What the file says; nothing where there need not be one and there is none.
    pub(super) fn read(&self) -> Result<Option<Vec<Written>>, Trouble> {
        let path = self.path();
        let text = match text_of(path) {
            Ok(text) => text,
            Err(error) if self.is_absent(&error) => return Ok(None),
            Err(error) => {
                let reason = if error.kind() == ErrorKind::IsADirectory {
                    "it is a folder".to_owned()
                } else if error.kind() == ErrorKind::NotFound {
                    "it is not there".to_owned()
                } else {
                    error.to_string()
                };
                return Err(refused(format!(
                    "the settings file {} cannot be read: {reason}",
                    path.display()
                ))
                .advice("Mend it, or name another one with --config FILE."));
            }
        };
        understand(&text, self).map(Some).map_err(|mut wrong| {
            wrong.sort_by_key(|wrong| wrong.line);
            let more = match wrong.len() {
                0 | 1 => String::new(),
                2 => " One more line is wrong.".to_owned(),
                count => format!(" {} more lines are wrong.", count - 1),
            };
            let what = wrong.first().map_or_else(String::new, |first| {
                // What stands in the file is not to write to the terminal.
                format!(
                    "{}:{}: {}",
                    path.display(),
                    first.line,
                    visible(&first.what)
                )
            });
            refused(what)
                .still(format!("Nothing was changed.{more}"))
                .advice("`chordal config --example` prints every setting with what it accepts.")
        })
    }

    fn is_absent(&self, error: &std::io::Error) -> bool {
        let nothing = matches!(
            error.kind(),
            // The home itself may be missing, or no folder; who needs it says so.
            ErrorKind::NotFound | ErrorKind::NotADirectory
        );
        nothing && matches!(self, Self::Home(_))
    }
}

fn refused(what: String) -> Trouble {
    Trouble::ending(Exit::Usage, "settings", what)
}

fn text_of(path: &Path) -> Result<String, std::io::Error> {
    let mut bytes = Vec::new();
    File::open(path)?
        .take(BYTES_MAX + 1)
        .read_to_end(&mut bytes)?;
    let invalid = |what: &str| std::io::Error::new(ErrorKind::InvalidData, what);
    if bytes.len() as u64 > BYTES_MAX {
        return Err(invalid("it is longer than any settings file: 64 KiB"));
    }
    String::from_utf8(bytes).map_err(|_| invalid("it is no text in UTF-8"))
}

/// Everything that stands in the text, or everything that is wrong with it.
fn understand(text: &str, place: &Place) -> Result<Vec<Written>, Vec<Wrong>> {
    let line_of = |span: Range<usize>| {
        let before = text.as_bytes().iter().take(span.start);
        before.filter(|byte| **byte == b'\n').count() + 1
    };
    let table = DeTable::parse(text).map_err(|error| {
        let line = line_of(error.span().unwrap_or(0..0));
        let what = syntax(text, line, error.message());
        vec![Wrong { line, what }]
    })?;
    let (mut written, mut wrong) = (Vec::new(), Vec::new());
    for (key, value) in table.get_ref() {
        let line = line_of(key.span());
        match entry(key.get_ref(), value, place) {
            Ok((setting, values)) => written.push(Written {
                setting,
                values,
                line,
            }),
            Err(what) => wrong.push(Wrong { line, what }),
        }
    }
    if wrong.is_empty() {
        Ok(written)
    } else {
        Err(wrong)
    }
}

/// A mistake against TOML. The usual one is a text without its quotes.
fn syntax(text: &str, line: usize, message: &str) -> String {
    let written = text.lines().nth(line - 1).unwrap_or_default();
    let bare = written.split_once('=').and_then(|(name, value)| {
        let setting = Setting::named(name.trim())?;
        let value = value.split('#').next().unwrap_or_default().trim();
        let is_bare = !value.is_empty() && !value.contains(['"', '\'', '[', ']', '\\']);
        (is_bare && setting.kind != Kind::Places).then(|| format!("{} = \"{value}\"", setting.name))
    });
    match bare {
        Some(quoted) => format!("a text stands in quotes: {quoted}"),
        None => format!("this is no TOML: {}", message.trim()),
    }
}

/// One line: which setting it is, and the values.
fn entry(
    name: &str,
    value: &Spanned<DeValue<'_>>,
    place: &Place,
) -> Result<(&'static Setting, Vec<OsString>), String> {
    if value.get_ref().is_table() {
        return Err(format!(
            "[{name}] is a section, and there are none: settings stand by themselves, as offer = \"100GB\""
        ));
    }
    let Some(setting) = Setting::named(name).filter(|setting| setting.is_of_the_file()) else {
        return Err(unknown(name));
    };
    if setting.name == HOME && matches!(place, Place::Home(_)) {
        return Err(
            "home: this file was found in the home, and cannot move it; a file that is named with \
             --config or CHORDAL_CONFIG can"
                .to_owned(),
        );
    }
    let about = |what: String| format!("{name}: {what}");
    let mut values = values(setting, value.get_ref()).map_err(about)?;
    for value in &mut values {
        setting.check(value).map_err(about)?;
        if setting.kind == Kind::Path {
            *value = path(value, place).map_err(about)?;
        }
    }
    Ok((setting, values))
}

/// A name that means nothing, and the one that was meant.
fn unknown(name: &str) -> String {
    let flag = name
        .trim_start_matches('-')
        .replace('_', "-")
        .to_lowercase();
    let similar = |setting: &&Setting| {
        // `mdns` was meant to be `no-mdns`, however many letters are missing.
        let is_part = flag.len() >= PART && setting.name.contains(&flag);
        let similar = strsim::jaro_winkler(setting.name, &flag);
        (is_part || similar >= SIMILAR).then_some(if is_part { 1.0 } else { similar })
    };
    let known = SETTINGS.iter().filter(|setting| setting.is_of_the_file());
    let nearest = known
        .filter_map(|setting| Some((similar(&setting)?, setting)))
        .max_by(|one, other| one.0.total_cmp(&other.0));
    match nearest {
        Some((_, setting)) => format!(
            "there is no setting '{name}'; the nearest is '{}'",
            setting.name
        ),
        None => format!("there is no setting '{name}'"),
    }
}

/// The values as they would be typed behind the flag.
fn values(setting: &Setting, value: &DeValue<'_>) -> Result<Vec<OsString>, String> {
    let typed = |text: &str| Ok(vec![OsString::from(text)]);
    match (setting.kind, value) {
        (Kind::Switch, DeValue::Boolean(yes)) => typed(if *yes { "true" } else { "false" }),
        (Kind::Switch, _) => Err("this is true or false, without quotes".to_owned()),
        (Kind::Places, DeValue::Array(places)) => {
            let place = |place: &Spanned<DeValue<'_>>| {
                let text = place.get_ref().as_str().ok_or_else(|| expected(setting))?;
                Ok(OsString::from(text))
            };
            places.iter().map(place).collect()
        }
        (_, DeValue::String(text)) => typed(text),
        (Kind::Bits | Kind::Days, DeValue::Integer(number)) if number.radix() == 10 => {
            typed(number.as_str())
        }
        (Kind::Days, DeValue::Float(number)) => typed(number.as_str()),
        (Kind::Size, DeValue::Integer(number)) if number.as_str() == "0" => typed("0"),
        (Kind::Size | Kind::Rate | Kind::Time, DeValue::Integer(_) | DeValue::Float(_)) => {
            Err(format!("a number needs its unit: {}", expected(setting)))
        }
        _ => Err(expected(setting)),
    }
}

fn expected(setting: &Setting) -> String {
    format!("write it as {} = {}", setting.name, setting.example)
}

/// A path of the file, from the root.
fn path(value: &OsStr, place: &Place) -> Result<OsString, String> {
    let path = Path::new(value);
    if path.starts_with("~") {
        return Err("`~` means nothing here: write the whole path".to_owned());
    }
    let folder = place.path().parent().unwrap_or_else(|| Path::new(""));
    let whole = std::path::absolute(folder.join(path)).map_err(|error| error.to_string())?;
    Ok(whole.into_os_string())
}

#[cfg(test)]
mod tests;
