//! Many runs at once: as many as there are processors.

use std::sync::{Mutex, PoisonError, mpsc};
use std::thread;

use anyhow::Result;

/// Does all jobs and hands each result to `take` as it comes, in no particular order. When `take` fails, no
/// further job is begun.
pub(super) fn at_once<J: Send, R: Send>(
    jobs: impl Iterator<Item = J> + Send,
    work: impl Fn(J) -> R + Sync,
    mut take: impl FnMut(R) -> Result<()>,
) -> Result<()> {
    let jobs = Mutex::new(jobs);
    let next = || jobs.lock().unwrap_or_else(PoisonError::into_inner).next();
    let (sender, results) = mpsc::channel();
    let threads = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        for _ in 0..threads {
            let sender = sender.clone();
            scope.spawn(|| {
                let sender = sender;
                while let Some(job) = next() {
                    if sender.send(work(job)).is_err() {
                        break;
                    }
                }
            });
        }
        drop(sender);
        // Ends with the last job; dropped early, it tells the threads to stop.
        results.into_iter().try_for_each(&mut take)
    })
}

#[cfg(test)]
mod tests;
