//! `put`: files of this machine, or what comes in on standard input, into the ring.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use bytes::Bytes;
use chordal_object::Name;
use chordal_web::api;
use chordal_web::safety::is_member;
use serde::Serialize;

use super::Context;
use crate::cli::{OnlyArgs, PutArgs};
use crate::client::{BECAME_SHORTER, Client, HashLater, Upload};
use crate::names::{self, Prefix};
use crate::out::{count, size, visible};
use crate::progress::Progress;
use crate::receipt::{self, Copies, enough};
use crate::trouble::{Exit, Trouble};

mod folder;
pub(super) mod many;

/// Files up to this many bytes are read whole before they are sent.
const SMALL_BYTES: u64 = 256 << 10;

/// Names listed one by one; more are summed up.
const SHOWN_MAX: usize = 20;

/// A file on its way into the ring.
#[derive(Clone, Debug)]
struct Wanted {
    path: PathBuf,
    name: String,
    /// In bytes, where it is an ordinary file.
    size: Option<u64>,
}

pub(super) async fn run(context: Context, args: PutArgs) -> Result<(), Trouble> {
    let Asked { wanted, left_out } = wanted(&args)?;
    if let Some(path) = &args.receipt {
        if wanted.len() != 1 {
            return Err(
                Trouble::usage("a receipt is of one file, and several were given")
                    .advice("Store them one by one, each with a --receipt of its own."),
            );
        }
        receipt::may_write(path)?;
    }
    let context = context.quiet_if(args.quiet).at_work();
    let client = context.client()?;
    tell_left_out(&context, &left_out)?;
    let [one] = wanted.as_slice() else {
        return many::put(&context, &client, &args, &wanted).await;
    };
    let bar = if args.quiet {
        Progress::none()
    } else {
        Progress::bytes(one.size, &one.name)
    };
    let stored = put_one(&client, &one.path, &one.name, &args.only, bar.clone()).await;
    bar.clear();
    let stored = stored.map_err(|trouble| {
        let what = if is_pipe(&one.path) {
            one.name.clone()
        } else {
            one.path.display().to_string()
        };
        trouble.with(&format!("{what} was not stored"))
    })?;
    tell(&context, &stored)?;
    match &args.receipt {
        Some(path) => give_receipt(&context, &client, path, &stored).await,
        None => Ok(()),
    }
}

/// Has a receipt made of what was stored, checks it and keeps it.
async fn give_receipt(
    context: &Context,
    client: &Client,
    path: &Path,
    stored: &api::Stored,
) -> Result<(), Trouble> {
    let made = async {
        let file = client.receipt(&stored.name, &stored.version).await?;
        let made = file.receipt();
        let made = made.map_err(|error| Trouble::failed("no_receipt", error.to_string()))?;
        let known = receipt::trusted(&context.common, None, &made)?;
        receipt::check(path, &made, &known)?;
        let is_of_it = file.hash == stored.hash && file.version == stored.version;
        if !is_of_it {
            return Err(Trouble::failed(
                "no_receipt",
                "the receipt is of something else",
            ));
        }
        let expelled = receipt::expelled(&context.common, &known)?;
        receipt::write(path, &file)?;
        let copies = Copies::of(&made, &expelled);
        Ok((made, copies))
    };
    let (made, copies) = made.await.map_err(|trouble: Trouble| {
        let still = format!(
            "The file is stored and safe, as version {}.",
            stored.version
        );
        let trouble = trouble.with("no receipt was written").still(still);
        trouble.advice("Store it again with --receipt to get one; nothing is sent twice.")
    })?;
    let signers: BTreeSet<_> = made.statements.iter().map(|it| it.holding.node).collect();
    let given = Given {
        receipt: path.display().to_string(),
        name: &stored.name,
        version: &stored.version,
        holders: signers.len(),
        unheard: made.unheard.len(),
        wanted: copies.wanted,
        copies: copies.fewest(),
    };
    context.out.either(&given, |out| {
        let unheard = match made.unheard.len() {
            0 => String::new(),
            some => format!(", {} said nothing", count(some as u64, "node")),
        };
        out.line(format_args!(
            "{} {}, signed by {}{unheard}",
            out.paint().green("receipt"),
            path.display(),
            count(signers.len() as u64, "holder"),
        ))
    })?;
    let verify = format!("chordal verify {}", quoted(&path.display().to_string()));
    shown(&copies, &stored.version, &verify)?;
    context
        .out
        .ending(format_args!("Is it still there? {verify}"))
}

/// Whether a receipt that was written shows as many copies as a put waits for.
fn shown(copies: &Copies, version: &str, verify: &str) -> Result<(), Trouble> {
    if copies.are_enough() {
        return Ok(());
    }
    let what = format!(
        "the receipt proves little: for some of the file {} of {} nodes signed, and {} are enough",
        copies.fewest(),
        copies.wanted,
        enough(copies.wanted)
    );
    Err(Trouble::ending(Exit::TooFewCopies, "too_few_copies", what)
        .still(format!("The file is stored, as version {version}, and the receipt is written."))
        .advice(format!(
            "Who has it now says {verify}; for a better receipt store it again with another --receipt."
        )))
}

