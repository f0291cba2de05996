//! `docs/commands.md`: settings, then every command with usage, arguments and examples, then exit codes.

use std::fmt::Write as _;

use clap::{Arg, Command};

use super::{Described, all, own};
use crate::cli::{self, examples};
use crate::settings::{self, SETTINGS, Scope};
use crate::trouble::EXITS;

/// The page.
pub(crate) fn markdown() -> String {
    let mut root = cli::command();
    root.build();
    let mut page = String::from(HEAD);
    settings_table(&mut page);
    page.push_str("\n## Commands\n");
    // The program itself is what the page is about.
    for described in all(&root).iter().skip(1) {
        section(&mut page, described);
    }
    page.push_str("\n## Exit codes\n\n| code | meaning |\n|---|---|\n");
    for (exit, meaning) in EXITS {
        line(&mut page, format_args!("| {} | {meaning} |", *exit as u8));
    }
    page
}

const HEAD: &str = "\
# Commands

<!-- Made of the program's own flags by `cargo xtask reference --write`. What is changed here by hand is lost. -->

What `chordal COMMAND --help` says, on one page. What the commands print, and what scripts may rely on, is in
[The command line](cli.md). Every command takes `--help`, and `--json`, which prints objects for programs instead of words
for people.

## Settings

A flag wins over its environment variable, a variable over the [settings file](cli.md#settings), the file over the default.
A key of the file is called like the flag. *All* commands heed the first ones; *nodes* are started by `node`, `up` and `join`;
what only *founders* heed, `node` and `up` do, and some of it only in a new ring.

";

fn line(page: &mut String, text: impl std::fmt::Display) {
    writeln!(page, "{text}").expect("a string takes everything");
}

fn settings_table(page: &mut String) {
    page.push_str("| flag | variable | heeded by | default | |\n|---|---|---|---|---|\n");
    for setting in SETTINGS {
        let by = match setting.scope {
            Scope::Everywhere => "all",
            Scope::Running => "nodes",
            Scope::Starting => "founders",
        };
        let flag = cell(&format!("--{} {}", setting.name, setting.value_name));
        line(
            page,
            format_args!(
                "| `{flag}` | `{}` | {by} | {} | {} |",
                setting.variable(),
                cell(setting.default_words()),
                cell(setting.about)
            ),
        );
    }
}

fn section(page: &mut String, described: &Described<'_>) {
    let Described { path, command } = described;
    let level = "#".repeat(2 + path.split(' ').count());
    line(page, format_args!("\n{level} {path}\n"));
    let about = command.get_about().map(ToString::to_string);
    line(page, format_args!("{}.\n", about.unwrap_or_default()));
    let usage = Command::clone(command).render_usage().to_string();
    line(page, "```text");
    for usage in usage.lines() {
        line(page, usage.trim_start_matches("Usage: ").trim());
    }
    line(page, "```");
    arguments(page, command);
    let examples = examples::of(path);
    if !examples.is_empty() {
        line(page, "\n```sh");
        let wide = examples.iter().map(|(typed, _)| typed.len()).max();
        let wide = wide.unwrap_or(0);
        for (typed, what) in examples {
            line(page, format_args!("{typed:wide$}  # {what}"));
        }
        line(page, "```");
    }
}

fn arguments(page: &mut String, command: &Command) {
    let rows: Vec<&Arg> = own(command)
        .filter(|arg| !settings::is_setting(arg))
        .collect();
    if !rows.is_empty() {
        page.push_str("\n| | | default |\n|---|---|---|\n");
    }
    for arg in rows {
        let help = arg.get_help().map(ToString::to_string).unwrap_or_default();
        let values: Vec<String> = arg
            .get_possible_values()
            .iter()
            .filter(|_| arg.get_action().takes_values())
            .map(|value| format!("`{}`", value.get_name()))
            .collect();
        let help = if values.is_empty() {
            help
        } else {
            format!("{help}: {}", values.join(", "))
        };
        let defaults = arg
            .get_default_values()
            .iter()
            .filter(|_| arg.get_action().takes_values());
        let defaults: Vec<_> = defaults
            .map(|value| value.to_string_lossy())
            .filter(|value| !value.is_empty())
            .collect();
        line(
            page,
            format_args!(
                "| `{}` | {} | {} |",
                cell(&name(arg)),
                cell(&help),
                cell(&defaults.join(", "))
            ),
        );
    }
    let set: Vec<String> = own(command)
        .filter(|arg| settings::is_setting(arg))
        .filter_map(|arg| Some(format!("`--{}`", arg.get_long()?)))
        .collect();
    if !set.is_empty() {
        line(
            page,
            format_args!("\n[Settings](#settings): {}.", set.join(", ")),
        );
    }
}

/// `-r`, `--recursive`, or what stands for an argument.
fn name(arg: &Arg) -> String {
    let value = if arg.get_action().takes_values() {
        arg.get_value_names().unwrap_or_default().join(" ")
    } else {
        String::new()
    };
    let flags = [
        arg.get_short().map(|short| format!("-{short}")),
        arg.get_long().map(|long| format!("--{long}")),
    ];
    let flags: Vec<String> = flags.into_iter().flatten().collect();
    let more = match arg.get_num_args() {
        Some(range) if flags.is_empty() && range.max_values() > 1 => "...",
        _ => "",
    };
    format!("{} {value}{more}", flags.join(", "))
        .trim()
        .to_owned()
}

/// A text that does not end its cell.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('\n', " ")
}
