//! What is in force, and where each value comes from: a flag wins over a variable, a variable over the
//! file, the file over the default.
//!
//! The command line is read twice. The first time tells which command it is and which file; what
//! variables and file say then becomes the default of its flag, so that everything else sees flags
//! alone.

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

use clap::parser::ValueSource;
use clap::{ArgMatches, Command, FromArgMatches};

use super::file::{FILE_NAME, Place, Written};
use super::{CONFIG, HOME, Kind, SETTINGS, Setting, VARIABLES, id};
use crate::cli::{self, Cli};
use crate::find;
use crate::trouble::{Exit, Trouble};

/// Commands that ask no node and run none of this home: a mistake in its file does not stop them.
const WITHOUT_FILE: [&str; 4] = ["completions", "demo", "man", "sim"];

/// A variable whose name is this many letters off that of a setting was meant to be it.
const SLIPS_MAX: usize = 2;

/// Why the program cannot begin.
#[derive(Debug)]
pub(crate) enum NotUnderstood {
    /// The command line: also a call for help.
    Typed(clap::Error),
    /// A variable or the file.
    Set(Trouble),
}

/// Every setting that the command heeds, with its origin.
#[derive(Clone, Debug, Default)]
pub(crate) struct InForce {
    pub(crate) rows: Vec<Row>,
    /// The file, if settings were looked for in one, and whether there is one.
    pub(crate) file: Option<(Place, bool)>,
}

/// One setting.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub(crate) setting: &'static Setting,
    /// None where the default is no value.
    pub(crate) values: Vec<OsString>,
    pub(crate) source: Source,
}

/// Where a value comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    Flag,
    Variable,
    /// The file, and the line, from 1.
    File(PathBuf, usize),
    Default,
}

/// A value that was set before the flags were looked at.
struct Set {
    setting: &'static Setting,
    values: Vec<OsString>,
    source: Source,
}

/// Reads the command line, the environment and the file.
pub(crate) fn understand(
    args: &[OsString],
    environment: impl Fn(&str) -> Option<OsString>,
) -> Result<(Cli, InForce), NotUnderstood> {
    let command = cli::command();
    let typed = command.clone().try_get_matches_from(args)?;
    let mut set = variables(last(&typed), &environment)?;
    let place = place(&typed, &set);
    let mut file = None;
    if let Some(place) = place {
        let written = place.read()?;
        file = Some((place.clone(), written.is_some()));
        for written in written.unwrap_or_default() {
            if set
                .iter()
                .all(|set| set.setting.name != written.setting.name)
            {
                set.push(from_file(&place, written));
            }
        }
    }
    let mut matches = if set.is_empty() {
        typed
    } else {
        with_defaults(command, &set).try_get_matches_from(args)?
    };
    let rows = rows(last(&matches), &set);
    let cli = Cli::from_arg_matches_mut(&mut matches)?;
    Ok((cli, InForce { rows, file }))
}

/// The innermost command's matches: they have its flags and those that all commands have.
fn last(matches: &ArgMatches) -> &ArgMatches {
    let mut last = matches;
    while let Some((_, next)) = last.subcommand() {
        last = next;
    }
    last
}

/// What the environment sets, of what the command heeds and no flag says. An empty variable is none.
fn variables(
    matches: &ArgMatches,
    environment: impl Fn(&str) -> Option<OsString>,
) -> Result<Vec<Set>, Trouble> {
    let mut set = Vec::new();
    for setting in heeded(matches) {
        let value = environment(&setting.variable()).filter(|value| !value.is_empty());
        let Some(value) = value.filter(|_| !is_typed(matches, setting)) else {
            continue;
        };
        let values = parts(setting, value);
        for value in &values {
            setting.check(value).map_err(|what| {
                let what = format!("{}: {what}", setting.variable());
                Trouble::ending(Exit::Usage, "settings", what)
                    .advice("It is an environment variable: mend it, or unset it.")
            })?;
        }
        set.push(Set {
            setting,
            values,
            source: Source::Variable,
        });
    }
    Ok(set)
}

