//! Lines from a person, or from a pipe.
//!
//! Reading blocks, so a thread of its own does it. The thread may be left waiting for ever: the
//! program ends without it, and gives the terminal back as it found it.

use std::io::{self, BufRead, IsTerminal, Write};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use rustyline::error::ReadlineError;
use rustyline::{DefaultEditor, ExternalPrinter};
use tokio::sync::oneshot;

use crate::log;

/// A question, and where the answer goes; nothing at the end of the input.
type Question = (String, oneshot::Sender<Option<String>>);

/// Whoever types.
#[derive(Debug)]
pub(crate) struct Prompt {
    questions: std::sync::mpsc::Sender<Question>,
    printer: Arc<Mutex<Option<Shared>>>,
    terminal: Terminal,
    is_terminal: bool,
}

/// A printer that all threads may use.
struct Shared(Box<dyn FnMut(String) + Send>);

impl std::fmt::Debug for Shared {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("Shared")
    }
}

impl Prompt {
    /// Line editing on a terminal, plain lines elsewhere.
    pub(crate) fn open() -> Self {
        let (questions, asked) = std::sync::mpsc::channel();
        let terminal = Terminal::remember();
        let printer = Arc::new(Mutex::new(None));
        let editor = if io::stdin().is_terminal() && io::stdout().is_terminal() {
            editor(&printer)
        } else {
            None
        };
        let is_terminal = editor.is_some();
        thread::spawn(move || match editor {
            Some(editor) => edit(editor, &asked),
            None => read_lines(&asked),
        });
        Self {
            questions,
            printer,
            terminal,
            is_terminal,
        }
    }

    /// Whether a person edits lines there.
    pub(crate) fn is_terminal(&self) -> bool {
        self.is_terminal
    }

    /// Prints lines above the prompt; nothing where there is no prompt to tear.
    pub(crate) fn printer(&self) -> Option<log::Printer> {
        self.printer
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take()
            .map(|Shared(printer)| printer)
    }

    /// Asks for a line. An answer that nobody waits for any more is lost.
    pub(crate) async fn ask(&self, question: &str) -> Option<String> {
        let (sender, answer) = oneshot::channel();
        self.questions.send((question.to_owned(), sender)).ok()?;
        answer.await.ok().flatten()
    }

    /// Gives the terminal back as it was.
    pub(crate) fn close(&self) {
        self.terminal.restore();
    }
}

fn editor(printer: &Mutex<Option<Shared>>) -> Option<DefaultEditor> {
    let mut editor = DefaultEditor::new().ok()?;
    if let Ok(mut external) = editor.create_external_printer() {
        let print = move |text: String| {
            // A terminal that went away has no reader.
            drop(external.print(text));
        };
        *printer.lock().unwrap_or_else(PoisonError::into_inner) = Some(Shared(Box::new(print)));
    }
    Some(editor)
}

/// Answers questions from a terminal, until nobody asks.
fn edit(mut editor: DefaultEditor, asked: &std::sync::mpsc::Receiver<Question>) {
    while let Ok((question, answer)) = asked.recv() {
        let line = match editor.readline(&question) {
            Ok(line) => {
                // Without history the arrow keys do nothing, which is no reason to stop.
                drop(editor.add_history_entry(&line));
                Some(line)
            }
            // Ctrl-C and Ctrl-D: the user wants out.
            Err(ReadlineError::Interrupted | ReadlineError::Eof) => Some("0".to_owned()),
            Err(_) => None,
        };
        drop(answer.send(line));
    }
}

/// Answers questions from a pipe, until nobody asks.
fn read_lines(asked: &std::sync::mpsc::Receiver<Question>) {
    let mut lines = io::stdin().lock();
    while let Ok((question, answer)) = asked.recv() {
        let mut out = io::stdout().lock();
        // A reader that went away shows at the next line of output.
        drop(
            out.write_all(question.as_bytes())
                .and_then(|()| out.flush()),
        );
        drop(out);
        let mut line = String::new();
        let read = lines.read_line(&mut line).unwrap_or(0);
        drop(answer.send((read > 0).then_some(line)));
    }
}

/// The terminal's settings, to be given back: the program may end while a line is being edited.
#[derive(Debug)]
struct Terminal {
    #[cfg(unix)]
    settings: Option<rustix::termios::Termios>,
}

impl Terminal {
    fn remember() -> Self {
        Self {
            #[cfg(unix)]
            settings: rustix::termios::tcgetattr(io::stdin()).ok(),
        }
    }

    fn restore(&self) {
        #[cfg(unix)]
        if let Some(settings) = &self.settings {
            use rustix::termios::{OptionalActions, tcsetattr};
            // A terminal that went away needs nothing back.
            tcsetattr(io::stdin(), OptionalActions::Now, settings).ok();
        }
    }
}
