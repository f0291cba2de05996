//! `whatif`: which files would be lost or short of copies if some nodes died now.
//!
//! The list is walked page by page, as `ls` does, and shown as it comes. Where it was cut, or nodes
//! were silent, that is said: it is never taken for the whole.

use std::collections::BTreeMap;

use chordal_web::api::{FateShares, FileFate, Minority, NamedNode, WhatIf};
use chordal_web::problem::Missing;
use serde::Serialize;

use super::Context;
use super::ls::incomplete;
use super::risk::percent;
use crate::cli::WhatIfArgs;
use crate::client::Client;
use crate::names::Prefix;
use crate::out::{Out, count, short, size, visible};
use crate::trouble::Trouble;

/// Files of one fate that are named; of more it is said how many.
const SHOWN_MAX: u64 = 20;

/// Names in one page.
const PAGE: u64 = 1000;

/// What the files come to.
#[derive(Clone, Debug, Default, Serialize)]
struct Summary {
    nodes: Vec<NamedNode>,
    /// Names that were looked at.
    names: u64,
    /// Whether there are further ones.
    cut: bool,
    whole: Tally,
    short: Tally,
    in_doubt: Tally,
    lost: Tally,
    /// Files that would be short, by copies left of their worst part.
    short_by_left: BTreeMap<usize, u64>,
    shares: FateShares,
    minority: Option<Minority>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
struct Tally {
    files: u64,
    bytes: u64,
}

pub(super) async fn run(context: Context, args: WhatIfArgs) -> Result<(), Trouble> {
    let prefix = Prefix::parse(&args.prefix)?;
    let client = context.client()?;
    let mut walk = Walk::new(&context, &args, &prefix);
    while walk.goes_on() {
        let page = walk.ask(&client).await?;
        walk.take(page)?;
    }
    let Walk {
        summary, missing, ..
    } = walk;
    if context.out.json {
        context.out.object(&summary)?;
    } else {
        tell(context.out, &summary, &prefix)?;
    }
    incomplete(missing)?;
    context.out.ending(ending(&summary))
}

/// A list under way.
struct Walk<'a> {
    out: Out,
    args: &'a WhatIfArgs,
    prefix: &'a Prefix,
    after: Option<String>,
    ended: bool,
    summary: Summary,
    missing: Vec<Missing>,
}

impl<'a> Walk<'a> {
    fn new(context: &Context, args: &'a WhatIfArgs, prefix: &'a Prefix) -> Self {
        Self {
            out: context.out,
            args,
            prefix,
            after: None,
            ended: false,
            summary: Summary::default(),
            missing: Vec::new(),
        }
    }

    fn goes_on(&mut self) -> bool {
        self.summary.cut = !self.ended && self.summary.names >= self.args.names;
        !self.ended && !self.summary.cut
    }

    async fn ask(&self, client: &Client) -> Result<WhatIf, Trouble> {
        let limit = PAGE.min(self.args.names - self.summary.names);
        let (space, path) = (&self.prefix.space, &self.prefix.path);
        let (nodes, after) = (&self.args.nodes, self.after.as_deref());
        client.what_if(nodes, space, path, after, limit).await
    }

    fn take(&mut self, page: WhatIf) -> Result<(), Trouble> {
        self.ended = page.next.is_none();
        self.after = page.next;
        for node in page.missing {
            if !self.missing.contains(&node) {
                self.missing.push(node);
            }
        }
        for file in &page.files {
            self.count(file);
            if self.out.json && file.fate != "whole" {
                self.out.object(file)?;
            } else if !self.out.json {
                self.show(file)?;
            }
        }
        let summary = &mut self.summary;
        (summary.nodes, summary.minority) = (page.nodes, page.minority);
        summary.shares = page.shares;
        Ok(())
    }

    fn count(&mut self, file: &FileFate) {
        let summary = &mut self.summary;
        summary.names += 1;
        let tally = match file.fate.as_str() {
            "whole" => &mut summary.whole,
            "short" => {
                *summary.short_by_left.entry(file.left).or_default() += 1;
                &mut summary.short
            }
            "lost" => &mut summary.lost,
            _ => &mut summary.in_doubt,
        };
        tally.files += 1;
        tally.bytes = tally.bytes.saturating_add(file.size);
    }

    /// Names a file that would not stay whole, if it is one of the first.
    fn show(&self, file: &FileFate) -> Result<(), Trouble> {
        let (summary, paint) = (&self.summary, self.out.paint());
        let (so_far, word) = match file.fate.as_str() {
            "lost" => (summary.lost.files, paint.red("lost    ").to_string()),
            "in_doubt" => (summary.in_doubt.files, paint.yellow("in doubt").to_string()),
            // Where a node dies, many are: only whoever wants all of them sees their names.
            "short" if self.args.all => (0, "short   ".to_owned()),
            _ => return Ok(()),
        };
        if so_far > SHOWN_MAX && !self.args.all {
            return Ok(());
        }
        self.out.line(format_args!(
            "{word}  {:>10}  {}{}",
            size(file.size),
            visible(&file.name),
            paint.dim(why(file))
        ))
    }
}

