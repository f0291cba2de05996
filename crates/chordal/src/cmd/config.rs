//! `config`: what is set and where each value comes from, or a file to begin with.
//!
//! It tells what a command would heed now. A node that runs keeps what it was started with.

use serde::Serialize;

use super::Context;
use crate::cli::ConfigArgs;
use crate::out::{COLUMNS, Out, visible};
use crate::settings::{HOME, InForce, Kind, Row, SETTINGS, Setting, Source};
use crate::trouble::Trouble;

/// What stands for a join code, which is a secret.
const CODE: &str = "(a join code)";

/// The object of `--json`.
#[derive(Debug, Serialize)]
struct Told {
    /// The file that was read.
    file: Option<String>,
    /// Where a file would be read, if there were one.
    looked_for: Option<String>,
    settings: Vec<ToldSetting>,
}

#[derive(Debug, Serialize)]
struct ToldSetting {
    name: &'static str,
    /// The value, none, or for `join` several.
    value: Vec<String>,
    /// `flag`, `variable`, `file` or `default`.
    source: &'static str,
    /// The variable's name, or the file and the line.
    place: Option<String>,
    flag: String,
    variable: String,
    default: &'static str,
}

pub(super) fn run(context: Context, args: ConfigArgs, in_force: InForce) -> Result<(), Trouble> {
    if args.example {
        return context.out.line(example().trim_end());
    }
    let (read, absent) = match &in_force.file {
        Some((place, true)) => (Some(place), None),
        Some((place, false)) => (None, Some(place)),
        None => (None, None),
    };
    let told = Told {
        file: read.map(|place| place.path().display().to_string()),
        looked_for: absent.map(|place| place.path().display().to_string()),
        settings: in_force.rows.iter().map(ToldSetting::of).collect(),
    };
    context.out.either(&told, |out| table(out, &told))?;
    context.out.ending(
        "A node heeds what is set when it starts. A file to begin with: chordal config --example",
    )
}

impl ToldSetting {
    fn of(row: &Row) -> Self {
        let setting = row.setting;
        let values = row.values.iter().map(|value| {
            let value = value.to_string_lossy();
            // As `join` itself tells the two apart.
            if setting.kind == Kind::Places && !value.contains([':', '.']) {
                return CODE.to_owned();
            }
            value.into_owned()
        });
        let (source, place) = match &row.source {
            Source::Flag => ("flag", None),
            Source::Variable => ("variable", Some(setting.variable())),
            Source::File(path, line) => ("file", Some(format!("{}:{line}", path.display()))),
            Source::Default => ("default", None),
        };
        Self {
            name: setting.name,
            value: values.collect(),
            source,
            place,
            flag: format!("--{}", setting.name),
            variable: setting.variable(),
            default: setting.default_words(),
        }
    }

    /// The origin in a word. Which file it is was said before.
    fn origin(&self) -> String {
        match (self.source, self.place.as_deref()) {
            ("flag", _) => self.flag.clone(),
            (_, None) => self.source.to_owned(),
            (_, Some(place)) => {
                let name = place.rsplit(std::path::MAIN_SEPARATOR).next();
                name.unwrap_or(place).to_owned()
            }
        }
    }
}

fn table(out: Out, told: &Told) -> Result<(), Trouble> {
    let paint = out.paint();
    out.line(match (&told.file, &told.looked_for) {
        (Some(file), _) => format!("settings file: {}", visible(file)),
        (None, Some(place)) => format!("settings file: none; it would be {}", visible(place)),
        (None, None) => "settings file: none".to_owned(),
    })?;
    let heads = format!("{:10}  {:20}  {}", "setting", "from", "value");
    out.line(paint.dim(heads))?;
    for setting in &told.settings {
        let origin = format!("{:20}", visible(&setting.origin()));
        let (name, value) = (setting.name, setting.value.join(", "));
        if setting.source == "default" {
            let value = setting.default;
            out.line(paint.dim(format_args!("{name:10}  {origin}  {value}")))?;
        } else {
            out.line(format_args!("{name:10}  {origin}  {}", visible(&value)))?;
        }
    }
    Ok(())
}

/// A settings file in which every line is a remark.
fn example() -> String {
    let mut text = String::from(EXAMPLE_HEAD);
    for setting in SETTINGS.iter().filter(|setting| setting.is_of_the_file()) {
        let Setting { name, example, .. } = setting;
        let only = if *name == HOME {
            " (only in a file that was named, not in the home's own)"
        } else {
            ""
        };
        let about = format!(
            "{}{only}. Flag --{name}, variable {}; default: {}",
            setting.about,
            setting.variable(),
            setting.default_words()
        );
        text.push('\n');
        text.push_str(&remark(&about));
        text.push('#');
        text.extend([name, " = ", example, "\n"]);
    }
    text
}

/// The text as lines of remarks. Commands in it are not there to be copied, and may be broken.
fn remark(text: &str) -> String {
    let mut lines = String::from("#");
    let mut column = 1;
    for word in text.split(' ') {
        let width = word.chars().count() + 1;
        if column + width > COLUMNS {
            lines.push_str("\n#");
            column = 1;
        }
        lines.push(' ');
        lines.push_str(word);
        column += width;
    }
    lines.push('\n');
    lines
}

/// What a reader should know who has nothing but the file.
const EXAMPLE_HEAD: &str = "\
# Settings of Chordal. It is looked for as chordal.toml in CHORDAL_HOME, or
# where --config FILE or CHORDAL_CONFIG say.
#
# A flag wins over an environment variable, a variable over this file.
# `chordal config` shows what is in force, and where it comes from.
# A node heeds the file when it starts. Nothing ever writes it.
#
# Take the # away in front of a setting to set it. The values are examples.
";

#[cfg(test)]
mod tests;
