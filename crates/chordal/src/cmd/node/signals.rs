//! The signals that ask a program to end.

use std::io::Read;

use tokio::sync::oneshot;

use crate::trouble::Trouble;

/// Interrupt and, on Unix, terminate and hang-up.
#[derive(Debug)]
pub(crate) struct Signals {
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
    #[cfg(unix)]
    interrupt: tokio::signal::unix::Signal,
    #[cfg(unix)]
    hang_up: tokio::signal::unix::Signal,
    stdin_ended: Option<oneshot::Receiver<()>>,
}

impl Signals {
    /// Listens from here on.
    pub(crate) fn listen() -> Result<Self, Trouble> {
        #[cfg(unix)]
        {
            use tokio::signal::unix::{SignalKind, signal};
            let listen = |kind| {
                signal(kind)
                    .map_err(|error| Trouble::failed("failed", format!("no signals: {error}")))
            };
            Ok(Self {
                terminate: listen(SignalKind::terminate())?,
                interrupt: listen(SignalKind::interrupt())?,
                hang_up: listen(SignalKind::hangup())?,
                stdin_ended: None,
            })
        }
        #[cfg(not(unix))]
        Ok(Self { stdin_ended: None })
    }

    /// Takes the end of standard input for a signal, too.
    pub(crate) fn end_with_stdin(&mut self) {
        let (sender, ended) = oneshot::channel();
        std::thread::spawn(move || {
            let mut ignored = [0; 256];
            let mut stdin = std::io::stdin().lock();
            while stdin.read(&mut ignored).is_ok_and(|count| count > 0) {}
            // A program that stops anyway does not listen any more.
            sender.send(()).ok();
        });
        self.stdin_ended = Some(ended);
    }

    /// Waits for the next one.
    pub(crate) async fn next(&mut self) {
        let Self { stdin_ended, .. } = self;
        let stdin = async {
            match stdin_ended.as_mut() {
                Some(ended) => drop(ended.await),
                None => std::future::pending().await,
            }
            *stdin_ended = None;
        };
        #[cfg(unix)]
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
            _ = self.hang_up.recv() => {}
            () = stdin => {}
        }
        #[cfg(not(unix))]
        tokio::select! {
            // Without a handler the system ends the program by itself.
            _ = tokio::signal::ctrl_c() => {}
            () = stdin => {}
        }
    }
}
