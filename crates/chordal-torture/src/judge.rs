//! What clients saw, held against what they were promised; and how it is told.
//!
//! The simulator's oracle knows what may be seen. This keeps for every file the story that explains
//! it, counts, and tells a broken promise when it is seen.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use chordal_object::{Name, Version};
use chordal_sim::oracle::{Duty, Hash, Oracle, ReadBegun, WriteBegun};

use crate::limits::{FAILURES_TOLD_MAX, LINES_TOLD_MAX};

#[cfg(test)]
mod tests;

/// Judges a run.
#[derive(Debug)]
pub(crate) struct Judge {
    began: Instant,
    patience: Duration,
    seen: Mutex<Seen>,
}

#[derive(Debug, Default)]
struct Seen {
    oracle: Oracle,
    stories: BTreeMap<Name, Vec<Line>>,
    events: Vec<Line>,
    newest: Option<Name>,
    /// The longest that somebody waited since the last event was over, and for what.
    recent: (Duration, String),
    tally: Tally,
}

/// Something that happened.
#[derive(Clone, Debug)]
struct Line {
    at: Duration,
    what: String,
}

/// A kind of broken promise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Broken {
    /// A file that was acknowledged, or seen, is not found.
    Miss,
    /// Bytes that nobody wrote under that name.
    WrongBytes,
    /// An older version than one that was acknowledged or seen, or a deleted file.
    Stale,
    /// Something was refused or not answered for too long, while it had to work.
    Refusal,
    /// The ring is not right again.
    Unhealed,
    /// A node ended by itself, or did not start.
    Died,
    /// Too few copies when all is quiet.
    Copies,
    /// A listing lacks a name, or has one too many.
    Listing,
}

/// Counts of a run.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tally {
    /// Answered, in microseconds.
    pub(crate) puts: Vec<u32>,
    /// See [`Tally::puts`].
    pub(crate) gets: Vec<u32>,
    /// See [`Tally::puts`].
    pub(crate) deletes: Vec<u32>,
    /// Refused or broken off, through nodes that ran all the time.
    pub(crate) refusals: u64,
    /// Asked in vain of a node that something was just done to.
    pub(crate) disturbed: u64,
    /// The longest that something was refused or unanswered while it had to work.
    pub(crate) longest: Duration,
    /// Broken promises.
    pub(crate) broken: BTreeMap<Broken, u64>,
}

/// Through which machine a client asked, and how long it took.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Way {
    /// The machine's number.
    pub(crate) machine: usize,
    /// From the request to the whole answer.
    pub(crate) took: Duration,
}

impl Judge {
    /// A judge of a run that begins now.
    pub(crate) fn new(patience: Duration) -> Self {
        Self {
            began: Instant::now(),
            patience,
            seen: Mutex::default(),
        }
    }

    /// A client writes, or deletes when there is no content.
    pub(crate) fn begin_write(&self, name: &Name, content: Option<Hash>) -> WriteBegun {
        let mut seen = self.lock();
        seen.newest = Some(name.clone());
        seen.oracle.begin_write(name, content, None)
    }

    /// A client reads.
    pub(crate) fn begin_read(&self, name: &Name) -> ReadBegun {
        self.lock().oracle.begin_read(name)
    }

    /// A write was acknowledged.
    pub(crate) fn written(&self, name: &Name, write: &WriteBegun, version: Version, way: Way) {
        let mut seen = self.lock();
        let is_delete = seen.oracle.is_delete(write);
        let verb = if is_delete { "delete" } else { "put" };
        seen.tell(
            self.now(),
            name,
            &way.tells(verb, &format!("version {version}")),
        );
        let times = if is_delete {
            &mut seen.tally.deletes
        } else {
            &mut seen.tally.puts
        };
        times.push(micros(way.took));
        if let Err(what) = seen.oracle.written(write, version) {
            self.fail(&mut seen, Broken::Stale, Some(name), &what);
        }
    }

    /// A delete found that there is no such file, and wrote nothing.
    pub(crate) fn nothing_to_delete(&self, name: &Name, delete: &WriteBegun, way: Way) {
        let mut seen = self.lock();
        seen.tell(self.now(), name, &way.tells("delete", "no such file"));
        seen.tally.deletes.push(micros(way.took));
        if let Err(what) = seen.oracle.refused(delete, None) {
            self.fail(&mut seen, Broken::Miss, Some(name), &what);
        }
    }

    /// A read gave a file.
    pub(crate) fn found(
        &self,
        name: &Name,
        read: &ReadBegun,
        version: Version,
        content: Hash,
        way: Way,
    ) {
        let mut seen = self.lock();
        seen.tell(
            self.now(),
            name,
            &way.tells("get", &format!("version {version}")),
        );
        seen.tally.gets.push(micros(way.took));
        let broken = if seen.oracle.may_be(name, Some(content)) {
            Broken::Stale
        } else {
            Broken::WrongBytes
        };
        if let Err(what) = seen.oracle.found(read, version, content) {
            self.fail(&mut seen, broken, Some(name), &what);
        }
    }

