//! What is typed while the ring is watched.

use std::time::Duration;

use ratatui::crossterm::event::{self, Event, KeyCode, KeyEventKind, KeyModifiers};
use tokio::sync::mpsc;

use super::WAITING_MAX;

/// How long the thread that reads keys may outlive whoever listens.
const LISTEN: Duration = Duration::from_millis(200);

/// What a key is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Key {
    /// Ends.
    Quit,
    /// Shows the help, or hides it.
    Help,
    /// Has the ring walked now.
    Check,
    /// Moves the list by so many rows.
    Rows(i32),
    /// Moves it by so many pages.
    Pages(i32),
    /// To its first row.
    First,
    /// To its last one.
    Last,
    /// Nothing was typed, but the terminal is another.
    Resized,
}

/// Keys as they come.
#[derive(Debug)]
pub(super) struct Keys(mpsc::Receiver<Key>);

impl Keys {
    /// Listens from here on, on a thread of its own.
    pub(super) fn listen() -> Self {
        let (sender, keys) = mpsc::channel(WAITING_MAX);
        std::thread::spawn(move || {
            while !sender.is_closed() {
                let key = match event::poll(LISTEN) {
                    Ok(false) => continue,
                    Ok(true) => event::read().map(|event| meaning(&event)),
                    Err(error) => Err(error),
                };
                let sent = match key {
                    Ok(Some(key)) => sender.blocking_send(key).is_ok(),
                    Ok(None) => true,
                    Err(_) => false,
                };
                if !sent {
                    return;
                }
            }
        });
        Self(keys)
    }

    /// The next one; nothing when the terminal has gone.
    pub(super) async fn next(&mut self) -> Option<Key> {
        self.0.recv().await
    }
}

/// What each key is for.
const MEANINGS: [(KeyCode, Key); 18] = [
    (KeyCode::Char('q'), Key::Quit),
    (KeyCode::Char('Q'), Key::Quit),
    (KeyCode::Esc, Key::Quit),
    (KeyCode::Char('?'), Key::Help),
    (KeyCode::Char('h'), Key::Help),
    (KeyCode::F(1), Key::Help),
    (KeyCode::Char('c'), Key::Check),
    (KeyCode::Up, Key::Rows(-1)),
    (KeyCode::Char('k'), Key::Rows(-1)),
    (KeyCode::Down, Key::Rows(1)),
    (KeyCode::Char('j'), Key::Rows(1)),
    (KeyCode::PageUp, Key::Pages(-1)),
    (KeyCode::PageDown, Key::Pages(1)),
    (KeyCode::Char(' '), Key::Pages(1)),
    (KeyCode::Home, Key::First),
    (KeyCode::Char('g'), Key::First),
    (KeyCode::End, Key::Last),
    (KeyCode::Char('G'), Key::Last),
];

/// What an event is for, if it is for anything.
pub(super) fn meaning(event: &Event) -> Option<Key> {
    if let Event::Resize(..) = event {
        return Some(Key::Resized);
    }
    let Event::Key(key) = event else {
        return None;
    };
    if key.kind == KeyEventKind::Release {
        return None;
    }
    if key.modifiers.contains(KeyModifiers::CONTROL) {
        let ends = matches!(key.code, KeyCode::Char('c' | 'd'));
        return ends.then_some(Key::Quit);
    }
    let found = MEANINGS.iter().find(|(code, _)| *code == key.code);
    found.map(|(_, key)| *key)
}

#[cfg(test)]
mod tests;
