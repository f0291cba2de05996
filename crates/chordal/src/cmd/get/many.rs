//! Many files of the ring onto this machine, several at once. Those that are here already, byte for
//! byte, are not fetched again, so that what was interrupted goes on where it stopped.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use chordal_object::Name;
use chordal_web::api;
use futures_util::{StreamExt, TryStreamExt};

use super::{Existing, Fetched, described, fetch, part};
use crate::cli::GetArgs;
use crate::client::Client;
use crate::cmd::Context;
use crate::cmd::ls;
use crate::cmd::put::many::is_same;
use crate::names::{self, Prefix};
use crate::out::{count, size, visible};
use crate::progress::Progress;
use crate::trouble::Trouble;

/// Names told one by one; more are summed up.
const SHOWN_MAX: usize = 20;

/// Files fetched at once.
const AT_ONCE: usize = 32;

/// Fetches a name and every file below it.
pub(super) async fn get(
    context: &Context,
    client: &Client,
    args: &GetArgs,
    existing: Existing,
) -> Result<(), Trouble> {
    if args.dest.as_os_str() == "-" {
        return Err(Trouble::usage("several files cannot go to standard output"));
    }
    let prefix = Prefix::parse(&args.name)?;
    let rows = ls::tree(client, &args.name, &prefix).await?;
    let Planned {
        wishes: plan,
        left_out,
    } = plan(&rows, &prefix, &args.dest)?;
    for wish in &plan {
        wish.may_come(existing)?;
    }
    let bytes = plan.iter().map(|wish| wish.size);
    let bar = if context.out.is_quiet() {
        Progress::none()
    } else {
        Progress::files(
            plan.len() as u64,
            bytes.fold(0, u64::saturating_add),
            "fetching",
        )
    };
    let fetching = futures_util::stream::iter(&plan)
        .map(|wish| {
            let bar = bar.clone();
            async move {
                let end = wish.fetch(client, existing, &bar).await?;
                bar.file_done();
                Ok::<_, Trouble>(end)
            }
        })
        .buffer_unordered(AT_ONCE);
    let mut fetching = std::pin::pin!(fetching);
    let mut tally = Tally::default();
    let ended = loop {
        match fetching.try_next().await {
            Ok(Some((fetched, is_new))) => {
                tally.count(&fetched, is_new);
                if context.out.json {
                    context.out.object(&described(&fetched))?;
                }
            }
            Ok(None) => break Ok(()),
            Err(trouble) => break Err(trouble),
        }
    };
    bar.clear();
    ended.map_err(|trouble| tally.so_far(trouble, plan.len()))?;
    tally.tell(context, &args.dest)?;
    nothing_left_out(&left_out)
}

/// What came of all.
#[derive(Debug, Default)]
struct Tally {
    files: u64,
    bytes: u64,
    /// Files that were here already.
    same: u64,
}

impl Tally {
    fn count(&mut self, fetched: &Fetched, is_new: bool) {
        if is_new {
            self.files += 1;
            self.bytes = self.bytes.saturating_add(fetched.size);
        } else {
            self.same += 1;
        }
    }

    fn so_far(&self, trouble: Trouble, wanted: usize) -> Trouble {
        let here = self.files + self.same;
        trouble.still(format!(
            "{here} of {wanted} files are here, whole; running the command again fetches the rest."
        ))
    }

    fn tell(&self, context: &Context, dest: &Path) -> Result<(), Trouble> {
        let out = context.out;
        if out.json {
            return Ok(());
        }
        let note = match self.same {
            0 => String::new(),
            same => format!(", {} here already", count(same, "file")),
        };
        out.line(format_args!(
            "{} {}, {}, into {}{note}",
            out.paint().green("fetched"),
            count(self.files, "file"),
            size(self.bytes),
            dest.display()
        ))?;
        out.hint("Their bytes are those that were stored (hashes checked).")
    }
}

/// One of many files, and where it goes.
#[derive(Debug)]
struct Wish {
    name: Name,
    path: PathBuf,
    size: u64,
    hash: String,
}

impl Wish {
    /// Whether an ordinary file of the same length is there: what an earlier try brought, perhaps.
    fn may_be_here(&self) -> bool {
        let there = self.path.symlink_metadata();
        there.is_ok_and(|there| there.is_file() && there.len() == self.size)
    }

    /// Refuses what would replace another file, before anything comes.
    fn may_come(&self, existing: Existing) -> Result<(), Trouble> {
        let there = self.path.symlink_metadata().is_ok();
        if existing == Existing::Keep && there && !self.may_be_here() {
            return Err(part::exists(&self.path));
        }
        Ok(())
    }

    /// Fetches it, unless it is here, byte for byte; whether it had to be fetched.
    async fn fetch(
        &self,
        client: &Client,
        existing: Existing,
        bar: &Progress,
    ) -> Result<(Fetched, bool), Trouble> {
        if self.may_be_here() && is_same(&self.path, &self.hash).await {
            bar.advance(self.size);
            let here = Fetched {
                name: self.name.to_string(),
                size: self.size,
                hash: self.hash.clone(),
                path: self.path.clone(),
                resumed: self.size,
            };
            return Ok((here, false));
        }
        let folder = self.path.parent().unwrap_or_else(|| Path::new("."));
        std::fs::create_dir_all(folder).map_err(|error| Trouble::file(folder, &error))?;
        let fetched = fetch(client, &self.name, &self.path, existing, Some(bar.clone())).await?;
        Ok((fetched, true))
    }
}

/// Which file goes where.
#[derive(Debug)]
struct Planned {
    wishes: Vec<Wish>,
    /// Those that cannot have their names on this machine: anybody may store such a name, and it must not
    /// keep the others from coming.
    left_out: Vec<Name>,
}

fn plan(rows: &[api::Row], prefix: &Prefix, dest: &Path) -> Result<Planned, Trouble> {
    let mut wishes = Vec::with_capacity(rows.len());
    let mut left_out = Vec::new();
    for row in rows {
        let name = names::parse(&row.name)?;
        // One that is called as a part of another is no file of its own here.
        let path = names::local_path(&name, &prefix.path);
        let Some(path) = path.ok().filter(|path| !part::is_part(path)) else {
            left_out.push(name);
            continue;
        };
        wishes.push(Wish {
            name,
            path: dest.join(path),
            size: row.size,
            hash: row.hash.clone(),
        });
    }
    // A name may lie below another one in a ring; on a disk a file is no folder.
    let above = wishes.iter().flat_map(|wish| wish.path.ancestors().skip(1));
    let folders: BTreeSet<PathBuf> = above.map(Path::to_path_buf).collect();
    let (clashing, wishes): (Vec<_>, _) = wishes
        .into_iter()
        .partition(|wish| folders.contains(&wish.path));
    left_out.extend(clashing.into_iter().map(|wish| wish.name));
    Ok(Planned { wishes, left_out })
}

/// Tells which files did not come because of their names.
fn nothing_left_out(left_out: &[Name]) -> Result<(), Trouble> {
    if left_out.is_empty() {
        return Ok(());
    }
    let shown = left_out.iter().take(SHOWN_MAX);
    let shown: Vec<String> = shown
        .map(|name| format!("'{}'", visible(&name.to_string())))
        .collect();
    let more = match left_out.len().saturating_sub(SHOWN_MAX) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let what = format!(
        "{} cannot have the same name on this machine: {}{more}",
        count(left_out.len() as u64, "file"),
        shown.join(", ")
    );
    Err(Trouble::failed("unfit_names", what)
        .still("All others are here, whole.")
        .advice("Say what to call each: chordal get NAME FILE."))
}