    /// A read found that there is no such file.
    pub(crate) fn found_nothing(&self, name: &Name, read: &ReadBegun, way: Way) {
        let mut seen = self.lock();
        seen.tell(self.now(), name, &way.tells("get", "no such file"));
        seen.tally.gets.push(micros(way.took));
        if let Err(what) = seen.oracle.found_nothing(read) {
            self.fail(&mut seen, Broken::Miss, Some(name), &what);
        }
    }

    /// A request failed; through a node that ran all the time, or not.
    pub(crate) fn refused(&self, name: &Name, verb: &str, way: Way, ran: Ran, why: &str) {
        let mut seen = self.lock();
        seen.tell(self.now(), name, &way.tells(verb, why));
        match ran {
            Ran::AllTheTime => seen.tally.refusals += 1,
            Ran::Disturbed => seen.tally.disturbed += 1,
        }
    }

    /// Something that had to work was refused or unanswered for this long.
    pub(crate) fn waited(&self, name: &Name, verb: &str, waited: Duration) {
        let mut seen = self.lock();
        seen.tally.longest = seen.tally.longest.max(waited);
        if waited > seen.recent.0 {
            seen.recent = (waited, format!("{verb} {name}"));
        }
        if waited > self.patience {
            let what = format!("a {verb} of {name} was refused or unanswered for {waited:.1?}");
            self.fail(&mut seen, Broken::Refusal, Some(name), &what);
        }
    }

    /// Notes an event, and says it.
    pub(crate) fn event(&self, what: &str) {
        let at = self.now();
        crate::say(format_args!("{:7.1} s  {what}", at.as_secs_f64()));
        let what = what.to_owned();
        self.lock().events.push(Line { at, what });
    }

    /// The longest that anything was waited for since this was asked last, in words.
    pub(crate) fn longest_since(&self) -> String {
        let (waited, what) = std::mem::take(&mut self.lock().recent);
        format!("longest wait {waited:.1?} ({what})")
    }

    /// A promise was broken that is not about one read or write.
    pub(crate) fn broken(&self, broken: Broken, name: Option<&Name>, what: &str) {
        let mut seen = self.lock();
        self.fail(&mut seen, broken, name, what);
    }

    /// What must be true of every name that anybody ever wrote.
    pub(crate) fn duties(&self) -> Vec<(Name, Duty)> {
        let seen = self.lock();
        let names = seen.oracle.names();
        names
            .map(|name| (name.clone(), seen.oracle.duty(name)))
            .collect()
    }

    /// The name that somebody began to write last.
    pub(crate) fn newest(&self) -> Option<Name> {
        self.lock().newest.clone()
    }

    /// The counts.
    pub(crate) fn tally(&self) -> Tally {
        self.lock().tally.clone()
    }

    fn fail(&self, seen: &mut Seen, broken: Broken, name: Option<&Name>, what: &str) {
        *seen.tally.broken.entry(broken).or_default() += 1;
        let failures: u64 = seen.tally.broken.values().sum();
        if failures <= FAILURES_TOLD_MAX as u64 {
            crate::say(format_args!("{}", seen.failure(self.now(), name, what)));
        }
    }

    fn now(&self) -> Duration {
        self.began.elapsed()
    }

    fn lock(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether something was done to the node through which a client asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ran {
    /// It ran all the time.
    AllTheTime,
    /// It was killed, stopped or told to leave meanwhile.
    Disturbed,
}

impl Way {
    fn tells(self, verb: &str, end: &str) -> String {
        format!("{verb} via {} took {:.1?}: {end}", self.machine, self.took)
    }
}

impl Seen {
    fn tell(&mut self, at: Duration, name: &Name, what: &str) {
        let what = what.to_owned();
        let story = self.stories.entry(name.clone()).or_default();
        story.push(Line { at, what });
    }

    /// A broken promise, with the file's story and the last events.
    fn failure(&self, now: Duration, name: Option<&Name>, what: &str) -> String {
        let mut text = format!("{:7.1} s  BROKEN: {what}", now.as_secs_f64());
        let story = name.and_then(|name| self.stories.get(name));
        append(&mut text, "the file", story.map_or(&[], Vec::as_slice));
        append(&mut text, "events", &self.events);
        text
    }
}

fn append(text: &mut String, title: &str, lines: &[Line]) {
    let last = &lines[lines.len().saturating_sub(LINES_TOLD_MAX)..];
    for line in last {
        // Writing into a string cannot fail.
        write!(
            text,
            "\n    {title}: {:9.3} s  {}",
            line.at.as_secs_f64(),
            line.what
        )
        .ok();
    }
}

fn micros(time: Duration) -> u32 {
    u32::try_from(time.as_micros()).unwrap_or(u32::MAX)
}
