//! The log: to standard error, or above the menu's prompt while somebody types.

use std::io::{self, Write};
use std::sync::{Mutex, PoisonError};

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;

use crate::cli::Common;
use crate::trouble::Trouble;

/// Where lines go while a prompt must not be torn.
pub(crate) type Printer = Box<dyn FnMut(String) + Send>;

static PRINTER: Mutex<Option<Printer>> = Mutex::new(None);

/// Starts the log. `default` is the filter when nobody asked for another.
pub(crate) fn start(common: &Common, default: &str) -> Result<(), Trouble> {
    let text = common.log.as_deref().unwrap_or(default);
    let filter = filter(text).map_err(|error| {
        Trouble::usage(error).advice("Try --log info, or --log chordal_node=debug.")
    })?;
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(crate::out::colour_is_welcome() && io::IsTerminal::is_terminal(&io::stderr()))
        .with_writer(Lines);
    if common.log_json {
        log.json().init();
    } else {
        log.with_target(false).init();
    }
    Ok(())
}

/// What is logged, or why the text does not say it.
pub(crate) fn filter(text: &str) -> Result<EnvFilter, String> {
    EnvFilter::try_new(text).map_err(|error| format!("'{text}' is not a log filter: {error}"))
}

/// Sends lines through a printer that knows about the prompt, or with nothing to standard error.
pub(crate) fn print_through(printer: Option<Printer>) {
    *PRINTER.lock().unwrap_or_else(PoisonError::into_inner) = printer;
}

/// Prints a line for people where the log goes, without tearing a prompt.
pub(crate) fn tell(line: &str) {
    // A line prints itself when it is dropped, and only then.
    drop(Line(line.as_bytes().to_vec()));
}

struct Lines;

impl<'a> MakeWriter<'a> for Lines {
    type Writer = Line;

    fn make_writer(&'a self) -> Line {
        Line(Vec::new())
    }
}

/// One event's text, printed as a whole.
struct Line(Vec<u8>);

impl Line {
    fn print(&self) {
        if self.0.is_empty() {
            return;
        }
        let mut text = String::from_utf8_lossy(&self.0).into_owned();
        if !text.ends_with('\n') {
            text.push('\n');
        }
        let mut printer = PRINTER.lock().unwrap_or_else(PoisonError::into_inner);
        match printer.as_mut() {
            Some(print) => print(text),
            // There is no other place to complain when standard error is closed.
            None => drop(io::stderr().lock().write_all(text.as_bytes())),
        }
    }
}

impl Write for Line {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        self.print();
        self.0.clear();
    }
}

#[cfg(test)]
mod tests;
