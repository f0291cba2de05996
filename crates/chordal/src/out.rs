//! What goes to standard output: lines and JSON, in colour where that helps.
//!
//! Everything printed goes through here, so that a reader that went away (`| head`) ends the
//! program quietly, and so that no colour code reaches a file.

use std::fmt::{self, Display};
use std::io::{self, IsTerminal, Write};

use serde::Serialize;

use crate::trouble::Trouble;

/// Standard output, in the manner asked for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Out {
    /// Objects for programs instead of words for people.
    pub(crate) json: bool,
    /// Nothing but objects, where those are wanted.
    quiet: bool,
    terminal: bool,
    /// Whether there is more to do than to print.
    works: bool,
    paint: Paint,
}

/// Columns that everything printed fits into.
pub(crate) const COLUMNS: usize = 79;

impl Out {
    /// Looks at the terminal once.
    pub(crate) fn new(json: bool) -> Self {
        let terminal = io::stdout().is_terminal();
        Self {
            json,
            quiet: false,
            terminal,
            works: false,
            paint: Paint {
                on: !json && terminal && colour_is_welcome(),
            },
        }
    }

    /// The same without a word.
    #[must_use]
    pub(crate) const fn silent(self) -> Self {
        Self {
            quiet: true,
            ..self
        }
    }

    /// The same for a command that does more than print: a reader that went away does not end it, nor
    /// hide how it ended.
    #[must_use]
    pub(crate) const fn at_work(self) -> Self {
        Self {
            works: true,
            ..self
        }
    }

    /// Whether nothing is to be said.
    pub(crate) const fn is_quiet(self) -> bool {
        self.quiet
    }

    /// Whether a person looks.
    pub(crate) const fn is_terminal(self) -> bool {
        self.terminal
    }

    /// The colours to use.
    pub(crate) fn paint(self) -> Paint {
        self.paint
    }

    /// Prints a line.
    pub(crate) fn line(self, text: impl Display) -> Result<(), Trouble> {
        if self.quiet {
            return Ok(());
        }
        self.write_line(&text)
    }

    fn write_line(self, text: &impl Display) -> Result<(), Trouble> {
        match write_line(&mut io::stdout().lock(), text) {
            Err(trouble) if self.works && trouble.is_silent() => Ok(()),
            printed => printed,
        }
    }

    /// Prints a name as it is, ended by a NUL byte. No file of a disk has one in its name; where
    /// another client made such a name, only JSON tells it apart.
    #[expect(
        clippy::unused_self,
        reason = "whoever prints was handed the right to; there is one standard output"
    )]
    pub(crate) fn ended_by_nul(self, name: &str) -> Result<(), Trouble> {
        let mut out = io::stdout().lock();
        out.write_all(name.as_bytes())
            .and_then(|()| out.write_all(&[0]))
            .map_err(|error| Trouble::output(&error))
    }

    /// Prints an object as one line, also where nothing else is said.
    pub(crate) fn object(self, value: &impl Serialize) -> Result<(), Trouble> {
        let text = serde_json::to_string(value)
            .map_err(|error| Trouble::failed("failed", error.to_string()))?;
        self.write_line(&text)
    }

    /// Prints the object where JSON is wanted, else what `words` prints.
    pub(crate) fn either(
        self,
        value: &impl Serialize,
        words: impl FnOnce(Self) -> Result<(), Trouble>,
    ) -> Result<(), Trouble> {
        if self.json {
            self.object(value)
        } else {
            words(self)
        }
    }

    /// Prints what is of use to a person only: nothing in a pipe, where results alone belong.
    pub(crate) fn hint(self, text: impl Display) -> Result<(), Trouble> {
        if self.terminal {
            self.ending(text)
        } else {
            Ok(())
        }
    }

    /// Says on standard error what whoever asked should know, also where nothing else is said.
    pub(crate) fn note(self, text: impl Display) {
        let text = self.folded(&visible(&format!("note: {text}")));
        // Where nobody reads there is nothing to be done about it.
        drop(writeln!(io::stderr().lock(), "{text}"));
    }

    /// Prints the last line of a command: what is now true and the next thing to do.
    pub(crate) fn ending(self, text: impl Display) -> Result<(), Trouble> {
        if self.json {
            return Ok(());
        }
        self.line(self.paint.dim(self.folded(&text.to_string())))
    }

    /// The text, folded where a terminal would break words.
    pub(crate) fn folded(self, text: &str) -> String {
        if self.terminal {
            fold(text, COLUMNS)
        } else {
            text.to_owned()
        }
    }
}

fn write_line(to: &mut impl Write, text: &impl Display) -> Result<(), Trouble> {
    writeln!(to, "{text}")
        .and_then(|()| to.flush())
        .map_err(|error| Trouble::output(&error))
}

