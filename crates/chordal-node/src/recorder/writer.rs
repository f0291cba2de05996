//! The recorder's other half: a thread that writes segments to files and keeps the newest.
//!
//! The newest segment is FILE, those before it are FILE.1, FILE.2 and so on. What is there and is
//! no recording is never touched.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, BufWriter, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, TryRecvError};

use chordal_proto::recording::{Item, MAGIC, Step, encode};

use super::{Job, Queue};
use crate::limits::{RECORD_SEGMENT_BYTES, RECORD_SEGMENTS_MAX};

/// How much is kept.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rotation {
    /// A segment with so many bytes after its beginning is followed by another.
    pub(crate) segment_bytes: u64,
    /// So many segments are kept, the newest.
    pub(crate) segments_max: usize,
}

impl Default for Rotation {
    fn default() -> Self {
        Self {
            segment_bytes: RECORD_SEGMENT_BYTES,
            segments_max: RECORD_SEGMENTS_MAX,
        }
    }
}

/// Writes one life's recording.
#[derive(Debug)]
pub(crate) struct Writer {
    path: PathBuf,
    rotation: Rotation,
    queue: Arc<Queue>,
    file: BufWriter<File>,
    /// Bytes since the segment's beginning.
    bytes: u64,
    /// Whether nothing was written to the file yet.
    is_fresh: bool,
}

impl Writer {
    /// Makes room at this path and creates the file.
    pub(crate) fn open(path: &Path, rotation: Rotation, queue: Arc<Queue>) -> io::Result<Self> {
        refuse_in_use(path)?;
        let file = create(path, rotation)?;
        Ok(Self {
            path: path.to_owned(),
            rotation,
            queue,
            file: BufWriter::new(file),
            bytes: 0,
            is_fresh: true,
        })
    }

    /// Writes until the recorder is gone, or the disk fails.
    pub(crate) fn run(mut self, jobs: &Receiver<Job>) {
        if let Err(error) = self.write_all(jobs) {
            let path = self.path.display();
            tracing::error!(%path, %error, "the recording ends here; the node goes on without");
        }
    }

    fn write_all(&mut self, jobs: &Receiver<Job>) -> io::Result<()> {
        loop {
            let job = match jobs.try_recv() {
                Ok(job) => job,
                Err(TryRecvError::Disconnected) => break,
                Err(TryRecvError::Empty) => {
                    // Everything told so far survives the end of this process from here on.
                    self.file.flush()?;
                    match jobs.recv() {
                        Ok(job) => job,
                        Err(_) => break,
                    }
                }
            };
            let waited = job.bytes();
            self.write(job)?;
            self.queue.bytes.fetch_sub(waited, Ordering::Relaxed);
        }
        self.file.flush()
    }

    fn write(&mut self, job: Job) -> io::Result<()> {
        let item = match job {
            Job::Begin(begin) => {
                self.next_file()?;
                self.file.write_all(MAGIC)?;
                self.file.write_all(&encode(&Item::Begin(begin)))?;
                self.bytes = 0;
                return Ok(());
            }
            Job::Told(at, decided, input) => Item::Step(Step {
                at,
                decided,
                told: input.into(),
            }),
            Job::Mark(mark) => Item::Mark(mark),
            Job::End(mark) => Item::End(mark),
        };
        let bytes = encode(&item);
        self.file.write_all(&bytes)?;
        let before = self.bytes;
        self.bytes += bytes.len() as u64;
        let limit = self.rotation.segment_bytes;
        if before < limit && self.bytes >= limit {
            self.queue.is_full.store(true, Ordering::Relaxed);
        }
        Ok(())
    }

    fn next_file(&mut self) -> io::Result<()> {
        if !std::mem::take(&mut self.is_fresh) {
            self.file.flush()?;
            self.file = BufWriter::new(create(&self.path, self.rotation)?);
        }
        Ok(())
    }
}

/// Creates the file, for this user only, after moving what is there one number up.
fn create(path: &Path, rotation: Rotation) -> io::Result<File> {
    let kept: Vec<PathBuf> = (0..rotation.segments_max.max(1))
        .map(|number| numbered(path, number))
        .collect();
    for path in &kept {
        refuse_other_files(path)?;
    }
    let free = kept.iter().position(|path| !path.exists());
    let last = free.unwrap_or(kept.len() - 1);
    for number in (0..last).rev() {
        fs::rename(&kept[number], &kept[number + 1])?;
    }
    if last == 0 && free.is_none() {
        fs::remove_file(path)?;
    }
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(path)?;
    // Where files cannot be locked a recording in use is not protected, and that is all.
    drop(file.try_lock());
    Ok(file)
}

/// An error where another node writes its recording.
fn refuse_in_use(path: &Path) -> io::Result<()> {
    let locked = File::open(path).map(|file| file.try_lock());
    if matches!(locked, Ok(Err(TryLockError::WouldBlock))) {
        return Err(io::Error::new(
            io::ErrorKind::AlreadyExists,
            format!("another node writes its recording to {}", path.display()),
        ));
    }
    Ok(())
}

/// FILE, FILE.1, FILE.2 and so on.
fn numbered(path: &Path, number: usize) -> PathBuf {
    if number == 0 {
        return path.to_owned();
    }
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{number}"));
    PathBuf::from(name)
}

/// An error where something lies that no recorder wrote. A recording whose node died at once may
/// have no bytes yet.
fn refuse_other_files(path: &Path) -> io::Result<()> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    let mut head = Vec::with_capacity(MAGIC.len());
    file.take(MAGIC.len() as u64).read_to_end(&mut head)?;
    if head.is_empty() || head == MAGIC {
        return Ok(());
    }
    Err(io::Error::new(
        io::ErrorKind::AlreadyExists,
        format!("{} is there and is no recording", path.display()),
    ))
}
