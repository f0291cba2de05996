//! What the watcher of the demo sees: steps, and beneath the current one the nodes as they are.
//!
//! On a terminal the nodes are drawn again in place; elsewhere every change is a line.

use std::fmt::Write as _;
use std::io::{IsTerminal, Write as _};
use std::time::Instant;

use chordal_web::api::{Status, Where};
use serde_json::json;

use crate::child::ChildNode;
use crate::out::{Out, size};
use crate::picture::letter;
use crate::trouble::Trouble;

/// Columns of a step's text, before its time.
const STEP_WIDTH: usize = 60;

/// The stage.
#[derive(Debug)]
pub(super) struct Stage {
    out: Out,
    /// Whether lines can be drawn again.
    live: bool,
    begun: Instant,
    step_begun: Instant,
    step: usize,
    title: String,
    ids: Vec<String>,
    /// What is drawn beneath the current step.
    drawn: Vec<String>,
}

impl Stage {
    pub(super) fn new(out: Out) -> Self {
        let now = Instant::now();
        Self {
            out,
            live: !out.json && std::io::stdout().is_terminal() && crate::out::terminal_can_move(),
            begun: now,
            step_begun: now,
            step: 0,
            title: String::new(),
            ids: Vec::new(),
            drawn: Vec::new(),
        }
    }

    /// Says something to everybody but programs.
    pub(super) fn say(&self, text: &str) -> Result<(), Trouble> {
        if self.out.json {
            return Ok(());
        }
        self.out.line(self.out.paint().bold(text))
    }

    /// The nodes in the order of their letters.
    pub(super) fn cast(&mut self, nodes: &[ChildNode]) {
        self.ids = nodes.iter().map(|node| node.id.clone()).collect();
    }

    /// Begins a step.
    pub(super) fn step(&mut self, title: &str) -> Result<(), Trouble> {
        self.step += 1;
        title.clone_into(&mut self.title);
        self.step_begun = Instant::now();
        if self.out.json {
            return Ok(());
        }
        if self.live {
            return self.redraw(vec![self.headline(None)]);
        }
        self.out.line(format_args!(" {}. {title} ...", self.step))
    }

    /// Ends it.
    pub(super) fn done(&mut self) -> Result<(), Trouble> {
        let seconds = self.step_begun.elapsed().as_secs_f64();
        if self.out.json {
            return self
                .out
                .object(&json!({"step": self.title, "seconds": seconds}));
        }
        if !self.live {
            return self.detail(&format!("done after {seconds:.1} s"));
        }
        let mut lines = vec![self.headline(Some(seconds))];
        // What is shown of the nodes stays on the screen.
        lines.extend(self.drawn.iter().skip(1).cloned());
        self.redraw(lines)?;
        self.drawn.clear();
        Ok(())
    }

    /// Adds a fact to the step.
    pub(super) fn detail(&self, text: &str) -> Result<(), Trouble> {
        if self.out.json {
            return Ok(());
        }
        self.out.line(format_args!("    {text}"))
    }

    /// Shows the nodes.
    pub(super) fn show(&mut self, status: &Status) -> Result<(), Trouble> {
        if self.out.json {
            return Ok(());
        }
        let nodes = self.nodes(status);
        if self.live {
            let seconds = self.step_begun.elapsed().as_secs_f64();
            let mut lines = vec![self.headline(Some(seconds))];
            lines.extend(nodes);
            return self.redraw(lines);
        }
        for line in &nodes {
            // The bytes of a node change all the time; only its state is news here.
            if !self.drawn.contains(line) {
                self.out.line(line)?;
            }
        }
        self.drawn = nodes;
        Ok(())
    }

    fn headline(&self, seconds: Option<f64>) -> String {
        let paint = self.out.paint();
        let time = seconds.map_or_else(String::new, |seconds| format!("{seconds:6.1} s"));
        format!(
            " {}. {:STEP_WIDTH$}{}",
            self.step,
            self.title,
            paint.dim(time)
        )
    }

    fn nodes(&self, status: &Status) -> Vec<String> {
        let paint = self.out.paint();
        let line = |index: usize, id: &String| {
            let node = status.ring.nodes.iter().find(|node| node.id == *id)?;
            let mut text = format!("    {}  ", paint.nth(index, letter(index)));
            let words = match node.state.as_str() {
                "alive" => format!("{} answers", paint.green("●")),
                "suspect" => format!("{} does not answer", paint.yellow("◌")),
                "leaving" => format!("{} is leaving", paint.yellow("○")),
                _ => format!(
                    "{} given up: the others make its copies again",
                    paint.red("✘")
                ),
            };
            text.push_str(&words);
            if self.live
                && let Some(used) = node.used_bytes.filter(|_| node.state == "alive")
            {
                // Writing into a string cannot fail.
                write!(text, "   {} on disk", size(used)).ok();
            }
            Some(text)
        };
        let ids = self.ids.iter().enumerate();
        ids.filter_map(|(index, id)| line(index, id)).collect()
    }

    /// Replaces what is drawn beneath and including the current step's headline.
    fn redraw(&mut self, lines: Vec<String>) -> Result<(), Trouble> {
        let mut text = String::new();
        if !self.drawn.is_empty() {
            // Up to the first line that is drawn again, then clear to the end of the screen.
            write!(text, "\x1b[{}A\x1b[J", self.drawn.len()).ok();
        }
        for line in &lines {
            text.push_str(line);
            text.push('\n');
        }
        self.drawn = lines;
        let mut out = std::io::stdout().lock();
        out.write_all(text.as_bytes())
            .and_then(|()| out.flush())
            .map_err(|error| Trouble::output(&error))
    }

    /// The last word.
    pub(super) fn summary(&self, found: &Where) -> Result<(), Trouble> {
        let durable = found
            .holders
            .iter()
            .filter(|holder| holder.copy == "durable")
            .count();
        let seconds = self.begun.elapsed().as_secs_f64();
        if self.out.json {
            return self.out.object(&json!({
                "intact": true,
                "copies": durable,
                "seconds": seconds,
            }));
        }
        let paint = self.out.paint();
        self.out.line(format_args!(
            "{} {durable} copies again, file intact, {seconds:.0} s in all",
            paint.green("✔")
        ))
    }
}
