//! What clients were promised, and whether what they see keeps it.
//!
//! Every name is a register: writes (a delete is one) and reads, each with a beginning and an end.
//! Versions say in which order they took effect, so linearizability comes down to this: whatever
//! begins after something else has ended has no lower version, a write a higher one; and a version
//! means one content, which some client wrote. A write without a clear answer is *unknown*: it may
//! take effect at any later time, or never. It is never taken for absent, nor for done.
//!
//! From Herlihy and Wing, *Linearizability* (1990), for registers whose writes can be told apart.

use std::collections::BTreeMap;

use chordal_object::{Name, Version};
use chordal_proto::input::Condition;

/// BLAKE3 of a file's whole content.
pub type Hash = [u8; 32];

/// The promises of a run.
#[derive(Debug, Default)]
pub struct Oracle {
    names: BTreeMap<Name, History>,
}

/// What happened to one name.
#[derive(Debug, Default)]
struct History {
    writes: Vec<Write>,
    floor: Floor,
    /// What each version was seen to mean; nothing for a delete.
    meanings: BTreeMap<Version, Option<Hash>>,
    /// Versions that were acknowledged under a condition.
    conditional: Vec<(Condition, Version)>,
    /// Deletes that took effect and were written over at once: maybe in time for this one, maybe
    /// for a later one.
    deletes_between: Vec<Version>,
}

#[derive(Debug)]
struct Write {
    content: Option<Hash>,
    fate: Fate,
}

/// What is known of a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    /// Under way, or ended without a clear answer.
    Open,
    /// Acknowledged.
    Done(Version),
    /// Its record was never sent: it must never be seen.
    Never,
}

/// What everything that begins from here on must not fall below.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Floor {
    version: Option<Version>,
    /// Something above that version has been seen, of unknown number: a delete.
    beyond: bool,
}

/// A write that has begun.
#[derive(Clone, Debug)]
pub struct WriteBegun {
    name: Name,
    place: usize,
    floor: Floor,
    condition: Option<Condition>,
}

/// A read that has begun.
#[derive(Clone, Debug)]
pub struct ReadBegun {
    name: Name,
    floor: Floor,
}

/// What must be true of a name when all is quiet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Duty {
    /// Nothing is known for sure.
    Anything,
    /// A file is there, of this version or a higher one.
    Present(Version),
    /// It is not there.
    Absent,
}

impl Oracle {
    /// A client writes, or deletes when there is no content.
    pub fn begin_write(
        &mut self,
        name: &Name,
        content: Option<Hash>,
        condition: Option<Condition>,
    ) -> WriteBegun {
        let history = self.names.entry(name.clone()).or_default();
        history.writes.push(Write {
            content,
            fate: Fate::Open,
        });
        let place = history.writes.len() - 1;
        WriteBegun {
            name: name.clone(),
            place,
            floor: history.floor,
            condition,
        }
    }

    /// A condition that is true as far as anybody knows.
    pub fn condition(&self, name: &Name) -> Condition {
        let floor = self.names.get(name).map(|history| history.floor);
        let version = floor.and_then(|floor| floor.version);
        version.map_or(Condition::Absent, Condition::Version)
    }

    /// The write was refused because its condition is not met: it never takes effect.
    pub fn refused(&mut self, write: &WriteBegun, present: Option<Version>) -> Result<(), String> {
        let history = self.names.entry(write.name.clone()).or_default();
        history.writes[write.place].fate = Fate::Never;
        let Some(version) = present else {
            let read = ReadBegun {
                name: write.name.clone(),
                floor: write.floor,
            };
            return self.found_nothing(&read);
        };
        if write.condition == Some(Condition::Version(version)) {
            return Err(format!(
                "a write of {} if it is version {version} is refused, since it is",
                write.name
            ));
        }
        if write.floor.version.is_some_and(|least| version < least) {
            return Err(format!(
                "a write of {} is refused since it is version {version}, but {} had been seen",
                write.name,
                write.floor.name()
            ));
        }
        history.raise(Floor::at(version));
        Ok(())
    }