/// What is told of a receipt that was written.
#[derive(Serialize)]
struct Given<'a> {
    receipt: String,
    name: &'a str,
    version: &'a str,
    holders: usize,
    unheard: usize,
    wanted: u32,
    /// Of the part that the fewest signed for.
    copies: usize,
}

/// What was asked for.
#[derive(Debug, Default)]
struct Asked {
    wanted: Vec<Wanted>,
    /// What lies in folders that were named and is no file.
    left_out: Vec<PathBuf>,
}

/// Says what of a folder is not stored: a copy that lacks something must not pass for a whole one.
fn tell_left_out(context: &Context, left_out: &[PathBuf]) -> Result<(), Trouble> {
    if left_out.is_empty() {
        return Ok(());
    }
    if context.out.json {
        let paths: Vec<_> = left_out
            .iter()
            .map(|path| path.display().to_string())
            .collect();
        return context
            .out
            .object(&serde_json::json!({ "left_out": paths }));
    }
    let paths = left_out.iter().take(SHOWN_MAX);
    let mut paths: Vec<String> = paths.map(|path| path.display().to_string()).collect();
    if let more @ 1.. = left_out.len().saturating_sub(SHOWN_MAX) {
        paths.push(format!("and {more} more"));
    }
    context.out.note(format_args!(
        "{} left out: no files (links to folders are not followed), or parts of unfinished downloads: {}",
        left_out.len(),
        paths.join(", ")
    ));
    Ok(())
}

/// Which files, and what to call them.
fn wanted(args: &PutArgs) -> Result<Asked, Trouble> {
    if let Some(name) = &args.name {
        let [path] = args.paths.as_slice() else {
            return Err(Trouble::usage(
                "--as names one file, and several were given",
            ));
        };
        let name = names::parse(name)?.to_string();
        return Ok(Asked {
            wanted: vec![Wanted::new(path.clone(), name)],
            ..Asked::default()
        });
    }
    let (paths, place) = split_place(&args.paths)?;
    let Asked {
        mut wanted,
        mut left_out,
    } = Asked::default();
    for path in paths {
        if is_pipe(path) {
            return Err(
                Trouble::usage("what comes in on standard input has no name")
                    .advice("Name it: chordal put - --as NAME."),
            );
        }
        let metadata = std::fs::metadata(path).map_err(|error| no_file(path, &error))?;
        if metadata.is_dir() {
            if !args.recursive {
                return Err(
                    Trouble::usage(format!("{} is a folder", path.display())).advice(format!(
                        "Store it with all it holds: chordal put -r {}",
                        path.display()
                    )),
                );
            }
            let below = folder::below(path)?;
            left_out.extend(below.left_out);
            for (path, below) in below.files {
                let name = place.join(&below)?.to_string();
                wanted.push(Wanted::new(path, name));
            }
        } else {
            may_be_read(path, &metadata)?;
            let name = place.join(&names::of_file(path)?)?.to_string();
            wanted.push(Wanted::new(path.clone(), name));
        }
    }
    if wanted.is_empty() {
        return Err(Trouble::failed("empty", "there is no file to store"));
    }
    all_differ(&wanted)?;
    Ok(Asked { wanted, left_out })
}

/// Refuses two files for one name: one of them would be lost.
fn all_differ(wanted: &[Wanted]) -> Result<(), Trouble> {
    let mut known = BTreeMap::new();
    for Wanted { path, name, .. } in wanted {
        if let Some(other) = known.insert(name, path) {
            return Err(Trouble::usage(format!(
                "{} and {} would both be '{}'; nothing was stored",
                other.display(),
                path.display(),
                visible(name)
            ))
            .advice("Store them one by one: chordal put FILE --as NAME, or under places of their own: chordal put FILE PLACE/"));
        }
    }
    Ok(())
}

/// Refuses what has no end or no bytes of its own: a pipe without a writer would be waited for without end.
fn may_be_read(path: &Path, metadata: &std::fs::Metadata) -> Result<(), Trouble> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::FileTypeExt as _;
        let kind = metadata.file_type();
        if kind.is_fifo() || kind.is_socket() || kind.is_block_device() {
            let what = format!("{} is no ordinary file", path.display());
            return Err(Trouble::usage(what)
                .advice("Store what comes out of it: chordal put - --as NAME < FILE"));
        }
    }
    #[cfg(not(unix))]
    let _ = (path, metadata);
    Ok(())
}

