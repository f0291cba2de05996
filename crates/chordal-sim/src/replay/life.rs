//! One node's recording between a start and a stop, told again to a twin.

use std::any::Any;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use anyhow::{Context, Result};
use chordal_object::Key;
use chordal_proto::member::Token;
use chordal_proto::recording::{
    Begin, Damage, Divergence, Frames, Item, Mark, Start, Step, Told, Twin,
};
use chordal_proto::{Effect, Fingerprint, Reason, Time};

use super::calendar::Moment;
use super::segment::Segment;

/// The replay of one life.
#[derive(Debug)]
pub(super) struct Life<'s> {
    segments: std::iter::Peekable<std::slice::Iter<'s, Segment>>,
    /// The segment being replayed.
    segment: &'s Segment,
    items: Frames<'s>,
    twin: Twin,
    /// What happens next, unless it is over.
    next: Option<Next>,
    last: Time,
    tally: Tally,
    end: End,
}

#[derive(Debug)]
enum Next {
    /// The life, or what is left of it, begins.
    Birth(Vec<Effect>),
    Item(Box<Item>),
}

/// What was replayed.
#[derive(Clone, Copy, Debug, Default)]
struct Tally {
    inputs: u64,
    marks: u64,
    /// Inputs that the recorder left out.
    lost: u64,
    /// Segments that are not there.
    missing: u64,
}

/// Something happened in a replay.
#[derive(Debug)]
#[expect(
    clippy::large_enum_variant,
    reason = "one at a time, and nearly every one is the large one"
)]
pub(super) enum Event {
    /// A life begins, or its oldest segment.
    Began {
        is_birth: bool,
        effects: Vec<Effect>,
    },
    /// The twin was told something.
    Told {
        told: Told,
        /// What the twin was to wake for next.
        due: Option<Reason>,
        effects: Vec<Effect>,
        /// Tokens whose successor lists became these.
        successors: Vec<(Key, Vec<Token>)>,
    },
    /// The twin is in the state that was recorded.
    Same(Fingerprint),
    /// The next segment goes on where the one before ended.
    Continued(u64),
    /// So many inputs are not in the recording; the twin goes on from the recorded state.
    Skipped(u64),
    /// The replay is over.
    Ended(End),
}

/// How a life's replay ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// The node stopped, and the twin ended in the same state.
    Stopped(Fingerprint),
    /// The recording ends without a stop: the node was killed, or goes on. The twin decided the
    /// same up to there.
    Open(Fingerprint),
    /// The core failed as the node's did, or did not.
    Panicked(String),
    /// The twin differs from the node.
    Diverged {
        /// At which input, from 1.
        input: u64,
        /// When, by the node's clock.
        at: Duration,
        /// How.
        how: Divergence,
    },
    /// The recording cannot be read on.
    Unreadable {
        /// Which file.
        file: String,
        /// After so many bytes of it.
        position: u64,
        /// Why.
        why: String,
    },
}

/// What a replay says of one life.
#[derive(Clone, Debug)]
pub struct Verdict {
    /// Whose.
    pub begin: Begin,
    /// How it ended.
    pub end: End,
    /// Inputs that were told again.
    pub inputs: u64,
    /// Effects that were decided again.
    pub decisions: u64,
    /// Marks at which the state was compared.
    pub marks: u64,
    /// Inputs that the recorder left out because the disk was too slow.
    pub lost: u64,
    /// Segments that were not given, or not kept.
    pub missing: u64,
}

impl Verdict {
    /// Whether everything that is recorded came out the same.
    pub const fn is_same(&self) -> bool {
        matches!(self.end, End::Stopped(_) | End::Open(_))
    }
}

