//! `ring`: the ring drawn in the terminal.

use super::Context;
use crate::out::visible;
use crate::picture;
use crate::trouble::Trouble;

pub(super) async fn run(context: Context) -> Result<(), Trouble> {
    let ring = context.client()?.ring().await?;
    context.out.either(&ring, |out| {
        for line in picture::draw(&ring, out.paint()) {
            out.line(line)?;
        }
        for problem in &ring.problems {
            out.line(format_args!(
                "{} {}",
                out.paint().yellow("!"),
                visible(problem)
            ))?;
        }
        Ok(())
    })?;
    context.out.ending(
        "Every letter is a place of that node; it owns the keys before it. Details: chordal status",
    )
}
