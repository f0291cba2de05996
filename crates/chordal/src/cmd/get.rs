//! `get`: files of the ring onto this machine, or to standard output.
//!
//! A file appears under its name only when it is whole and its hash was checked. What came of an
//! interrupted one waits beside it under a hidden name, and the next `get` goes on from there.

use std::io::Write;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use chordal_object::Name;
use chordal_web::api;
use futures_util::{StreamExt, TryStreamExt};
use serde_json::json;
use tokio::sync::mpsc;

use super::Context;
use crate::cli::GetArgs;
use crate::client::{Client, Download};
use crate::names::{self, Prefix};
use crate::out::{count, size, visible};
use crate::progress::Progress;
use crate::trouble::Trouble;

mod part;

use part::Part;

/// Files fetched at once.
const AT_ONCE: usize = 8;

/// Pieces that wait for the disk.
const PIECES_AHEAD: usize = 8;

/// Whether an existing local file may be replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Existing {
    Keep,
    Replace,
}

/// A file that was fetched.
#[derive(Clone, Debug)]
pub(crate) struct Fetched {
    pub(crate) name: String,
    pub(crate) size: u64,
    pub(crate) hash: String,
    pub(crate) path: PathBuf,
    pub(crate) resumed: u64,
}

pub(super) async fn run(context: Context, args: GetArgs) -> Result<(), Trouble> {
    let existing = if args.force {
        Existing::Replace
    } else {
        Existing::Keep
    };
    let client = context.client()?;
    if args.recursive {
        return many(&context, &client, &args, existing).await;
    }
    let name = names::parse(&args.name)?;
    if args.dest.as_os_str() == "-" {
        return print(&client, &name.to_string()).await;
    }
    let path = destination(&name, &args.dest)?;
    let fetched = fetch(&client, &name, &path, existing, None).await?;
    if context.out.json {
        return context.out.object(&described(&fetched));
    }
    let paint = context.out.paint();
    let note = match fetched.resumed {
        0 => String::new(),
        bytes => format!(", {} of it were here already", size(bytes)),
    };
    context.out.line(format_args!(
        "{} {}  {}",
        paint.green("fetched"),
        fetched.path.display(),
        paint.dim(format!("{}{note}", size(fetched.size))),
    ))?;
    context.out.ending(format_args!(
        "Its bytes are those that were stored (hash checked). Who holds it: chordal where {}",
        super::put::quoted(&fetched.name)
    ))
}

fn described(fetched: &Fetched) -> serde_json::Value {
    json!({
        "name": fetched.name,
        "size": fetched.size,
        "hash": fetched.hash,
        "path": fetched.path.display().to_string(),
    })
}

/// Writes a file to standard output.
pub(super) async fn print(client: &Client, name: &str) -> Result<(), Trouble> {
    let mut download = client.get(name, None).await?;
    let mut hasher = blake3::Hasher::new();
    while let Some(bytes) = download.next().await? {
        hasher.update(&bytes);
        let mut out = std::io::stdout().lock();
        out.write_all(&bytes)
            .map_err(|error| Trouble::output(&error))?;
    }
    std::io::stdout()
        .lock()
        .flush()
        .map_err(|error| Trouble::output(&error))?;
    check_hash(name, &hasher.finalize(), &download.hash)
}

fn check_hash(name: &str, came: &blake3::Hash, promised: &str) -> Result<(), Trouble> {
    if came.to_hex().as_str() == promised {
        return Ok(());
    }
    Err(Trouble::failed(
        "corrupt",
        format!("'{}' came with other bytes than were stored", visible(name)),
    )
    .still("The ring's copies are not touched.")
    .advice("Run the command again; if it happens again, test this machine's memory."))
}

/// Where a file goes: the path itself, or below it where it is a folder.
fn destination(name: &Name, dest: &Path) -> Result<PathBuf, Trouble> {
    let text = dest.as_os_str().to_string_lossy();
    if dest.is_dir() || text.ends_with(['/', std::path::MAIN_SEPARATOR]) {
        Ok(dest.join(names::local_file(name)?))
    } else {
        Ok(dest.to_path_buf())
    }
}

/// Fetches one file to a path.
pub(crate) async fn fetch(
    client: &Client,
    name: &Name,
    path: &Path,
    existing: Existing,
    bar: Option<Progress>,
) -> Result<Fetched, Trouble> {
    refuse_existing(path, existing)?;
    let text = name.to_string();
    let mut download = client.get(&text, None).await?;
    let mut part = Part::open(path, &download.hash)?;
    if part.length() > 0 && part.length() < download.size {
        let resume = Some((part.length(), download.hash.as_str()));
        let wanted = download.hash.clone();
        download = client.get(&text, resume).await?;
        if download.hash != wanted {
            // The file was replaced in between.
            part = Part::open(path, &download.hash)?;
        }
    }
    if part.length() != download.from {
        part.restart()?;
        if download.from > 0 {
            download = client.get(&text, None).await?;
        }
    }
    let (size, hash, resumed) = (download.size, download.hash.clone(), download.from);
    let bar = bar.unwrap_or_else(|| {
        let bar = Progress::bytes(Some(size), &text);
        bar.advance(resumed);
        bar
    });
    let written = receive(download, part, &bar).await;
    bar.clear();
    let (part, came) = written?;
    if let Err(trouble) = check_hash(&text, &came, &hash) {
        part.discard();
        return Err(trouble);
    }
    part.finish(path, existing)?;
    Ok(Fetched {
        name: text,
        size,
        hash,
        path: path.to_path_buf(),
        resumed,
    })
}

