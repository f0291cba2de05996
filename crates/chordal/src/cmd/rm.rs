//! `rm`: deletes names.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};

use chordal_web::api::Removed;
use futures_util::StreamExt;

use super::{Context, ls};
use crate::cli::RmArgs;
use crate::names::{self, Prefix};
use crate::out::{count, visible};
use crate::progress::Progress;
use crate::trouble::Trouble;

/// Names deleted at once.
const AT_ONCE: usize = 16;

/// Names shown one by one; more are summed up.
const SHOWN_MAX: usize = 20;

pub(super) async fn run(context: Context, args: RmArgs) -> Result<(), Trouble> {
    let context = context.at_work();
    let client = context.client()?;
    let mut names = Vec::new();
    for text in &args.names {
        if !args.recursive {
            names.push(names::parse(text)?.to_string());
            continue;
        }
        if text.is_empty() {
            return Err(Trouble::usage(
                "an empty name means every file of a space; nothing was deleted",
            )
            .advice("If that is meant, name the space: chordal rm -r main:"));
        }
        let rows = ls::tree(&client, text, &Prefix::parse(text)?).await?;
        names.extend(rows.into_iter().map(|row| row.name));
    }
    let mut known = BTreeSet::new();
    names.retain(|name| known.insert(name.clone()));
    let bar = if names.len() > 1 {
        Progress::files(names.len() as u64, 0, "deleting")
    } else {
        Progress::none()
    };
    let goes_on = AtomicBool::new(true);
    let if_version = args.if_version.as_deref();
    let removing = futures_util::stream::iter(&names)
        .map(|name| {
            let (client, bar, goes_on) = (client.clone(), bar.clone(), &goes_on);
            async move {
                if !goes_on.load(Ordering::Relaxed) {
                    return None;
                }
                let removed = client.remove(name, if_version).await;
                bar.file_done();
                let removed =
                    removed.map_err(|trouble| trouble.with(&format!("'{}'", visible(name))));
                // A name that is not there says nothing of the others.
                if matches!(&removed, Err(trouble) if trouble.code != "not_found") {
                    goes_on.store(false, Ordering::Relaxed);
                }
                Some(removed)
            }
        })
        .buffered(AT_ONCE);
    let mut removing = std::pin::pin!(removing);
    let mut tally = Tally::default();
    // What was begun is waited for: it is deleted, whatever became of another one.
    while let Some(removed) = removing.next().await {
        match removed {
            Some(Ok(removed)) => {
                tally.done += 1;
                tell(&context, &removed, names.len())?;
            }
            Some(Err(trouble)) => tally.failed.push(trouble),
            None => tally.not_begun += 1,
        }
    }
    bar.clear();
    tally.outcome(names.len())?;
    context.out.hint(format_args!(
        "{} deleted. The space comes back within minutes, once every node answers.",
        count(tally.done, "file")
    ))
}

/// What came of all names.
#[derive(Debug, Default)]
struct Tally {
    done: u64,
    not_begun: u64,
    failed: Vec<Trouble>,
}

impl Tally {
    /// The first failure, with what became of the others.
    fn outcome(&self, of: usize) -> Result<(), Trouble> {
        let Some(first) = self.failed.first().cloned() else {
            return Ok(());
        };
        if of == 1 {
            return Err(first);
        }
        let failed = match self.failed.len() - 1 {
            0 => String::new(),
            more => format!(", {more} more failed"),
        };
        let not_begun = match self.not_begun {
            0 => String::new(),
            some => format!(", {some} were not tried"),
        };
        Err(first.still(format!(
            "{} of {of} names are deleted{failed}{not_begun}.",
            self.done
        )))
    }
}

fn tell(context: &Context, removed: &Removed, of: usize) -> Result<(), Trouble> {
    if context.out.json {
        return context.out.object(removed);
    }
    if of > SHOWN_MAX {
        return Ok(());
    }
    let paint = context.out.paint();
    context.out.line(format_args!(
        "{} {}",
        paint.green("deleted"),
        visible(&removed.name)
    ))
}