/// Whether colour codes may be sent to a terminal at all.
pub(crate) fn colour_is_welcome() -> bool {
    let plain = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
    !plain && !dumb
}

/// Whether lines that were printed can be drawn again.
pub(crate) fn terminal_can_move() -> bool {
    std::env::var_os("TERM").is_some_and(|term| term != "dumb")
}

/// Colours, or none.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Paint {
    on: bool,
}

impl Paint {
    /// Colours for standard error.
    pub(crate) fn for_errors() -> Self {
        Self {
            on: io::stderr().is_terminal() && colour_is_welcome(),
        }
    }

    /// No colours.
    #[cfg(test)]
    pub(crate) fn none() -> Self {
        Self { on: false }
    }

    pub(crate) fn bold<T: Display>(self, text: T) -> Painted<T> {
        self.with("1", text)
    }

    pub(crate) fn dim<T: Display>(self, text: T) -> Painted<T> {
        self.with("2", text)
    }

    pub(crate) fn red<T: Display>(self, text: T) -> Painted<T> {
        self.with("31", text)
    }

    pub(crate) fn green<T: Display>(self, text: T) -> Painted<T> {
        self.with("32", text)
    }

    pub(crate) fn yellow<T: Display>(self, text: T) -> Painted<T> {
        self.with("33", text)
    }

    /// One of six colours that are told apart easily, and again from the first.
    pub(crate) fn nth<T: Display>(self, index: usize, text: T) -> Painted<T> {
        const COLOURS: [&str; 6] = ["36", "35", "33", "32", "34", "31"];
        self.with(COLOURS[index % COLOURS.len()], text)
    }

    fn with<T: Display>(self, code: &'static str, text: T) -> Painted<T> {
        Painted {
            code: self.on.then_some(code),
            text,
        }
    }
}

/// A text with its colour.
pub(crate) struct Painted<T> {
    code: Option<&'static str>,
    text: T,
}

impl<T: Display> Display for Painted<T> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.code {
            // `pad` is the text's own affair: codes must not count as width.
            Some(code) => {
                write!(out, "\x1b[{code}m")?;
                self.text.fmt(out)?;
                out.write_str("\x1b[0m")
            }
            None => self.text.fmt(out),
        }
    }
}

/// A size for people: `3.1 MiB`.
pub(crate) fn size(bytes: u64) -> String {
    bytesize::ByteSize::b(bytes).display().iec().to_string()
}

/// A time for people: `40 s`, `12 min`, `3 h 20 min`.
pub(crate) fn time(seconds: u64) -> String {
    match seconds {
        0..100 => format!("{seconds} s"),
        100..6000 => format!("{} min", seconds.div_ceil(60)),
        _ => format!("{} h {} min", seconds / 3600, seconds % 3600 / 60),
    }
}

/// "1 file", "2 files".
pub(crate) fn count(number: impl Into<u64>, noun: &str) -> String {
    let number = number.into();
    match (number, noun.strip_suffix('y')) {
        (1, _) => format!("1 {noun}"),
        (_, Some(stem)) => format!("{number} {stem}ies"),
        (_, None) => format!("{number} {noun}s"),
    }
}

/// Breaks a text between words. A command, from `chordal` to the end of the text, stays in one
/// piece, so that it can be copied.
pub(crate) fn fold(text: &str, columns: usize) -> String {
    let command = text.find("chordal ").unwrap_or(text.len());
    let command = if text
        .get(..command)
        .is_some_and(|before| before.ends_with('`'))
    {
        command - 1
    } else {
        command
    };
    let (words, command) = text.split_at(command);
    let mut folded = String::new();
    let mut column = 0;
    for word in words
        .split(' ')
        .chain([command])
        .filter(|word| !word.is_empty())
    {
        let width = word.chars().count();
        if column > 0 && column + 1 + width > columns {
            folded.push('\n');
            column = 0;
        } else if column > 0 {
            folded.push(' ');
            column += 1;
        }
        folded.push_str(word);
        column += width;
    }
    folded
}

/// A key, shortened: a wide ring's keys have 32 digits, and the first ones tell them apart.
pub(crate) fn short_key(key: &str) -> String {
    match key.get(..8) {
        Some(first) if key.len() > 12 => format!("{first}…"),
        _ => key.to_owned(),
    }
}

/// A text from the ring, made safe for a terminal: control characters are shown, not obeyed.
pub(crate) fn visible(text: &str) -> String {
    text.chars()
        .flat_map(|letter| {
            let escape = letter.is_control();
            let (escaped, plain) = if escape {
                (Some(letter.escape_default()), None)
            } else {
                (None, Some(letter))
            };
            escaped.into_iter().flatten().chain(plain)
        })
        .collect()
}

/// The first eight digits of an id.
pub(crate) fn short(id: &str) -> &str {
    id.get(..8).unwrap_or(id)
}

#[cfg(test)]
mod tests;
