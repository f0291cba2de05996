//! Progress bars: on standard error, and only where somebody looks at it.

use std::fmt::Write;
use std::io::IsTerminal;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use indicatif::{HumanBytes, ProgressBar, ProgressState, ProgressStyle};

/// What a file costs beside its bytes, in bytes that could be sent meanwhile: the time left would
/// be far off where small files come after large ones.
const FILE_COST: u64 = 64 << 10;

/// A bar, or nothing where no person watches.
#[derive(Clone, Debug)]
pub(crate) struct Progress {
    bar: Option<ProgressBar>,
    /// Of a bar over many files, how far it is.
    many: Option<Arc<Many>>,
}

#[derive(Debug)]
struct Many {
    files: u64,
    files_done: AtomicU64,
    bytes_done: AtomicU64,
}

impl Progress {
    /// A bar over so many bytes; without a number the bytes are only counted.
    pub(crate) fn bytes(size: Option<u64>, title: &str) -> Self {
        let template = match size {
            Some(_) => {
                "{msg:20!} {bar:24} {percent:>3} %  {binary_bytes_per_sec:>14}  {eta:>5} left"
            }
            None => "{msg:20!} {spinner} {binary_bytes}  {binary_bytes_per_sec}",
        };
        Self {
            bar: bar(size, style(template), title),
            many: None,
        }
    }

    /// A bar over so many files of so many bytes in all.
    pub(crate) fn files(files: u64, bytes: u64, title: &str) -> Self {
        let many = Arc::new(Many {
            files,
            files_done: AtomicU64::new(0),
            bytes_done: AtomicU64::new(0),
        });
        let style = style("{msg:9!} {bar:20} {files:>17}  {rate:>12}  {eta:>5} left");
        let (for_files, for_rate) = (Arc::clone(&many), Arc::clone(&many));
        let style = style
            .with_key("files", move |_: &ProgressState, to: &mut dyn Write| {
                let done = for_files.files_done.load(Ordering::Relaxed);
                write!(to, "{done}/{} files", for_files.files).unwrap_or_default();
            })
            .with_key("rate", move |state: &ProgressState, to: &mut dyn Write| {
                let rate = for_rate.bytes_per_second(state.pos(), state.per_sec());
                write!(to, "{}/s", HumanBytes(rate)).unwrap_or_default();
            });
        let length = files.saturating_mul(FILE_COST).saturating_add(bytes);
        Self {
            bar: bar(Some(length), style, title),
            many: Some(many),
        }
    }

    /// No bar.
    pub(crate) const fn none() -> Self {
        Self {
            bar: None,
            many: None,
        }
    }

    /// So many more bytes are done.
    pub(crate) fn advance(&self, bytes: u64) {
        if let Some(many) = &self.many {
            many.bytes_done.fetch_add(bytes, Ordering::Relaxed);
        }
        if let Some(bar) = &self.bar {
            bar.inc(bytes);
        }
    }

    /// One more file of many is done.
    pub(crate) fn file_done(&self) {
        let Some(many) = &self.many else {
            return;
        };
        many.files_done.fetch_add(1, Ordering::Relaxed);
        if let Some(bar) = &self.bar {
            bar.inc(FILE_COST);
        }
    }

    /// Removes the bar.
    pub(crate) fn clear(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

impl Many {
    /// The rate in bytes, of one in what a bar counts.
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a rate for people, of some digits"
    )]
    fn bytes_per_second(&self, counted: u64, counted_per_second: f64) -> u64 {
        let bytes = self.bytes_done.load(Ordering::Relaxed);
        (counted_per_second * bytes as f64 / counted.max(1) as f64) as u64
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template)
        .expect("the template is well-formed")
        .progress_chars("█▉▊▋▌▍▎▏ ")
}

fn bar(length: Option<u64>, style: ProgressStyle, title: &str) -> Option<ProgressBar> {
    if !std::io::stderr().is_terminal() {
        return None;
    }
    let bar = match length {
        Some(length) => ProgressBar::new(length),
        None => ProgressBar::no_length(),
    };
    bar.set_style(style);
    bar.set_message(crate::out::visible(title));
    // Work that is over at once should not flash.
    bar.enable_steady_tick(Duration::from_millis(200));
    Some(bar)
}

#[cfg(test)]
mod tests;
