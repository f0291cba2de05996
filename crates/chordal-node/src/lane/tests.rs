use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier, Mutex, mpsc};

use tokio::sync::oneshot;
use tokio_util::task::TaskTracker;

use super::{Lane, Width};

const WIDTH: Width = Width {
    workers_max: 1,
    batch_max: 100,
    waiting_max: 10,
};

#[tokio::test]
async fn work_that_comes_while_the_thread_is_busy_is_done_in_one_batch() {
    let tasks = TaskTracker::new();
    let (begun, has_begun) = mpsc::channel();
    let go_on = Arc::new(Barrier::new(2));
    let batches = Arc::new(Mutex::new(Vec::new()));
    let (barrier, seen) = (Arc::clone(&go_on), Arc::clone(&batches));
    let lane = Lane::new(WIDTH, tasks.clone(), move |batch: Vec<u32>| {
        if batch == [0] {
            begun.send(()).unwrap();
            barrier.wait();
        }
        seen.lock().unwrap().push(batch);
    });
    lane.push(0);
    has_begun.recv().unwrap();
    for work in 1..=5 {
        lane.push(work);
    }
    go_on.wait();
    tasks.close();
    tasks.wait().await;
    assert_eq!(*batches.lock().unwrap(), [vec![0], vec![1, 2, 3, 4, 5]]);
}

#[tokio::test]
async fn a_full_queue_drops_work_and_its_owner_learns_so() {
    let tasks = TaskTracker::new();
    let (begun, has_begun) = mpsc::channel();
    let go_on = Arc::new(Barrier::new(2));
    let barrier = Arc::clone(&go_on);
    let lane = Lane::new(WIDTH, tasks.clone(), move |batch| {
        for done in batch {
            let done: oneshot::Sender<()> = done;
            if done.send(()).is_err() {
                begun.send(()).unwrap();
                barrier.wait();
            }
        }
    });
    // Nobody waits for the first one: that makes the thread stop and wait.
    let (unwanted, nobody) = oneshot::channel();
    drop(nobody);
    lane.push(unwanted);
    has_begun.recv().unwrap();
    let mut ends = Vec::new();
    for _ in 0..12 {
        let (done, end) = oneshot::channel();
        lane.push(done);
        ends.push(end);
    }
    go_on.wait();
    let mut done = 0;
    for end in ends {
        done += usize::from(end.await.is_ok());
    }
    assert_eq!(done, WIDTH.waiting_max);
}

#[tokio::test]
async fn a_panic_costs_its_own_batch_and_nothing_else() {
    let tasks = TaskTracker::new();
    let done = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&done);
    let width = Width {
        batch_max: 1,
        ..WIDTH
    };
    let lane = Lane::new(width, tasks.clone(), move |batch: Vec<u32>| {
        assert_ne!(batch, [3], "made to fail");
        count.fetch_add(1, Ordering::Relaxed);
    });
    for work in 0..8 {
        lane.push(work);
    }
    tasks.close();
    tasks.wait().await;
    assert_eq!(done.load(Ordering::Relaxed), 7);
}

#[tokio::test]
async fn no_more_threads_work_than_allowed_and_none_stays() {
    let tasks = TaskTracker::new();
    let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (at_work, peak) = (Arc::clone(&now), Arc::clone(&most));
    let width = Width {
        workers_max: 3,
        batch_max: 1,
        waiting_max: 1000,
    };
    let lane = Lane::new(width, tasks.clone(), move |_: Vec<u32>| {
        let count = at_work.fetch_add(1, Ordering::SeqCst) + 1;
        peak.fetch_max(count, Ordering::SeqCst);
        std::thread::yield_now();
        at_work.fetch_sub(1, Ordering::SeqCst);
    });
    for work in 0..500 {
        lane.push(work);
    }
    tasks.close();
    tasks.wait().await;
    assert!(most.load(Ordering::SeqCst) <= 3);
    assert_eq!(lane.queue().workers, 0);
    assert!(lane.queue().waiting.is_empty());
}
