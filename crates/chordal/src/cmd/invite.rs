//! `invite`: a code that lets another machine in.

use std::net::SocketAddr;
use std::time::Duration;

use chordal_web::api;

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
    if let Some(warning) = unreachable_elsewhere(&invited) {
        return context.out.ending(warning);
    }
    context.out.ending(format_args!(
        "Run that on the other machine. It lets {machines} in, for {}; it must reach {}. Where others could see the command, `chordal join -` reads the code.",
        span(args.lasts),
        invited.addrs.join(" or ")
    ))
}

/// What to say of a code that holds no address which another machine could reach.
pub(super) fn unreachable_elsewhere(invited: &api::Invited) -> Option<&'static str> {
    let is_local = |addr: &String| {
        let addr: Result<SocketAddr, _> = addr.parse();
        addr.is_ok_and(|addr| addr.ip().is_loopback())
    };
    invited.addrs.iter().all(is_local).then_some(
        "Only this machine can use that: the node listens nowhere else, or the machine is on no \
         network. `chordal up` listens on all its addresses.",
    )
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
