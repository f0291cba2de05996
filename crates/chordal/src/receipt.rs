//! Receipts on this machine's disk, and whether one may be believed.
//!
//! Nothing here talks to a node: what is checked is checked on this machine.

mod copies;
#[cfg(test)]
pub(crate) mod example;

use std::collections::BTreeSet;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use chordal_node::model::NodeId;
use chordal_node::{AuthorityId, FalseReceipt, Receipt};
use chordal_web::receipts::{RECEIPT_BYTES_MAX, ReceiptFile};

use crate::cli::Common;
use crate::find;
use crate::trouble::{Exit, Trouble};

pub(crate) use copies::{Copies, enough};

/// Reads a receipt. Nothing is checked yet.
pub(crate) fn read(path: &Path) -> Result<Receipt, Trouble> {
    let failed = |error| Trouble::file(path, &error);
    let file = File::open(path).map_err(failed)?;
    let mut text = Vec::new();
    file.take(RECEIPT_BYTES_MAX as u64 + 1)
        .read_to_end(&mut text)
        .map_err(failed)?;
    if text.len() > RECEIPT_BYTES_MAX {
        let what = format!("{} is longer than a receipt can be", path.display());
        return Err(no_receipt(what));
    }
    ReceiptFile::read(&text)
        .map_err(|error| no_receipt(format!("{} proves nothing: {error}", path.display())))
}

/// Checks it on this machine: whether members of a ring that is trusted here signed all of it.
pub(crate) fn check(path: &Path, receipt: &Receipt, trusted: &AuthorityId) -> Result<(), Trouble> {
    receipt.check(trusted).map_err(|error| {
        let what = format!("{} proves nothing here: {error}", path.display());
        match error {
            FalseReceipt::OtherRing { .. } => Trouble::ending(Exit::Refused, "other_ring", what)
                .advice(
                    "Run this where that ring's nodes are, or name its authority with --authority \
                     if you know it from elsewhere than this receipt.",
                ),
            FalseReceipt::Contradiction(_)
            | FalseReceipt::Maker(_)
            | FalseReceipt::Changed
            | FalseReceipt::Statement { .. } => no_receipt(what),
        }
    })
}

/// Whose receipts are believed: those of the ring that was named, else of this home's.
pub(crate) fn trusted(
    common: &Common,
    named: Option<&str>,
    receipt: &Receipt,
) -> Result<AuthorityId, Trouble> {
    if let Some(text) = named {
        return text
            .parse()
            .map_err(|_| Trouble::usage(format!("'{text}' is no authority: it has 64 digits")));
    }
    let known = find::home(common)?.ring_authority();
    let known = known.map_err(|error| Trouble::failed("io", error.to_string()))?;
    known.ok_or_else(|| {
        let what = "this machine belongs to no ring, so it cannot tell whose receipt this is";
        Trouble::ending(Exit::Refused, "other_ring", what).advice(format!(
            "Run this in the home of a node of that ring, or name the ring's authority with --authority. \
             The receipt says {}, which proves nothing: ask somebody you trust.",
            receipt.authority
        ))
    })
}

/// Who is known on this machine to be expelled from that authority's ring.
pub(crate) fn expelled(
    common: &Common,
    authority: &AuthorityId,
) -> Result<BTreeSet<NodeId>, Trouble> {
    let known = find::home(common)?.expelled_from(authority);
    known.map_err(|error| Trouble::failed("io", error.to_string()))
}

fn no_receipt(what: String) -> Trouble {
    Trouble::failed("no_receipt", what)
        .still("The ring and its files are not affected.")
        .advice("Use an unchanged copy of the receipt; `chordal put FILE --receipt OUT` makes a new one.")
}

/// Refuses a place for a receipt where something is already, before anything is done.
pub(crate) fn may_write(path: &Path) -> Result<(), Trouble> {
    match path.symlink_metadata() {
        Ok(_) => Err(exists(path)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(Trouble::file(path, &error)),
    }
}

/// Writes a receipt: all of it, durably, or nothing.
pub(crate) fn write(path: &Path, receipt: &ReceiptFile) -> Result<(), Trouble> {
    let begun = begun(path);
    let link = |begun: &Path, path: &Path| fs::hard_link(begun, path);
    let written = write_to(&begun, path, receipt.text().as_bytes(), link);
    if written.is_err() {
        // What was begun is of no use to anybody; if it stays, it says by its name what it is.
        fs::remove_file(&begun).ok();
    }
    written.map_err(|error| {
        if error.kind() == io::ErrorKind::AlreadyExists {
            exists(path)
        } else {
            Trouble::file(path, &error)
        }
    })
}

fn write_to(
    begun: &Path,
    path: &Path,
    text: &[u8],
    link: impl Fn(&Path, &Path) -> io::Result<()>,
) -> io::Result<()> {
    fill(&create(begun)?, text)?;
    // Unlike a renaming this does not replace what has come there meanwhile.
    match link(begun, path) {
        Ok(()) => {}
        Err(error) if has_no_links(&error) => {
            let file = create(path)?;
            if let Err(error) = fill(&file, text) {
                // It is this process's own, and not whole.
                fs::remove_file(path).ok();
                return Err(error);
            }
        }
        Err(error) => return Err(error),
    }
    fs::remove_file(begun)?;
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or_else(|| Path::new(".")))?.sync_all()
}

/// Makes a file where there is none.
fn create(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create_new(true).open(path)
}

/// Writes it, durably.
fn fill(mut file: &File, text: &[u8]) -> io::Result<()> {
    file.write_all(text)?;
    file.sync_all()
}

/// Whether it says that the file system has no links; they have different words for that.
fn has_no_links(error: &io::Error) -> bool {
    use io::ErrorKind::{CrossesDevices, PermissionDenied, TooManyLinks, Unsupported};

    matches!(
        error.kind(),
        Unsupported | PermissionDenied | CrossesDevices | TooManyLinks
    )
}

/// Where a receipt is written before it has its name.
fn begun(path: &Path) -> PathBuf {
    let mut name = std::ffi::OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(format!(".{}.chordal-part", std::process::id()));
    path.with_file_name(name)
}

fn exists(path: &Path) -> Trouble {
    Trouble::failed("exists", format!("{} exists already", path.display()))
        .advice("Name another file for the receipt, or move that one away.")
}

#[cfg(test)]
mod tests;