impl<'s> Life<'s> {
    /// The life that these segments are of, in order.
    pub(super) fn new(segments: &'s [Segment]) -> Result<Self> {
        let mut segments = segments.iter().peekable();
        let segment = segments.next().context("a life has a segment")?;
        let born = || Twin::new(&segment.begin);
        let (twin, effects) = catch_unwind(AssertUnwindSafe(born))
            .map_err(|panic| anyhow::anyhow!("the core fails at once: {}", words(&*panic)))
            .and_then(|born| born.map_err(anyhow::Error::from))
            .with_context(|| segment.path.display().to_string())?;
        Ok(Self {
            segments,
            segment,
            items: segment.items()?,
            twin,
            next: Some(Next::Birth(effects)),
            last: segment.begin.at,
            tally: Tally {
                missing: segment.begin.segment,
                ..Tally::default()
            },
            end: End::Panicked("not begun".to_owned()),
        })
    }

    pub(super) const fn begin(&self) -> &'s Begin {
        &self.segment.begin
    }

    /// When something happens next; nothing when it is over.
    pub(super) fn next_at(&self) -> Option<Moment> {
        let at = match self.next.as_ref()? {
            Next::Birth(_) => self.segment.begin.at,
            Next::Item(item) => match &**item {
                Item::Begin(begin) => begin.at,
                Item::Step(step) => step.at,
                Item::Mark(mark) | Item::End(mark) => mark.at,
            },
        };
        Some(self.moment(at))
    }

    fn moment(&self, at: Time) -> Moment {
        let began = self.segment.begin.clock_began_ms;
        Moment::new(began, at.since(Time::default()))
    }

    /// Lets the next thing happen. Changes of successor lists are looked for when it is `shown`.
    pub(super) fn advance(&mut self, shown: bool) -> Event {
        let event = match self.next.take() {
            None => return Event::Ended(self.end.clone()),
            Some(Next::Birth(effects)) => Event::Began {
                is_birth: matches!(self.segment.begin.start, Start::Life(_)),
                effects,
            },
            Some(Next::Item(item)) => match *item {
                Item::Step(step) => self.step(step, shown),
                Item::Mark(mark) => match self.compare(&mark) {
                    Ok(()) => Event::Same(mark.state),
                    Err(end) => return self.over(end),
                },
                Item::End(mark) => {
                    let end = self.compare(&mark).err();
                    return self.over(end.unwrap_or(End::Stopped(mark.state)));
                }
                Item::Begin(begin) => match self.resume(&begin) {
                    Ok(event) => event,
                    Err(end) => return self.over(end),
                },
            },
        };
        if matches!(event, Event::Ended(_)) {
            return event;
        }
        match self.read() {
            Ok(next) => self.next = Some(Next::Item(Box::new(next))),
            // The last thing still shows; how it ended is in the verdict.
            Err(end) => self.end = end,
        }
        event
    }

    fn step(&mut self, step: Step, shown: bool) -> Event {
        let (at, told) = (step.at, step.told.clone());
        self.last = at;
        let due = self.twin.peer().deadline().map(|(_, reason)| reason);
        let before = if shown { self.lists() } else { Vec::new() };
        let decided = catch_unwind(AssertUnwindSafe(|| self.twin.step(step)));
        let effects = match decided {
            Ok(Ok(effects)) => effects,
            Ok(Err(how)) => return self.over(self.diverged(at, how)),
            Err(panic) => return self.over(End::Panicked(words(&*panic))),
        };
        self.tally.inputs += 1;
        let mut successors = if shown { self.lists() } else { Vec::new() };
        successors.retain(|list| !before.contains(list));
        Event::Told {
            told,
            due,
            effects,
            successors,
        }
    }

    fn compare(&mut self, mark: &Mark) -> Result<(), End> {
        self.last = mark.at;
        self.twin
            .check(mark)
            .map_err(|how| self.diverged(mark.at, how))?;
        self.tally.marks += 1;
        Ok(())
    }

    /// The next segment: the state it begins with is the one reached, unless something is missing.
    fn resume(&mut self, begin: &Begin) -> Result<Event, End> {
        let Start::State(snapshot, decided) = &begin.start else {
            return Err(self.unreadable("a life begins twice".to_owned()));
        };
        let missing = begin.segment.saturating_sub(self.segment.begin.segment + 1);
        self.last = begin.at;
        let Some(segment) = self.segments.next() else {
            return Err(self.unreadable("a segment is gone".to_owned()));
        };
        let (before, gap) = (self.segment, begin.lost > 0 || missing > 0);
        if !gap {
            let mark = Mark {
                at: begin.at,
                decided: *decided,
                state: Fingerprint::of(snapshot),
            };
            self.compare(&mark)?;
        }
        self.segment = segment;
        self.items = match segment.items() {
            Ok(items) => items,
            Err(error) => return Err(self.unreadable(error.to_string())),
        };
        if !gap {
            return Ok(Event::Continued(before.begin.segment + 1));
        }
        self.tally.lost += begin.lost;
        self.tally.missing += missing;
        match Twin::new(begin) {
            Ok((twin, _)) => self.twin = twin,
            Err(error) => return Err(self.unreadable(error.to_string())),
        }
        Ok(Event::Skipped(begin.lost))
    }

    /// What comes next in this segment, or in the one after it.
    fn read(&mut self) -> Result<Item, End> {
        match self.items.next() {
            Some(Ok(Item::Begin(_))) => Err(self.unreadable("it begins twice".to_owned())),
            Some(Ok(item)) => Ok(item),
            Some(Err(damage @ (Damage::Damaged | Damage::OtherBuild | Damage::NotARecording))) => {
                Err(self.unreadable(damage.to_string()))
            }
            // A segment that breaks off is the last one, unless its node was cut off in it.
            Some(Err(Damage::Cut)) | None => match self.segments.peek() {
                Some(segment) => Ok(Item::Begin(Box::new(segment.begin.clone()))),
                None => Err(End::Open(self.twin.peer().fingerprint())),
            },
        }
    }

    fn over(&mut self, end: End) -> Event {
        self.next = None;
        self.end = end.clone();
        Event::Ended(end)
    }

    fn diverged(&self, at: Time, how: Divergence) -> End {
        End::Diverged {
            input: self.tally.inputs,
            at: at.since(Time::default()),
            how,
        }
    }

    fn unreadable(&self, why: String) -> End {
        End::Unreadable {
            file: self.segment.path.display().to_string(),
            position: self.items.position(),
            why,
        }
    }

    fn lists(&self) -> Vec<(Key, Vec<Token>)> {
        let peer = self.twin.peer();
        let tokens = peer.tokens();
        tokens
            .iter()
            .map(|token| (token.key, peer.successors(token.key)))
            .collect()
    }

    /// What is to be said of it in the end.
    pub(super) fn verdict(self) -> Verdict {
        Verdict {
            begin: self.segment.begin.clone(),
            end: self.end,
            inputs: self.tally.inputs,
            decisions: self.twin.decided().count,
            marks: self.tally.marks,
            lost: self.tally.lost,
            missing: self.tally.missing,
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            begin,
            inputs,
            decisions,
            marks,
            ..
        } = self;
        write!(
            out,
            "node {} at {}: {inputs} inputs, {decisions} decisions, {marks} marks: {}",
            begin.node.short(),
            begin.addr,
            self.end
        )?;
        if self.lost > 0 {
            write!(out, "; {} inputs were not recorded", self.lost)?;
        }
        if self.missing > 0 {
            write!(out, "; {} segments are missing", self.missing)?;
        }
        Ok(())
    }
}

impl fmt::Display for End {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stopped(state) => write!(out, "the same to the end, in state {state}"),
            Self::Open(state) => write!(
                out,
                "the same up to the last entry, in state {state}; it was killed there, or goes on"
            ),
            Self::Panicked(words) => write!(out, "THE CORE FAILED: {words}"),
            Self::Diverged { input, at, how } => write!(
                out,
                "DIVERGED after input {input}, {:.6} s into its life: {how}",
                at.as_secs_f64()
            ),
            Self::Unreadable {
                file,
                position,
                why,
            } => write!(out, "UNREADABLE after byte {position} of {file}: {why}"),
        }
    }
}

/// What a panic said.
fn words(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(ToString::to_string);
    text.or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "without words".to_owned())
}
