//! `rm`: deletes names.

use chordal_web::api::Removed;
use futures_util::{StreamExt, TryStreamExt};

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
    let bar = if names.len() > 1 {
        Progress::files(names.len() as u64, 0, "deleting")
    } else {
        Progress::none()
    };
    let if_version = args.if_version.as_deref();
    let removing = futures_util::stream::iter(&names)
        .map(|name| {
            let (client, bar) = (client.clone(), bar.clone());
            async move {
                let removed = client.remove(name, if_version).await;
                bar.file_done();
                removed.map_err(|trouble| trouble.with(&format!("'{}'", visible(name))))
            }
        })
        .buffered(AT_ONCE);
    let mut removing = std::pin::pin!(removing);
    let mut done = 0_u64;
    let ended = loop {
        match removing.try_next().await {
            Ok(Some(removed)) => {
                done += 1;
                tell(&context, &removed, names.len())?;
            }
            Ok(None) => break Ok(()),
            Err(trouble) => break Err(trouble),
        }
    };
    bar.clear();
    ended.map_err(|trouble: Trouble| match done {
        0 => trouble,
        done => trouble.still(format!(
            "{done} of {} names are deleted; it went no further.",
            names.len()
        )),
    })?;
    context.out.hint(format_args!(
        "{} deleted. The space comes back within minutes, once every node answers.",
        count(done, "file")
    ))
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
