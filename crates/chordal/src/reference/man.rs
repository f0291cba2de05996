//! Pages for `man`: one of the program, one of each command.

use std::fmt::Write as _;
use std::io;

use clap::Command;
use clap_mangen::Man;

use super::{Described, all};
use crate::cli::{self, examples};
use crate::settings::SETTINGS;
use crate::trouble::EXITS;

/// A page, and the file it belongs into.
#[derive(Debug)]
pub(crate) struct Page {
    pub(crate) file: String,
    pub(crate) text: String,
}

/// The program's own page.
pub(crate) fn page() -> io::Result<Page> {
    let mut root = cli::command();
    root.build();
    let described = all(&root);
    one(described.first().expect("the program is there"), &described)
}

/// All pages.
pub(crate) fn pages() -> io::Result<Vec<Page>> {
    let mut root = cli::command();
    root.build();
    let described = all(&root);
    described
        .iter()
        .map(|one_of| one(one_of, &described))
        .collect()
}

fn one(described: &Described<'_>, all: &[Described<'_>]) -> io::Result<Page> {
    let Described { path, command } = described;
    let name = page_name(path);
    let page = Man::new(named(Command::clone(command), &name))
        .source(concat!("chordal ", env!("CARGO_PKG_VERSION")))
        .manual("Chordal");
    let mut bytes = Vec::new();
    page.render_title(&mut bytes)?;
    page.render_name_section(&mut bytes)?;
    page.render_synopsis_section(&mut bytes)?;
    page.render_description_section(&mut bytes)?;
    page.render_options_section(&mut bytes)?;
    let mut text = String::from_utf8_lossy(&bytes).into_owned();
    below(&mut text, path, all);
    examples_section(&mut text, path);
    if path.is_empty() {
        environment(&mut text);
        files(&mut text);
    }
    exit_status(&mut text);
    if !path.is_empty() {
        let others = "chordal(1); the settings and their variables are there";
        put(&mut text, format_args!(".SH \"SEE ALSO\"\n{others}"));
    }
    Ok(Page {
        file: format!("{name}.1"),
        text,
    })
}

/// The command under the page's name; usage stays as it is typed.
fn named(command: Command, name: &str) -> Command {
    command.display_name(name.to_owned()).after_help("")
}

fn page_name(path: &str) -> String {
    format!("chordal {path}").trim().replace(' ', "-")
}

fn put(text: &mut String, line: impl std::fmt::Display) {
    writeln!(text, "{line}").expect("a string takes everything");
}

/// A text in which nothing is an instruction to the typesetter.
fn plain(text: &str) -> String {
    let text = text.replace('\\', "\\e").replace('-', "\\-");
    if text.starts_with(['.', '\'']) {
        format!("\\&{text}")
    } else {
        text
    }
}

/// A term and what it means.
fn term(text: &mut String, term: &str, meaning: &str) {
    put(
        text,
        format_args!(".TP\n\\fB{}\\fR\n{}", plain(term), plain(meaning)),
    );
}

fn below(text: &mut String, path: &str, all: &[Described<'_>]) {
    let words = |path: &str| path.split(' ').filter(|word| !word.is_empty()).count();
    let is_below = |other: &&Described<'_>| {
        words(&other.path) == words(path) + 1
            && (path.is_empty() || other.path.starts_with(&format!("{path} ")))
    };
    let below: Vec<_> = all.iter().filter(is_below).collect();
    if below.is_empty() {
        return;
    }
    put(text, ".SH COMMANDS");
    for other in below {
        let about = other.command.get_about().map(ToString::to_string);
        let about = about.unwrap_or_default();
        term(text, &format!("{}(1)", page_name(&other.path)), &about);
    }
}

fn examples_section(text: &mut String, path: &str) {
    let examples = if path.is_empty() {
        examples::FIRST_STEPS
    } else {
        examples::of(path)
    };
    if !examples.is_empty() {
        put(text, ".SH EXAMPLES");
    }
    for (typed, what) in examples {
        term(text, typed, what);
    }
}

fn environment(text: &mut String) {
    put(text, ".SH ENVIRONMENT");
    for setting in SETTINGS {
        let about = format!("as --{}: {}", setting.name, setting.about);
        term(text, &setting.variable(), &about);
    }
    term(text, "NO_COLOR", "no colours, if it is not empty");
}

fn files(text: &mut String) {
    put(text, ".SH FILES");
    term(
        text,
        "CHORDAL_HOME/chordal.toml",
        "settings; `chordal config --example` prints one to begin with",
    );
    term(
        text,
        "CHORDAL_HOME/nodes/PORT/",
        "a node's identity and data",
    );
}

fn exit_status(text: &mut String) {
    put(text, ".SH \"EXIT STATUS\"");
    for (exit, meaning) in EXITS {
        term(text, &(*exit as u8).to_string(), meaning);
    }
}
