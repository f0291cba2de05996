//! `stat`: what the ring knows of a file.

use chordal_web::api::Stat;

use super::{Context, get};
use crate::cli::NameArgs;
use crate::names;
use crate::out::{Out, count, size, visible};
use crate::trouble::Trouble;

pub(super) async fn run(context: Context, args: NameArgs) -> Result<(), Trouble> {
    let name = names::parse(&args.name)?.to_string();
    let stat = context.client()?.stat(&name).await;
    let stat = stat.map_err(|trouble| get::of(&name, trouble))?;
    context.out.either(&stat, |out| tell(out, &stat))?;
    context.out.ending(format_args!(
        "Who holds it: chordal where {}",
        super::put::quoted(&name)
    ))
}

fn tell(out: Out, stat: &Stat) -> Result<(), Trouble> {
    let paint = out.paint();
    let place = match stat.chunks {
        0 => "in its record".to_owned(),
        chunks => format!("in {}", count(chunks, "chunk")),
    };
    let mut rows = vec![
        ("name", visible(&stat.name)),
        (
            "size",
            format!("{} bytes ({}), {place}", stat.size, size(stat.size)),
        ),
        ("hash", stat.hash.clone()),
        ("modified", stat.modified.clone()),
        ("version", stat.version.clone()),
        ("key", stat.key.clone()),
    ];
    if !stat.content_type.is_empty() {
        rows.push(("type", visible(&stat.content_type)));
    }
    for (title, value) in rows {
        out.line(format_args!(
            "{}  {value}",
            paint.dim(format!("{title:>8}"))
        ))?;
    }
    for (key, value) in &stat.metadata {
        out.line(format_args!(
            "{:>8}  {}: {}",
            "",
            visible(key),
            visible(value)
        ))?;
    }
    Ok(())
}
