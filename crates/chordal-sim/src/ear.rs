//! What nodes log: every line into the trace, and an error fails the run.
//!
//! An `error!` says that something is lost or stops. A node that says so in the simulator is
//! right, or says it too easily; either is to be looked at.

use std::fmt::{Debug, Write};
use std::sync::{Arc, Mutex, PoisonError};

use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};
use tracing_subscriber::registry;

/// Hears what the nodes of one run log.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ear {
    heard: Arc<Mutex<Vec<Heard>>>,
}

/// A line of a log.
#[derive(Clone, Debug)]
pub(crate) struct Heard {
    /// How bad it is.
    pub(crate) level: Level,
    /// Who said what.
    pub(crate) line: String,
}

impl Ear {
    /// Does something while listening to lines of this level and worse ones.
    pub(crate) fn listen<T>(&self, level: LevelFilter, act: impl FnOnce() -> T) -> T {
        let listening = registry().with(self.clone().with_filter(level));
        tracing::subscriber::with_default(listening, act)
    }

    /// Takes what was heard.
    pub(crate) fn take(&self) -> Vec<Heard> {
        // Nothing panics while it is locked but a formatter, which leaves it whole.
        let mut heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut heard)
    }
}

impl<S: Subscriber> Layer<S> for Ear {
    fn on_event(&self, event: &Event<'_>, _context: Context<'_, S>) {
        let level = *event.metadata().level();
        let mut words = Words(format!("{level} {}:", event.metadata().target()));
        event.record(&mut words);
        let mut heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        heard.push(Heard {
            level,
            line: words.0,
        });
    }
}

struct Words(String);

impl Visit for Words {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        let written = if field.name() == "message" {
            write!(self.0, " {value:?}")
        } else {
            write!(self.0, " {}={value:?}", field.name())
        };
        written.expect("writing to a string does not fail");
    }
}
