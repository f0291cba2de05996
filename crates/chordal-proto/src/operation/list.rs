//! Listing names: every node that answers tells a page of what it holds, the newest version of
//! each name wins, and the listing knows whether a majority of every arc's holders was heard.

use std::collections::{BTreeMap, BTreeSet};

use chordal_object::{Arc, NodeId};
use serde::{Deserialize, Serialize};

use super::Task;
use super::read::AGAIN;
use crate::effect::{Answer, DiskOp};
use crate::input::{Completion, DiskAnswer, OperationId};
use crate::limits::{LIST_ROWS_MAX, RECORD_BATCH_BYTES};
use crate::message::{List, Listed, Message, Row};
use crate::peer::Peer;
use crate::placement;
use crate::request::{Asker, Purpose};
use crate::time::Time;
use crate::timer::Reason;
use crate::waiting::Waiting;

/// A client's wish for a page of names.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct ListTask {
    question: List,
    asked: BTreeSet<NodeId>,
    pages: BTreeMap<NodeId, Listed>,
    failed: BTreeSet<NodeId>,
    /// Who answered since all were asked last.
    heard: BTreeSet<NodeId>,
}

impl Peer {
    /// Begins to gather a page of names.
    pub(super) fn begin_list(
        &mut self,
        now: Time,
        operation: OperationId,
        space: String,
        prefix: String,
        after: Option<String>,
        limit: u32,
    ) {
        let most = u32::try_from(LIST_ROWS_MAX).expect("a small limit");
        let question = List {
            space,
            prefix,
            after,
            limit: limit.clamp(1, most),
        };
        let task = ListTask {
            question,
            asked: BTreeSet::new(),
            pages: BTreeMap::new(),
            failed: BTreeSet::new(),
            heard: BTreeSet::new(),
        };
        self.open_operation(now, operation, Task::List(Box::new(task)));
        self.list_again(now, operation);
    }

    /// Asks every node that holds copies; pages heard before stay until newer ones come.
    pub(super) fn list_again(&mut self, now: Time, operation: OperationId) {
        let nodes: BTreeSet<NodeId> = self.table.holders().collect();
        let Some(Task::List(task)) = self.operations.open.get_mut(&operation) else {
            return;
        };
        let question = task.question.clone();
        task.failed.clear();
        task.heard.clear();
        task.asked.clone_from(&nodes);
        for node in nodes {
            let message = Message::List(question.clone());
            let sent = self.answers(node)
                && self
                    .ask(now, node, message, Purpose::Operation(operation))
                    .is_some();
            if !sent && let Some(Task::List(task)) = self.operations.open.get_mut(&operation) {
                task.failed.insert(node);
            }
        }
        self.list_progress(now, operation);
    }

    pub(super) fn page_listed(
        &mut self,
        now: Time,
        operation: OperationId,
        from: NodeId,
        listed: Listed,
    ) {
        let Some(Task::List(task)) = self.operations.open.get_mut(&operation) else {
            return;
        };
        if listed.failed {
            task.failed.insert(from);
        } else {
            task.pages.insert(from, listed);
            task.heard.insert(from);
        }
        self.list_progress(now, operation);
    }

    pub(super) fn page_missing(&mut self, now: Time, operation: OperationId, node: NodeId) {
        if let Some(Task::List(task)) = self.operations.open.get_mut(&operation) {
            task.failed.insert(node);
            self.list_progress(now, operation);
        }
    }

    fn list_progress(&mut self, now: Time, operation: OperationId) {
        let Some(Task::List(task)) = self.operations.open.get(&operation) else {
            return;
        };
        let waiting = task
            .asked
            .iter()
            .any(|node| !task.heard.contains(node) && !task.failed.contains(node));
        if waiting {
            return;
        }
        let mut fresh = task.pages.clone();
        fresh.retain(|node, _| task.heard.contains(node));
        if self.unheard_arcs(&fresh).is_empty() {
            self.list_over(now, operation);
        } else {
            // A holder that is catching up may be complete in a moment.
            self.timers.at_latest(now + AGAIN, Reason::Retry(operation));
        }
    }

