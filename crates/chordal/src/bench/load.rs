//! Loads: one big file at a time, or many small ones at once.

use std::io::{self, Read};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use serde::Serialize;

use super::limits::{block, rate};
use super::usage::Cpu;
use crate::client::{Client, Upload};
use crate::trouble::Trouble;

/// How much is done.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct Sizes {
    /// Bytes of the big file.
    pub(crate) big_bytes: u64,
    /// How often it is stored and fetched.
    pub(crate) rounds: u32,
    /// Bytes of a small file.
    pub(crate) small_bytes: u64,
    /// How many small files.
    pub(crate) count: u32,
    /// How many of them at once.
    pub(crate) in_flight: u32,
}

/// What one load gave.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Figure {
    /// Which load.
    pub(crate) work: String,
    /// Operations done.
    pub(crate) operations: u64,
    /// Bytes of files moved.
    pub(crate) bytes: u64,
    /// Seconds from the first operation's start to the last one's end.
    pub(crate) seconds: f64,
    pub(crate) operations_per_s: f64,
    pub(crate) mb_per_s: f64,
    /// Half of the operations took at most so long.
    pub(crate) p50_ms: f64,
    /// 99 of 100 did.
    pub(crate) p99_ms: f64,
    /// Processor seconds of all nodes, where the system tells them.
    pub(crate) nodes_cpu_s: Option<f64>,
    /// Processor seconds of this program.
    pub(crate) client_cpu_s: Option<f64>,
}

/// Where small files are: one name a number.
fn small_name(folder: &str, index: u32) -> String {
    format!("{folder}/small/{index:06}")
}

fn big_name(folder: &str, round: u32) -> String {
    format!("{folder}/big/{round:03}")
}

/// Stores the big file again and again, with other bytes every time.
pub(crate) async fn big_put(
    client: &Client,
    sizes: Sizes,
    cpu: &Cpu,
    folder: &str,
) -> Result<Figure, Trouble> {
    let watch = Watch::start(cpu);
    let mut times = Vec::new();
    for round in 0..sizes.rounds {
        let begun = Instant::now();
        let source = Pattern::new(u64::from(round), sizes.big_bytes);
        let (upload, hash) = Upload::reader(source, Some(sizes.big_bytes), drop);
        let stored = client.put(&big_name(folder, round), upload, None).await?;
        let sent = hash
            .await
            .ok()
            .and_then(Result::ok)
            .map(|hash| hash.to_hex().to_string());
        if sent.as_ref() != Some(&stored.hash) {
            return Err(wrong_bytes());
        }
        times.push(begun.elapsed());
    }
    Ok(watch.figure("put big", times, sizes.big_bytes, cpu))
}

/// Fetches it again and again, and checks its hash.
pub(crate) async fn big_get(
    client: &Client,
    sizes: Sizes,
    cpu: &Cpu,
    folder: &str,
) -> Result<Figure, Trouble> {
    let watch = Watch::start(cpu);
    let mut times = Vec::new();
    for round in 0..sizes.rounds {
        let begun = Instant::now();
        let name = big_name(folder, round);
        fetch(client, &name).await?;
        times.push(begun.elapsed());
    }
    Ok(watch.figure("get big", times, sizes.big_bytes, cpu))
}

/// Stores small files, many at once.
pub(crate) async fn small_put(
    client: &Client,
    sizes: Sizes,
    cpu: &Cpu,
    folder: &str,
) -> Result<Figure, Trouble> {
    let content = Bytes::from(small_content(sizes.small_bytes));
    let watch = Watch::start(cpu);
    let times = at_once(sizes.in_flight, sizes.count, |index| {
        let (client, content) = (client.clone(), content.clone());
        let name = small_name(folder, index);
        async move {
            let mut bytes = content.to_vec();
            for (to, from) in bytes.iter_mut().zip(index.to_le_bytes()) {
                *to = from;
            }
            let upload = Upload::bytes(bytes.into());
            client.put(&name, upload, None).await.map(drop)
        }
    })
    .await?;
    Ok(watch.figure("put small", times, sizes.small_bytes, cpu))
}

