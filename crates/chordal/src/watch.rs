//! `status --watch`: the ring as it changes. Full screen on a terminal, else a line at each change.
//!
//! Nothing is drawn while nothing changes: no clock runs, and no spinner turns.

use tokio::sync::mpsc;

use crate::cmd::{Context, Signals};
use crate::out::{colour_is_welcome, terminal_can_move};
use crate::trouble::Trouble;

mod draw;
#[cfg(test)]
pub(crate) mod example;
mod feed;
mod keys;
mod lines;
mod screen;
mod view;

use feed::{Feed, News};
use keys::{Key, Keys};
use screen::Screen;
use view::View;

/// News and keys that wait to be shown; further ones wait at their source.
const WAITING_MAX: usize = 64;

/// Watches until whoever does has seen enough.
pub(crate) async fn run(context: &Context) -> Result<(), Trouble> {
    // Who names no node, or one that does not run, is told so as with any other command.
    let client = context.client()?;
    let (sender, news) = mpsc::channel(WAITING_MAX);
    let feed = Feed::new(context.common.clone(), sender);
    let full = !context.out.json && context.out.is_terminal() && terminal_can_move();
    if full {
        let watching = full_screen(&feed, news);
        tokio::select! {
            seen = watching => seen,
            () = feed.run(client) => Ok(()),
        }
    } else {
        let told = lines::tell(context.out, news);
        tokio::select! {
            told = told => told,
            () = feed.run(client) => Ok(()),
        }
    }
}

async fn full_screen(feed: &Feed, mut news: mpsc::Receiver<News>) -> Result<(), Trouble> {
    let mut signals = Signals::listen()?;
    let mut view = View::new(colour_is_welcome());
    let mut screen = Screen::open()?;
    let mut keys = Keys::listen();
    loop {
        screen.draw(&mut view)?;
        tokio::select! {
            some = news.recv() => match some {
                Some(some) => view.take(some),
                None => return Ok(()),
            },
            key = keys.next() => match key {
                Some(Key::Quit) | None => return Ok(()),
                Some(Key::Check) => feed.check(),
                Some(key) => view.press(key),
            },
            () = signals.next() => return Ok(()),
        }
        // What came meanwhile is drawn together.
        while let Ok(some) = news.try_recv() {
            view.take(some);
        }
    }
}
