use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;

use super::*;

#[test]
fn callers_that_come_during_a_commit_share_the_next_one() {
    let group: Group<u32, u32> = Group::new();
    let runs = AtomicUsize::new(0);
    let (entered, has_entered) = mpsc::channel::<()>();
    let (release, may_leave) = mpsc::channel::<()>();
    let may_leave = Mutex::new(may_leave);
    let run = |batch: Vec<u32>| {
        if runs.fetch_add(1, Ordering::SeqCst) == 0 {
            entered.send(()).unwrap();
            lock(&may_leave).recv().unwrap();
        }
        Ok(batch.iter().map(|number| number * 10).collect())
    };
    thread::scope(|scope| {
        let first = scope.spawn(|| group.submit(vec![1], 100, run));
        has_entered.recv().unwrap();
        let others: Vec<_> = (2..6)
            .map(|number| {
                let (group, run) = (&group, &run);
                scope.spawn(move || group.submit(vec![number, number], 100, run))
            })
            .collect();
        while lock(&group.queue).waiting.len() < 4 {
            thread::yield_now();
        }
        release.send(()).unwrap();
        assert_eq!(first.join().unwrap().unwrap(), [10]);
        for (number, other) in (2..6).zip(others) {
            assert_eq!(other.join().unwrap().unwrap(), [number * 10, number * 10]);
        }
    });
    assert_eq!(runs.into_inner(), 2);
    assert!(lock(&group.queue).finished.is_empty());
}

#[test]
fn a_batch_is_bounded_but_no_caller_is_split() {
    let mut queue: Queue<u32, u32> = Queue {
        next_ticket: 0,
        has_leader: false,
        waiting: VecDeque::from([(0, vec![1; 5]), (1, vec![2; 3]), (2, vec![3; 1])]),
        finished: BTreeMap::new(),
    };
    assert_eq!(queue.take_batch(4), (vec![(0, 5)], vec![1; 5]));
    assert_eq!(
        queue.take_batch(4),
        (vec![(1, 3), (2, 1)], vec![2, 2, 2, 3])
    );
    assert_eq!(queue.take_batch(4), (vec![], vec![]));
}

#[test]
fn an_error_reaches_everyone_of_the_batch() {
    let group: Group<u32, u32> = Group::new();
    let result = group.submit(vec![1], 100, |_| Err(StoreError::Poisoned));
    assert_eq!(result, Err(StoreError::Poisoned));
    assert_eq!(group.submit(vec![1], 100, Ok), Ok(vec![1]));
}

#[test]
fn a_leader_that_panics_does_not_leave_the_others_waiting() {
    let group: Group<u32, u32> = Group::new();
    let led = catch_unwind(AssertUnwindSafe(|| {
        group.submit(vec![1], 100, |_| {
            panic!("the leader panics, as this test wants")
        })
    }));
    assert!(led.is_err());
    assert_eq!(group.submit(vec![2], 100, Ok), Ok(vec![2]));
}
