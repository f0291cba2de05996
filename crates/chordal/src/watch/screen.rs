//! The terminal while it is ours: the other page of it, without echo and cursor. It is given back
//! whatever happens, also when the program fails on the way.

use ratatui::DefaultTerminal;

use super::draw;
use super::view::View;
use crate::trouble::Trouble;

/// The whole terminal.
#[derive(Debug)]
pub(super) struct Screen(DefaultTerminal);

impl Screen {
    /// Takes the terminal. A panic gives it back before it says anything.
    pub(super) fn open() -> Result<Self, Trouble> {
        ratatui::try_init().map(Self).map_err(|error| {
            Trouble::failed(
                "failed",
                format!("the terminal cannot be drawn on: {error}"),
            )
            .advice("Without a terminal: chordal status --watch | cat")
        })
    }

    /// Shows a view. Only what differs from what is there is sent.
    pub(super) fn draw(&mut self, view: &mut View) -> Result<(), Trouble> {
        let drawn = self.0.draw(|frame| draw::draw(frame, view));
        drawn.map(drop).map_err(|error| Trouble::output(&error))
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        ratatui::restore();
    }
}
