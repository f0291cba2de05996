//! `put`: files of this machine, or what comes in on standard input, into the ring.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use bytes::Bytes;
use chordal_object::Name;
use chordal_web::api;
use futures_util::{StreamExt, TryStreamExt};

use super::Context;
use crate::cli::{OnlyArgs, PutArgs};
use crate::client::{Client, Upload};
use crate::names::{self, Prefix};
use crate::out::{count, size, visible};
use crate::progress::Progress;
use crate::trouble::Trouble;

mod folder;

/// Files stored at once.
const AT_ONCE: usize = 16;

/// Files up to this many bytes are read whole before they are sent.
const SMALL_BYTES: u64 = 256 << 10;

/// Names listed one by one; more are summed up.
const SHOWN_MAX: usize = 20;

/// A file on its way into the ring.
#[derive(Clone, Debug)]
struct Wanted {
    path: PathBuf,
    name: String,
}

pub(super) async fn run(context: Context, args: PutArgs) -> Result<(), Trouble> {
    let wanted = wanted(&args)?;
    let client = context.client()?;
    let bar = match wanted.as_slice() {
        [one] if is_pipe(&one.path) => Progress::bytes(None, &one.name),
        [one] => Progress::bytes(length(&one.path), &one.name),
        many => Progress::files(many.len() as u64, "storing"),
    };
    let single = wanted.len() == 1;
    let only = &args.only;
    let putting = futures_util::stream::iter(&wanted)
        .map(|file| {
            let (bytes, files) = if single {
                (bar.clone(), Progress::none())
            } else {
                (Progress::none(), bar.clone())
            };
            let client = client.clone();
            async move {
                let stored = put_one(&client, &file.path, &file.name, only, bytes).await;
                files.advance(1);
                stored.map_err(|trouble| {
                    let from_input = file.path.as_os_str() == "-";
                    let what = if from_input {
                        file.name.clone()
                    } else {
                        file.path.display().to_string()
                    };
                    trouble.with(&format!("{what} was not stored"))
                })
            }
        })
        .buffer_unordered(AT_ONCE);
    let mut putting = std::pin::pin!(putting);
    let mut done = Vec::new();
    let ended = loop {
        match putting.try_next().await {
            Ok(Some(stored)) => {
                if context.out.json {
                    context.out.object(&stored)?;
                }
                done.push(stored);
            }
            Ok(None) => break Ok(()),
            Err(trouble) => break Err(trouble),
        }
    };
    bar.clear();
    tell(&context, &mut done)?;
    ended.map_err(|trouble| so_far(trouble, done.len(), wanted.len()))
}

/// Which files, and what to call them.
fn wanted(args: &PutArgs) -> Result<Vec<Wanted>, Trouble> {
    if let Some(name) = &args.name {
        let [path] = args.paths.as_slice() else {
            return Err(Trouble::usage(
                "--as names one file, and several were given",
            ));
        };
        let name = names::parse(name)?.to_string();
        return Ok(vec![Wanted {
            path: path.clone(),
            name,
        }]);
    }
    let (paths, place) = split_place(&args.paths)?;
    let mut wanted = Vec::new();
    for path in paths {
        if is_pipe(path) {
            return Err(
                Trouble::usage("what comes in on standard input has no name")
                    .advice("Name it: chordal put - --as NAME."),
            );
        }
        let metadata = std::fs::metadata(path).map_err(|error| Trouble::file(path, &error))?;
        if metadata.is_dir() {
            if !args.recursive {
                return Err(
                    Trouble::usage(format!("{} is a folder", path.display())).advice(format!(
                        "Store it with all it holds: chordal put -r {}",
                        path.display()
                    )),
                );
            }
            for (path, below) in folder::files(path)? {
                let name = place.join(&below)?.to_string();
                wanted.push(Wanted { path, name });
            }
        } else {
            let name = place.join(&names::of_file(path)?)?.to_string();
            wanted.push(Wanted {
                path: path.clone(),
                name,
            });
        }
    }
    if wanted.is_empty() {
        return Err(Trouble::failed("empty", "there is no file to store"));
    }
    Ok(wanted)
}

/// The paths, and the place that the last one may name.
fn split_place(paths: &[PathBuf]) -> Result<(&[PathBuf], Prefix), Trouble> {
    if let [files @ .., last] = paths
        && !files.is_empty()
        && let Some(text) = last.to_str()
        && names::is_place(text)
        && !last.exists()
    {
        return Ok((files, Prefix::parse(text)?));
    }
    Ok((paths, Prefix::parse("")?))
}

/// Stores one file and checks that what arrived is what was read.
pub(crate) async fn put_one(
    client: &Client,
    path: &Path,
    name: &str,
    only: &OnlyArgs,
    bar: Progress,
) -> Result<api::Stored, Trouble> {
    if is_pipe(path) {
        let (upload, hash) = Upload::reader(std::io::stdin(), None, move |bytes| {
            bar.advance(bytes);
        });
        let stored = client.put(name, upload.only(only), None).await?;
        return checked(stored, hash.await.ok());
    }
    let file = Path::to_path_buf(path);
    let failed = |error: std::io::Error| Trouble::file(path, &error);
    let (file, length, modified) = tokio::task::spawn_blocking(move || open(&file))
        .await
        .map_err(|error| Trouble::failed("failed", error.to_string()))?
        .map_err(failed)?;
    let media_type = media_type(path);
    if length.is_some_and(|length| length <= SMALL_BYTES) {
        let bytes = read_small(file).await.map_err(failed)?;
        let hash = blake3::hash(&bytes);
        let upload = Upload::bytes(bytes).of_type(media_type).only(only);
        let stored = client.put(name, upload, modified).await?;
        return checked(stored, Some(hash));
    }
    let (upload, hash) = Upload::reader(file, length, move |bytes| bar.advance(bytes));
    let stored = client
        .put(name, upload.of_type(media_type).only(only), modified)
        .await?;
    checked(stored, hash.await.ok())
}

