//! `ls`: names, page by page as they come.

use chordal_web::api::{Page, Row};
use chordal_web::problem::Missing;
use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::Context;
use crate::cli::LsArgs;
use crate::client::Client;
use crate::names::{self, Prefix};
use crate::out::{count, size, visible};
use crate::trouble::{Exit, Trouble};

pub(super) async fn run(context: Context, args: LsArgs) -> Result<(), Trouble> {
    let prefix = Prefix::parse(&args.prefix)?;
    let client = context.client()?;
    let mut pages = Pages::new(&client, &prefix);
    let (mut files, mut bytes) = (0_u64, 0);
    while let Some(page) = pages.next().await? {
        for row in &page.files {
            (files, bytes) = (files + 1, bytes + row.size);
            if context.out.json {
                context.out.object(row)?;
            } else if args.null {
                context.out.ended_by_nul(&row.name)?;
            } else if args.long {
                context.out.line(long(row))?;
            } else {
                context.out.line(visible(&row.name))?;
            }
        }
    }
    pages.complete()?;
    if args.null {
        return Ok(());
    }
    match files {
        0 => context.out.hint(format_args!(
            "No file here. Store one with: chordal put FILE{}",
            if prefix.space == chordal_object::DEFAULT_SPACE {
                String::new()
            } else {
                format!(" {}:", prefix.space)
            }
        )),
        _ => context.out.hint(format_args!(
            "{}, {}; the list is complete. Fetch one with: chordal get NAME",
            count(files, "file"),
            size(bytes)
        )),
    }
}

/// A row with size, time and hash.
pub(crate) fn long(row: &Row) -> String {
    let time = row
        .modified
        .parse::<Timestamp>()
        .map(|time| {
            time.to_zoned(TimeZone::system())
                .strftime("%Y-%m-%d %H:%M")
                .to_string()
        })
        .unwrap_or_default();
    format!(
        "{:>10}  {time:16}  {}  {}",
        size(row.size),
        crate::out::short(&row.hash),
        visible(&row.name)
    )
}

/// Every row with a prefix; an incomplete listing is an error.
pub(crate) async fn all(client: &Client, prefix: &Prefix) -> Result<Vec<Row>, Trouble> {
    let mut pages = Pages::new(client, prefix);
    let mut rows = Vec::new();
    while let Some(page) = pages.next().await? {
        rows.extend(page.files);
    }
    pages.complete()?;
    Ok(rows)
}

/// Every row of a name and of what lies below it, as in a folder; an error where there is none.
pub(crate) async fn tree(
    client: &Client,
    text: &str,
    prefix: &Prefix,
) -> Result<Vec<Row>, Trouble> {
    let mut rows = all(client, prefix).await?;
    let beginning = rows.len();
    rows.retain(|row| names::parse(&row.name).is_ok_and(|name| prefix.has(name.path())));
    if rows.is_empty() {
        let what = format!(
            "there is no file '{0}' and none below '{0}/'",
            visible(text)
        );
        let advice = if beginning > 0 {
            format!(
                "{} with it: chordal ls {}",
                match beginning {
                    1 => "1 name begins".to_owned(),
                    some => format!("{some} names begin"),
                },
                super::put::quoted(text)
            )
        } else {
            "See what there is with `chordal ls`.".to_owned()
        };
        return Err(Trouble::not_found(what).advice(advice));
    }
    Ok(rows)
}

/// A listing under way.
pub(crate) struct Pages<'a> {
    client: &'a Client,
    prefix: &'a Prefix,
    after: Option<String>,
    ended: bool,
    missing: Vec<Missing>,
}

impl<'a> Pages<'a> {
    pub(crate) fn new(client: &'a Client, prefix: &'a Prefix) -> Self {
        Self {
            client,
            prefix,
            after: None,
            ended: false,
            missing: Vec::new(),
        }
    }

    /// The next page, until there is none.
    pub(crate) async fn next(&mut self) -> Result<Option<Page>, Trouble> {
        if self.ended {
            return Ok(None);
        }
        let (space, path) = (&self.prefix.space, &self.prefix.path);
        let page = self.client.list(space, path, self.after.as_deref()).await?;
        self.ended = page.next.is_none();
        self.after.clone_from(&page.next);
        for node in &page.missing {
            if !self.missing.contains(node) {
                self.missing.push(node.clone());
            }
        }
        Ok(Some(page))
    }

    /// An error when nodes were silent, so that names may be missing.
    pub(crate) fn complete(self) -> Result<(), Trouble> {
        incomplete(self.missing)
    }
}

/// An error when nodes were silent that a listing needs.
pub(super) fn incomplete(missing: Vec<Missing>) -> Result<(), Trouble> {
    if missing.is_empty() {
        return Ok(());
    }
    Err(Trouble::ending(
        Exit::TooFewCopies,
        "too_few_copies",
        "the listing is not complete: names may be missing",
    )
    .about(missing)
    .still("What was listed is there.")
    .advice("Bring the nodes back, or wait until the ring has given them up, and list again."))
}