/// Writes what comes to the part, on a thread of its own, and hashes all of it.
async fn receive(
    mut download: Download,
    part: Part,
    bar: &Progress,
) -> Result<(Part, blake3::Hash), Trouble> {
    let (pieces_in, pieces) = mpsc::channel::<Bytes>(PIECES_AHEAD);
    let writing = tokio::task::spawn_blocking(move || part.write_all(pieces));
    let came = async {
        while let Some(bytes) = download.next().await? {
            let length = bytes.len() as u64;
            if pieces_in.send(bytes).await.is_err() {
                // The writer stopped; it says why.
                return Ok(());
            }
            bar.advance(length);
        }
        Ok(())
    };
    let came: Result<(), Trouble> = came.await;
    drop(pieces_in);
    let written = writing
        .await
        .map_err(|error| Trouble::failed("failed", error.to_string()))?;
    came.map_err(|trouble| {
        trouble.still("No file was made; what came so far is kept, and the next get goes on there.")
    })?;
    written
}

fn refuse_existing(path: &Path, existing: Existing) -> Result<(), Trouble> {
    if path.is_dir() {
        return Err(Trouble::failed(
            "exists",
            format!("{} is a folder", path.display()),
        ));
    }
    let folder = path.parent().filter(|folder| *folder != Path::new(""));
    if let Some(folder) = folder.filter(|folder| !folder.is_dir()) {
        return Err(Trouble::failed(
            "no_folder",
            format!("there is no folder {}", folder.display()),
        )
        .advice("Make it, or name another place: chordal get NAME DEST."));
    }
    if existing == Existing::Keep && path.symlink_metadata().is_ok() {
        return Err(part::exists(path));
    }
    Ok(())
}

/// Fetches every file with a prefix.
async fn many(
    context: &Context,
    client: &Client,
    args: &GetArgs,
    existing: Existing,
) -> Result<(), Trouble> {
    if args.dest.as_os_str() == "-" {
        return Err(Trouble::usage("several files cannot go to standard output"));
    }
    let prefix = Prefix::parse(&args.name)?;
    let rows = super::ls::all(client, &prefix).await?;
    if rows.is_empty() {
        return Err(Trouble::not_found(format!(
            "no file's name begins with '{}'",
            visible(&args.name)
        ))
        .advice("See what there is with `chordal ls`."));
    }
    let plan = plan(&rows, &prefix, &args.dest)?;
    for (_, path) in &plan {
        if existing == Existing::Keep && path.symlink_metadata().is_ok() {
            return Err(part::exists(path));
        }
    }
    let bar = Progress::files(plan.len() as u64, "fetching");
    let fetching = futures_util::stream::iter(&plan)
        .map(|(name, path)| {
            let bar = bar.clone();
            async move {
                let folder = path.parent().unwrap_or_else(|| Path::new("."));
                std::fs::create_dir_all(folder).map_err(|error| Trouble::file(folder, &error))?;
                let fetched = fetch(client, name, path, existing, Some(Progress::none())).await?;
                bar.advance(1);
                Ok::<_, Trouble>(fetched)
            }
        })
        .buffer_unordered(AT_ONCE);
    let mut fetching = std::pin::pin!(fetching);
    let (mut files, mut bytes) = (0_u64, 0);
    let ended = loop {
        match fetching.try_next().await {
            Ok(Some(fetched)) => {
                (files, bytes) = (files + 1, bytes + fetched.size);
                if context.out.json {
                    context.out.object(&described(&fetched))?;
                }
            }
            Ok(None) => break Ok(()),
            Err(trouble) => break Err(trouble),
        }
    };
    bar.clear();
    ended.map_err(|trouble: Trouble| {
        let still = format!("{files} of {} files are here, whole.", plan.len());
        trouble.still(still)
    })?;
    if !context.out.json {
        let paint = context.out.paint();
        context.out.line(format_args!(
            "{} {}, {}, into {}",
            paint.green("fetched"),
            count(files, "file"),
            size(bytes),
            args.dest.display()
        ))?;
    }
    context
        .out
        .ending("Their bytes are those that were stored (hashes checked).")
}

/// Which file goes where. One that cannot be a local file spoils the whole, before anything comes.
fn plan(rows: &[api::Row], prefix: &Prefix, dest: &Path) -> Result<Vec<(Name, PathBuf)>, Trouble> {
    rows.iter()
        .map(|row| {
            let name = names::parse(&row.name)?;
            let path = dest.join(names::local_path(&name, &prefix.path)?);
            Ok((name, path))
        })
        .collect()
}