    /// A put failed before its record was sent.
    pub fn never_written(&mut self, name: &Name, content: Hash) {
        let history = self.names.entry(name.clone()).or_default();
        history.writes.push(Write {
            content: Some(content),
            fate: Fate::Never,
        });
    }

    /// Whether this write is a delete.
    pub fn is_delete(&self, write: &WriteBegun) -> bool {
        let history = self.names.get(&write.name);
        history.is_some_and(|history| history.writes[write.place].content.is_none())
    }

    /// The write was acknowledged.
    pub fn written(&mut self, write: &WriteBegun, version: Version) -> Result<(), String> {
        let history = self.names.entry(write.name.clone()).or_default();
        let entry = &mut history.writes[write.place];
        entry.fate = Fate::Done(version);
        let content = entry.content;
        if let Some(condition) = write.condition {
            history.conditional.push((condition, version));
        }
        history.means(version, content)?;
        if write.floor.version.is_some_and(|floor| version <= floor) {
            return Err(format!(
                "a write of {} is acknowledged as version {version}, but {} had been seen before \
                 it began",
                write.name,
                write.floor.name()
            ));
        }
        history.raise(Floor::at(version));
        Ok(())
    }

    /// The write was acknowledged, and somebody else's has taken its place at once: where in the
    /// order of versions it belongs is not known, unless a read shows it.
    pub fn written_and_replaced(
        &mut self,
        write: &WriteBegun,
        version: Version,
    ) -> Result<(), String> {
        if write.condition.is_some() {
            return self.written(write, version);
        }
        let history = self.names.entry(write.name.clone()).or_default();
        let entry = &mut history.writes[write.place];
        entry.fate = Fate::Done(version);
        if entry.content.is_none() {
            history.deletes_between.push(version);
        }
        Ok(())
    }

    /// A client reads.
    pub fn begin_read(&self, name: &Name) -> ReadBegun {
        let floor = self
            .names
            .get(name)
            .map(|history| history.floor)
            .unwrap_or_default();
        ReadBegun {
            name: name.clone(),
            floor,
        }
    }

    /// The read found a file.
    pub fn found(
        &mut self,
        read: &ReadBegun,
        version: Version,
        content: Hash,
    ) -> Result<(), String> {
        let name = &read.name;
        let history = self.names.entry(name.clone()).or_default();
        let written = |write: &&Write| write.content == Some(content);
        let mut writes = history.writes.iter().filter(written).peekable();
        if writes.peek().is_none() {
            return Err(format!(
                "{name} has a content as version {version} that nobody wrote"
            ));
        }
        if writes.all(|write| write.fate == Fate::Never) {
            return Err(format!(
                "version {version} of {name} is of a put that failed before its record was sent"
            ));
        }
        history.means(version, Some(content))?;
        let floor = read.floor;
        if floor
            .version
            .is_some_and(|least| version < least || floor.beyond && version == least)
        {
            return Err(format!(
                "a read of {name} gives version {version}, but {} had been seen before it began",
                floor.name()
            ));
        }
        history.raise(Floor::at(version));
        Ok(())
    }

    /// The read found that there is no such name.
    pub fn found_nothing(&mut self, read: &ReadBegun) -> Result<(), String> {
        let history = self.names.entry(read.name.clone()).or_default();
        let Some(least) = read.floor.version else {
            return Ok(());
        };
        if read.floor.beyond || history.meanings.get(&least) == Some(&None) {
            return Ok(());
        }
        let deletes = || {
            history
                .writes
                .iter()
                .filter(|write| write.content.is_none())
        };
        let done = deletes().filter_map(|write| match write.fate {
            Fate::Done(version) if version > least => Some(version),
            Fate::Done(_) | Fate::Open | Fate::Never => None,
        });
        if let Some(version) = done.min() {
            history.raise(Floor::at(version));
            return Ok(());
        }
        if deletes().any(|write| write.fate == Fate::Open) {
            history.raise(Floor {
                version: Some(least),
                beyond: true,
            });
            return Ok(());
        }
        Err(format!(
            "a read finds no {}, but version {least} had been seen before it began and nobody has \
             deleted it",
            read.name
        ))
    }