/// What is said of a file that cannot be looked at: the last of several may have been meant as a name.
fn no_file(path: &Path, error: &std::io::Error) -> Trouble {
    let trouble = Trouble::file(path, error);
    if error.kind() != std::io::ErrorKind::NotFound {
        return trouble;
    }
    trouble.advice(
        "All of these are files of this machine. To name one in the ring: chordal put FILE --as NAME; to put several in \
         a place: chordal put FILES SPACE:FOLDER/, where a space is written in small letters.",
    )
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
        let upload = Upload::reader(std::io::stdin(), None, move |bytes| {
            bar.advance(bytes);
        });
        return send(client, name, only, upload, (None, None))
            .await
            .map_err(|error| error.of(Path::new("standard input")));
    }
    let file = Path::to_path_buf(path);
    let failed = |error: std::io::Error| Trouble::file(path, &error);
    let (file, length, modified) = tokio::task::spawn_blocking(move || open(&file))
        .await
        .map_err(|error| Trouble::failed("failed", error.to_string()))?
        .map_err(failed)?;
    let media_type = media_type(path);
    if length.is_some_and(|length| length <= SMALL_BYTES) {
        let (bytes, rest) = read_small(file, length.unwrap_or(0))
            .await
            .map_err(failed)?;
        if let Some(rest) = rest {
            // It said that it has no bytes, and has some, as the files of /proc do.
            let source = std::io::Cursor::new(bytes).chain(rest);
            let upload = Upload::reader(source, None, move |bytes| bar.advance(bytes));
            return send(client, name, only, upload, (media_type, modified))
                .await
                .map_err(|error| error.of(path));
        }
        let hash = blake3::hash(&bytes);
        let upload = Upload::bytes(bytes).of_type(media_type).only(only);
        let stored = client.put(name, upload, modified).await?;
        bar.advance(length.unwrap_or(0));
        return checked(stored, Some(hash));
    }
    let upload = Upload::reader(file, length, move |bytes| bar.advance(bytes));
    send(client, name, only, upload, (media_type, modified))
        .await
        .map_err(|error| error.of(path))
}

/// Why a stream was not stored.
enum Unsent {
    /// Its source could not be read.
    Unread(std::io::Error),
    Failed(Trouble),
}

impl Unsent {
    fn of(self, path: &Path) -> Trouble {
        match self {
            Self::Unread(error) => Trouble::file(path, &error),
            Self::Failed(trouble) => trouble,
        }
    }
}

/// Stores a stream and checks that what arrived is what was read.
async fn send(
    client: &Client,
    name: &str,
    only: &OnlyArgs,
    (upload, mut hash): (Upload, HashLater),
    (media_type, modified): (Option<&'static str>, Option<i64>),
) -> Result<api::Stored, Unsent> {
    let upload = upload.of_type(media_type).only(only);
    match client.put(name, upload, modified).await {
        Ok(stored) => {
            let sent = hash.await.ok().and_then(Result::ok);
            checked(stored, sent).map_err(Unsent::Failed)
        }
        // Where reading failed, that is the reason, and not what became of the connection.
        Err(trouble) => Err(match hash.try_recv() {
            Ok(Err(error)) => Unsent::Unread(error),
            _ => Unsent::Failed(trouble),
        }),
    }
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

/// So many bytes of a file, which is stored as it was when it was opened, though it grows meanwhile. Of one
/// that said it had none: what it has, and the file itself where that may not be all.
async fn read_small(mut file: File, length: u64) -> std::io::Result<(Bytes, Option<File>)> {
    let reading = tokio::task::spawn_blocking(move || {
        let mut bytes = Vec::new();
        let most = if length == 0 { SMALL_BYTES } else { length };
        (&mut file).take(most).read_to_end(&mut bytes)?;
        if (bytes.len() as u64) < length {
            return Err(std::io::Error::other(BECAME_SHORTER));
        }
        let rest = (length == 0 && bytes.len() as u64 == most).then_some(file);
        Ok((Bytes::from(bytes), rest))
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

impl Wanted {
    fn new(path: PathBuf, name: String) -> Self {
        let metadata = std::fs::metadata(&path).ok();
        let file = metadata.filter(std::fs::Metadata::is_file);
        Self {
            size: file.map(|file| file.len()),
            path,
            name,
        }
    }
}

/// What is now true.
fn tell(context: &Context, stored: &api::Stored) -> Result<(), Trouble> {
    if context.out.json {
        return context.out.object(stored);
    }
    let paint = context.out.paint();
    context.out.line(format_args!(
        "{} {}  {}",
        paint.green("stored"),
        visible(&stored.name),
        paint.dim(size(stored.size)),
    ))?;
    context.out.hint(safety(stored))
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
            format!("{durable} copies on as many nodes. {lose} and nothing is lost.")
        }
        (durable, wanted) => format!(
            "{durable} of {wanted} copies are on disk; the ring makes the others as soon as it can."
        ),
    };
    format!("{copies} Read it on any node: chordal get {get}")
}

/// How safe many files are, of which this one is the worst protected, and where they are.
fn spread(worst: &api::Stored, status: Option<&api::Status>) -> String {
    let api::Copies { durable, wanted } = worst.copies;
    if durable < 2 || durable < wanted {
        return safety(worst);
    }
    let holds = |node: &&api::NodeHealth| is_member(node) && node.offered_bytes > 0;
    let nodes = status.map(|status| status.ring.nodes.iter().filter(holds).count() as u64);
    let nodes = nodes.map_or(String::new(), |nodes| {
        format!(" on {}", count(nodes, "node"))
    });
    let lose = if durable == 2 {
        "Lose either one"
    } else {
        "Lose any two"
    };
    format!(
        "{durable} copies of each{nodes}. {lose} and nothing is lost. Where one is: chordal where {}",
        quoted(&worst.name)
    )
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
