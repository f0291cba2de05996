//! One client's listing of a space, from the first page to the last.
//!
//! **Listings complete**: a listing that names no silent node contains every file of the space
//! that was there from its beginning to its end, none that was away all that time, and each name
//! once and in order.

use std::collections::BTreeMap;

use chordal_object::Name;
use chordal_proto::effect::Unheard;
use chordal_proto::input::Command;
use chordal_proto::message::Row;

use crate::oracle::{Duty, Oracle};

/// A listing under way.
#[derive(Debug)]
pub(crate) struct Listing {
    space: String,
    page: u32,
    /// What was true of every name when it began, and how often it had been written.
    before: BTreeMap<Name, (Duty, usize)>,
    rows: BTreeMap<Name, Row>,
    after: Option<String>,
}

/// A page of it.
#[derive(Debug)]
pub(crate) struct Page {
    /// Names and versions.
    pub(crate) rows: Vec<Row>,
    /// Whether there may be further ones.
    pub(crate) more: bool,
    /// Where to go on.
    pub(crate) last: Option<String>,
    /// Who was not heard.
    pub(crate) missing: Vec<Unheard>,
}

impl Listing {
    /// A listing of this space in pages of so many rows.
    pub(crate) fn begin(oracle: &Oracle, space: &str, page: u32) -> Self {
        let before = oracle
            .names()
            .filter(|name| name.space() == space)
            .map(|name| (name.clone(), (oracle.duty(name), oracle.writes(name))))
            .collect();
        Self {
            space: space.to_owned(),
            page,
            before,
            rows: BTreeMap::new(),
            after: None,
        }
    }

    /// The question for the next page.
    pub(crate) fn command(&self) -> Command {
        Command::List {
            space: self.space.clone(),
            prefix: String::new(),
            after: self.after.clone(),
            limit: self.page,
        }
    }

    /// Takes a page that lacks nobody; gives itself back when there are further ones.
    pub(crate) fn turn(mut self, oracle: &Oracle, page: Page) -> Result<Option<Self>, String> {
        if page.rows.len() > self.page as usize {
            return Err(format!(
                "{} rows on a page of {}",
                page.rows.len(),
                self.page
            ));
        }
        let began_after = self.after.clone();
        for row in page.rows {
            let path = row.name.path();
            if self.after.as_deref().is_some_and(|after| path <= after) {
                return Err(format!("{} comes after {:?}", row.name, self.after));
            }
            if row.name.space() != self.space {
                return Err(format!("{} is of another space", row.name));
            }
            let content = row.file.map(|(_, hash)| hash);
            if content.is_none() || !oracle.may_be(&row.name, content) {
                return Err(format!("{row:?} is listed, and nobody wrote that"));
            }
            self.after = Some(path.to_owned());
            self.rows.insert(row.name.clone(), row);
        }
        if page.more {
            let Some(last) = page.last else {
                return Err("there is more, but not after what".to_owned());
            };
            if Some(&last) <= began_after.as_ref() || Some(&last) < self.after.as_ref() {
                return Err(format!("goes on after {last:?}, behind {:?}", self.after));
            }
            self.after = Some(last);
            return Ok(Some(self));
        }
        self.judge(oracle).map(|()| None)
    }

    fn judge(&self, oracle: &Oracle) -> Result<(), String> {
        for (name, &(before, writes)) in &self.before {
            let row = self.rows.get(name);
            match (before, oracle.duty(name), row) {
                (Duty::Present(version), Duty::Present(_), None)
                    if !oracle.is_deleted_since(name, writes) =>
                {
                    return Err(format!("{name} (version {version}) is not listed"));
                }
                (Duty::Present(version), Duty::Present(_), Some(row)) if row.version < version => {
                    return Err(format!(
                        "{name} is listed as of {}, not {version}",
                        row.version
                    ));
                }
                (Duty::Absent, Duty::Absent, Some(row)) if oracle.writes(name) == writes => {
                    return Err(format!(
                        "{name} is listed as of {} and not there",
                        row.version
                    ));
                }
                _ => {}
            }
        }
        Ok(())
    }
}
