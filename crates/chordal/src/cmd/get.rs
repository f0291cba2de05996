//! `get`: files of the ring onto this machine, or to standard output.
//!
//! A file appears under its name only when it is whole and its hash was checked. What came of an
//! interrupted one waits beside it under a hidden name, and the next `get` goes on from there.

use std::io::Write;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use chordal_object::Name;
use serde_json::json;
use tokio::sync::mpsc;

use super::Context;
use crate::cli::GetArgs;
use crate::client::{Client, Download};
use crate::names;
use crate::out::{size, visible};
use crate::progress::Progress;
use crate::trouble::Trouble;

mod many;
pub(super) mod part;

use part::Part;

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
    let context = context.quiet_if(args.quiet).at_work();
    let client = context.client()?;
    if args.recursive {
        return many::get(&context, &client, &args, existing).await;
    }
    let name = names::parse(&args.name)?;
    if args.dest.as_os_str() == "-" {
        return print(&client, &name.to_string()).await;
    }
    let path = destination(&name, &args.dest)?;
    let bar = args.quiet.then(Progress::none);
    let fetched = fetch(&client, &name, &path, existing, bar).await?;
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
        visible(&fetched.path.display().to_string()),
        paint.dim(format!("{}{note}", size(fetched.size))),
    ))?;
    context.out.hint(format_args!(
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

/// Says which file it is about.
pub(super) fn of(name: &str, trouble: Trouble) -> Trouble {
    trouble.with(&format!("'{}'", visible(name)))
}

/// Writes a file to standard output.
pub(super) async fn print(client: &Client, name: &str) -> Result<(), Trouble> {
    let download = client.get(name, None).await;
    let mut download = download.map_err(|trouble| of(name, trouble))?;
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
    let download = client.get(&text, None).await;
    let mut download = download.map_err(|trouble| of(&text, trouble))?;
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
    let own = bar.is_none().then(|| Progress::bytes(Some(size), &text));
    let bar = bar.or_else(|| own.clone()).unwrap_or_else(Progress::none);
    bar.advance(resumed);
    let written = receive(download, part, &bar).await;
    if let Some(own) = own {
        own.clear();
    }
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