/// Refuses a variable that is named almost as a setting's: what it was to say is not in force. Others
/// that begin alike may be somebody else's.
pub(crate) fn check_variables(names: impl Iterator<Item = OsString>) -> Result<(), Trouble> {
    for name in names {
        let name = name.to_str().filter(|name| name.starts_with(VARIABLES));
        let Some(name) = name else {
            continue;
        };
        let slips = |setting: &Setting| strsim::damerau_levenshtein(&setting.variable(), name);
        let nearest = SETTINGS.iter().min_by_key(|setting| slips(setting));
        // Two letters of three are no slip, but another word.
        let most = SLIPS_MAX.min((name.len() - VARIABLES.len()) / 2);
        if let Some(setting) = nearest.filter(|setting| (1..=most).contains(&slips(setting))) {
            let what = format!("{name} sets nothing; the nearest is {}", setting.variable());
            return Err(Trouble::ending(Exit::Usage, "settings", what)
                .advice("It is an environment variable: mend its name, or unset it."));
        }
    }
    Ok(())
}

/// A variable holds several places with commas between them.
fn parts(setting: &Setting, value: OsString) -> Vec<OsString> {
    match value.to_str() {
        Some(text) if setting.kind == Kind::Places => {
            let places = text.split(',').map(|place| OsString::from(place.trim()));
            places.collect()
        }
        _ => vec![value],
    }
}

fn heeded(matches: &ArgMatches) -> impl Iterator<Item = &'static Setting> {
    let is_heeded = |row: &&Setting| matches.try_contains_id(&id(row.name)).is_ok();
    SETTINGS.iter().filter(is_heeded)
}

fn is_typed(matches: &ArgMatches, setting: &Setting) -> bool {
    matches.value_source(&id(setting.name)) == Some(ValueSource::CommandLine)
}

/// Which file is heeded, if any.
fn place(typed: &ArgMatches, set: &[Set]) -> Option<Place> {
    let value = |name: &str| {
        let variable = set.iter().find(|set| set.setting.name == name);
        let variable = variable
            .and_then(|set| set.values.first())
            .map(PathBuf::from);
        typed.get_one::<PathBuf>(&id(name)).cloned().or(variable)
    };
    let needs_none = |(name, matches): (&str, &ArgMatches)| {
        let example = matches.try_get_one::<bool>("example");
        WITHOUT_FILE.contains(&name) || matches!(example, Ok(Some(true)))
    };
    if typed.subcommand().is_some_and(needs_none) {
        return None;
    }
    if let Some(file) = value(CONFIG) {
        return Some(Place::Named(file));
    }
    // Without any folder for data the command says so itself, if it needs one.
    let home = value(HOME).or_else(|| find::platform_home().ok())?;
    Some(Place::Home(home.join(FILE_NAME)))
}

fn from_file(place: &Place, written: Written) -> Set {
    Set {
        setting: written.setting,
        values: written.values,
        source: Source::File(place.path().to_path_buf(), written.line),
    }
}

/// The command, with what is set as the defaults of its flags.
fn with_defaults(command: Command, set: &[Set]) -> Command {
    let command = command.mut_args(|arg| {
        match set
            .iter()
            .find(|set| *arg.get_id() == *id(set.setting.name))
        {
            Some(set) => arg.default_values(set.values.clone()),
            None => arg,
        }
    });
    command.mut_subcommands(|command| with_defaults(command, set))
}

fn rows(matches: &ArgMatches, set: &[Set]) -> Vec<Row> {
    let row = |setting: &'static Setting| {
        let set = set.iter().find(|set| set.setting.name == setting.name);
        let source = match set {
            _ if is_typed(matches, setting) => Source::Flag,
            Some(set) => set.source.clone(),
            None => Source::Default,
        };
        let values = matches.get_raw(&id(setting.name));
        Row {
            setting,
            values: values
                .map(|raw| raw.map(OsStr::to_owned).collect())
                .unwrap_or_default(),
            source,
        }
    };
    heeded(matches).map(row).collect()
}

impl From<clap::Error> for NotUnderstood {
    fn from(error: clap::Error) -> Self {
        Self::Typed(error)
    }
}

impl From<Trouble> for NotUnderstood {
    fn from(trouble: Trouble) -> Self {
        Self::Set(trouble)
    }
}

#[cfg(test)]
mod tests;
