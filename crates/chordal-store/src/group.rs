//! Group commit: callers that come while a commit is under way share the next one.
//!
//! One flush costs the same whatever is under it, so this is where many durable puts a second come
//! from. There is no thread of its own: the first caller leads, the others wait for what it brings
//! back. The queue is as long as there are callers, and every caller waits, so it needs no bound.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Condvar, Mutex};

use crate::error::StoreError;
use crate::locking::{lock, wait};

/// Merges the work of concurrent callers.
#[derive(Debug)]
pub(crate) struct Group<W, R> {
    queue: Mutex<Queue<W, R>>,
    turn: Condvar,
}

#[derive(Debug)]
struct Queue<W, R> {
    next_ticket: u64,
    has_leader: bool,
    waiting: VecDeque<(u64, Vec<W>)>,
    finished: BTreeMap<u64, Result<Vec<R>, StoreError>>,
}

/// Answers for callers whose leader did not come back.
struct Led<'a, W, R> {
    group: &'a Group<W, R>,
    tickets: Vec<(u64, usize)>,
}

impl<W, R> Group<W, R> {
    pub(crate) fn new() -> Self {
        let queue = Queue {
            next_ticket: 0,
            has_leader: false,
            waiting: VecDeque::new(),
            finished: BTreeMap::new(),
        };
        Self {
            queue: Mutex::new(queue),
            turn: Condvar::new(),
        }
    }

    /// Has `run` done for this work, alone or together with that of others, `size_max` pieces at
    /// most unless one caller alone brings more. `run` returns one result a piece, in order.
    pub(crate) fn submit(
        &self,
        work: Vec<W>,
        size_max: usize,
        run: impl Fn(Vec<W>) -> Result<Vec<R>, StoreError>,
    ) -> Result<Vec<R>, StoreError> {
        let mut queue = lock(&self.queue);
        let ticket = queue.next_ticket;
        queue.next_ticket += 1;
        queue.waiting.push_back((ticket, work));
        loop {
            if let Some(result) = queue.finished.remove(&ticket) {
                return result;
            }
            if queue.has_leader {
                queue = wait(&self.turn, queue);
                continue;
            }
            queue.has_leader = true;
            let (tickets, batch) = queue.take_batch(size_max);
            drop(queue);
            let led = Led {
                group: self,
                tickets,
            };
            let result = run(batch);
            led.finish(result);
            queue = lock(&self.queue);
        }
    }
}

impl<W, R> Queue<W, R> {
    fn take_batch(&mut self, size_max: usize) -> (Vec<(u64, usize)>, Vec<W>) {
        let mut tickets = Vec::new();
        let mut batch: Vec<W> = Vec::new();
        while let Some((ticket, work)) = self.waiting.pop_front() {
            if !tickets.is_empty() && batch.len() + work.len() > size_max {
                self.waiting.push_front((ticket, work));
                break;
            }
            tickets.push((ticket, work.len()));
            batch.extend(work);
        }
        (tickets, batch)
    }
}

impl<W, R> Led<'_, W, R> {
    fn finish(mut self, result: Result<Vec<R>, StoreError>) {
        let tickets = std::mem::take(&mut self.tickets);
        let mut queue = lock(&self.group.queue);
        match result {
            Ok(results) => {
                let mut results = results.into_iter();
                for (ticket, size) in tickets {
                    let own = results.by_ref().take(size).collect();
                    queue.finished.insert(ticket, Ok(own));
                }
            }
            Err(error) => {
                for (ticket, _) in tickets {
                    queue.finished.insert(ticket, Err(error.clone()));
                }
            }
        }
    }
}

impl<W, R> Drop for Led<'_, W, R> {
    fn drop(&mut self) {
        let mut queue = lock(&self.group.queue);
        for (ticket, _) in std::mem::take(&mut self.tickets) {
            queue.finished.insert(ticket, Err(StoreError::Poisoned));
        }
        queue.has_leader = false;
        drop(queue);
        self.group.turn.notify_all();
    }
}

#[cfg(test)]
mod tests;