/// Fetches small files, many at once, each several times.
pub(crate) async fn small_get(
    client: &Client,
    sizes: Sizes,
    cpu: &Cpu,
    folder: &str,
) -> Result<Figure, Trouble> {
    const TIMES: u32 = 4;
    // A step that shares no factor with most counts visits the files out of order.
    const STEP: u32 = 7919;
    let watch = Watch::start(cpu);
    let times = at_once(sizes.in_flight, sizes.count.saturating_mul(TIMES), |turn| {
        let index = turn.wrapping_mul(STEP) % sizes.count;
        let (client, name) = (client.clone(), small_name(folder, index));
        async move { fetch(&client, &name).await }
    })
    .await?;
    Ok(watch.figure("get small", times, sizes.small_bytes, cpu))
}

async fn fetch(client: &Client, name: &str) -> Result<(), Trouble> {
    let mut download = client.get(name, None).await?;
    let mut hasher = blake3::Hasher::new();
    while let Some(bytes) = download.next().await? {
        hasher.update(&bytes);
    }
    if hasher.finalize().to_hex().as_str() != download.hash {
        return Err(wrong_bytes());
    }
    Ok(())
}

fn wrong_bytes() -> Trouble {
    Trouble::failed("corrupt", "other bytes came out than went in")
}

/// Does the work for every index below `count`, at most `in_flight` at once; the time of each.
async fn at_once<W>(
    in_flight: u32,
    count: u32,
    work: impl Fn(u32) -> W,
) -> Result<Vec<Duration>, Trouble>
where
    W: Future<Output = Result<(), Trouble>>,
{
    let next = AtomicU32::new(0);
    let worker = || async {
        let mut times = Vec::new();
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            if index >= count {
                return Ok::<_, Trouble>(times);
            }
            let begun = Instant::now();
            work(index).await?;
            times.push(begun.elapsed());
        }
    };
    let workers = (0..in_flight).map(|_| worker());
    let times = futures_util::future::try_join_all(workers).await?;
    Ok(times.into_iter().flatten().collect())
}

/// Time and processor time from a moment on.
struct Watch {
    begun: Instant,
    used: super::usage::Used,
}

impl Watch {
    fn start(cpu: &Cpu) -> Self {
        Self {
            used: cpu.now(),
            begun: Instant::now(),
        }
    }

    fn figure(self, work: &str, mut times: Vec<Duration>, bytes_each: u64, cpu: &Cpu) -> Figure {
        let took = self.begun.elapsed();
        let used = cpu.now().since(self.used);
        times.sort_unstable();
        let operations = times.len() as u64;
        let bytes = operations * bytes_each;
        Figure {
            work: work.to_owned(),
            operations,
            bytes,
            seconds: took.as_secs_f64(),
            operations_per_s: rate(operations, took) * 1e6,
            mb_per_s: rate(bytes, took),
            p50_ms: milliseconds(percentile(&times, 50)),
            p99_ms: milliseconds(percentile(&times, 99)),
            nodes_cpu_s: used.nodes.map(|time| time.as_secs_f64()),
            client_cpu_s: used.own.map(|time| time.as_secs_f64()),
        }
    }
}

/// The time that so many of a hundred did not exceed.
fn percentile(sorted: &[Duration], of_hundred: usize) -> Duration {
    let index = (sorted.len() * of_hundred).div_ceil(100).max(1) - 1;
    sorted.get(index).copied().unwrap_or_default()
}

fn milliseconds(time: Duration) -> f64 {
    (time.as_secs_f64() * 1e6).round() / 1e3
}

fn small_content(length: u64) -> Vec<u8> {
    let mut bytes = block(0);
    bytes.resize(
        usize::try_from(length).unwrap_or(usize::MAX).min(64 << 20),
        7,
    );
    bytes
}

/// Bytes that cost nothing to make and whose chunks all differ: one block with a number in it.
struct Pattern {
    block: Vec<u8>,
    number: u64,
    at: usize,
    left: u64,
}

impl Pattern {
    fn new(seed: u64, length: u64) -> Self {
        Self {
            block: block(seed),
            number: 0,
            at: 0,
            left: length,
        }
    }
}

impl Read for Pattern {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        if self.at == self.block.len() {
            self.at = 0;
            self.number += 1;
        }
        if self.at == 0 {
            self.block[..8].copy_from_slice(&self.number.to_le_bytes());
        }
        let left = usize::try_from(self.left).unwrap_or(usize::MAX);
        let count = to.len().min(self.block.len() - self.at).min(left);
        to[..count].copy_from_slice(&self.block[self.at..self.at + count]);
        self.at += count;
        self.left -= count as u64;
        Ok(count)
    }
}

#[cfg(test)]
mod tests;
