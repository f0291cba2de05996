//! What happens next: a wheel of short lists, since a million nodes have a million wake-ups
//! pending and a tree of them would be slower than what they wake.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// A moment, in nanoseconds, and what is to happen then. `order` is the order of equal ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Due {
    pub(super) at: u64,
    order: u64,
    pub(super) what: What,
}

/// What is to happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum What {
    /// A node wants to be woken.
    Wake(u32),
    /// A parcel, by its place in the list of those that wait, is opened.
    Parcel(u32),
}

/// Nanoseconds in one list: about a millisecond.
const SLOT_BITS: u32 = 20;

/// Lists in the wheel: about 68 seconds.
const SLOTS: u64 = 1 << 16;

#[derive(Debug)]
pub(super) struct Queue {
    wheel: Vec<Vec<Due>>,
    /// The list that is being worked on.
    slot: u64,
    present: BinaryHeap<Reverse<Due>>,
    /// What lies beyond the wheel.
    far: BinaryHeap<Reverse<Due>>,
}

impl Queue {
    pub(super) fn new() -> Self {
        Self {
            wheel: (0..SLOTS).map(|_| Vec::new()).collect(),
            slot: 0,
            present: BinaryHeap::new(),
            far: BinaryHeap::new(),
        }
    }

    pub(super) fn push(&mut self, at: u64, order: u64, what: What) {
        self.place(Due { at, order, what });
    }

    fn place(&mut self, due: Due) {
        let slot = due.at >> SLOT_BITS;
        if slot <= self.slot {
            self.present.push(Reverse(due));
        } else if slot < self.slot + SLOTS {
            self.wheel[Self::index(slot)].push(due);
        } else {
            self.far.push(Reverse(due));
        }
    }

    fn index(slot: u64) -> usize {
        usize::try_from(slot % SLOTS).expect("the wheel is short")
    }

    /// The next one before `end`.
    pub(super) fn pop_before(&mut self, end: u64) -> Option<Due> {
        loop {
            if let Some(&Reverse(due)) = self.present.peek() {
                if due.at >= end {
                    return None;
                }
                self.present.pop();
                return Some(due);
            }
            if self.slot >= end >> SLOT_BITS {
                return None;
            }
            self.slot += 1;
            let list = std::mem::take(&mut self.wheel[Self::index(self.slot)]);
            self.present.extend(list.into_iter().map(Reverse));
            while self
                .far
                .peek()
                .is_some_and(|Reverse(due)| due.at >> SLOT_BITS < self.slot + SLOTS)
            {
                let Some(Reverse(due)) = self.far.pop() else {
                    break;
                };
                self.place(due);
            }
        }
    }
}
