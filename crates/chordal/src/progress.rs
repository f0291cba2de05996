//! Progress bars: on standard error, and only where somebody looks at it.

use std::io::IsTerminal;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

/// A bar, or nothing where no person watches.
#[derive(Clone, Debug)]
pub(crate) struct Progress(Option<ProgressBar>);

impl Progress {
    /// A bar over so many bytes; without a number the bytes are only counted.
    pub(crate) fn bytes(size: Option<u64>, title: &str) -> Self {
        let template = match size {
            Some(_) => {
                "{msg:20!} {bar:24} {percent:>3} %  {binary_bytes_per_sec:>14}  {eta:>5} left"
            }
            None => "{msg:20!} {spinner} {binary_bytes}  {binary_bytes_per_sec}",
        };
        Self::new(size, template, title)
    }

    /// A bar over so many files.
    pub(crate) fn files(count: u64, title: &str) -> Self {
        Self::new(
            Some(count),
            "{msg:20!} {bar:24} {pos}/{len} files  {eta:>5} left",
            title,
        )
    }

    /// No bar.
    pub(crate) fn none() -> Self {
        Self(None)
    }

    fn new(length: Option<u64>, template: &str, title: &str) -> Self {
        if !std::io::stderr().is_terminal() {
            return Self(None);
        }
        let style = ProgressStyle::with_template(template)
            .expect("the template is well-formed")
            .progress_chars("█▉▊▋▌▍▎▏ ");
        let bar = match length {
            Some(length) => ProgressBar::new(length),
            None => ProgressBar::no_length(),
        };
        bar.set_style(style);
        bar.set_message(crate::out::visible(title));
        // Work that is over at once should not flash.
        bar.enable_steady_tick(Duration::from_millis(200));
        Self(Some(bar))
    }

    /// So much more is done.
    pub(crate) fn advance(&self, count: u64) {
        if let Some(bar) = &self.0 {
            bar.inc(count);
        }
    }

    /// Removes the bar.
    pub(crate) fn clear(&self) {
        if let Some(bar) = &self.0 {
            bar.finish_and_clear();
        }
    }
}
