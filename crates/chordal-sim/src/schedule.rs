//! What will happen when: a queue in order of time, and of arrival among equals.

use std::collections::BTreeMap;

use chordal_proto::Time;

/// Things to come.
#[derive(Debug)]
pub(crate) struct Schedule<E> {
    queue: BTreeMap<(Time, u64), E>,
    pushed: u64,
}

impl<E> Schedule<E> {
    /// Nothing to come.
    pub(crate) const fn new() -> Self {
        Self {
            queue: BTreeMap::new(),
            pushed: 0,
        }
    }

    /// Lets something happen at a time, after what is already due then.
    pub(crate) fn push(&mut self, at: Time, event: E) {
        self.pushed += 1;
        self.queue.insert((at, self.pushed), event);
    }

    /// When the next thing happens.
    pub(crate) fn next_at(&self) -> Option<Time> {
        self.queue.first_key_value().map(|(&(at, _), _)| at)
    }

    /// The next thing.
    pub(crate) fn pop(&mut self) -> Option<(Time, u64, E)> {
        self.queue
            .pop_first()
            .map(|((at, number), event)| (at, number, event))
    }
}