    /// Holders whose pages are missing where fewer than a majority of an arc's holders was heard.
    fn unheard_arcs(&self, pages: &BTreeMap<NodeId, Listed>) -> BTreeSet<NodeId> {
        let mut missing = BTreeSet::new();
        for held in placement::arcs(&self.table, &self.settings) {
            let covers = |node: &NodeId| {
                pages
                    .get(node)
                    .is_some_and(|page| covered(&page.complete, held.arc))
            };
            let heard = held.holders.iter().filter(|node| covers(node)).count();
            if heard < placement::quorum(held.holders.len()) {
                missing.extend(held.holders.iter().filter(|node| !covers(node)).copied());
            }
        }
        missing
    }

    /// Merges the pages heard by now.
    pub(super) fn list_over(&mut self, _now: Time, operation: OperationId) {
        let Some(Task::List(task)) = self.operations.open.get(&operation) else {
            return;
        };
        let missing = self.unheard(self.unheard_arcs(&task.pages));
        // Beyond the shortest unfinished page nothing is known of its node's names.
        let horizon = task
            .pages
            .values()
            .filter(|page| page.more)
            .filter_map(|page| page.rows.last().map(|row| row.name.path().to_owned()))
            .min();
        let mut newest: BTreeMap<&str, &Row> = BTreeMap::new();
        for row in task.pages.values().flat_map(|page| &page.rows) {
            let path = row.name.path();
            if horizon.as_deref().is_some_and(|horizon| path > horizon) {
                continue;
            }
            let best = newest.entry(path).or_insert(row);
            if row.version > best.version {
                *best = row;
            }
        }
        let limit = usize::try_from(task.question.limit).unwrap_or(LIST_ROWS_MAX);
        let mut rows: Vec<Row> = newest
            .values()
            .filter(|row| row.file.is_some())
            .map(|row| (*row).clone())
            .collect();
        let cut = rows.len() > limit;
        rows.truncate(limit);
        let last = if cut {
            rows.last().map(|row| row.name.path().to_owned())
        } else {
            horizon.clone()
        };
        let more = cut || horizon.is_some();
        self.finish(
            operation,
            Ok(Answer::Listed {
                rows,
                more,
                last,
                missing,
            }),
        );
    }

    /// Somebody wants a page of what this node holds.
    pub(crate) fn asked_list(&mut self, asker: &Asker, list: List) {
        let complete = self.replica.complete_arcs(self.settings.bits.last_key());
        let List {
            space,
            prefix,
            after,
            limit,
        } = list;
        let op = DiskOp::List {
            space,
            prefix,
            after,
            limit,
        };
        self.disk(
            op,
            Waiting::PageFor {
                asker: *asker,
                complete,
            },
        );
    }

    /// The disk told a page.
    pub(crate) fn page_for(&mut self, asker: &Asker, complete: Vec<Arc>, completion: Completion) {
        let listed = match completion {
            Completion::Disk(Ok(DiskAnswer::Rows { rows, more })) => {
                let (rows, cut) = fitting(rows);
                Listed {
                    rows,
                    more: more || cut,
                    complete,
                    failed: false,
                }
            }
            Completion::Disk(_) | Completion::Transfer(_) => Listed {
                rows: Vec::new(),
                more: false,
                complete: Vec::new(),
                failed: true,
            },
        };
        self.answer(asker, Message::Listed(listed));
    }
}

/// Whether some arcs together hold every key of another one.
fn covered(arcs: &[Arc], wanted: Arc) -> bool {
    arcs.iter().any(|arc| arc.covers(wanted))
}

/// As many rows as one message takes, and whether some were left out.
fn fitting(mut rows: Vec<Row>) -> (Vec<Row>, bool) {
    let mut room = RECORD_BATCH_BYTES;
    let fits = rows.iter().take_while(|row| {
        let bytes = row.name.space().len() + row.name.path().len() + ROW_BYTES;
        let fits = bytes <= room;
        room = room.saturating_sub(bytes);
        fits
    });
    let count = fits.count();
    let cut = count < rows.len();
    rows.truncate(count);
    (rows, cut)
}

/// Bytes of a row beside its name, at most.
const ROW_BYTES: usize = 160;
