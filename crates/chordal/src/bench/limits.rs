//! What this machine can do at best: the figures that the ring's are held against.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use serde::Serialize;

use crate::trouble::Trouble;

/// Bytes in a chunk, and so in a write.
const CHUNK_BYTES: usize = 1 << 20;

/// Writers at once: the file system merges their syncs, as it does those of a node.
const WRITERS: usize = 16;

/// The machine's limits in MB/s (10^6 bytes a second).
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct Limits {
    /// 1 MiB files, each synced, by several writers.
    pub(crate) durable_write_mb_s: f64,
    /// One TCP connection over loopback, without encryption.
    pub(crate) loopback_tcp_mb_s: f64,
    /// BLAKE3 by one thread.
    pub(crate) blake3_mb_s: f64,
    /// Small files, each synced, by as many writers as the load has files in flight: a second.
    pub(crate) durable_small_per_s: f64,
    /// Small answers over as many TCP connections as the load has files in flight: a second.
    pub(crate) loopback_small_per_s: f64,
}

/// The small files that the load works with.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Small {
    /// Bytes of one.
    pub(crate) bytes: u64,
    /// How many at once.
    pub(crate) in_flight: u32,
}

/// Measures for about so long each, in a folder of the disk that the nodes use. Blocks.
pub(crate) fn measure(folder: &Path, time: Duration, small: Small) -> Result<Limits, Trouble> {
    let failed = |error: io::Error| Trouble::file(folder, &error);
    let chunk = block(0);
    let length = usize::try_from(small.bytes).unwrap_or(CHUNK_BYTES);
    let piece = &chunk[..length.min(CHUNK_BYTES)];
    let durable = |writers: usize, content: &[u8]| {
        durable_writes(folder, time, writers, content).map_err(failed)
    };
    let chunks_per_s = durable(WRITERS, &chunk)?;
    Ok(Limits {
        durable_write_mb_s: chunks_per_s * MB_IN_CHUNK,
        loopback_tcp_mb_s: loopback(time).map_err(failed)?,
        blake3_mb_s: hashing(time),
        durable_small_per_s: durable(small.in_flight as usize, piece)?,
        loopback_small_per_s: round_trips(time, small.in_flight, piece).map_err(failed)?,
    })
}

/// Bytes in a chunk, in MB.
const MB_IN_CHUNK: f64 = 1.048_576;

/// MB/s of so many bytes in such a time.
#[expect(clippy::cast_precision_loss, reason = "a figure for people")]
pub(super) fn rate(bytes: u64, time: Duration) -> f64 {
    bytes as f64 / 1e6 / time.as_secs_f64().max(1e-9)
}

/// Files written and synced, a second.
fn durable_writes(
    folder: &Path,
    time: Duration,
    writers: usize,
    content: &[u8],
) -> io::Result<f64> {
    let folder = folder.join("limit");
    fs::create_dir_all(&folder)?;
    let begun = Instant::now();
    let write = |writer: usize| -> io::Result<u64> {
        let mut written = 0;
        while begun.elapsed() < time {
            let path = folder.join(format!("{writer}-{written}"));
            let mut file = File::create(&path)?;
            file.write_all(content)?;
            file.sync_data()?;
            written += 1;
        }
        Ok(written)
    };
    let written = all_of((0..writers).map(|writer| move || write(writer)));
    let took = begun.elapsed();
    fs::remove_dir_all(&folder)?;
    Ok(rate(written?, took) * 1e6)
}

/// Runs all on threads of their own, and adds up what they did.
fn all_of<W>(works: impl Iterator<Item = W>) -> io::Result<u64>
where
    W: FnOnce() -> io::Result<u64> + Send,
{
    thread::scope(|scope| {
        let threads: Vec<_> = works.map(|work| scope.spawn(work)).collect();
        let ends = threads.into_iter().map(|thread| {
            thread
                .join()
                .unwrap_or_else(|_| Err(io::Error::other("a thread panicked")))
        });
        ends.sum()
    })
}

/// Questions of a line answered with a small file, over so many connections, a second.
fn round_trips(time: Duration, connections: u32, content: &[u8]) -> io::Result<f64> {
    const QUESTION: [u8; 128] = [7; 128];
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let addr = listener.local_addr()?;
    let pairs = (0..connections).map(|_| {
        let asker = TcpStream::connect(addr)?;
        let (answerer, _) = listener.accept()?;
        asker.set_nodelay(true)?;
        answerer.set_nodelay(true)?;
        Ok((asker, answerer))
    });
    let pairs: io::Result<Vec<_>> = pairs.collect();
    let begun = Instant::now();
    let works = pairs?.into_iter().map(|(mut asker, mut answerer)| {
        move || {
            thread::scope(|scope| {
                scope.spawn(move || {
                    let mut question = QUESTION;
                    // It ends when the asker hangs up.
                    while answerer.read_exact(&mut question).is_ok()
                        && answerer.write_all(content).is_ok()
                    {}
                });
                let mut answer = vec![0; content.len()];
                let mut asked = 0;
                while begun.elapsed() < time {
                    asker.write_all(&QUESTION)?;
                    asker.read_exact(&mut answer)?;
                    asked += 1;
                }
                drop(asker);
                Ok(asked)
            })
        }
    });
    let asked = all_of(works)?;
    Ok(rate(asked, begun.elapsed()) * 1e6)
}

fn loopback(time: Duration) -> io::Result<f64> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let addr = listener.local_addr()?;
    let sender = thread::spawn(move || -> io::Result<()> {
        let mut stream = TcpStream::connect(addr)?;
        let bytes = block(0);
        let begun = Instant::now();
        while begun.elapsed() < time {
            stream.write_all(&bytes)?;
        }
        Ok(())
    });
    let (mut stream, _) = listener.accept()?;
    let mut buffer = vec![0; 256 << 10];
    let mut read = 0;
    let begun = Instant::now();
    loop {
        match stream.read(&mut buffer)? {
            0 => break,
            count => read += count as u64,
        }
    }
    let took = begun.elapsed();
    sender
        .join()
        .unwrap_or_else(|_| Err(io::Error::other("the sender panicked")))?;
    Ok(rate(read, took))
}

fn hashing(time: Duration) -> f64 {
    let bytes = block(0);
    let mut hashed = 0;
    let begun = Instant::now();
    while begun.elapsed() < time {
        std::hint::black_box(blake3::hash(std::hint::black_box(&bytes)));
        hashed += bytes.len() as u64;
    }
    rate(hashed, begun.elapsed())
}

/// A chunk's worth of bytes that no compression makes smaller, different for every seed.
pub(super) fn block(seed: u64) -> Vec<u8> {
    let mut bytes = vec![0; CHUNK_BYTES];
    let mut hasher = blake3::Hasher::new_derive_key("chordal 2026 bench content");
    hasher.update(&seed.to_le_bytes());
    hasher.finalize_xof().fill(&mut bytes);
    bytes
}
