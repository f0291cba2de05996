//! What went wrong, told to people and to scripts, and the exit code that goes with it.
//!
//! Every error is one short paragraph: what happened, what is still true, what to do.

use std::ops::Deref;
use std::process::ExitCode;

use crate::out::visible;
use chordal_web::problem::{Code, Missing, Problem};
use serde::Serialize;

/// How the program ends. The numbers are a contract with scripts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Exit {
    Done = 0,
    Failed = 1,
    Usage = 2,
    NotFound = 3,
    TooFewCopies = 4,
    Refused = 5,
}

/// All of them, with what they mean.
pub(crate) static EXITS: &[(Exit, &str)] = &[
    (Exit::Done, "done"),
    (Exit::Failed, "failed"),
    (
        Exit::Usage,
        "usage: the command, a setting, a name or an address makes no sense",
    ),
    (Exit::NotFound, "not found: a file, or a node"),
    (
        Exit::TooFewCopies,
        "not enough copies can be reached, or this node sees only a minority of its ring",
    ),
    (
        Exit::Refused,
        "refused: the ring would not have the node, leaving, forgetting or expelling would lose copies, \
         or only the ring's authority may do it",
    ),
];

impl Exit {
    /// The meaning in a word or two.
    pub(crate) fn short(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Usage => "usage",
            Self::NotFound => "not found",
            Self::TooFewCopies => "not enough copies reachable",
            Self::Refused => "refused",
        }
    }
}

/// An error with its exit code.
#[derive(Clone, Debug, Serialize)]
#[serde(transparent)]
pub(crate) struct Trouble(Box<Told>);

/// What is told of an error. Boxed, because errors travel through everything and are rare.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Told {
    /// Stable, for scripts.
    pub(crate) code: String,
    /// What happened.
    pub(crate) message: String,
    /// What is still true.
    pub(crate) still_true: String,
    /// What to do.
    pub(crate) to_do: String,
    /// Nodes whose silence is the reason.
    pub(crate) missing: Vec<Missing>,
    #[serde(skip)]
    exit: Exit,
}

impl Deref for Trouble {
    type Target = Told;

    fn deref(&self) -> &Told {
        &self.0
    }
}

impl Trouble {
    /// Something failed, and no other exit code fits.
    pub(crate) fn failed(code: &str, message: impl Into<String>) -> Self {
        Self::ending(Exit::Failed, code, message)
    }

    /// An error with an exit code of its own.
    pub(crate) fn ending(exit: Exit, code: &str, message: impl Into<String>) -> Self {
        Self(Box::new(Told {
            code: code.to_owned(),
            message: message.into(),
            still_true: "Nothing was changed.".to_owned(),
            to_do: String::new(),
            missing: Vec::new(),
            exit,
        }))
    }

    /// The command makes no sense as it was typed.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::ending(Exit::Usage, "usage", message)
    }

    /// There is no such file.
    pub(crate) fn not_found(message: impl Into<String>) -> Self {
        Self::ending(Exit::NotFound, "not_found", message)
    }

    /// A file of this machine could not be read or written.
    pub(crate) fn file(path: &std::path::Path, error: &std::io::Error) -> Self {
        let path = visible(&path.display().to_string());
        Self::failed("io", format!("{path}: {}", in_words(error)))
    }

    /// Whoever read our output has gone: the silent end of `chordal ls | head`.
    pub(crate) fn output(error: &std::io::Error) -> Self {
        if error.kind() == std::io::ErrorKind::BrokenPipe {
            return Self::ending(Exit::Done, "broken_pipe", "");
        }
        Self::failed("io", format!("standard output: {error}"))
    }

    /// The same with what is still true.
    #[must_use]
    pub(crate) fn still(mut self, sentence: impl Into<String>) -> Self {
        self.0.still_true = sentence.into();
        self
    }

    /// The same with what to do.
    #[must_use]
    pub(crate) fn advice(mut self, sentence: impl Into<String>) -> Self {
        self.0.to_do = sentence.into();
        self
    }

    /// The same with a beginning that says what it is about.
    #[must_use]
    pub(crate) fn with(mut self, subject: &str) -> Self {
        self.0.message = format!("{subject}: {}", self.message);
        self
    }

    /// The same with the nodes whose silence is the reason.
    #[must_use]
    pub(crate) fn about(mut self, missing: Vec<Missing>) -> Self {
        self.0.missing = missing;
        self
    }

    /// Whether there is anything to tell.
    pub(crate) fn is_silent(&self) -> bool {
        self.exit == Exit::Done
    }

    /// How the program should end.
    pub(crate) fn exit(&self) -> Exit {
        self.exit
    }

    /// The paragraph for people.
    pub(crate) fn paragraph(&self) -> String {
        let mut text = sentence(&self.message);
        if !self.missing.is_empty() {
            let nodes: Vec<String> = self.missing.iter().map(ToString::to_string).collect();
            text.push_str(" Not answering, or not caught up yet: ");
            text.push_str(&nodes.join(", "));
            text.push('.');
        }
        for part in [&self.still_true, &self.to_do] {
            if !part.is_empty() {
                text.push(' ');
                text.push_str(part);
            }
        }
        text
    }
}

impl From<Problem> for Trouble {
    fn from(problem: Problem) -> Self {
        let code = serde_json::to_value(problem.code)
            .ok()
            .and_then(|value| value.as_str().map(str::to_owned))
            .unwrap_or_else(|| "failed".to_owned());
        Self(Box::new(Told {
            code,
            exit: exit_of(problem.code),
            message: problem.message,
            still_true: problem.still_true,
            to_do: problem.to_do,
            missing: problem.missing,
        }))
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "codes may be added by the API; those without an exit code of their own are failures"
)]
fn exit_of(code: Code) -> Exit {
    match code {
        Code::BadRequest => Exit::Usage,
        Code::NotFound | Code::UnknownNode => Exit::NotFound,
        Code::TooFewCopies | Code::Minority => Exit::TooFewCopies,
        Code::Refused | Code::Conflict => Exit::Refused,
        _ => Exit::Failed,
    }
}

/// The text with a full stop.
fn sentence(text: &str) -> String {
    let text = text.trim();
    if text.ends_with(['.', '!', '?']) {
        text.to_owned()
    } else {
        format!("{text}.")
    }
}

/// What the system says, without its number.
fn in_words(error: &std::io::Error) -> String {
    let said = error.to_string();
    let number = error
        .raw_os_error()
        .map(|number| format!(" (os error {number})"));
    let said = number
        .and_then(|number| said.strip_suffix(number.as_str()).map(str::to_owned))
        .unwrap_or(said);
    let mut letters = said.chars();
    let first = letters
        .next()
        .map(|letter| letter.to_lowercase().to_string());
    first.unwrap_or_default() + letters.as_str()
}

#[cfg(test)]
mod tests;