/// The file, its length where it is an ordinary one, and when it was modified.
fn open(path: &Path) -> std::io::Result<(File, Option<u64>, Option<i64>)> {
    let file = File::open(path)?;
    let metadata = file.metadata()?;
    if metadata.is_dir() {
        return Err(std::io::ErrorKind::IsADirectory.into());
    }
    let modified = metadata
        .modified()
        .ok()
        .and_then(|time| time.duration_since(UNIX_EPOCH).ok())
        .and_then(|since| i64::try_from(since.as_millis()).ok());
    Ok((file, metadata.is_file().then_some(metadata.len()), modified))
}

async fn read_small(mut file: File) -> std::io::Result<Bytes> {
    let reading = tokio::task::spawn_blocking(move || {
        let mut bytes = Vec::new();
        // A file that grows meanwhile is stored as it was when it was opened.
        (&mut file).take(SMALL_BYTES).read_to_end(&mut bytes)?;
        Ok(Bytes::from(bytes))
    });
    reading.await.map_err(std::io::Error::other)?
}

/// Refuses to call a file stored whose bytes changed on their way.
fn checked(stored: api::Stored, sent: Option<blake3::Hash>) -> Result<api::Stored, Trouble> {
    match sent {
        Some(hash) if hash.to_hex().as_str() == stored.hash => Ok(stored),
        _ => Err(Trouble::failed(
            "corrupt",
            format!(
                "'{}' arrived with other bytes than were read",
                visible(&stored.name)
            ),
        )
        .still("The ring holds what arrived under that name.")
        .advice("Store it again; if it happens again, test this machine's memory.")),
    }
}

/// A media type by the name's ending, for the endings that matter to a browser.
fn media_type(path: &Path) -> Option<&'static str> {
    let ending = path.extension()?.to_str()?.to_ascii_lowercase();
    Some(match ending.as_str() {
        "css" => "text/css",
        "csv" => "text/csv",
        "gif" => "image/gif",
        "gz" => "application/gzip",
        "htm" | "html" => "text/html",
        "jpeg" | "jpg" => "image/jpeg",
        "js" => "text/javascript",
        "json" => "application/json",
        "md" => "text/markdown",
        "mp3" => "audio/mpeg",
        "mp4" => "video/mp4",
        "pdf" => "application/pdf",
        "png" => "image/png",
        "svg" => "image/svg+xml",
        "tar" => "application/x-tar",
        "txt" => "text/plain",
        "webp" => "image/webp",
        "xml" => "application/xml",
        "zip" => "application/zip",
        _ => return None,
    })
}

fn is_pipe(path: &Path) -> bool {
    path.as_os_str() == "-"
}

fn length(path: &Path) -> Option<u64> {
    let metadata = std::fs::metadata(path).ok()?;
    metadata.is_file().then_some(metadata.len())
}

fn so_far(trouble: Trouble, done: usize, wanted: usize) -> Trouble {
    if wanted == 1 || done == 0 {
        return trouble;
    }
    trouble.still(format!(
        "{done} of {wanted} files are stored and safe; running the command again stores the rest."
    ))
}

/// What is now true.
fn tell(context: &Context, done: &mut [api::Stored]) -> Result<(), Trouble> {
    if context.out.json || done.is_empty() {
        return Ok(());
    }
    done.sort_by(|a, b| a.name.cmp(&b.name));
    let paint = context.out.paint();
    if done.len() <= SHOWN_MAX {
        for stored in done.iter() {
            context.out.line(format_args!(
                "{} {}  {}",
                paint.green("stored"),
                visible(&stored.name),
                paint.dim(size(stored.size)),
            ))?;
        }
    } else {
        let bytes = done.iter().map(|stored| stored.size).sum();
        context.out.line(format_args!(
            "{} {}, {}",
            paint.green("stored"),
            count(done.len() as u64, "file"),
            size(bytes)
        ))?;
    }
    let worst = done
        .iter()
        .min_by_key(|stored| stored.copies.durable)
        .expect("there is one at least");
    context.out.ending(safety(worst))
}

/// How safe a file is, in words, and what to do next.
pub(crate) fn safety(stored: &api::Stored) -> String {
    let get = names::parse(&stored.name)
        .map(|name: Name| quoted(&name.to_string()))
        .unwrap_or_default();
    let copies = stored.copies;
    let copies = match (copies.durable, copies.wanted) {
        (1, 1) => "1 copy only: a second node makes it safe (join one with this one).".to_owned(),
        (durable, wanted) if durable >= wanted => {
            let lose = if durable == 2 {
                "Lose either one"
            } else {
                "Lose any two nodes"
            };
            format!("{durable} copies on as many disks. {lose} and nothing is lost.")
        }
        (durable, wanted) => format!(
            "{durable} of {wanted} copies are on disk; the ring makes the others as soon as it can."
        ),
    };
    format!("{copies} Read it on any node: chordal get {get}")
}

/// A name as it can be pasted into a shell.
pub(crate) fn quoted(name: &str) -> String {
    let plain = |letter: char| letter.is_alphanumeric() || "-_./:,+@%".contains(letter);
    if !name.is_empty() && name.chars().all(plain) {
        return name.to_owned();
    }
    format!("'{}'", visible(name).replace('\'', "'\\''"))
}

#[cfg(test)]
mod tests;
