//! Many files into the ring, several at once. Those that are there already, byte for byte, are not
//! stored again, so that what was interrupted goes on where it stopped.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::Path;

use chordal_web::api;
use chordal_web::safety::Safety;
use futures_util::StreamExt;
use tokio::sync::Semaphore;

use super::{SHOWN_MAX, SMALL_BYTES, Wanted, put_one, safety, spread};
use crate::cli::PutArgs;
use crate::client::Client;
use crate::cmd::Context;
use crate::cmd::ls::Pages;
use crate::names::{self, Prefix};
use crate::out::{count, size, visible};
use crate::progress::Progress;
use crate::trouble::Trouble;

/// Files stored at once: the holders share one sync among those that come together.
const AT_ONCE: usize = 64;

/// Files of those that are streamed: a few keep the network busy, and more would only keep more files
/// unfinished.
const STREAMED_AT_ONCE: usize = 8;

/// Rows of a listing that are looked at for each file, before it is taken to be more work to look than
/// to store.
const ROWS_PER_FILE: usize = 4;

/// Files that could not be read are named up to so many.
const NAMED_MAX: usize = 5;

/// What the ring has of some names: sizes and hashes.
type Known = BTreeMap<String, (u64, String)>;

/// What became of one file.
enum End {
    Stored(api::Stored),
    /// It is there already.
    Same,
    /// This machine could not read it.
    Unread(Trouble),
}

/// What became of all.
#[derive(Default)]
struct Tally {
    files: u64,
    bytes: u64,
    same: u64,
    /// The first ones stored.
    first: Vec<(String, u64)>,
    /// The worst protected one.
    worst: Option<api::Stored>,
    unread: Vec<Trouble>,
}

/// Stores files. One that cannot be read holds up no other.
pub(super) async fn put(
    context: &Context,
    client: &Client,
    args: &PutArgs,
    wanted: &[Wanted],
) -> Result<(), Trouble> {
    let known = if args.recursive && !context.out.json && !args.only.is_condition() {
        known(client, wanted).await
    } else {
        // Programs are told the version and the copies of each file, which only storing it tells.
        Known::new()
    };
    let bytes = wanted.iter().filter_map(|file| file.size);
    let bar = if context.out.is_quiet() {
        Progress::none()
    } else {
        let bytes = bytes.fold(0, u64::saturating_add);
        Progress::files(wanted.len() as u64, bytes, "storing")
    };
    let streams = Semaphore::new(STREAMED_AT_ONCE);
    let putting = futures_util::stream::iter(wanted)
        .map(|file| {
            let (bar, known, streams) = (bar.clone(), known.get(&file.name), &streams);
            async move {
                let is_small = file.size.is_some_and(|size| size <= SMALL_BYTES);
                let _turn = if is_small {
                    None
                } else {
                    streams.acquire().await.ok()
                };
                let end = one(client, args, file, known, &bar).await;
                bar.file_done();
                end
            }
        })
        .buffer_unordered(AT_ONCE);
    let mut putting = std::pin::pin!(putting);
    let mut tally = Tally::default();
    let mut ended = Ok(());
    while let Some(end) = putting.next().await {
        match end {
            Ok(end) => tally.count(context, end)?,
            Err(trouble) => {
                ended = Err(trouble);
                break;
            }
        }
    }
    bar.clear();
    tally.tell(context, client).await?;
    ended.map_err(|trouble| tally.so_far(trouble, wanted.len()))?;
    tally.all_read(wanted.len())
}

async fn one(
    client: &Client,
    args: &PutArgs,
    file: &Wanted,
    known: Option<&(u64, String)>,
    bar: &Progress,
) -> Result<End, Trouble> {
    if let Some((bytes, hash)) = known
        && file.size == Some(*bytes)
        && is_same(&file.path, hash).await
    {
        bar.advance(*bytes);
        return Ok(End::Same);
    }
    let stored = put_one(client, &file.path, &file.name, &args.only, bar.clone()).await;
    stored.map(End::Stored).or_else(|trouble| {
        let trouble = trouble.with(&format!("{} was not stored", file.path.display()));
        if trouble.code == "io" {
            return Ok(End::Unread(trouble));
        }
        Err(trouble)
    })
}

/// Whether a file of this machine has the content of this hash.
pub(crate) async fn is_same(path: &Path, hash: &str) -> bool {
    let (path, hash) = (path.to_path_buf(), hash.to_owned());
    let hashing = tokio::task::spawn_blocking(move || {
        let mut hasher = blake3::Hasher::new();
        let read = File::open(path).and_then(|file| hasher.update_reader(file).map(drop));
        read.is_ok() && hasher.finalize().to_hex().as_str() == hash
    });
    hashing.await.unwrap_or(false)
}

