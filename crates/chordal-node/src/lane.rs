//! A queue of work that blocks, done by a few threads of the runtime's blocking pool.
//!
//! Threads come with work and go when there is none, so an idle node holds none; work that arrives
//! while all of them are busy is taken in batches.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::runtime::Handle;
use tokio_util::task::TaskTracker;

/// How much a lane does at a time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Width {
    /// Threads at work at most.
    pub(crate) workers_max: usize,
    /// Pieces of work handed to a thread at once at most.
    pub(crate) batch_max: usize,
    /// Pieces of work that may wait.
    pub(crate) waiting_max: usize,
}

/// A queue of blocking work of one kind.
pub(crate) struct Lane<W> {
    width: Width,
    queue: Mutex<Queue<W>>,
    work: Box<dyn Fn(Vec<W>) + Send + Sync>,
    tasks: TaskTracker,
    runtime: Handle,
}

struct Queue<W> {
    waiting: VecDeque<W>,
    workers: usize,
}

impl<W: Send + 'static> Lane<W> {
    /// A lane whose threads are counted among `tasks`. Must be made inside a runtime.
    pub(crate) fn new(
        width: Width,
        tasks: TaskTracker,
        work: impl Fn(Vec<W>) + Send + Sync + 'static,
    ) -> Arc<Self> {
        Arc::new(Self {
            width,
            queue: Mutex::new(Queue {
                waiting: VecDeque::new(),
                workers: 0,
            }),
            work: Box::new(work),
            tasks,
            runtime: Handle::current(),
        })
    }

    /// Adds work. When too much waits already it is dropped, and whoever waits for it learns so
    /// from that.
    pub(crate) fn push(self: &Arc<Self>, work: W) {
        let mut queue = self.queue();
        if queue.waiting.len() >= self.width.waiting_max {
            drop(queue);
            tracing::warn!("too much work waits for the disk");
            return;
        }
        queue.waiting.push_back(work);
        if queue.workers == self.width.workers_max {
            return;
        }
        queue.workers += 1;
        drop(queue);
        let lane = Arc::clone(self);
        // The thread is waited for through `tasks`, its result is nothing.
        drop(
            self.tasks
                .spawn_blocking_on(move || lane.run(), &self.runtime),
        );
    }

    fn run(self: Arc<Self>) {
        let mut worker = Worker {
            lane: &self,
            ended: false,
        };
        while let Some(batch) = worker.next_batch() {
            (self.work)(batch);
        }
    }

    fn queue(&self) -> MutexGuard<'_, Queue<W>> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<W> fmt::Debug for Lane<W> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Lane")
            .field("width", &self.width)
            .finish_non_exhaustive()
    }
}

/// A thread at work; gives its place back even when the work panics.
struct Worker<'a, W: Send + 'static> {
    lane: &'a Arc<Lane<W>>,
    ended: bool,
}

impl<W: Send + 'static> Worker<'_, W> {
    /// The next work, or nothing: then the place is already given back, in the same step, so that
    /// work pushed from then on finds a new thread.
    fn next_batch(&mut self) -> Option<Vec<W>> {
        let mut queue = self.lane.queue();
        let count = queue.waiting.len().min(self.lane.width.batch_max);
        if count == 0 {
            queue.workers -= 1;
            self.ended = true;
            return None;
        }
        Some(queue.waiting.drain(..count).collect())
    }
}

impl<W: Send + 'static> Drop for Worker<'_, W> {
    fn drop(&mut self) {
        if self.ended {
            return;
        }
        let mut queue = self.lane.queue();
        queue.workers -= 1;
        let orphaned = queue.workers == 0 && !queue.waiting.is_empty();
        let next = if orphaned {
            queue.waiting.pop_front()
        } else {
            None
        };
        drop(queue);
        if let Some(work) = next {
            // At the end of the queue instead of its front: the order among work means nothing.
            self.lane.push(work);
        }
    }
}

#[cfg(test)]
mod tests;
