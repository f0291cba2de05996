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
}

/// Measures for about so long each, in a folder of the disk that the nodes use. Blocks.
pub(crate) fn measure(folder: &Path, time: Duration) -> Result<Limits, Trouble> {
    let failed = |error: io::Error| Trouble::file(folder, &error);
    Ok(Limits {
        durable_write_mb_s: durable_write(folder, time).map_err(failed)?,
        loopback_tcp_mb_s: loopback(time).map_err(failed)?,
        blake3_mb_s: hashing(time),
    })
}

/// MB/s of so many bytes in such a time.
#[expect(clippy::cast_precision_loss, reason = "a figure for people")]
pub(super) fn rate(bytes: u64, time: Duration) -> f64 {
    bytes as f64 / 1e6 / time.as_secs_f64().max(1e-9)
}

fn durable_write(folder: &Path, time: Duration) -> io::Result<f64> {
    let folder = folder.join("limit");
    fs::create_dir_all(&folder)?;
    let begun = Instant::now();
    let write = |writer: usize| -> io::Result<u64> {
        let mut bytes = block(writer as u64);
        let mut written = 0;
        let mut index = 0_u64;
        while begun.elapsed() < time {
            index += 1;
            bytes[..8].copy_from_slice(&index.to_le_bytes());
            let path = folder.join(format!("{writer}-{index}"));
            let mut file = File::create(&path)?;
            file.write_all(&bytes)?;
            file.sync_data()?;
            written += bytes.len() as u64;
        }
        Ok(written)
    };
    let written: io::Result<u64> = thread::scope(|scope| {
        let writers: Vec<_> = (0..WRITERS)
            .map(|writer| scope.spawn(move || write(writer)))
            .collect();
        let ends = writers.into_iter().map(|writer| {
            writer
                .join()
                .unwrap_or_else(|_| Err(io::Error::other("a writer panicked")))
        });
        ends.sum()
    });
    let took = begun.elapsed();
    fs::remove_dir_all(&folder)?;
    Ok(rate(written?, took))
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
