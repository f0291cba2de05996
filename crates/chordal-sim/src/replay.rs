//! Replays: what real nodes recorded with `--record`, told again to the same code.
//!
//! Every node of the recordings gets a twin, which hears what the node heard, at the same virtual
//! times, and must decide the same; marks in the recording prove that it is in the same state. It
//! has no network and no disk: what others and the disk answered is in the recording.

mod calendar;
mod life;
mod segment;
mod words;

use std::io::Write;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Result, ensure};

use calendar::Moment;
use life::{Event, Life};
use segment::Segment;
use words::Words;

pub use life::{End, Verdict};

/// What to replay, and what to show of it.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Segments of one node or of several, in any order.
    pub files: Vec<PathBuf>,
    /// Only the nodes whose id begins so, or that listen there; none for all.
    pub nodes: Vec<String>,
    /// Whether steps are shown, or only how it ended.
    pub show: Show,
    /// Show no steps earlier than this after the first recording's start.
    pub from: Option<Duration>,
    /// Show no steps later than this.
    pub to: Option<Duration>,
}

/// How much is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Show {
    /// Every step.
    #[default]
    Steps,
    /// How each node's replay ended.
    Verdicts,
}

/// Replays, and says how it ended for each life of each node. An error is about the files.
pub fn replay(options: &Options, out: &mut dyn Write) -> Result<Vec<Verdict>> {
    let mut segments = Vec::with_capacity(options.files.len());
    for path in &options.files {
        segments.push(Segment::read(path)?);
    }
    let wanted = |segment: &Segment| {
        let begin = &segment.begin;
        let (id, addr) = (begin.node.to_string(), begin.addr.to_string());
        options.nodes.is_empty()
            || options
                .nodes
                .iter()
                .any(|node| id.starts_with(node) || addr == *node)
    };
    segments.retain(wanted);
    ensure!(!segments.is_empty(), "no recording of such a node");
    segments.sort_by_key(|segment| {
        let begin = &segment.begin;
        (begin.node, begin.clock_began_ms, begin.life, begin.segment)
    });
    let of_one_life = |one: &Segment, two: &Segment| one.is_of_same_life(two);
    let mut lives: Vec<Life<'_>> = segments
        .chunk_by(of_one_life)
        .map(Life::new)
        .collect::<Result<_>>()?;
    let began = lives.iter().filter_map(Life::next_at).min();
    let show = Showing {
        options,
        began: began.unwrap_or_default(),
        words: Words::new(&lives),
    };
    if options.show == Show::Steps {
        show.head(&lives, out)?;
    }
    while let Some(life) = next(&mut lives) {
        let at = life.next_at().unwrap_or_default();
        let shown = show.is_shown(at);
        let event = life.advance(shown);
        if shown {
            show.event(at, life, &event, out)?;
        }
    }
    let verdicts: Vec<Verdict> = lives.into_iter().map(Life::verdict).collect();
    for verdict in &verdicts {
        writeln!(out, "{verdict}")?;
    }
    Ok(verdicts)
}

/// The life in which something happens next.
fn next<'l, 's>(lives: &'l mut [Life<'s>]) -> Option<&'l mut Life<'s>> {
    lives
        .iter_mut()
        .filter(|life| life.next_at().is_some())
        .min_by_key(|life| life.next_at())
}

/// What is printed of the steps.
struct Showing<'a> {
    options: &'a Options,
    began: Moment,
    words: Words,
}

impl Showing<'_> {
    fn is_shown(&self, at: Moment) -> bool {
        let since = at.since(self.began);
        self.options.show == Show::Steps
            && self.options.from.is_none_or(|from| since >= from)
            && self.options.to.is_none_or(|to| since <= to)
    }

    fn head(&self, lives: &[Life<'_>], out: &mut dyn Write) -> Result<()> {
        writeln!(out, "began at {}", self.began)?;
        for life in lives {
            let begin = life.begin();
            let (node, name) = (begin.node, self.words.name(begin.node));
            writeln!(out, "{name} is {node} at {}", begin.addr)?;
        }
        Ok(())
    }

    fn event(&self, at: Moment, life: &Life<'_>, event: &Event, out: &mut dyn Write) -> Result<()> {
        let since = at.since(self.began).as_secs_f64();
        let name = self.words.name(life.begin().node);
        let lines = self.words.event(event);
        let Some((first, rest)) = lines.split_first() else {
            return Ok(());
        };
        writeln!(out, "{since:>13.6} {name}  {first}")?;
        for line in rest {
            writeln!(
                out,
                "{:>13} {:width$}    {line}",
                "",
                "",
                width = name.len()
            )?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
