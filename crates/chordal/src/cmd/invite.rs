//! `invite`: a code that lets another machine in.

use std::time::Duration;

use super::Context;
use crate::cli::InviteArgs;
use crate::out::count;
use crate::trouble::Trouble;

pub(super) async fn run(context: Context, args: InviteArgs) -> Result<(), Trouble> {
    let invited = context
        .client()?
        .invite(args.uses, args.lasts.as_secs())
        .await?;
    context.out.either(&invited, |out| {
        out.line(format_args!("chordal join {}", invited.code))
    })?;
    let machines = match invited.uses {
        1 => "one machine".to_owned(),
        some => count(u64::from(some), "machine"),
    };
    context.out.ending(format_args!(
        "Run that on the other machine. It lets {machines} in, for {}; it must reach {}.",
        span(args.lasts),
        invited.addrs.join(" or ")
    ))
}

/// A length of time in its largest unit.
pub(super) fn span(time: Duration) -> String {
    let seconds = time.as_secs();
    let units = [
        (86_400, "day"),
        (3600, "hour"),
        (60, "minute"),
        (1, "second"),
    ];
    let fitting = units.iter().find(|(unit, _)| seconds.is_multiple_of(*unit));
    match fitting {
        Some((unit, name)) => count(seconds / unit, name),
        None => count(seconds, "second"),
    }
}