/// What of a file it is about.
fn why(file: &FileFate) -> String {
    match (file.fate.as_str(), file.parts) {
        ("lost", 2..) => format!("  ({} of its {} parts)", file.parts_lost, file.parts),
        ("in_doubt", _) if !file.seen_whole => {
            "  (what it is made of could not be read)".to_owned()
        }
        ("short", _) => format!("  ({} left)", copies(file.left)),
        _ => String::new(),
    }
}

fn copies(number: usize) -> String {
    count(number as u64, "copy")
}

fn tell(out: Out, summary: &Summary, prefix: &Prefix) -> Result<(), Trouble> {
    let paint = out.paint();
    let nodes = summary.nodes.iter();
    let nodes: Vec<String> = nodes
        .map(|node| format!("{} ({})", short(&node.id), node.addr))
        .collect();
    out.line(out.folded(&format!("If {} died now:", nodes.join(" and "))))?;
    let line = |word: &dyn std::fmt::Display, tally: Tally, note: &str| {
        out.line(format_args!(
            "  {word}  {:>12}  {:>10}  {}",
            count(tally.files, "file"),
            size(tally.bytes),
            paint.dim(note)
        ))
    };
    let hidden = |tally: Tally| {
        let more = tally.files.saturating_sub(SHOWN_MAX);
        if more > 0 {
            "the first are above; all: --all"
        } else {
            ""
        }
    };
    line(&paint.red("lost    "), summary.lost, hidden(summary.lost))?;
    let doubt = match hidden(summary.in_doubt) {
        "" if summary.in_doubt.files > 0 => "left, if at all, on nodes that are silent or lag",
        hidden => hidden,
    };
    line(&paint.yellow("in doubt"), summary.in_doubt, doubt)?;
    let left = summary.short_by_left.iter();
    let left: Vec<String> = left
        .map(|(left, files)| format!("{files} with {}", copies(*left)))
        .collect();
    line(&"short   ", summary.short, &left.join(", "))?;
    line(&paint.green("whole   "), summary.whole, "")?;
    let shares = &summary.shares;
    let of_all = [
        ("lost", shares.lost),
        ("in doubt", shares.in_doubt),
        ("short", shares.short),
        ("whole", shares.whole),
    ];
    let of_all = of_all.iter().filter(|(_, share)| *share > 0.0);
    let of_all: Vec<String> = of_all
        .map(|(word, share)| format!("{} {word}", percent(*share)))
        .collect();
    out.line(format_args!(
        "  of all keys, in every space: {}",
        of_all.join(", ")
    ))?;
    let place = format!("{}:{}", prefix.space, prefix.path);
    let place = visible(&place);
    let names = count(summary.names, "name");
    out.line(if summary.cut {
        paint.yellow(format!(
            "  the first {names} of {place} were looked at, and there are more: --names N"
        ))
    } else {
        paint.dim(format!("  {names} looked at: all of {place}"))
    })?;
    if let Some(Minority { left, of }) = summary.minority {
        let words = match left {
            0 => {
                "No node would be left to read from or to write to until some come back.".to_owned()
            }
            left => format!(
                "The {} left of {of} would be a minority: no writes, no new copies and few reads until others come back or are forgotten.",
                count(left as u64, "node")
            ),
        };
        out.line(paint.yellow(out.folded(&words)))?;
    }
    Ok(())
}

fn ending(summary: &Summary) -> &'static str {
    let keys = &summary.shares;
    match summary {
        Summary { lost, .. } if lost.files > 0 => {
            "Nothing happened yet: to be safer, add a node (chordal invite) or wait for copies (chordal status)."
        }
        _ if keys.lost > 0.0 => {
            "None of these files would be lost, though others at such keys would. Nothing happened yet."
        }
        Summary { in_doubt, .. } if in_doubt.files > 0 || keys.in_doubt > 0.0 => {
            "Nothing is known to be lost. Look who is silent or lags: chordal status"
        }
        Summary {
            minority: Some(_), ..
        } => "Nothing would be lost, but most would wait for others to come back.",
        Summary { short, .. } if short.files > 0 => {
            "Nothing would be lost: the ring makes the missing copies again. For good: chordal plan leave NODE"
        }
        _ => "Nothing would be lost. What leaving would move: chordal plan leave NODE",
    }
}

#[cfg(test)]
mod tests;