    /// What must be true of a name for whoever asks from here on.
    pub fn duty(&self, name: &Name) -> Duty {
        self.names.get(name).map_or(Duty::Absent, History::duty)
    }

    /// All names that anybody ever wrote.
    pub fn names(&self) -> impl Iterator<Item = &Name> {
        self.names.keys()
    }

    /// How often a name has been written, or tried to be.
    pub fn writes(&self, name: &Name) -> usize {
        self.names
            .get(name)
            .map_or(0, |history| history.writes.len())
    }

    /// Whether somebody has tried to delete a name since it had been written so often.
    pub fn is_deleted_since(&self, name: &Name, writes: usize) -> bool {
        self.names.get(name).is_some_and(|history| {
            let later = &history.writes[writes.min(history.writes.len())..];
            later.iter().any(|write| write.content.is_none())
        })
    }

    /// Whether somebody wrote this content under this name and may have succeeded.
    pub fn may_be(&self, name: &Name, content: Option<Hash>) -> bool {
        self.names.get(name).is_some_and(|history| {
            history
                .writes
                .iter()
                .any(|write| write.content == content && write.fate != Fate::Never)
        })
    }
}

impl History {
    /// Learns what a version means; it must always mean the same.
    fn means(&mut self, version: Version, content: Option<Hash>) -> Result<(), String> {
        let known = *self.meanings.entry(version).or_insert(content);
        if known == content {
            return self.keeps_conditions();
        }
        Err(format!("version {version} has two contents"))
    }

    /// Nothing took effect between what a conditional write asked for and that write.
    fn keeps_conditions(&self) -> Result<(), String> {
        let open_delete = self
            .writes
            .iter()
            .any(|write| write.content.is_none() && write.fate == Fate::Open);
        for (condition, version) in &self.conditional {
            let Some((before, meaning)) = self.meanings.range(..*version).next_back() else {
                continue;
            };
            let kept = match condition {
                Condition::Absent => {
                    let between = |delete: &Version| before < delete && delete < version;
                    meaning.is_none() || open_delete || self.deletes_between.iter().any(between)
                }
                Condition::Version(asked) => before <= asked,
            };
            if !kept {
                return Err(format!(
                    "version {version} was written under {condition:?}, and {before} was there"
                ));
            }
        }
        Ok(())
    }

    fn raise(&mut self, to: Floor) {
        self.floor = self.floor.max(to);
    }

    fn duty(&self) -> Duty {
        let may_change = |to_file: bool| {
            self.writes.iter().any(|write| {
                write.content.is_some() == to_file
                    && match write.fate {
                        Fate::Open => true,
                        Fate::Done(version) => Some(version) > self.floor.version,
                        Fate::Never => false,
                    }
            })
        };
        let Some(version) = self.floor.version else {
            return if may_change(true) {
                Duty::Anything
            } else {
                Duty::Absent
            };
        };
        match self.meanings.get(&version) {
            Some(Some(_)) if !self.floor.beyond && !may_change(false) => Duty::Present(version),
            Some(None) if !may_change(true) => Duty::Absent,
            _ => Duty::Anything,
        }
    }
}

impl Floor {
    const fn at(version: Version) -> Self {
        Self {
            version: Some(version),
            beyond: false,
        }
    }

    fn name(self) -> String {
        match self.version {
            Some(version) if self.beyond => format!("a delete after version {version}"),
            Some(version) => format!("version {version}"),
            None => "nothing".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests;