/// What the ring has of these names, where all of it is safe and all of the list was told: else it is
/// taken to have none, and every file is stored.
async fn known(client: &Client, wanted: &[Wanted]) -> Known {
    let mut known = Known::new();
    let Some(prefix) = common(wanted) else {
        return known;
    };
    let status = client.status().await.ok();
    let is_safe = status.is_some_and(|status| {
        let safety = Safety::of(&status.ring.nodes, &status.repair);
        ["safe", "one_copy"].contains(&safety.state.as_str())
    });
    if !is_safe {
        return known;
    }
    let most = wanted.len().saturating_mul(ROWS_PER_FILE);
    let mut pages = Pages::new(client, &prefix);
    let mut rows = 0;
    while let Ok(Some(page)) = pages.next().await {
        rows += page.files.len();
        let files = page.files.into_iter();
        known.extend(files.map(|row| (row.name, (row.size, row.hash))));
        if rows > most {
            break;
        }
    }
    // Rows of one holder alone may be old.
    if pages.complete().is_err() {
        known.clear();
    }
    known
}

/// What all names begin with.
fn common(wanted: &[Wanted]) -> Option<Prefix> {
    let mut prefix: Option<Prefix> = None;
    for file in wanted {
        let name = names::parse(&file.name).ok()?;
        let Some(prefix) = &mut prefix else {
            prefix = Some(Prefix {
                space: name.space().to_owned(),
                path: name.path().to_owned(),
            });
            continue;
        };
        if prefix.space != name.space() {
            return None;
        }
        let letters = prefix.path.chars().zip(name.path().chars());
        let same = letters.take_while(|(one, other)| one == other);
        let length = same.map(|(letter, _)| letter.len_utf8()).sum();
        prefix.path.truncate(length);
    }
    prefix
}

impl Tally {
    fn count(&mut self, context: &Context, end: End) -> Result<(), Trouble> {
        let stored = match end {
            End::Stored(stored) => stored,
            End::Same => {
                self.same += 1;
                return Ok(());
            }
            End::Unread(trouble) => {
                self.unread.push(trouble);
                return Ok(());
            }
        };
        if context.out.json {
            context.out.object(&stored)?;
        }
        self.files += 1;
        self.bytes = self.bytes.saturating_add(stored.size);
        if self.first.len() <= SHOWN_MAX {
            self.first.push((stored.name.clone(), stored.size));
        }
        let durable = |stored: &api::Stored| stored.copies.durable;
        if self
            .worst
            .as_ref()
            .map(durable)
            .is_none_or(|least| durable(&stored) < least)
        {
            self.worst = Some(stored);
        }
        Ok(())
    }

    async fn tell(&mut self, context: &Context, client: &Client) -> Result<(), Trouble> {
        let out = context.out;
        if out.json || out.is_quiet() {
            return Ok(());
        }
        let paint = out.paint();
        if self.files > 0 && self.first.len() <= SHOWN_MAX {
            self.first.sort();
            for (name, bytes) in &self.first {
                out.line(format_args!(
                    "{} {}  {}",
                    paint.green("stored"),
                    visible(name),
                    paint.dim(size(*bytes)),
                ))?;
            }
        } else if self.files > 0 {
            out.line(format_args!(
                "{} {}, {}",
                paint.green("stored"),
                count(self.files, "file"),
                size(self.bytes)
            ))?;
        }
        if self.same > 0 {
            let same = count(self.same, "file");
            out.line(format_args!("{} {same}", paint.green("there already")))?;
        }
        let Some(worst) = &self.worst else {
            return Ok(());
        };
        if self.files == 1 || !out.is_terminal() {
            return out.hint(safety(worst));
        }
        let status = client.status().await.ok();
        out.hint(spread(worst, status.as_ref()))
    }

    fn so_far(&self, trouble: Trouble, wanted: usize) -> Trouble {
        let done = self.files + self.same;
        if done == 0 {
            return trouble;
        }
        trouble.still(format!(
            "{done} of {wanted} files are stored and safe; running the command again stores the rest."
        ))
    }

    /// An error where files could not be read.
    fn all_read(&self, wanted: usize) -> Result<(), Trouble> {
        let Some(first) = self.unread.first() else {
            return Ok(());
        };
        if let [_] = self.unread.as_slice() {
            return Err(self.so_far(first.clone(), wanted));
        }
        let named = self.unread.iter().take(NAMED_MAX);
        let named: Vec<&str> = named.map(|trouble| trouble.message.as_str()).collect();
        let more = self.unread.len().saturating_sub(NAMED_MAX);
        let more = match more {
            0 => String::new(),
            more => format!("; and {more} more"),
        };
        let trouble = Trouble::failed(
            "io",
            format!(
                "{} could not be read: {}{more}",
                count(self.unread.len() as u64, "file"),
                named.join("; ")
            ),
        );
        Err(self.so_far(trouble, wanted))
    }
}

#[cfg(test)]
mod tests;
